import { describe, expect, it } from 'vitest';
import type { ItemView } from '../../api/types';
import { readFirst } from './instruction';

const item = (metadata: unknown): ItemView => ({
  id: 'i',
  ref: 'r',
  metadata: metadata as Record<string, unknown> | null,
});

describe('what is read before judging', () => {
  const project = { en: 'Of the project.', zh: '项目的。' };

  it('is the item’s own instruction where there is one', () => {
    expect(readFirst(item({ instruction: 'Only whole cars.' }), project)).toEqual({ en: 'Only whole cars.' });
  });

  it('is the project’s guidelines otherwise', () => {
    for (const metadata of [null, {}, 'x', { instruction: ' ' }, { instruction: 7 }, ['instruction']]) {
      expect(readFirst(item(metadata), project)).toBe(project);
    }
  });
});
