import { Button, Group, Input, Stack, Text } from '@mantine/core';
import { useId, useRef } from 'react';
import type { AttributeSpec, Cell, RowsAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { IconButton } from '../../../ui/bits';
import { Icon } from '../../../ui/icons';
import { askedOf, isFile, isPlain } from '../../core/attributes';
import { answerHint } from '../../core/bounds';
import { MAX_ANSWER_ROWS } from '../../core/limits';
import { QuestionField } from './question_field';

type Row = RowsAnswer['rows'][number];

interface Props {
  spec: AttributeSpec;
  value: RowsAnswer | undefined;
  onChange: (value: RowsAnswer | undefined, mark?: string) => void;
}

/** A row with one cell changed, without those that it no longer leads to. */
function withCell(columns: readonly AttributeSpec[], row: Row, name: string, cell: Cell | undefined): Row {
  const { [name]: _, ...rest } = row;
  let next: Row = cell === undefined ? rest : { ...rest, [name]: cell };
  for (;;) {
    const asked = new Set(askedOf(columns, next).map((column) => column.name));
    const kept = Object.entries(next).filter(([one]) => asked.has(one));
    if (kept.length === Object.keys(next).length) return next;
    next = Object.fromEntries(kept);
  }
}

/** The same questions answered as often as there is something to say. */
export function RowsField({ spec, value, onChange }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const label = localised(spec.title) || spec.name;
  const columns = spec.columns ?? [];
  const rows = value?.rows ?? [];
  const most = Math.min(spec.most ?? MAX_ANSWER_ROWS, MAX_ANSWER_ROWS);
  const hint = answerHint(spec);
  // Entries have nothing of their own that tells them apart, and what arrives late, a file, must find the one that asked.
  const keys = useRef<number[]>([]);
  const made = useRef(0);
  while (keys.current.length < rows.length) keys.current.push(made.current++);
  keys.current.length = rows.length;
  const put = (next: Row[], mark?: string) => onChange(next.length ? { type: 'rows', rows: next } : undefined, mark);
  const remove = (key: number) => {
    const at = keys.current.indexOf(key);
    keys.current.splice(at, 1);
    put(rows.filter((_, other) => other !== at));
  };
  const answer = (key: number, name: string, cell: Cell | undefined, mark?: string) => {
    const at = keys.current.indexOf(key); // -1: its entry is gone, and nothing is said of another
    if (at < 0) return;
    put(
      rows.map((one, other) => (other === at ? withCell(columns, one, name, cell) : one)),
      mark && `${mark}:${spec.name}:${at}`,
    );
  };
  const add = () => {
    put([...rows, {}]);
    // The new entry, once it is there.
    requestAnimationFrame(() =>
      list.current
        ?.querySelector<HTMLElement>('[data-entry]:last-of-type :is(input, textarea, button, .cup-rank)')
        ?.focus(),
    );
  };
  return (
    <Input.Wrapper
      label={label}
      labelElement="div"
      labelProps={{ id }}
      withAsterisk={spec.required ?? false}
      {...(hint ? { description: t(hint.message, hint.values) } : {})}
    >
      <Stack gap={8} mt={4} ref={list} role="group" aria-labelledby={id}>
        {keys.current.map((key, at) => (
          <fieldset key={key} className="cup-entry" data-entry>
            <legend className="cup-visually-hidden">{t('Entry {number}', { number: at + 1 })}</legend>
            <Group justify="space-between" wrap="nowrap">
              <Text size="xs" c="dimmed" aria-hidden="true">
                {t('Entry {number}', { number: at + 1 })}
              </Text>
              <IconButton
                icon="trash"
                label={t('Remove entry {number}', { number: at + 1 })}
                onClick={() => remove(key)}
              />
            </Group>
            <Stack gap={8}>
              {askedOf(columns, rows[at] ?? {}).map((column) => (
                <QuestionField
                  key={column.name}
                  spec={column}
                  value={rows[at]?.[column.name]}
                  onChange={(cell, mark) => (isPlain(cell) || isFile(cell)) && answer(key, column.name, cell, mark)}
                />
              ))}
            </Stack>
          </fieldset>
        ))}
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            disabled={rows.length >= most}
            onClick={add}
            aria-label={t('Add an entry to {name}', { name: label })}
          >
            {t('Add an entry')}
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  );
}
