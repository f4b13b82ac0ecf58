/** What the wizard has gathered, and whether each step is complete. Plain data, so that a reload can bring it back. */
import type {
  AttributeSpec,
  AttributeType,
  ClassSpec,
  Kind,
  Localised,
  OfferIn,
  Ontology,
  OntologyVersion,
  Plan,
} from '../api/types';

export const STEPS = ['data', 'labels', 'guidelines', 'quality', 'price', 'launch'] as const;
export type Step = (typeof STEPS)[number];

/** A further question about each box, as it is being written. */
export interface AttributeDraft {
  key: string;
  name: string;
  type: AttributeType;
  options: string[];
  required: boolean;
}

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

export interface Draft {
  name: string;
  dataset: string;
  like: Like | null;
  kind: Kind;
  multiple: boolean;
  /** One class a line. */
  classes: string;
  /** Whether contributors see other words than the names; the words by the class's name. */
  titled: boolean;
  titles: Record<string, { en?: string; zh?: string }>;
  attributes: AttributeDraft[];
  min_chars: number;
  max_chars: number;
  guidelines_en: string;
  guidelines_zh: string;
  plan: Plan;
  offer: OfferIn & { currency: string };
  page_size: number;
  allot_minor: number;
  /** Known answers, as lines of ref,label. */
  gold: string;
}

export const EMPTY: Draft = {
  name: '',
  dataset: '',
  like: null,
  kind: 'choice',
  multiple: false,
  classes: '',
  titled: false,
  titles: {},
  attributes: [],
  min_chars: 1,
  max_chars: 500,
  guidelines_en: '',
  guidelines_zh: '',
  plan: {
    target_accuracy: 0.99,
    confidence: 0.95,
    max_judgements: 5,
    min_judgements: 1,
    gold_rate: 0.05,
    audit_items: 300,
  },
  offer: { price_minor: 2, currency: 'EUR' },
  page_size: 10,
  allot_minor: 0,
  gold: '',
};

export function classNames(draft: Draft): string[] {
  if (draft.like) return draft.like.spec.classes.map((one) => one.name);
  const names = draft.classes
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return [...new Set(names)];
}

function titleOf(draft: Draft, name: string): Pick<ClassSpec, 'title'> {
  const en = draft.titles[name]?.en?.trim();
  const zh = draft.titles[name]?.zh?.trim();
  if (!draft.titled || !(en || zh)) return {};
  return { title: { ...(en ? { en } : {}), ...(zh ? { zh } : {}) } };
}

const hasOptions = ({ type }: AttributeDraft) => type === 'choice' || type === 'multi';

function attributeOf(draft: AttributeDraft): AttributeSpec {
  return {
    name: draft.name.trim(),
    type: draft.type,
    ...(hasOptions(draft) ? { options: draft.options } : {}),
    ...(draft.required ? { required: true } : {}),
  };
}

export function ontologyOf(draft: Draft): Ontology {
  if (draft.like) return draft.like.spec;
  if (draft.kind === 'text') {
    return { kind: 'text', classes: [], text: { min_chars: draft.min_chars, max_chars: draft.max_chars } };
  }
  const named = classNames(draft).map((name) => ({ name, ...titleOf(draft, name) }));
  if (draft.kind === 'choice') return { kind: 'choice', multiple: draft.multiple, classes: named };
  return {
    kind: 'objects',
    classes: named.map((one) => ({ ...one, geometry: 'box' as const })),
    ...(draft.attributes.length > 0 ? { attributes: draft.attributes.map(attributeOf) } : {}),
  };
}

/** Why the step is not complete, as an English message, or null. */
export function incomplete(draft: Draft, step: Step): string | null {
  if (draft.like && (step === 'labels' || step === 'guidelines')) return null;
  switch (step) {
    case 'data':
      if (!draft.name.trim()) return 'Give the project a name.';
      return draft.dataset ? null : 'Choose or create a dataset.';
    case 'labels': {
      if (draft.kind === 'text') {
        return draft.min_chars <= draft.max_chars ? null : 'The least characters must not exceed the most.';
      }
      const count = classNames(draft).length;
      if (draft.kind === 'choice' && count < 2) return 'Give at least two labels, one a line.';
      if (count < 1) return 'Give at least one class.';
      if (draft.kind !== 'objects') return null;
      const names = draft.attributes.map((one) => one.name.trim());
      if (names.includes('')) return 'Give each attribute a name.';
      if (new Set(names).size < names.length) return 'Two attributes have the same name.';
      return draft.attributes.some((one) => hasOptions(one) && one.options.length === 0)
        ? 'Give each list of an attribute its options.'
        : null;
    }
    case 'guidelines':
      return draft.guidelines_en.trim() || draft.guidelines_zh.trim()
        ? null
        : 'Say in a sentence or two how to decide.';
    case 'quality':
      return draft.plan.min_judgements <= draft.plan.max_judgements
        ? null
        : 'The least judgements must not exceed the most.';
    case 'price':
      return draft.offer.price_minor > 0 ? null : 'A judgement must pay something.';
    case 'launch':
      return null;
  }
}

const STORED = 'cupola.wizard';

export function loadDraft(): Draft {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? 'null');
    return stored && typeof stored === 'object' ? { ...EMPTY, ...stored } : EMPTY;
  } catch {
    return EMPTY;
  }
}
export function storeDraft(draft: Draft): void {
  sessionStorage.setItem(STORED, JSON.stringify(draft));
}
export function forgetDraft(): void {
  sessionStorage.removeItem(STORED);
}
