import { Button, FileButton, Group, Input, Text } from '@mantine/core';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { Problem } from '../../../api/http';
import type { AttributeSpec, FileAnswer } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { ProblemNote } from '../../../ui/bits';
import { Icon } from '../../../ui/icons';
import { MAX_ANSWER_FILE_BYTES, MAX_NAME_CHARS } from '../../core/limits';
import { FileShown } from './file_shown';
import { useFiles } from './files';

interface Props {
  spec: AttributeSpec;
  value: FileAnswer | undefined;
  onChange: (value: FileAnswer | undefined) => void;
}

/** What the browser's dialog offers first; what is taken the server tells by the bytes. */
const OFFERED: Readonly<Record<string, string>> = {
  image: 'image/*',
  pdf: 'application/pdf',
  text: 'text/*,.csv,.json,.md',
  audio: 'audio/*',
  video: 'video/*',
  archive: '.zip,application/zip',
};
const FAMILIES: Readonly<Record<string, string>> = {
  image: msg('pictures'),
  pdf: msg('PDF'),
  text: msg('text'),
  audio: msg('sound'),
  video: msg('film'),
  archive: msg('zip archives'),
};

/** The end of a name that is too long, for it tells the type. */
const named = (file: File): File => {
  const name = [...file.name].slice(-MAX_NAME_CHARS).join('').trim() || 'file';
  return name === file.name ? file : new File([file], name, { type: file.type });
};

export function FileField({ spec, value, onChange }: Props) {
  const t = useT();
  const { localised, bytes } = useFormat();
  const files = useFiles();
  const [sending, setSending] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [over, setOver] = useState(false);
  const reset = useRef<() => void>(null);
  // What arrives late goes where it was asked for: each task has fields of its own (`form/index`).
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  const label = localised(spec.title) || spec.name;
  const accepted = spec.accepts?.length ? spec.accepts : null;

  const send = async (chosen: File | null | undefined) => {
    if (!chosen || !files || sending !== null) return;
    setError(null);
    if (chosen.size > MAX_ANSWER_FILE_BYTES) {
      setError(new Problem(413, { code: 'answer-file-large', detail: 'A file that is handed in is smaller.' }));
      return;
    }
    setSending(chosen.name);
    try {
      const given = await files.give(named(chosen));
      latest.current(given);
    } catch (problem) {
      setError(problem);
    } finally {
      setSending(null);
      reset.current?.();
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer.files[0]);
  };

  return (
    <Input.Wrapper
      label={label}
      labelElement="div"
      withAsterisk={spec.required ?? false}
      description={
        accepted
          ? t('{kinds}; {size} at most.', {
              kinds: accepted.map((one) => t(FAMILIES[one] ?? one)).join(', '),
              size: bytes(MAX_ANSWER_FILE_BYTES),
            })
          : t('{size} at most.', { size: bytes(MAX_ANSWER_FILE_BYTES) })
      }
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a short cut; the button is the way */}
      <div
        className="cup-file-field"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {value && <FileShown file={value} />}
        <Group gap={8}>
          <FileButton
            resetRef={reset}
            onChange={(chosen) => void send(chosen)}
            inputProps={{ 'aria-label': label }}
            {...(accepted ? { accept: accepted.map((one) => OFFERED[one] ?? '').join(',') } : {})}
          >
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                leftSection={<Icon name="upload" size={14} />}
                loading={sending !== null}
                aria-label={
                  value
                    ? t('Replace the file of {name}', { name: label })
                    : t('Choose a file for {name}', { name: label })
                }
              >
                {value ? t('Replace') : t('Choose a file')}
              </Button>
            )}
          </FileButton>
          {value && (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={() => onChange(undefined)}
              aria-label={t('Remove {name}', { name: value.name })}
            >
              {t('Remove')}
            </Button>
          )}
          {!value && sending === null && (
            <Text size="xs" c="dimmed">
              {t('or drop it here')}
            </Text>
          )}
        </Group>
        {sending !== null && (
          <Text size="xs" role="status">
            {t('Sending {name}…', { name: sending })}
          </Text>
        )}
        <ProblemNote error={error} />
      </div>
    </Input.Wrapper>
  );
}
