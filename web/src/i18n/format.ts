/** Figures as people read them, in their language. */
import { useMemo } from 'react';
import type { Localised } from '../api/types';
import { type Locale, useLocale } from './index';

const tag = (locale: Locale) => (locale === 'zh' ? 'zh-CN' : 'en-GB');

/** Minor units as an amount with its currency; the number of decimals is the currency's own. */
export function money(locale: Locale, minor: number, currency: string): string {
  if (!currency) return number(locale, minor);
  try {
    const format = new Intl.NumberFormat(tag(locale), { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
    const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
    return format.format(minor / 10 ** digits);
  } catch {
    return `${number(locale, minor)} ${currency}`;
  }
}

export function number(locale: Locale, value: number, digits = 0): string {
  return new Intl.NumberFormat(tag(locale), { maximumFractionDigits: digits }).format(value);
}

/** A fraction as a percentage. Never rounds up to 100 % what is below it: a bound must not look better than it is. */
export function percent(locale: Locale, fraction: number, digits = 1): string {
  const scale = 10 ** (digits + 2);
  const shown = fraction < 1 ? Math.floor(fraction * scale + 1e-9) / scale : fraction;
  const format = new Intl.NumberFormat(tag(locale), { style: 'percent', maximumFractionDigits: digits });
  return format.format(shown).replace('%', ' %').replace(/\s+%/, ' %');
}

export function duration(locale: Locale, seconds: number): string {
  const zh = locale === 'zh';
  // A unit stays on the line of its number.
  if (seconds < 120) return `${number(locale, seconds, seconds < 10 ? 1 : 0)}\u00a0${zh ? '秒' : 's'}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0${zh ? '分钟' : 'min'}`;
  const rest = minutes % 60;
  return zh ? `${Math.floor(minutes / 60)} 小时 ${rest} 分` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** A moment as so long before (negative) or after now, in the largest unit of which there is one. */
export function relative(locale: Locale, seconds: number): string {
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(tag(locale)).format(Math.trunc(seconds / size), unit);
}

/** A moment in the reader's zone, the zone named. */
export function moment(locale: Locale, iso: string): string {
  return new Intl.DateTimeFormat(tag(locale), {
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(iso));
}

/** A day alone, where the hour says nothing. */
export function day(locale: Locale, iso: string): string {
  // a date without an hour is that day wherever its reader is
  const zone = iso.length === 10 ? { timeZone: 'UTC' } : {};
  return new Intl.DateTimeFormat(tag(locale), { dateStyle: 'medium', ...zone }).format(new Date(iso));
}

/** The time of day alone, for what is soon. */
export function clock(locale: Locale, iso: string): string {
  return new Intl.DateTimeFormat(tag(locale), { timeStyle: 'short' }).format(new Date(iso));
}

export function timeZoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function bytes(locale: Locale, count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(locale, value, unit ? 1 : 0)} ${units[unit]}`;
}

/** The text in the reader's language, or in the one there is. */
export function localised(locale: Locale, text: Localised | null | undefined): string {
  if (!text) return '';
  return (locale === 'zh' ? text.zh || text.en : text.en || text.zh) ?? '';
}

export function useFormat() {
  const locale = useLocale();
  return useMemo(
    () => ({
      locale,
      money: (minor: number, currency: string) => money(locale, minor, currency),
      number: (value: number, digits?: number) => number(locale, value, digits),
      percent: (fraction: number, digits?: number) => percent(locale, fraction, digits),
      duration: (seconds: number) => duration(locale, seconds),
      relative: (seconds: number) => relative(locale, seconds),
      moment: (iso: string) => moment(locale, iso),
      date: (iso: string) => day(locale, iso),
      clock: (iso: string) => clock(locale, iso),
      bytes: (count: number) => bytes(locale, count),
      localised: (text: Localised | null | undefined) => localised(locale, text),
    }),
    [locale],
  );
}
