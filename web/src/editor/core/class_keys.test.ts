import { describe, expect, it } from 'vitest';
import { classKeys } from './class_keys';

const named = (...names: string[]) => names.map((name) => ({ name }));

describe('keys of classes', () => {
  it('are the digits themselves when the classes are digits', () => {
    expect(classKeys(named('0', '7', '3')).get('7')).toBe('7');
  });

  it('follow the ontology’s order otherwise, digits first and then letters', () => {
    const keys = classKeys(named(...Array.from({ length: 12 }, (_, at) => `class ${at}`)));
    expect([...keys.values()]).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '0', 'Q', 'W']);
  });

  it('leave the letters to tools where asked', () => {
    expect(classKeys(named(...Array.from({ length: 12 }, (_, at) => `class ${at}`)), false).size).toBe(10);
  });
});
