/** Keys are data: scoped, refused when two commands claim one key, listed by the help from the same table. */

export interface Binding {
  /** Stable id of the command, e.g. 'undo'. */
  readonly command: string;
  /** Chords such as 'Ctrl+Z', 'Enter', '1'. 'Ctrl' also means Command on a Mac. */
  readonly keys: readonly string[];
  /** English text of the command (translated where shown). */
  readonly title: string;
  /** What the {names} of the title stand for. */
  readonly values?: Readonly<Record<string, string | number>>;
}

export interface Keymap {
  readonly bindings: readonly Binding[];
  readonly byChord: ReadonlyMap<string, string>;
}

/** @throws Error naming both commands when two of them claim the same chord. */
export function buildKeymap(bindings: readonly Binding[]): Keymap {
  const byChord = new Map<string, string>();
  for (const { command, keys } of bindings) {
    for (const chord of keys) {
      const holder = byChord.get(chord);
      if (holder !== undefined) throw new Error(`${chord} is bound to both ${holder} and ${command}`);
      byChord.set(chord, command);
    }
  }
  return { bindings, byChord };
}

type KeyLike = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** The chord that an event is. Digits are taken from the physical key, so that layouts with digits on Shift work too. */
export function chordOf(event: KeyLike): string {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const key = digit ?? (event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const isSymbol = digit === undefined && event.key.length === 1 && !/[a-z]/i.test(event.key);
  return [
    event.ctrlKey || event.metaKey ? 'Ctrl' : '',
    event.altKey ? 'Alt' : '',
    // A symbol already holds its Shift: '?' is '?', not 'Shift+?'.
    event.shiftKey && !isSymbol ? 'Shift' : '',
    key,
  ]
    .filter(Boolean)
    .join('+');
}

export function commandFor(keymap: Keymap, event: KeyLike): string | undefined {
  return keymap.byChord.get(chordOf(event));
}

/** True where a key press means text: letters must not be commands there, nor while an input method composes. */
export function isTyping(event: { target: EventTarget | null; isComposing?: boolean }): boolean {
  if (event.isComposing) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === 'TEXTAREA' || target.tagName === 'SELECT') return true;
  if (target.tagName !== 'INPUT') return false;
  return !['checkbox', 'radio', 'button', 'range', 'submit'].includes((target as HTMLInputElement).type);
}
