import type { Document, Setting } from '../core/document';
import type { Issue } from './issue';
import { Validator } from './validator';

export { type Issue, issue } from './issue';
export { Validator } from './validator';

/** Every issue of a document, worked out from nothing. */
export function validate(document: Document, setting: Setting): Issue[] {
  const validator = new Validator();
  validator.take(document, setting);
  validator.look(() => true);
  return validator.issues();
}
