/** Starts an import: one small form for each place where data can be. */
import {
  Button,
  Checkbox,
  Group,
  PasswordInput,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { catalogue } from '../api/calls';
import type { ImportRun } from '../api/types';
import { msg, useT } from '../i18n';
import { ProblemNote } from '../ui/bits';
import { AnnotationsForm } from './import_annotations';
import { FileForm } from './import_file';
import {
  checkFolder,
  checkManifest,
  checkS3,
  NO_S3,
  readUrls,
  type S3Draft,
  SOURCES,
  type SourceKind,
  s3Source,
  type Wrong,
} from './import_source';

interface Start {
  dataset: string;
  onDone: (run: ImportRun) => void;
}

const NAMES: Record<SourceKind, string> = {
  file: msg('Files'),
  annotations: msg('Annotations of another tool'),
  manifest: msg('Manifest'),
  urls: msg('Addresses'),
  folder: msg('Folder of the server'),
  s3: msg('S3 bucket'),
};
/** The same in every language. */
const EXAMPLES = {
  manifest: '{"ref": "photo-1", "url": "https://…/1.jpg", "metadata": {"camera": 2}}',
  folder: '/data/photos',
  s3: 's3://bucket/prefix',
  region: 'us-east-1',
};

function WrongNote({ wrong }: { wrong: Wrong | null }) {
  const t = useT();
  if (!wrong) return null;
  return (
    <Text size="sm" c="var(--cup-refused)" role="alert">
      {wrong.line !== null && `${t('Line {line}:', { line: wrong.line })} `}
      {t(wrong.message)}
    </Text>
  );
}

/** Sends files and imports them as they are. */
function PlainForm({ dataset, onDone, accept, children }: Start & { accept: string; children: ReactNode }) {
  return (
    <FileForm<ImportRun>
      accept={accept}
      send={async (file, onProgress) => {
        const { upload } = await catalogue.upload(dataset, file, onProgress);
        return catalogue.startImport(dataset, { type: 'upload', upload });
      }}
      onDone={onDone}
    >
      {children}
    </FileForm>
  );
}

/** A form whose button sends one source; what is wrong with it is said once it was tried. */
function SourceForm({
  dataset,
  onDone,
  source,
  wrong,
  verb,
  children,
}: Start & { source: () => Record<string, unknown>; wrong: Wrong | null; verb: string; children: ReactNode }) {
  const [tried, setTried] = useState(false);
  const start = useMutation({ mutationFn: () => catalogue.startImport(dataset, source()), onSuccess: onDone });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!wrong) start.mutate();
      }}
    >
      <Stack gap={12} maw={640}>
        {children}
        {tried && <WrongNote wrong={wrong} />}
        <ProblemNote error={start.error} />
        <Group>
          <Button type="submit" loading={start.isPending}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ManifestForm({ dataset, onDone }: Start) {
  const t = useT();
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const wrong = checkManifest(text);
  const send = useMutation({
    mutationFn: async () => {
      const file = new File([text], 'manifest.jsonl', { type: 'application/jsonl' });
      const { upload } = await catalogue.upload(dataset, file, () => undefined);
      return catalogue.startImport(dataset, { type: 'upload', upload });
    },
    onSuccess: onDone,
  });
  return (
    <Stack gap={16}>
      <PlainForm dataset={dataset} onDone={onDone} accept=".jsonl,.csv,.parquet">
        {t(
          'JSONL, CSV or Parquet; on each row ref, and one of url and text. metadata, pre_label and gold_label may follow.',
        )}
      </PlainForm>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!wrong) send.mutate();
        }}
      >
        <Stack gap={12} maw={640}>
          <Textarea
            label={t('Or write the lines here')}
            placeholder={EXAMPLES.manifest}
            autosize
            minRows={3}
            maxRows={12}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          {tried && <WrongNote wrong={wrong} />}
          <ProblemNote error={send.error} />
          <Group>
            <Button type="submit" variant="default" loading={send.isPending}>
              {t('Import these lines')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Stack>
  );
}

