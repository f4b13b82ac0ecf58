/** What a submission, or a case before a panel, looks like: the item, the work, and what is said against it. */
import { Group, Stack, Text } from '@mantine/core';
import type { ItemView, Label, LabelPart, Ontology, RejectedWork } from '../api/types';
import { KINDS } from '../editor/kinds';
import { ItemLook } from '../editor/kinds/item_stage';
import { isDrawn } from '../editor/kinds/models';
import { msg, useT } from '../i18n';
import { Chip, Panel } from '../ui/bits';

export const WHY: readonly [RejectedWork['reason'], string][] = [
  ['wrong-class', msg('A wrong class or answer')],
  ['missing', msg('Something is missing')],
  ['too-much', msg('Something is there that should not be')],
  ['inexact', msg('Not exact enough')],
  ['guideline', msg('Against the guideline')],
  ['careless', msg('Done without looking')],
  ['other', msg('Another reason')],
];
export const EVIDENCE: readonly [RejectedWork['evidence'], string][] = [
  ['corrected', msg('The label as it should be')],
  ['reviewers', msg('Two reviewers who looked apart')],
  ['gold', msg('A known answer says otherwise')],
];

/** A part of a label as people read it: an object's name alone says nothing of what it is. */
export function partName(parts: readonly LabelPart[], name: string): string {
  const words = parts.find((part) => part.name === name)?.words;
  return words === undefined || words.includes(name) ? (words ?? name) : `${words} · ${name}`;
}

export function LabelLook({ label, ontology, item }: { label: Label; ontology: Ontology; item: ItemView }) {
  const { View } = KINDS[label.kind];
  return <View label={label} ontology={ontology} item={item} bare={!isDrawn(label)} />;
}

export function Against({
  why,
  parts,
  ontology,
  item,
}: {
  why: Pick<RejectedWork, 'reason' | 'place' | 'part' | 'note' | 'evidence' | 'corrected'>;
  parts: readonly LabelPart[];
  ontology: Ontology;
  item: ItemView;
}) {
  const t = useT();
  const reason = WHY.find(([value]) => value === why.reason)?.[1] ?? why.reason;
  const evidence = EVIDENCE.find(([value]) => value === why.evidence)?.[1] ?? why.evidence;
  return (
    <Panel title={t('Why it was rejected')}>
      <Stack gap={8} style={{ overflowWrap: 'anywhere' }}>
        <Group gap={8}>
          <Chip tone="refused">{t(reason)}</Chip>
          <Text size="sm" c="dimmed">
            {t('Evidence: {what}', { what: t(evidence) })}
          </Text>
        </Group>
        {why.part !== undefined && why.part !== null && (
          <Text size="sm">
            {t('Part')}: <bdi>{partName(parts, why.part)}</bdi>
          </Text>
        )}
        <Text size="sm">
          {t('Where')}: {why.place}
        </Text>
        {why.note && <Text size="sm">{why.note}</Text>}
        {why.corrected && (
          <div style={{ maxWidth: 480 }}>
            <LabelLook label={why.corrected as Label} ontology={ontology} item={item} />
          </div>
        )}
      </Stack>
    </Panel>
  );
}

export function WorkLook({ item, label, ontology }: { item: ItemView; label: Label; ontology: Ontology }) {
  const t = useT();
  // A drawing shows its picture itself.
  if (isDrawn(label))
    return (
      <Panel title={t('The work')}>
        <div style={{ maxWidth: 640 }}>
          <LabelLook label={label} ontology={ontology} item={item} />
        </div>
      </Panel>
    );
  return (
    <div className="cup-two">
      <div className="cup-stage" style={{ height: 280, borderRadius: 6 }}>
        <ItemLook item={item} />
      </div>
      <Panel title={t('The work')}>
        <LabelLook label={label} ontology={ontology} item={item} />
      </Panel>
    </div>
  );
}
