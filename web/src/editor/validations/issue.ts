import type { Action } from '../core/document';

/** What a rule found. The id is stable: the same fault of the same object has the same id after every keystroke. */
export interface Issue {
  readonly id: string;
  readonly rule: string;
  /** An error keeps the label from being submitted; a warning asks for a look. */
  readonly severity: 'error' | 'warning';
  readonly object: string | null;
  /** Of a video: the frame in which it is to be seen. */
  readonly frame?: number;
  /** An English message with {names}, translated where shown. */
  readonly message: string;
  readonly values: Readonly<Record<string, string | number>>;
  readonly fix: { readonly title: string; readonly action: Action } | null;
}

export function issue(
  rule: string,
  message: string,
  extra: Partial<Omit<Issue, 'id' | 'rule' | 'message'>> & { key?: string } = {},
): Issue {
  const { key, ...rest } = extra;
  const object = rest.object ?? null;
  return {
    id: [rule, object, key].filter(Boolean).join(':'),
    rule,
    message,
    severity: 'error',
    values: {},
    fix: null,
    ...rest,
    object,
  };
}
