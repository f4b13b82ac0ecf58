/** Keys are data: scoped, refused when two commands claim one key, listed by the help from the same table. */

export interface Binding {
  /** Stable id of the command, e.g. 'undo'. */
  readonly command: string;
  /** Chords such as 'Ctrl+Z', 'Enter', '1'. 'Ctrl' also means Command on a Mac. */
  readonly keys: readonly string[];
  /** English text of the command (translated where shown). */
  readonly title: string;
  /** Goes on while its key is held (a nudge). What cannot be taken back must not: a held key is one press. */
  readonly repeats?: boolean;
  /** Held, or meant while something is drawn: it is no chord of its own and not bound anew. */
  readonly isFixed?: boolean;
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

/** What stands on the keys of symbols where letters are Latin, without and with Shift. */
const SYMBOLS: Readonly<Record<string, readonly [plain: string, shifted: string]>> = {
  Comma: [',', '<'],
  Period: ['.', '>'],
  Slash: ['/', '?'],
  Semicolon: [';', ':'],
  Quote: ["'", '"'],
  BracketLeft: ['[', '{'],
  BracketRight: [']', '}'],
  Backslash: ['\\', '|'],
  Minus: ['-', '_'],
  Equal: ['=', '+'],
  Backquote: ['`', '~'],
};

/**
 * What the key writes where letters are Latin. A Latin letter or symbol counts as it is, wherever its layout keeps it;
 * a key that writes another script (Cyrillic, Greek, Hebrew, …) or nothing (dead, or held by an input method) counts
 * by its place.
 */
function latinKey(event: KeyLike): string {
  const { key, code } = event;
  const writesLatin = key.length === 1 && key >= ' ' && key <= '~';
  const isNamed = key.length > 1 && !['Dead', 'Process', 'Unidentified', 'Compose'].includes(key);
  if (writesLatin || isNamed) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  return letter?.toLowerCase() ?? SYMBOLS[code]?.[event.shiftKey ? 1 : 0] ?? key;
}

/** The chord that an event is. Digits are taken from the physical key, so that layouts with digits on Shift work too. */
export function chordOf(event: KeyLike): string {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const written = latinKey(event);
  const key = digit ?? (written === ' ' ? 'Space' : written.length === 1 ? written.toUpperCase() : written);
  const isSymbol = digit === undefined && written.length === 1 && !/[a-z]/i.test(written);
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
