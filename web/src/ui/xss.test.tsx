// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ItemView, Label, Ontology } from '../api/types';
import { KINDS } from '../editor/kinds';
import { ItemLook } from '../editor/kinds/item_stage';
import { sessionOf } from '../editor/testing';
import { activate, LanguageProvider } from '../i18n';
import { Markdown } from './markdown';

/** Ways in that have worked somewhere: tags, handlers, protocols, breaking out of attributes, Markdown's own doors. */
const CORPUS = [
  '<script>window.hacked = true</script>',
  '<img src=x onerror="window.hacked=true">',
  '<svg onload="window.hacked=true"><circle/></svg>',
  '<iframe srcdoc="<script>parent.hacked=true</script>"></iframe>',
  '"><img src=x onerror=window.hacked=true>',
  "' onmouseover='window.hacked=true",
  '</style><script>window.hacked=true</script>',
  '<a href="javascript:window.hacked=true">x</a>',
  '[click](javascript:window.hacked=true)',
  '[click](JaVaScRiPt:window.hacked=true)',
  '[click](data:text/html,<script>parent.hacked=true</script>)',
  '[click](vbscript:x)',
  '[a](https://example.com"onmouseover="window.hacked=true)',
  '![x](x"onerror="window.hacked=true)',
  '# <img src=x onerror=window.hacked=true>',
  '- <script>window.hacked=true</script>',
  '> <body onload=window.hacked=true>',
  '`<script>window.hacked=true</script>`',
  '```\n<script>window.hacked=true</script>\n```',
  '**<svg/onload=window.hacked=true>**',
  '<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=true>',
  '{{constructor.constructor("window.hacked=true")()}}',
  '\u202e<script>window.hacked=true</script>',
];
/** A part of an item whose every word is this one. */
const partOf = (words: string): NonNullable<ItemView['parts']>[number] => ({
  ordinal: 0,
  role: words,
  sensor: words,
  timestamp_ns: null,
  media_type: 'text/plain',
  url: null,
  text: words,
  bytes: 1,
  facts: { media: words },
  meta: {},
});
const FORBIDDEN = 'script, iframe, object, embed, form, base, meta, link, style';

let host: HTMLElement;
let root: Root;

async function show(element: React.ReactNode): Promise<HTMLElement> {
  await act(async () =>
    root.render(
      <LanguageProvider>
        <MantineProvider>
          <div id="here">{element}</div>
        </MantineProvider>
      </LanguageProvider>,
    ),
  );
  return host.querySelector('#here') as HTMLElement;
}

/** Nothing that came from data is an element that runs, a handler, or a link to anywhere but the web and mail. */
function expectOnlyText(shown: HTMLElement): void {
  expect([...shown.querySelectorAll(FORBIDDEN)].map((element) => element.outerHTML)).toEqual([]);
  for (const element of shown.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name, element.outerHTML).not.toMatch(/^on|^srcdoc$/i);
      if (['href', 'src', 'xlink:href', 'action'].includes(name)) {
        expect(value, element.outerHTML).toMatch(/^(?:https?:|mailto:|\/|#)/);
      }
    }
  }
  expect((window as unknown as { hacked?: boolean }).hacked).toBeUndefined();
}

describe('text from data is only ever text', () => {
  beforeEach(async () => {
    (globalThis as unknown as { IS_REACT_ACT_ENVIRONMENT: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
    await activate('en');
    host = document.createElement('div');
    document.body.append(host);
    root = createRoot(host);
  });
  afterEach(async () => {
    await act(async () => root.unmount());
    host.remove();
  });

  it.each(CORPUS)('in guidelines: %j', async (attack) => {
    const shown = await show(<Markdown source={attack} />);
    expectOnlyText(shown);
    expect(shown.textContent?.length).toBeGreaterThan(0);
  });

  it.each(CORPUS)('in items, labels and class names: %j', async (attack) => {
    const item: ItemView = { text: attack, ref: attack };
    const choice: Ontology = { kind: 'choice', classes: [{ name: attack, title: { en: attack } }] };
    const labels: [keyof typeof KINDS, Label][] = [
      ['choice', { kind: 'choice', values: [attack] }],
      ['text', { kind: 'text', text: attack }],
      [
        'objects',
        { kind: 'objects', objects: [{ id: attack, cls: attack, shape: { type: 'box', x: 0, y: 0, w: 1, h: 1 } }] },
      ],
    ];
    const { Panel } = KINDS.choice;
    const shown = await show(
      <>
        <ItemLook item={item} />
        <ItemLook item={{ parts: [partOf(attack)] }} />
        <Panel session={sessionOf(choice)} />
        {labels.map(([kind, label]) => {
          const { View } = KINDS[kind];
          return <View key={kind} label={label} ontology={{ ...choice, kind }} item={item} />;
        })}
      </>,
    );
    expectOnlyText(shown);
    expect(shown.textContent).toContain(attack);
  });

  it('keeps what Markdown is for', async () => {
    const shown = await show(
      <Markdown source={'# Title\n\nA **bold** [link](https://example.com/a) and `code`.\n\n- one\n- two'} />,
    );
    expect(shown.querySelector('strong')?.textContent).toBe('bold');
    expect(shown.querySelector('a')?.getAttribute('rel')).toContain('noopener');
    expect(shown.querySelectorAll('li')).toHaveLength(2);
  });
});
