/** Signals about a contributor that a person should look at: a word, and since lately the evidence for it. */

export interface Flag {
  readonly kind: string;
  /** What was seen, in words or as named figures. */
  readonly evidence: string | null;
  readonly since: string | null;
  /** The same by name: what a sentence in another language is written from. */
  readonly figures: Readonly<Record<string, number>>;
  readonly judgements: number | null;
  readonly others: readonly string[];
}

function inWords(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map(inWords).filter(Boolean).join(', ') || null;
  return (
    Object.entries(value)
      .map(([name, one]) => `${name.replaceAll('_', ' ')}: ${inWords(one) ?? '–'}`)
      .join('; ') || null
  );
}

const BARE = { figures: {}, judgements: null, others: [] } as const;

function numbersIn(value: unknown): Record<string, number> {
  if (value === null || typeof value !== 'object') return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, number] => typeof pair[1] === 'number'),
  );
}

/** Servers have said a flag as a word, and as an object with its evidence: both are read. */
export function readFlag(flag: unknown): Flag {
  if (flag === null || typeof flag !== 'object') return { kind: String(flag), evidence: null, since: null, ...BARE };
  const { kind, since, evidence, others, figures, judgements } = flag as Record<string, unknown>;
  const company = Array.isArray(others) && others.length > 0 ? inWords({ with: others }) : null;
  return {
    kind: typeof kind === 'string' ? kind : '?',
    evidence: [inWords(evidence), company].filter(Boolean).join('; ') || null,
    since: typeof since === 'string' ? since : null,
    figures: numbersIn(figures),
    judgements: typeof judgements === 'number' ? judgements : null,
    others: Array.isArray(others) ? others.filter((one) => typeof one === 'string') : [],
  };
}
