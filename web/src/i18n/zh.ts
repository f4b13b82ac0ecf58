import { editor } from './zh_editor';
import { guideline } from './zh_guideline';
import { orders } from './zh_orders';
import { pages } from './zh_pages';
import { quality } from './zh_quality';
import { requester } from './zh_requester';
import { training } from './zh_training';

/** The Chinese catalogue: English message to Chinese, in the terms of the labelling trade. */
export const zh: Record<string, string> = {
  ...editor,
  ...guideline,
  ...orders,
  ...pages,
  ...quality,
  ...requester,
  ...training,
};
