/** Annotations of another tool: what is in them, what they become, and what could not be taken. */
import { Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { catalogue } from '../api/calls';
import type { ImportRun, Survey } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { ProblemNote } from '../ui/bits';
import { Rows } from '../ui/table';
import { FileForm } from './import_file';
import { LeftOut } from './left_out';

const USES = ['pre_label', 'gold', 'none'] as const;
type Use = (typeof USES)[number];
const WORDS: Record<Use, { title: string; about: string }> = {
  pre_label: {
    title: msg('To be mended'),
    about: msg('Whoever works sees what was drawn, and mends it. What the file marks as truth is gold.'),
  },
  gold: {
    title: msg('Known answers'),
    about: msg('All of it is gold: work is compared with it. Only for labels that you are sure of.'),
  },
  none: {
    title: msg('Items alone'),
    about: msg(
      'Nobody sees what was drawn. What people said earlier can be heard as their opinions, by the command line.',
    ),
  },
};
const SHOWN = 12;

interface Looked {
  upload: string;
  found: Survey;
}

export function AnnotationsForm({ dataset, onDone }: { dataset: string; onDone: (run: ImportRun) => void }) {
  const t = useT();
  const [looked, setLooked] = useState<Looked | null>(null);
  if (looked) return <Found dataset={dataset} looked={looked} onDone={onDone} onBack={() => setLooked(null)} />;
  return (
    <FileForm<Looked>
      accept=".zip,.json,.jsonl,.ndjson,.manifest,.csv"
      send={async (file, onProgress) => {
        const { upload } = await catalogue.upload(dataset, file, onProgress);
        return { upload, found: await catalogue.survey(dataset, upload) };
      }}
      onDone={setLooked}
    >
      {t(
        'A zip or a folder with pictures and annotations of COCO, YOLO, Pascal VOC, CVAT, Label Studio, LabelMe, Datumaro, Open Images, BDD100K, Labelbox, V7, Supervisely, Ground Truth or doccano. Nothing is imported before you have seen what is in it.',
      )}
    </FileForm>
  );
}

function Found({
  dataset,
  looked: { upload, found },
  onDone,
  onBack,
}: {
  dataset: string;
  looked: Looked;
  onDone: (run: ImportRun) => void;
  onBack: () => void;
}) {
  const t = useT();
  const { number } = useFormat();
  const [use, setUse] = useState<Use>('pre_label');
  const start = useMutation({
    mutationFn: () =>
      catalogue.startImport(dataset, { type: 'annotated', upload, format: found.form, use, kind: found.kind }),
    onSuccess: onDone,
  });
  const figures: [string, number][] = [
    [t('Items'), found.items],
    [t('With their picture'), found.pictures],
    [t('Objects'), found.objects],
    [t('Classes'), found.classes.length],
    [t('Annotators'), found.annotators.length],
    [t('Marked as truth'), found.gold],
  ];
  return (
    <Stack gap={16}>
      <div role="status">
        <Text fw={600}>{found.title}</Text>
        {found.why && (
          <Text size="xs" c="dimmed" dir="auto" lang="en" style={{ overflowWrap: 'anywhere' }}>
            {found.why}
          </Text>
        )}
      </div>
      <dl className="cup-figures">
        {figures
          .filter(([, count], n) => n === 0 || count > 0)
          .map(([name, count]) => (
            <div key={name}>
              <Text component="dt" size="xs" c="dimmed">
                {name}
              </Text>
              <Text component="dd" m={0} fw={600}>
                {number(count)}
              </Text>
            </div>
          ))}
      </dl>
      {found.classes.length > 0 && (
        <Rows
          label={t('Classes')}
          rows={found.classes.slice(0, SHOWN)}
          keyOf={(row) => row.name}
          columns={[
            { head: t('Class'), cell: (row) => <span dir="auto">{row.name}</span> },
            { head: t('How often'), numeric: true, cell: (row) => number(row.count) },
          ]}
        />
      )}
      {found.classes.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {t('and {count, plural, one {# more class} other {# more classes}}', { count: found.classes.length - SHOWN })}
        </Text>
      )}
      <LeftOut rows={found.dropped} />
      <Stack gap={4} maw={640}>
        <SegmentedControl
          aria-label={t('What the annotations become')}
          value={use}
          onChange={(value) => setUse(value as Use)}
          data={USES.map((one) => ({ value: one, label: t(WORDS[one].title) }))}
        />
        <Text size="sm" c="dimmed">
          {t(WORDS[use].about)}
        </Text>
      </Stack>
      <ProblemNote error={start.error} />
      <Group>
        <Button onClick={() => start.mutate()} loading={start.isPending} disabled={found.items === 0}>
          {t('Import {count, plural, one {# item} other {# items}}', { count: found.items })}
        </Button>
        {found.ontology && (
          <Button
            component="a"
            variant="default"
            href={`data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(found.ontology, null, 1))}`}
            download="ontology.json"
          >
            {t('Save an ontology that fits')}
          </Button>
        )}
        <Button variant="subtle" onClick={onBack}>
          {t('Choose other files')}
        </Button>
      </Group>
    </Stack>
  );
}
