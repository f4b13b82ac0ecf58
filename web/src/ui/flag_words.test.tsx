// @vitest-environment happy-dom
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { activate, LanguageProvider } from '../i18n';
import { useFlagWords } from './flag_words';
import { readFlag } from './flags';

const FLAGS: Record<string, Record<string, number>> = {
  inverted: {},
  spammer: { follows: 0.123, error: 0.05 },
  'copied-answers': { followed: 19, met: 20, pool: 0.31 },
  drift: { first: 0.95, last: 0.6, after: 130, of: 260 },
  collusion: { others: 2, agreed: 58, shared: 60, due: 21.4 },
};
const SENT = { evidence: 'The sentence of the server.', others: [], judgements: 2600 };

function Words({ flag }: { flag: unknown }) {
  return <p>{useFlagWords()(readFlag(flag))}</p>;
}

async function shown(locale: 'en' | 'zh', flag: unknown): Promise<string> {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await activate(locale);
  const host = document.createElement('div');
  const root = createRoot(host);
  await act(async () =>
    root.render(
      <LanguageProvider>
        <Words flag={flag} />
      </LanguageProvider>,
    ),
  );
  const words = host.textContent ?? '';
  await act(async () => root.unmount());
  return words;
}

describe('what was seen of a contributor', () => {
  for (const [kind, figures] of Object.entries(FLAGS))
    it(`is said of the kind ${kind} in either language, with its figures`, async () => {
      const flag = { ...SENT, kind, figures };
      const [english, chinese] = [await shown('en', flag), await shown('zh', flag)];
      expect(english).not.toContain(SENT.evidence);
      expect(chinese).toMatch(/[一-鿿]/);
      expect(chinese).not.toMatch(/[A-Za-z]{3}/);
      const digits = (text: string) => (text.match(/\d+(?:[.,]\d+)*/g) ?? []).sort();
      expect(digits(chinese)).toEqual(digits(english));
      expect(digits(english).length).toBeGreaterThan(0);
    });

  it('is the sentence of the server where no figures came, and for a kind of later days', async () => {
    expect(await shown('zh', { ...SENT, kind: 'drift' })).toBe(SENT.evidence);
    expect(await shown('zh', { ...SENT, kind: 'new', figures: { a: 1 } })).toBe(SENT.evidence);
    expect(await shown('zh', { ...SENT, kind: 'drift', figures: { first: 0.9 } })).toBe(SENT.evidence);
  });

  it('names those who were found together', async () => {
    const flag = { ...SENT, kind: 'collusion', figures: FLAGS.collusion, others: ['w-1', 'w-2'] };
    expect(await shown('zh', flag)).toContain('w-1, w-2');
  });
});
