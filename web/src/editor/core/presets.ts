/**
 * Which keys a person's hands know: ours, those of CVAT or of Label Studio, and what they have bound themselves. One
 * table of commands with their default keys goes in, the same with the keys that count comes out: each key with one
 * command, whatever was asked for. A preset names commands by their ids; what is not named keeps its default.
 */
import { lasting } from '../../api/keep';
import type { Binding } from './keymap';

export type PresetName = 'cupola' | 'cvat' | 'labelstudio';
type Table = Readonly<Record<string, readonly string[]>>;

interface Preset {
  readonly name: string;
  readonly keys: Table;
  /** Classes are chosen with this held as well. */
  readonly classesWith?: string;
}

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  cupola: { name: 'Cupola', keys: {} },
  cvat: {
    name: 'CVAT',
    classesWith: 'Ctrl',
    keys: {
      'mode-draw': ['N'],
      'next-frame': ['F'],
      'previous-frame': ['D'],
      'frames-on': ['V'],
      'frames-back': ['C'],
      play: ['Space'],
      'next-key': ['R'],
      'previous-key': ['E'],
      'toggle-key': ['K'],
      'toggle-outside': ['O'],
      'toggle-occluded': ['Q'],
      'next-object': ['Tab'],
      'previous-object': ['Shift+Tab'],
      lock: ['L'],
      hide: ['H'],
      'to-front': ['+'],
      'to-back': ['-'],
      'merge-tracks': ['M'],
      'split-track': ['Alt+M'],
      join: ['J'],
      slice: ['Alt+J'],
      propagate: ['Ctrl+B'],
      delete: ['Delete'],
      copy: ['Ctrl+C'],
      paste: ['Ctrl+V'],
      undo: ['Ctrl+Z'],
      redo: ['Ctrl+Shift+Z', 'Ctrl+Y'],
      help: ['F1', '?'],
    },
  },
  labelstudio: {
    name: 'Label Studio',
    keys: {
      finish: ['Ctrl+Enter'],
      'next-frame': ['Alt+ArrowRight'],
      'previous-frame': ['Alt+ArrowLeft'],
      play: ['Alt+Space'],
      'next-key': ['Ctrl+Alt+ArrowRight'],
      'previous-key': ['Ctrl+Alt+ArrowLeft'],
      delete: ['Backspace'],
      duplicate: ['Ctrl+D'],
      'next-object': ['Alt+.'],
      lock: ['Alt+L'],
      hide: ['Alt+H'],
      deselect: ['Escape'],
      undo: ['Ctrl+Z'],
      redo: ['Ctrl+Shift+Z'],
    },
  },
};

export interface Choice {
  readonly preset: PresetName;
  /** What somebody bound by themselves. */
  readonly own: Table;
}

const KEY = 'cupola.keys';
const NONE: Choice = { preset: 'cupola', own: {} };

function read(): Choice {
  try {
    const told = JSON.parse(lasting.read(KEY) ?? 'null') as Partial<Choice> | null;
    return told?.preset && told.preset in PRESETS ? { preset: told.preset, own: told.own ?? {} } : NONE;
  } catch {
    return NONE;
  }
}

let now: Choice | null = null;
const listeners = new Set<() => void>();

/** What this browser was told; held by every desk of it. */
export const chosenKeys = {
  get: (): Choice => {
    now ??= read();
    return now;
  },
  set: (choice: Choice): void => {
    now = choice;
    lasting.write(KEY, JSON.stringify(choice));
    for (const listener of listeners) listener();
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** Other chords for a command whose own was taken. */
const otherwise = (chord: string): string[] => {
  const last = chord.endsWith('+') ? '+' : (chord.split('+').at(-1) ?? chord);
  return [`Alt+${last}`, `Alt+Shift+${last}`, `Ctrl+Alt+${last}`, `Ctrl+Alt+Shift+${last}`];
};

/** The bindings with the keys that count: own before the preset's, those before defaults; every command keeps one. */
export function resolved<B extends Binding>(bindings: readonly B[], { preset, own }: Choice): B[] {
  const { keys: table, classesWith } = PRESETS[preset];
  const asked = (binding: Binding): readonly string[] | undefined => {
    const told = table[binding.command];
    if (told || !classesWith || !binding.command.startsWith('class:')) return told;
    return binding.keys.map((key) => `${classesWith}+${key}`);
  };
  const open = bindings.filter(({ isFixed }) => !isFixed);
  const taken = new Map<string, string>();
  const found = new Map<string, string[]>();
  const claim = (command: string, chords: readonly string[]) => {
    const free = chords.filter((chord) => !taken.has(chord));
    for (const chord of free) taken.set(chord, command);
    found.set(command, [...(found.get(command) ?? []), ...free]);
  };
  for (const { command } of open) if (own[command]) claim(command, own[command]);
  for (const binding of open) {
    const chords = asked(binding);
    if (!own[binding.command] && chords) claim(binding.command, chords);
  }
  for (const binding of open) {
    if (!own[binding.command] && !asked(binding)) claim(binding.command, binding.keys);
  }
  for (const { command, keys } of open) {
    if (found.get(command)?.length || keys.length === 0) continue;
    claim(command, [keys.flatMap(otherwise).find((chord) => !taken.has(chord)) ?? []].flat());
  }
  return bindings.map((binding) =>
    binding.isFixed ? binding : { ...binding, keys: found.get(binding.command) ?? binding.keys },
  );
}

/** Who holds a chord that somebody wants for another command; null where it is free. */
export function holderOf(bindings: readonly Binding[], command: string, chord: string): Binding | null {
  return (
    bindings.find((binding) => !binding.isFixed && binding.command !== command && binding.keys.includes(chord)) ?? null
  );
}
