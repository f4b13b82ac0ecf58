import { describe, expect, it } from 'vitest';
import { classColour, paletteColour } from './palette';

describe('class colours', () => {
  it('differ for the first forty classes', () => {
    expect(new Set(Array.from({ length: 40 }, (_, at) => paletteColour(at))).size).toBe(40);
  });
  it('are the class’s own where it names one, and never anything but a colour', () => {
    const ontology = {
      kind: 'objects' as const,
      classes: [
        { name: 'a', colour: '#123456' },
        { name: 'b', colour: 'red;background:url(x)' },
      ],
    };
    expect(classColour(ontology, 'a')).toBe('#123456');
    expect(classColour(ontology, 'b')).toBe(paletteColour(1));
    expect(classColour(ontology, 'unknown')).toBe('#ADB5BD');
  });
});
