/** A text that begins as what was said: what of it was changed is shown as it is written. */
import { Button, Group, Text, Textarea } from '@mantine/core';
import { diffWordsWithSpace } from 'diff';
import { useDeferredValue, useMemo } from 'react';
import type { AttributeSpec } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';

/** Longer texts are compared line by line by nobody's eye, and would hold up the page. */
const MOST_CHARS = 60_000;
const words = typeof Intl.Segmenter === 'function' ? new Intl.Segmenter(undefined, { granularity: 'word' }) : undefined;

export function Difference({ before, after }: { before: string; after: string }) {
  const t = useT();
  const changes = useMemo(
    () =>
      before.length + after.length > MOST_CHARS
        ? null
        : diffWordsWithSpace(before, after, words ? { intlSegmenter: words } : {}),
    [before, after],
  );
  if (before === after) return <span className="cup-said-nothing">{t('Nothing is changed.')}</span>;
  if (!changes) return <span className="cup-said-nothing">{t('Too long to show what is changed.')}</span>;
  let at = 0;
  return (
    <span className="cup-difference" dir="auto">
      {changes.map(({ value, added, removed }) => {
        at += value.length;
        const key = `${at} ${added} ${removed}`;
        return added ? <ins key={key}>{value}</ins> : removed ? <del key={key}>{value}</del> : value;
      })}
    </span>
  );
}

interface Props {
  spec: AttributeSpec;
  value: string | undefined;
  before: string;
  onChange: (value: string | undefined, mark?: string) => void;
}

export function RewriteField({ spec, value, before, onChange }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const after = useDeferredValue(value ?? before);
  return (
    <div>
      <Textarea
        label={localised(spec.title) || spec.name}
        withAsterisk={spec.required ?? false}
        autosize
        minRows={4}
        maxRows={24}
        dir="auto"
        value={value ?? before}
        onChange={(event) => onChange(event.currentTarget.value || undefined, `typing:${spec.name}`)}
      />
      <Group gap={8} mt={6} justify="space-between" align="flex-start">
        <Text size="xs" c="dimmed">
          {t('What is changed')}
        </Text>
        {value !== before && (
          <Button size="compact-xs" variant="default" onClick={() => onChange(before)}>
            {value === undefined ? t('Leave it as it is') : t('Back to what it was')}
          </Button>
        )}
      </Group>
      <div className="cup-difference-box">
        <Difference before={before} after={after} />
      </div>
    </div>
  );
}
