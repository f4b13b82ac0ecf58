// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { buildKeymap, chordOf, commandFor, isTyping } from './keymap';

const press = (key: string, code: string, extra: Partial<KeyboardEvent> = {}) => ({
  key,
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...extra,
});

describe('the keymap', () => {
  it('refuses one chord for two commands, naming both', () => {
    expect(() =>
      buildKeymap([
        { command: 'undo', keys: ['Ctrl+Z'], title: 'Undo' },
        { command: 'zap', keys: ['Ctrl+Z'], title: 'Zap' },
      ]),
    ).toThrow(/undo.*zap/);
  });

  it('finds the command of an event', () => {
    const keymap = buildKeymap([{ command: 'redo', keys: ['Ctrl+Shift+Z'], title: 'Redo' }]);
    expect(commandFor(keymap, press('Z', 'KeyZ', { ctrlKey: true, shiftKey: true }))).toBe('redo');
    expect(commandFor(keymap, press('z', 'KeyZ', { ctrlKey: true }))).toBeUndefined();
  });

  it('takes Command for Ctrl', () => {
    expect(chordOf(press('z', 'KeyZ', { metaKey: true }))).toBe('Ctrl+Z');
  });

  it('takes digits from the physical key, so that a French keyboard works too', () => {
    expect(chordOf(press('&', 'Digit1'))).toBe('1');
    expect(chordOf(press('7', 'Numpad7'))).toBe('7');
  });

  it.each([
    ['Russian', press('я', 'KeyZ', { ctrlKey: true }), 'Ctrl+Z'],
    ['Russian', press('Я', 'KeyZ', { ctrlKey: true, shiftKey: true }), 'Ctrl+Shift+Z'],
    ['Greek', press('ν', 'KeyN'), 'N'],
    ['Hebrew', press('ש', 'KeyA'), 'A'],
    ['Arabic', press('ض', 'KeyQ'), 'Q'],
    ['Russian, on the key of the full stop', press('ю', 'Period'), '.'],
    ['Russian, on the key of the bracket', press('Х', 'BracketLeft', { shiftKey: true }), '{'],
    ['an input method', press('Process', 'KeyV'), 'V'],
    ['German: its own Z', press('z', 'KeyY', { ctrlKey: true }), 'Ctrl+Z'],
    ['French: its own A', press('a', 'KeyQ'), 'A'],
    ['Dvorak: its own Z', press('z', 'Slash', { ctrlKey: true }), 'Ctrl+Z'],
  ])('means the same on every layout: %s', (_, event, chord) => {
    expect(chordOf(event)).toBe(chord);
  });

  it('does not ask for Shift with a symbol', () => {
    expect(chordOf(press('?', 'Slash', { shiftKey: true }))).toBe('?');
  });

  it('leaves letters alone where text is written or composed', () => {
    const area = document.createElement('textarea');
    const button = document.createElement('button');
    const tick = Object.assign(document.createElement('input'), { type: 'checkbox' });
    expect(isTyping({ target: area })).toBe(true);
    expect(isTyping({ target: button })).toBe(false);
    expect(isTyping({ target: tick })).toBe(false);
    expect(isTyping({ target: button, isComposing: true })).toBe(true);
  });
});
