/** A list put in order: by dragging a handle, by the arrows of a row, or by Shift and an arrow key. */
import { Button, Group, Input, Text } from '@mantine/core';
import { type KeyboardEvent, type PointerEvent, useId, useRef, useState } from 'react';
import type { AttributeSpec } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { IconButton } from '../../../ui/bits';
import { Icon } from '../../../ui/icons';
import { moved, target } from './order';

interface Props {
  spec: AttributeSpec;
  value: readonly string[] | undefined;
  onChange: (value: string[] | undefined, mark?: string) => void;
}

export function RankingField({ spec, value, onChange }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const label = localised(spec.title) || spec.name;
  const id = useId();
  const list = useRef<HTMLOListElement>(null);
  const drag = useRef(0);
  const [dragged, setDragged] = useState<string | null>(null);
  const [told, setTold] = useState('');
  const options = spec.options ?? [];
  const isWhole = value?.length === options.length && options.every((option) => value.includes(option));
  const order = isWhole ? value : options;

  const move = (from: number, to: number, mark?: string) => {
    const next = moved(order, from, to);
    if (next === order) return;
    onChange([...next], mark);
    setTold(t('{name} is now {place} of {count}.', { name: order[from] ?? '', place: to + 1, count: order.length }));
  };
  const focus = (at: number) => {
    // After the rows stand in their new order.
    requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>('.cup-rank')[at]?.focus());
  };
  const onKey = (event: KeyboardEvent, at: number) => {
    const to = target(event.key, at, order.length);
    if (to === null || event.ctrlKey || event.altKey || event.metaKey || event.target !== event.currentTarget) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) move(at, to);
    focus(to);
  };
  const grab = (event: PointerEvent<HTMLElement>, option: string) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current += 1;
    setDragged(option);
  };
  const onMove = (event: PointerEvent) => {
    if (dragged === null) return;
    const rows = [...(list.current?.querySelectorAll('.cup-rank') ?? [])];
    const over = rows.findIndex((row) => event.clientY < row.getBoundingClientRect().bottom);
    const to = over === -1 ? rows.length - 1 : over;
    move(order.indexOf(dragged), to, `rank:${spec.name}:${drag.current}`);
  };
  const release = () => setDragged(null);

  return (
    <Input.Wrapper
      label={label}
      labelElement="div"
      labelProps={{ id }}
      withAsterisk={spec.required ?? false}
      description={t('Best first. Drag, or move with Shift and an arrow key.')}
    >
      <ol className="cup-ranking" aria-labelledby={id} ref={list} data-answered={isWhole} onBlur={() => setTold('')}>
        {order.map((option, at) => (
          <li
            key={option}
            className="cup-rank"
            data-dragged={dragged === option}
            tabIndex={0}
            aria-label={t('{name}, {place} of {count}', { name: option, place: at + 1, count: order.length })}
            onKeyDown={(event) => onKey(event, at)}
          >
            <span
              className="cup-rank-grip"
              aria-hidden="true"
              onPointerDown={(event) => grab(event, option)}
              onPointerMove={onMove}
              onPointerUp={release}
              onPointerCancel={release}
            >
              <Icon name="grip" />
            </span>
            <span className="cup-rank-place">{isWhole ? at + 1 : '–'}</span>
            <bdi className="cup-rank-name">{option}</bdi>
            <IconButton
              icon="up"
              label={t('Move {name} up', { name: option })}
              disabledBecause={at === 0 ? t('It is the first') : null}
              onClick={() => move(at, at - 1)}
            />
            <IconButton
              icon="down"
              label={t('Move {name} down', { name: option })}
              disabledBecause={at === order.length - 1 ? t('It is the last') : null}
              onClick={() => move(at, at + 1)}
            />
          </li>
        ))}
      </ol>
      <Group gap={8}>
        {isWhole ? (
          !spec.required && (
            <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onChange(undefined)}>
              {t('Leave it open')}
            </Button>
          )
        ) : (
          <>
            <Text size="xs" c="dimmed">
              {t('Not in order yet.')}
            </Text>
            <Button size="compact-sm" variant="default" onClick={() => onChange([...options])}>
              {t('This order is right')}
            </Button>
          </>
        )}
      </Group>
      <span className="cup-visually-hidden" role="status">
        {told}
      </span>
    </Input.Wrapper>
  );
}
