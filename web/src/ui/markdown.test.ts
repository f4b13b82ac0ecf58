import { createElement, Fragment } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import { parseMarkdown } from './markdown';

const html = (source: string) => renderToStaticMarkup(createElement(Fragment, null, ...parseMarkdown(source)));

describe('Markdown of guidelines', () => {
  it('keeps lists inside of lists, and numbers as they are given', () => {
    expect(html('- a\n  - b\n- a\n\n3. x\n4. y')).toBe(
      '<ul><li>a<ul><li>b</li></ul></li><li>a</li></ul><ol start="3"><li>x</li><li>y</li></ol>',
    );
  });

  it('shows tables', () => {
    expect(html('| class | means |\n|---|--:|\n| cat | *purrs* |')).toBe(
      '<table><thead><tr><th>class</th><th style="text-align:right">means</th></tr></thead>' +
        '<tbody><tr><td>cat</td><td style="text-align:right"><em>purrs</em></td></tr></tbody></table>',
    );
  });

  it('takes names with underscores for names, and breaks lines where they are broken', () => {
    expect(html('use left_front_door\nand __always__')).toBe(
      '<p>use left_front_door<br/>and <strong>always</strong></p>',
    );
  });

  it('leaves the first two levels of headings to the page', () => {
    expect(html('# A\n\nB\n--')).toBe('<h3>A</h3><h4>B</h4>');
  });

  it('links to the web and to mail alone, however the link is written', () => {
    expect(html('<https://a.org> ![cat](https://a.org/c.png)')).toContain('>cat</a>');
    for (const source of ['[x][y]\n\n[y]: javascript:alert(1)', '![x](data:text/html,y)', '[x](&#106;avascript:y)']) {
      expect(html(source)).not.toContain('<a');
      expect(html(source)).not.toContain('<img');
    }
  });

  it('shows HTML as it is written', () => {
    expect(html('<b>x</b> y\n\n<div>\nz\n</div>')).toBe(
      '<p>&lt;b&gt;x&lt;/b&gt; y</p>&lt;div&gt;<br/>z<br/>&lt;/div&gt;',
    );
  });

  it('reads what nobody would write without falling over, and complains of nothing', () => {
    const complained = vi.spyOn(console, 'error');
    for (const source of [
      '>'.repeat(5_000),
      '- '.repeat(2_000),
      '['.repeat(5_000),
      '*a'.repeat(2_000),
      '- a\n- a\n- a',
      '',
    ]) {
      expect(typeof html(source)).toBe('string');
    }
    expect(complained).not.toHaveBeenCalled();
  });
});
