import { describe, expect, it } from 'vitest';
import { bytes, duration, localised, money, percent, relative } from './format';

describe('figures', () => {
  it('show money with the decimals of its currency', () => {
    expect(money('en', 1234, 'EUR')).toBe('€12.34');
    expect(money('en', 1234, 'JPY')).toMatch(/1,234$/);
    expect(money('zh', 5, 'CNY')).toBe('¥0.05');
    expect(money('en', 7, 'not a currency')).toBe('7 not a currency');
  });
  it('never round a bound up', () => {
    expect(percent('en', 0.98999, 1)).toBe('98.9 %');
    expect(percent('en', 0.9999999, 2)).toBe('99.99 %');
    expect(percent('en', 1, 1)).toBe('100 %');
    expect(percent('en', 0.29, 0)).toBe('29 %');
  });
  it('show times in the unit a person would use', () => {
    expect(duration('en', 2.44)).toBe('2.4\u00a0s');
    expect(duration('en', 75)).toBe('75\u00a0s');
    expect(duration('en', 600)).toBe('10\u00a0min');
    expect(duration('zh', 7500)).toBe('2 小时 5 分');
  });
  it('show moments from here in the largest unit of which there is one', () => {
    expect(relative('en', -3)).toBe('3 seconds ago');
    expect(relative('en', 59.9)).toBe('in 59 seconds');
    expect(relative('en', -7_199)).toBe('1 hour ago');
    expect(relative('zh', -3 * 86_400)).toBe('3天前');
  });
  it('show sizes in powers of a thousand', () => {
    expect(bytes('en', 999)).toBe('999 B');
    expect(bytes('en', 482_113)).toBe('482.1 kB');
  });
  it('take the other language when a text has only one', () => {
    expect(localised('zh', { en: 'Rules' })).toBe('Rules');
    expect(localised('en', { zh: '规则' })).toBe('规则');
    expect(localised('en', null)).toBe('');
  });
});
