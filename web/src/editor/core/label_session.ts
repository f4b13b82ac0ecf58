/** One label being edited: its history, its setting, and who wants to know when it changes. */
import { type Issue, validate } from '../validations';
import type { Action, Document, Setting } from './document';
import { type History, perform, redo, undo } from './history';

export class LabelSession {
  readonly setting: Setting;
  #history: History;
  #issues: { document: Document; issues: Issue[] } | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(setting: Setting, history: History) {
    this.setting = setting;
    this.#history = history;
  }

  get history(): History {
    return this.#history;
  }
  get document(): Document {
    return this.#history.present;
  }

  /** The issues of the present document, worked out once for each document. */
  get issues(): Issue[] {
    if (this.#issues?.document !== this.document) {
      this.#issues = { document: this.document, issues: validate(this.document, this.setting) };
    }
    return this.#issues.issues;
  }

  perform = (action: Action, mark: string | null = null): void => this.#become(perform(this.#history, action, mark));
  undo = (): void => this.#become(undo(this.#history));
  redo = (): void => this.#become(redo(this.#history));

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): History => this.#history;

  #become(next: History): void {
    if (next === this.#history) return;
    this.#history = next;
    for (const listener of this.#listeners) listener();
  }
}
