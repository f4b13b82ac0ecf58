import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ItemView } from '../../api/types';
import { useT } from '../../i18n';
import { Icon } from '../../ui/icons';
import { conversationOf } from '../core/conversation';
import { isVideo, type LabelSession } from '../core/label_session';
import { ConversationLook } from './conversation';
import { usePicture, useSight } from './use_picture';

/** Pictures this small are enlarged with their pixels kept, so that a digit does not blur. */
const PIXEL_ART_PX = 128;

/** Over the place of an item that is not there (yet): what is the matter, and the way to try again. */
export function Unseen({ session }: { session: LabelSession }) {
  const t = useT();
  const sight = useSight(session);
  if (sight === 'shown') return null;
  if (sight === 'waiting') {
    return (
      <Group className="cup-unseen" gap={8} role="status" justify="center">
        <Loader size="xs" color="gray" />
        <Text size="sm">{t('Loading the picture…')}</Text>
      </Group>
    );
  }
  const { item } = session.setting;
  return (
    <Stack className="cup-unseen" gap={8} align="center" role="alert">
      <Icon name="warning" size={28} />
      <Text fw={600}>{item.url ? t('The picture did not load') : t('This item has nothing to show.')}</Text>
      <Text size="sm" maw="48ch" ta="center">
        {t('Nothing can be said of what cannot be seen: try again, or say that the item is broken.')}
      </Text>
      <Button variant="default" onClick={() => void session.look()}>
        {t('Try again')}
      </Button>
    </Stack>
  );
}

type Part = NonNullable<ItemView['parts']>[number];

/** What an item of several is made of, in its own order, each under what its owner called it. */
function Parts({ parts, onBroken }: { parts: readonly Part[]; onBroken: (() => void) | undefined }) {
  const t = useT();
  return (
    <div className="cup-parts" tabIndex={0} role="region" aria-label={t('The parts of the item')}>
      {parts.map((part) => (
        <figure key={part.ordinal}>
          <figcaption dir="auto">
            {[part.role || t('Part {n}', { n: part.ordinal + 1 }), part.sensor].filter(Boolean).join(' · ')}
          </figcaption>
          {typeof part.text === 'string' ? (
            <div className="cup-text-item" dir="auto">
              {part.text}
            </div>
          ) : (
            <img
              src={part.url ?? undefined}
              alt={part.role || t('The picture to label')}
              draggable={false}
              onError={onBroken}
            />
          )}
        </figure>
      ))}
    </div>
  );
}

/** The item as it is, to look at: a picture, its text as text, or its parts. */
export function ItemLook({ item, onBroken }: { item: ItemView; onBroken?: () => void }) {
  const t = useT();
  const told = conversationOf(item);
  if (told) return <ConversationLook told={told} />;
  if (item.parts?.length) return <Parts parts={item.parts} onBroken={onBroken} />;
  if (typeof item.text === 'string') {
    return (
      <div className="cup-text-item" dir="auto" tabIndex={0} role="region" aria-label={t('The text to label')}>
        {item.text}
      </div>
    );
  }
  if (!item.url) return <p style={{ margin: 'auto' }}>{t('This item has nothing to show.')}</p>;
  if (isVideo(item)) {
    return (
      <video className="cup-item-image" src={item.url} controls aria-label={t('The video to label')}>
        <track kind="captions" />
      </video>
    );
  }
  const small = (item.width ?? PIXEL_ART_PX) < PIXEL_ART_PX && (item.height ?? PIXEL_ART_PX) < PIXEL_ART_PX;
  return (
    <img
      className="cup-item-image"
      src={item.url}
      alt={t('The picture to label')}
      draggable={false}
      onError={onBroken}
      style={small ? { imageRendering: 'pixelated', padding: '12%' } : undefined}
    />
  );
}

/** A video of which one thing is said: the browser's own player. */
function Video({ session }: { session: LabelSession }) {
  const t = useT();
  return (
    <video
      key={session.attempt}
      className="cup-item-image"
      src={session.setting.item.url ?? undefined}
      controls
      aria-label={t('The video to label')}
      onLoadedData={() => session.see('shown')}
      onError={() => session.see('failed')}
    >
      <track kind="captions" />
    </video>
  );
}

/** The item of a label being made: nothing can be said of it before it is there. */
export function ItemStage({ session }: { session: LabelSession }) {
  usePicture(session);
  const shown = useSight(session) === 'shown';
  return (
    <>
      {isVideo(session.setting.item) ? (
        <Video session={session} />
      ) : (
        shown && <ItemLook item={session.setting.item} onBroken={() => session.see('failed')} />
      )}
      <Unseen session={session} />
    </>
  );
}

/** The item in a list or beside a label. */
export function ItemThumb({ item, size }: { item: ItemView; size?: number | string }) {
  const t = useT();
  const [broken, setBroken] = useState<string | null>(null);
  const style = { width: size ?? '100%' };
  if (typeof item.text === 'string') {
    return (
      <div className="cup-thumb cup-thumb-text" dir="auto" style={style}>
        {item.text.slice(0, 160)}
      </div>
    );
  }
  const first = conversationOf(item)?.messages[0]?.pieces[0]?.text;
  if (first) {
    return (
      <div className="cup-thumb cup-thumb-text" dir="auto" style={style}>
        {first.slice(0, 160)}
      </div>
    );
  }
  const url =
    item.thumb_url ??
    (isVideo(item) ? null : item.url) ??
    item.parts?.find((part) => part.media_type.startsWith('image/'))?.url;
  const small = (item.width ?? PIXEL_ART_PX) < PIXEL_ART_PX;
  if (!url || url === broken) {
    return (
      <div
        className="cup-thumb cup-thumb-absent"
        style={style}
        role="img"
        aria-label={url ? t('The picture did not load') : t('This item has nothing to show.')}
      >
        <Icon name="eyeOff" />
      </div>
    );
  }
  return (
    <img
      className="cup-thumb"
      src={url}
      alt={item.ref ?? t('Item')}
      loading="lazy"
      onError={() => setBroken(url)}
      style={{ ...style, ...(small ? { imageRendering: 'pixelated' } : {}) }}
    />
  );
}
