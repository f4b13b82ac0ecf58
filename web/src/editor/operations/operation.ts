/** A verb that a person sees: it has a name, keys, and can say why it cannot be done now. */
import type { LabelSession } from '../core/label_session';

export interface Operation<Context = LabelSession> {
  readonly id: string;
  /** English text with {names}; translated where shown. */
  readonly title: string;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly keys: readonly string[];
  /** Goes on while its key is held. */
  readonly repeats?: boolean;
  /** English reason, or null when it can be done. */
  disabledBecause(context: Context): string | null;
  run(context: Context): void;
}
