import { drawing } from './zh_drawing';
import { editor } from './zh_editor';
import { guideline } from './zh_guideline';
import { language } from './zh_language';
import { learning } from './zh_learning';
import { orders } from './zh_orders';
import { pages } from './zh_pages';
import { people } from './zh_people';
import { quality } from './zh_quality';
import { requester } from './zh_requester';
import { shapes } from './zh_shapes';
import { skills } from './zh_skills';
import { training } from './zh_training';
import { trouble } from './zh_trouble';
import { video } from './zh_video';

/** The Chinese catalogue: English message to Chinese, in the terms of the labelling trade. */
export const zh: Record<string, string> = {
  ...drawing,
  ...editor,
  ...guideline,
  ...language,
  ...learning,
  ...orders,
  ...pages,
  ...people,
  ...quality,
  ...requester,
  ...training,
  ...shapes,
  ...skills,
  ...trouble,
  ...video,
};
