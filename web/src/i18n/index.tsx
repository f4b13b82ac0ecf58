/**
 * Two languages. A message's id is its English text (ICU MessageFormat), so the code reads as what it says;
 * Chinese is a catalogue loaded only when it is wanted.
 */

import { i18n } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { I18nProvider, useLingui } from '@lingui/react';
import { type ReactNode, useCallback } from 'react';
import { lasting } from '../api/keep';

export type Locale = 'en' | 'zh';
export const LOCALES: readonly Locale[] = ['en', 'zh'];
export const LOCALE_NAMES: Record<Locale, string> = { en: 'English', zh: '中文' };
const STORED = 'cupola.locale';

i18n.setMessagesCompiler(compileMessage);

export type Values = Record<string, string | number>;
export type Translate = (message: string, values?: Values) => string;

export { msg } from './msg';

export function preferredLocale(): Locale {
  const stored = lasting.read(STORED);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.languages.some((language) => language.toLowerCase().startsWith('zh')) &&
    navigator.language.toLowerCase().startsWith('zh')
    ? 'zh'
    : 'en';
}

/** What the server refuses, in the reader's language, by its code; the server itself speaks English. */
type ProblemWords = Readonly<Record<string, readonly [detail: string, remedy?: string]>>;
let problemWords: ProblemWords = {};

export async function activate(locale: Locale, remember = false): Promise<void> {
  const [{ zh: messages }, { problems }] =
    locale === 'zh'
      ? await Promise.all([import('./zh'), import('./zh_problems')])
      : [{ zh: {} }, { problems: {} as ProblemWords }];
  problemWords = problems;
  i18n.load(locale, messages);
  i18n.activate(locale);
  document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en';
  if (remember) lasting.write(STORED, locale);
}

export function useT(): Translate {
  const { _ } = useLingui();
  return useCallback<Translate>((message, values) => _(message, values), [_]);
}

export function useLocale(): Locale {
  return useLingui().i18n.locale === 'zh' ? 'zh' : 'en';
}

/** The words for a code, or null where the server's own have to do: in English, and for what only an extension knows. */
export function useProblemWords(): (code: string) => readonly [detail: string, remedy?: string] | null {
  useLingui(); // shown anew in another language
  return (code) => (Object.hasOwn(problemWords, code) ? (problemWords[code] ?? null) : null);
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  return <I18nProvider i18n={i18n}>{children}</I18nProvider>;
}
