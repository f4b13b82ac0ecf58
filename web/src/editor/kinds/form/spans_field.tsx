/** Words marked in a text: selected with the pointer, or found by typing them; places are code points. */
import { Button, Group, Input, Select, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useId, useRef, useState } from 'react';
import type { AttributeSpec, SpansAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { IconButton } from '../../../ui/bits';
import { pointsBefore, unitsBefore } from '../../core/conversation';

type Span = SpansAnswer['spans'][number];

interface Props {
  spec: AttributeSpec;
  text: string;
  value: SpansAnswer | undefined;
  onChange: (value: SpansAnswer | undefined, mark?: string) => void;
}

/** The text cut where marks begin and end, each piece with the marks over it. */
export function cut(text: string, spans: readonly Span[]): { text: string; over: Span[] }[] {
  const points = [...text];
  const edges = [...new Set([0, points.length, ...spans.flatMap(({ start, end }) => [start, end])])]
    .filter((at) => at >= 0 && at <= points.length)
    .sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, at) => {
    const to = edges[at + 1] ?? points.length;
    return {
      text: points.slice(from, to).join(''),
      over: spans.filter(({ start, end }) => start <= from && end >= to),
    };
  });
}

/** The selection within an element as code points of its text, without blanks at its ends. */
function selectedIn(element: HTMLElement, text: string): [number, number] | null {
  const selection = window.getSelection();
  if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(range.startContainer, range.startOffset);
  const from = before.toString().length;
  const chosen = range.toString();
  const start = from + (chosen.length - chosen.trimStart().length);
  const end = from + chosen.trimEnd().length;
  return end > start ? [pointsBefore(text, start), pointsBefore(text, end)] : null;
}

const keyOf = ({ start, end, label }: Span) => `${start} ${end} ${label}`;

export function SpansField({ spec, text, value, onChange }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const id = useId();
  const shown = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState('');
  const [told, setTold] = useState('');
  const labels = spec.options ?? [];
  const spans = value?.spans ?? [];
  const relations = value?.relations ?? [];
  const title = localised(spec.title) || spec.name;
  const wordsOf = ({ start, end }: Span) => text.slice(unitsBefore(text, start), unitsBefore(text, end));
  const put = (next: Span[], related = relations) =>
    onChange({ type: 'spans', spans: next, ...(related.length ? { relations: related } : {}) });

  /** What is selected; else the first place of the typed words that this label does not mark yet. */
  const placed = (label: string): [number, number] | null => {
    const selected = shown.current && selectedIn(shown.current, text);
    if (selected) return selected;
    const wanted = words.trim();
    for (let at = wanted ? text.indexOf(wanted) : -1; at >= 0; at = text.indexOf(wanted, at + 1)) {
      const [start, end] = [pointsBefore(text, at), pointsBefore(text, at + wanted.length)];
      if (!spans.some((span) => keyOf(span) === keyOf({ start, end, label }))) return [start, end];
    }
    return null;
  };
  const mark = (label: string) => {
    const place = placed(label);
    if (!place) {
      setTold(t('Select words in the text, or type them, then choose what they are.'));
      return;
    }
    const span = { start: place[0], end: place[1], label };
    if (!spans.some((one) => keyOf(one) === keyOf(span))) put([...spans, span]);
    setTold(t('“{words}” is marked as {label}.', { words: wordsOf(span), label }));
    window.getSelection()?.removeAllRanges();
  };
  const remove = (at: number) =>
    put(
      spans.filter((_, other) => other !== at),
      relations
        .filter(({ head, tail }) => head !== at && tail !== at)
        .map((one) => ({ ...one, head: one.head - Number(one.head > at), tail: one.tail - Number(one.tail > at) })),
    );

  return (
    <Input.Wrapper label={title} labelElement="div" labelProps={{ id }} withAsterisk={spec.required ?? false}>
      <Stack gap={8} mt={4} role="group" aria-labelledby={id}>
        <div className="cup-marked" dir="auto" ref={shown} data-testid="marked-text">
          {cut(text, spans).map((piece, at) =>
            piece.over.length ? (
              <mark
                // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other identity
                key={at}
                data-deep={Math.min(piece.over.length, 3)}
                data-label={labels.indexOf(piece.over.at(-1)?.label ?? '') % 8}
                title={piece.over.map(({ label }) => label).join(', ')}
              >
                {piece.text}
              </mark>
            ) : (
              piece.text
            ),
          )}
        </div>
        <TextInput
          size="xs"
          label={t('Words to mark')}
          description={t('Or select them in the text.')}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <Group gap={6}>
          {labels.map((label, at) => (
            <Button
              key={label}
              size="compact-sm"
              variant="default"
              className="cup-mark-label"
              data-label={at % 8}
              onPointerDown={(event) => event.preventDefault() /* which would take the selection away */}
              onClick={() => mark(label)}
            >
              {label}
            </Button>
          ))}
          {spans.length === 0 && (
            <Button
              size="compact-sm"
              variant="subtle"
              color="gray"
              onClick={() => put([])}
              aria-pressed={value !== undefined}
            >
              {t('There is nothing to mark')}
            </Button>
          )}
        </Group>
        <ul className="cup-marks">
          {spans.map((span, at) => (
            <li key={keyOf(span)}>
              <Text size="sm" span>
                <b>{span.label}</b> <bdi>{wordsOf(span)}</bdi>
              </Text>
              <IconButton
                icon="trash"
                label={t('Remove the mark of “{words}”', { words: wordsOf(span) })}
                onClick={() => remove(at)}
              />
            </li>
          ))}
        </ul>
        {(spec.relations ?? []).length > 0 && spans.length > 1 && (
          <Relations {...{ spec, spans, relations, nameOf: wordsOf }} put={(related) => put([...spans], related)} />
        )}
        <span className="cup-visually-hidden" role="status">
          {told}
        </span>
      </Stack>
    </Input.Wrapper>
  );
}

