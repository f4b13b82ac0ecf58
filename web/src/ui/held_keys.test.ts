// @vitest-environment happy-dom
import { beforeAll, describe, expect, it } from 'vitest';
import { guardHeldKeys } from './held_keys';

describe('a held Enter', () => {
  beforeAll(() => guardHeldKeys(window));

  const press = (tag: string, init: KeyboardEventInit): { heard: boolean; stopped: boolean } => {
    const target = document.body.appendChild(document.createElement(tag));
    let heard = false;
    target.addEventListener('keydown', () => {
      heard = true;
    });
    const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init });
    target.dispatchEvent(event);
    return { heard, stopped: event.defaultPrevented };
  };

  it('presses a button once', () => {
    expect(press('button', {})).toEqual({ heard: true, stopped: false });
    expect(press('button', { repeat: true })).toEqual({ heard: false, stopped: true });
  });

  it('submits a form once', () => {
    expect(press('input', { repeat: true })).toEqual({ heard: false, stopped: true });
  });

  it('makes as many lines as are wanted, but submits no more than once where text is written', () => {
    expect(press('textarea', { repeat: true })).toEqual({ heard: true, stopped: false });
    expect(press('textarea', { repeat: true, ctrlKey: true })).toEqual({ heard: false, stopped: true });
  });
});
