import { expect, it } from 'vitest';
import { openDocument } from '../core/document';
import { TEXT } from '../testing';
import { setText } from './set_text';

it('setting a text replaces it, and is nothing when it is the same', () => {
  const document = setText('你好')(openDocument(TEXT));
  expect(document.label).toEqual({ kind: 'text', text: '你好' });
  expect(setText('你好')(document)).toBe(document);
});
