/** What the wizard has gathered, and whether each step is complete. Plain data, so that a reload can bring it back. */
import type { Kind, OfferIn, Ontology, Plan } from '../api/types';

export const STEPS = ['data', 'labels', 'guidelines', 'quality', 'price', 'launch'] as const;
export type Step = (typeof STEPS)[number];

export interface Draft {
  name: string;
  dataset: string;
  kind: Kind;
  multiple: boolean;
  /** One class a line. */
  classes: string;
  max_chars: number;
  guidelines_en: string;
  guidelines_zh: string;
  plan: Plan;
  offer: OfferIn & { currency: string };
  page_size: number;
  allot_minor: number;
}

export const EMPTY: Draft = {
  name: '',
  dataset: '',
  kind: 'choice',
  multiple: false,
  classes: '',
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
};

export function classNames(draft: Draft): string[] {
  const names = draft.classes
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return [...new Set(names)];
}

export function ontologyOf(draft: Draft): Ontology {
  if (draft.kind === 'text') return { kind: 'text', classes: [], text: { min_chars: 1, max_chars: draft.max_chars } };
  if (draft.kind === 'objects') {
    return { kind: 'objects', classes: classNames(draft).map((name) => ({ name, geometry: 'box' as const })) };
  }
  return { kind: 'choice', multiple: draft.multiple, classes: classNames(draft).map((name) => ({ name })) };
}

/** Why the step is not complete, as an English message, or null. */
export function incomplete(draft: Draft, step: Step): string | null {
  switch (step) {
    case 'data':
      if (!draft.name.trim()) return 'Give the project a name.';
      return draft.dataset ? null : 'Choose or create a dataset.';
    case 'labels': {
      if (draft.kind === 'text') return null;
      const count = classNames(draft).length;
      if (draft.kind === 'choice' && count < 2) return 'Give at least two labels, one a line.';
      return count >= 1 ? null : 'Give at least one class.';
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
