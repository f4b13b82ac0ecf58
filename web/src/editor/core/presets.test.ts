import { describe, expect, it } from 'vitest';
import { KINDS } from '../kinds';
import { redoOperation, undoOperation } from '../operations/undo_redo';
import { type Binding, buildKeymap } from './keymap';
import { holderOf, PRESETS, type PresetName, resolved } from './presets';

const ONTOLOGY = { kind: 'tracks', classes: [{ name: 'car' }, { name: 'person' }] } as const;

/** As a desk lists them. */
function listed(kind: 'objects' | 'tracks'): Binding[] {
  const ontology = { ...ONTOLOGY, kind, classes: [...ONTOLOGY.classes] };
  const face = KINDS[kind];
  const desk = [
    { command: 'finish', title: '', keys: ['Enter', 'Ctrl+Enter'] },
    { command: 'help', title: '', keys: ['?', 'F1'] },
  ];
  const operations = [undoOperation, redoOperation, ...face.operations(ontology)];
  return [
    ...desk,
    ...operations.map(({ id, title, keys }) => ({ command: id, title, keys })),
    ...(face.stageKeys?.(ontology) ?? []),
  ];
}

describe.each(['objects', 'tracks'] as const)('keys of %s', (kind) => {
  it.each(Object.keys(PRESETS) as PresetName[])(
    'of %s are each of one command, and every command has one',
    (preset) => {
      const bindings = resolved(listed(kind), { preset, own: {} });
      expect(() => buildKeymap(bindings.filter(({ isFixed }) => !isFixed))).not.toThrow();
      expect(bindings.filter(({ keys }) => keys.length === 0).map(({ command }) => command)).toEqual([]);
    },
  );
});

describe('presets', () => {
  it('are ours where nobody asked for another', () => {
    const bindings = listed('tracks');
    expect(resolved(bindings, { preset: 'cupola', own: {} }).map(({ keys }) => keys)).toEqual(
      bindings.map(({ keys }) => keys),
    );
  });

  it('name commands that there are, in the hands of who knows the other tool', () => {
    const known = new Set([...listed('objects'), ...listed('tracks')].map(({ command }) => command));
    for (const { keys } of Object.values(PRESETS)) {
      expect(Object.keys(keys).filter((command) => !known.has(command))).toEqual([]);
    }
    const cvat = buildKeymap(resolved(listed('tracks'), { preset: 'cvat', own: {} }).filter(({ isFixed }) => !isFixed));
    for (const [chord, command] of [
      ['F', 'next-frame'],
      ['D', 'previous-frame'],
      ['K', 'toggle-key'],
      ['O', 'toggle-outside'],
      ['Q', 'toggle-occluded'],
      ['Ctrl+1', 'class:car'],
      ['Ctrl+B', 'propagate'],
    ] as const) {
      expect(cvat.byChord.get(chord)).toBe(command);
    }
  });

  it('give way to what somebody bound', () => {
    const bindings = resolved(listed('tracks'), { preset: 'cvat', own: { 'next-frame': ['J'] } });
    const keymap = buildKeymap(bindings.filter(({ isFixed }) => !isFixed));
    expect(keymap.byChord.get('J')).toBe('next-frame');
    expect(keymap.byChord.get('F')).not.toBe('next-frame');
  });

  it('say who holds a key before it is bound twice', () => {
    const bindings = resolved(listed('tracks'), { preset: 'cupola', own: {} });
    expect(holderOf(bindings, 'next-frame', 'D')?.command).toBe('previous-frame');
    expect(holderOf(bindings, 'next-frame', 'F')).toBeNull();
    expect(holderOf(bindings, 'next-frame', 'Ctrl+Alt+J')).toBeNull();
  });
});
