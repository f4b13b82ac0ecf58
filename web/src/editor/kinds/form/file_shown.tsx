import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { FileAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { Icon } from '../../../ui/icons';
import { useFiles } from './files';

/** Pictures that every browser shows; of others the name is enough. */
const SHOWN = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp', 'image/avif']);
/** An address lives for five minutes. */
const FRESH_MS = 4 * 60_000;

/** A file that was handed in: its name, which opens it, and a picture as a picture. */
export function FileShown({ file }: { file: FileAnswer }) {
  const t = useT();
  const { bytes } = useFormat();
  const files = useFiles();
  const [broken, setBroken] = useState(false);
  const address = useQuery({
    queryKey: ['answer-file', file.sha256],
    queryFn: () => files?.address(file.sha256) ?? null,
    enabled: files !== null,
    staleTime: FRESH_MS,
    refetchInterval: FRESH_MS,
  });
  const told = `${file.name} · ${bytes(file.bytes)}`;
  if (!address.data)
    return <Text size="sm">{address.isError ? `${told} · ${t('It could not be opened')}` : told}</Text>;
  return (
    <span className="cup-file">
      {SHOWN.has(file.media_type) && !broken && (
        <img src={address.data} alt={file.name} onError={() => setBroken(true)} />
      )}
      <Anchor href={address.data} download={file.name} target="_blank" rel="noreferrer" size="sm">
        <Icon name="download" size={14} /> <bdi>{file.name}</bdi> · {bytes(file.bytes)}
      </Anchor>
    </span>
  );
}
