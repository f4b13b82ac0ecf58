/** What the wizard has gathered, and whether each step is complete. Plain data, so that a reload can bring it back. */

import { passing } from '../api/keep';
import type { Kind, Localised, OfferIn, Ontology, OntologyVersion, Plan, Review, Template } from '../api/types';
import { classesOf } from '../editor/core/ontology';
import { KIND_LIST } from '../editor/kinds/models';
import { BLANK_OWNS, incompleteOf, type Owns, ontologyFrom, ownsFrom } from '../editor/kinds/setups';
import { type Named, NOTHING_NAMED } from '../editor/setup/setup';

export const STEPS = ['data', 'labels', 'guidelines', 'quality', 'price', 'launch'] as const;
export type Step = (typeof STEPS)[number];

/** A version of an ontology that the project takes as it is, instead of one of its own. */
export interface Like {
  version_id: string;
  name: string;
  version: number;
  spec: Ontology;
  guidelines: Localised;
}

export function likeOf({ version_id, name, version, spec, guidelines }: OntologyVersion): Like {
  return { version_id, name, version, spec, guidelines };
}

/** Who looks at what was drawn before it settles, and what becomes of what they reject. */
export type Reviewing = 'nobody' | 'once' | 'twice' | 'mended';

export interface Draft {
  name: string;
  dataset: string;
  like: Like | null;
  kind: Kind;
  named: Named;
  /** What each kind asks for beside the classes. */
  owns: Owns;
  guidelines_en: string;
  guidelines_zh: string;
  plan: Plan;
  offer: OfferIn & { currency: string };
  reviewing: Reviewing;
  review_minor: number;
  fix_minor: number;
  page_size: number;
  allot_minor: number;
  /** Known answers, as lines of ref,label. */
  gold: string;
  /** The name of the template that it began with. */
  template: string | null;
}

export const EMPTY: Draft = {
  name: '',
  dataset: '',
  like: null,
  kind: KIND_LIST[0] as Kind,
  named: NOTHING_NAMED,
  owns: BLANK_OWNS,
  guidelines_en: '',
  guidelines_zh: '',
  plan: {
    target_accuracy: 0.99,
    confidence: 0.95,
    max_judgements: 5,
    min_judgements: 1,
    gold_rate: 0.05,
    audit_items: 330,
    opinions: 'heard',
    expert_cost: 10,
  },
  offer: { price_minor: 2, currency: 'EUR' },
  reviewing: 'nobody',
  review_minor: 1,
  fix_minor: 2,
  page_size: 10,
  allot_minor: 0,
  gold: '',
  template: null,
};

/** Which of the ways to review a template has. */
function reviewingOf({ reviews }: Template): Reviewing {
  const [first] = reviews;
  if (!first) return 'nobody';
  if (first.fix_price_minor !== null) return 'mended';
  return reviews.length > 1 ? 'twice' : 'once';
}

/** What a template says of a project: everything but its name, its data, its currency and its budget. */
export function fromTemplate(template: Template, draft: Draft): Partial<Draft> {
  const { spec, plan, guidelines, reviews } = template;
  const classes = classesOf(spec);
  const titles = Object.fromEntries(classes.map((one) => [one.name, { ...one.title }])) as Draft['named']['titles'];
  return {
    template: template.name,
    like: null,
    kind: spec.kind,
    named: classes.length
      ? { classes: classes.map((one) => one.name).join('\n'), titled: classes.some((one) => one.title), titles }
      : draft.named,
    owns: ownsFrom(spec, draft.owns),
    guidelines_en: guidelines.en ?? '',
    guidelines_zh: guidelines.zh ?? '',
    plan: { ...EMPTY.plan, ...plan },
    offer: { ...draft.offer, price_minor: template.price_minor, estimate_median_s: template.seconds },
    reviewing: reviewingOf(template),
    review_minor: reviews[0]?.price_minor ?? EMPTY.review_minor,
    fix_minor: reviews[0]?.fix_price_minor ?? EMPTY.fix_minor,
    page_size: template.page_size,
  };
}

export function classNames(draft: Draft): string[] {
  return classesOf(ontologyOf(draft)).map((one) => one.name);
}

export function ontologyOf(draft: Draft): Ontology {
  return draft.like ? draft.like.spec : ontologyFrom(draft.kind, draft.named, draft.owns);
}

/** The stages after the first, as a new project takes them. */
export function reviewsOf({ reviewing, review_minor, fix_minor }: Draft): Review[] {
  const review = { price_minor: review_minor };
  switch (reviewing) {
    case 'nobody':
      return [];
    case 'once':
      return [review];
    case 'twice':
      return [review, review];
    case 'mended':
      return [{ ...review, fix: { price_minor: fix_minor } }, review];
  }
}

/** Why the step is not complete, as an English message, or null. */
export function incomplete(draft: Draft, step: Step): string | null {
  if (draft.like && (step === 'labels' || step === 'guidelines')) return null;
  switch (step) {
    case 'data':
      if (!draft.name.trim()) return 'Give the project a name.';
      return draft.dataset ? null : 'Choose or create a dataset.';
    case 'labels':
      return incompleteOf(draft.kind, draft.named, draft.owns);
    case 'guidelines':
      return draft.guidelines_en.trim() || draft.guidelines_zh.trim()
        ? null
        : 'Say in a sentence or two how to decide.';
    case 'quality':
      return draft.plan.min_judgements <= draft.plan.max_judgements
        ? null
        : 'The least judgements must not exceed the most.';
    case 'price':
      if (draft.reviewing !== 'nobody' && draft.review_minor <= 0) return 'A review must pay something.';
      if (draft.reviewing === 'mended' && draft.fix_minor <= 0) return 'Mending must pay something.';
      return draft.offer.price_minor > 0 ? null : 'A judgement must pay something.';
    case 'launch':
      return null;
  }
}

const STORED = 'cupola.wizard';

export function loadDraft(): Draft {
  try {
    const stored: unknown = JSON.parse(passing.read(STORED) ?? 'null');
    if (!stored || typeof stored !== 'object') return EMPTY;
    const draft: Draft = { ...EMPTY, ...stored };
    // Kept by an earlier version: what it did not know is as at the beginning.
    return { ...draft, named: { ...EMPTY.named, ...draft.named }, owns: { ...EMPTY.owns, ...draft.owns } };
  } catch {
    return EMPTY;
  }
}
export function storeDraft(draft: Draft): void {
  passing.write(STORED, JSON.stringify(draft));
}
export function forgetDraft(): void {
  passing.drop(STORED);
}