function UrlsForm(start: Start) {
  const t = useT();
  const [text, setText] = useState('');
  const [copy, setCopy] = useState(true);
  const { urls, wrong } = readUrls(text);
  return (
    <SourceForm
      {...start}
      source={() => ({ type: 'urls', urls, ...(copy ? {} : { copy: false }) })}
      wrong={wrong ?? (urls.length === 0 ? { message: msg('Give at least one address.'), line: null } : null)}
      verb={t('Import {count, plural, one {# address} other {# addresses}}', { count: urls.length })}
    >
      <Textarea
        label={t('One address a line')}
        placeholder="https://…"
        autosize
        minRows={4}
        maxRows={12}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Checkbox
        label={t('Copy the files here')}
        description={t('Otherwise they stay where they are, and must stay reachable while people work.')}
        checked={copy}
        onChange={(event) => setCopy(event.currentTarget.checked)}
      />
    </SourceForm>
  );
}

function FolderForm(start: Start) {
  const t = useT();
  const [path, setPath] = useState('');
  return (
    <SourceForm
      {...start}
      source={() => ({ type: 'folder', path: path.trim() })}
      wrong={checkFolder(path.trim())}
      verb={t('Import the folder')}
    >
      <TextInput
        label={t('Folder of the server')}
        description={t(
          'Every file below it. Only folders that the operator has opened (CUPOLA_IMPORT_ROOTS). A manifest at its top says instead what to import.',
        )}
        placeholder={EXAMPLES.folder}
        value={path}
        onChange={(event) => setPath(event.currentTarget.value)}
      />
    </SourceForm>
  );
}

function S3Form(start: Start) {
  const t = useT();
  const [draft, setDraft] = useState(NO_S3);
  const field = (name: keyof S3Draft) => ({
    value: draft[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setDraft({ ...draft, [name]: event.currentTarget.value }),
    autoComplete: 'off',
  });
  return (
    <SourceForm {...start} source={() => s3Source(draft)} wrong={checkS3(draft)} verb={t('Import the bucket')}>
      <TextInput
        label={t('Bucket and prefix')}
        description={t('The reference of an item is its key below the prefix.')}
        placeholder={EXAMPLES.s3}
        {...field('url')}
      />
      <div className="cup-figures">
        <TextInput label={t('Region')} placeholder={EXAMPLES.region} {...field('region')} />
        <TextInput label={t('Access key')} {...field('access_key_id')} />
        <PasswordInput
          label={t('Secret of the key')}
          visibilityToggleButtonProps={{ 'aria-label': t('Show the secret') }}
          {...field('secret_access_key')}
        />
      </div>
      <TextInput
        label={t('Endpoint, where it is not Amazon’s')}
        description={t('The operator must have named it (CUPOLA_ALLOWED_HOSTS).')}
        placeholder="https://…"
        {...field('endpoint')}
      />
      <Text size="xs" c="dimmed">
        {t('Without a key the bucket is read as the public would. A key is kept sealed, for this import alone.')}
      </Text>
    </SourceForm>
  );
}

export function ImportPanel({ dataset, onStarted }: { dataset: string; onStarted?: (run: ImportRun) => void }) {
  const t = useT();
  const client = useQueryClient();
  const [source, setSource] = useState<SourceKind>('file');
  // A new form after each import: what was sent is sent. A folder is only read later, and may have to be corrected.
  const [round, setRound] = useState(0);
  const start: Start = {
    dataset,
    onDone: (run) => {
      setRound((now) => now + 1);
      void client.invalidateQueries({ queryKey: ['imports', dataset] });
      onStarted?.(run);
    },
  };
  const form = {
    file: (
      <PlainForm {...start} accept=".zip,.jsonl,.csv,.parquet,image/*,.txt">
        {t('A zip of images or texts, or one of them. A zip may carry a manifest at its top.')}
      </PlainForm>
    ),
    annotations: <AnnotationsForm {...start} />,
    manifest: <ManifestForm {...start} />,
    urls: <UrlsForm {...start} />,
    folder: <FolderForm {...start} />,
    s3: <S3Form {...start} />,
  }[source];
  return (
    <Stack gap={16}>
      <div className="cup-scroll-x">
        <SegmentedControl
          aria-label={t('Where the data is')}
          size="xs"
          value={source}
          onChange={(value) => setSource(value as SourceKind)}
          data={SOURCES.map((one) => ({ value: one, label: t(NAMES[one]) }))}
        />
      </div>
      <div key={source === 'folder' ? source : `${source} ${round}`}>{form}</div>
    </Stack>
  );
}
