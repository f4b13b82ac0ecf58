import type { Document, Setting } from '../core/document';
import { attributeKnown } from './attribute_known';
import { attributeRequired } from './attribute_required';
import { boxInsideImage } from './box_inside_image';
import { boxNoTwin } from './box_no_twin';
import { boxNotTiny } from './box_not_tiny';
import { choiceKnown } from './choice_known';
import { choiceRequired } from './choice_required';
import { choiceSingle } from './choice_single';
import type { Issue, Validation } from './issue';
import { objectClassKnown } from './object_class_known';
import { textLength } from './text_length';
import { textPattern } from './text_pattern';

export type { Issue } from './issue';

const VALIDATIONS: readonly Validation[] = [
  choiceRequired,
  choiceSingle,
  choiceKnown,
  textLength,
  textPattern,
  objectClassKnown,
  boxNotTiny,
  boxInsideImage,
  boxNoTwin,
  attributeRequired,
  attributeKnown,
];

/** Every issue of a document; errors first. */
export function validate(document: Document, setting: Setting): Issue[] {
  const issues = VALIDATIONS.flatMap((validation) => validation(document, setting));
  return issues.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
}