type Related = NonNullable<SpansAnswer['relations']>;

interface RelationsProps {
  spec: AttributeSpec;
  spans: readonly Span[];
  relations: Related;
  nameOf: (span: Span) => string;
  put: (next: Related) => void;
}

function Relations({ spec, spans, relations, nameOf, put }: RelationsProps): ReactNode {
  const t = useT();
  const [head, setHead] = useState<string | null>(null);
  const [tail, setTail] = useState<string | null>(null);
  const data = spans.map((span, at) => ({ value: String(at), label: `${nameOf(span)} (${span.label})` }));
  const add = (label: string) => {
    if (head === null || tail === null || head === tail) return;
    const next = { head: Number(head), tail: Number(tail), label };
    const is = (one: Related[number]) => one.head === next.head && one.tail === next.tail && one.label === label;
    if (!relations.some(is)) put([...relations, next]);
  };
  return (
    <Stack gap={6}>
      <Group gap={8} grow>
        <Select size="xs" label={t('From')} data={data} value={head} onChange={setHead} />
        <Select size="xs" label={t('To')} data={data} value={tail} onChange={setTail} />
      </Group>
      <Group gap={6}>
        {(spec.relations ?? []).map((label) => (
          <Button
            key={label}
            size="compact-sm"
            variant="default"
            disabled={head === null || tail === null || head === tail}
            onClick={() => add(label)}
          >
            {label}
          </Button>
        ))}
      </Group>
      <ul className="cup-marks">
        {relations.map((one) => (
          <li key={`${one.head} ${one.tail} ${one.label}`}>
            <Text size="sm" span>
              <bdi>{spans[one.head] && nameOf(spans[one.head] as Span)}</bdi> <b>{one.label}</b>{' '}
              <bdi>{spans[one.tail] && nameOf(spans[one.tail] as Span)}</bdi>
            </Text>
            <IconButton
              icon="trash"
              label={t('Remove the relation {name}', { name: one.label })}
              onClick={() => put(relations.filter((other) => other !== one))}
            />
          </li>
        ))}
      </ul>
    </Stack>
  );
}
