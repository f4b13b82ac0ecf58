import { compileMessage } from '@lingui/message-utils/compileMessage';
import { describe, expect, it } from 'vitest';
import { allMessages, untranslated } from '../../scripts/messages.mjs';
import { zh } from './zh';
import { drawing } from './zh_drawing';
import { editor } from './zh_editor';
import { guideline } from './zh_guideline';
import { language } from './zh_language';
import { learning } from './zh_learning';
import { orders } from './zh_orders';
import { pages } from './zh_pages';
import { people } from './zh_people';
import { quality } from './zh_quality';
import { requester } from './zh_requester';
import { shapes } from './zh_shapes';
import { skills } from './zh_skills';
import { training } from './zh_training';
import { trouble } from './zh_trouble';
import { video } from './zh_video';

const source = new URL('..', import.meta.url).pathname;
const messages = allMessages(source);

/** Names in braces that a message fills in. */
function placeholders(message: string): string[] {
  return [...message.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1] as string).sort();
}

describe('the two languages', () => {
  it('find the messages at all', () => {
    expect(messages.size).toBeGreaterThan(300);
    expect(messages.has('Choose a label first.')).toBe(true);
  });

  it('have a Chinese text for every message', () => {
    expect([...messages.keys()].filter((message) => !zh[message])).toEqual([]);
  });

  it('keep no Chinese text that nothing says any more', () => {
    expect(Object.keys(zh).filter((message) => !messages.has(message))).toEqual([]);
  });

  it('name each message once across the catalogues', () => {
    const counted = [
      drawing,
      editor,
      guideline,
      language,
      learning,
      orders,
      pages,
      people,
      quality,
      requester,
      shapes,
      skills,
      training,
      trouble,
      video,
    ].reduce((sum, part) => sum + Object.keys(part).length, 0);
    expect(Object.keys(zh).length).toBe(counted);
  });

  it('fill in the same values', () => {
    const differing = Object.entries(zh).filter(
      ([message, text]) => [...new Set(placeholders(message))].join() !== [...new Set(placeholders(text))].join(),
    );
    expect(differing).toEqual([]);
  });

  it('are well-formed ICU messages', () => {
    for (const text of [...messages.keys(), ...Object.values(zh)]) expect(() => compileMessage(text)).not.toThrow();
  });

  it('are in Chinese, not English left over', () => {
    const latin = Object.entries(zh).filter(([, text]) => !/[\u4e00-\u9fff]/.test(text));
    expect(latin.map(([message]) => message)).toEqual(['Webhooks']);
  });

  it('leave no text written past the translator', () => {
    expect(untranslated(source)).toEqual([]);
  });
});
