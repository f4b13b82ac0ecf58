import type { ItemView } from '../../api/types';
import { useT } from '../../i18n';

/** Pictures this small are enlarged with their pixels kept, so that a digit does not blur. */
const PIXEL_ART_PX = 128;

/** The item as it is: a picture, or its text as text. */
export function ItemStage({ item }: { item: ItemView }) {
  const t = useT();
  if (item.text !== null && item.text !== undefined) {
    return (
      <div className="cup-text-item" tabIndex={0} role="region" aria-label={t('The text to label')}>
        {item.text}
      </div>
    );
  }
  if (!item.url) return <p style={{ margin: 'auto' }}>{t('This item has nothing to show.')}</p>;
  const small = (item.width ?? PIXEL_ART_PX) < PIXEL_ART_PX && (item.height ?? PIXEL_ART_PX) < PIXEL_ART_PX;
  return (
    <img
      className="cup-item-image"
      src={item.url}
      alt={t('The picture to label')}
      draggable={false}
      style={small ? { imageRendering: 'pixelated', padding: '12%' } : undefined}
    />
  );
}

/** The item in a list or beside a label. */
export function ItemThumb({ item, size }: { item: ItemView; size?: number | string }) {
  const t = useT();
  const style = { width: size ?? '100%' };
  if (item.text !== null && item.text !== undefined) {
    return (
      <div className="cup-thumb" style={{ ...style, padding: 8, fontSize: 12, overflow: 'hidden', color: '#e9ecef' }}>
        {item.text.slice(0, 160)}
      </div>
    );
  }
  const url = item.thumb_url ?? item.url;
  const small = (item.width ?? PIXEL_ART_PX) < PIXEL_ART_PX;
  return url ? (
    <img
      className="cup-thumb"
      src={url}
      alt={item.ref ?? t('Item')}
      loading="lazy"
      style={{ ...style, ...(small ? { imageRendering: 'pixelated' } : {}) }}
    />
  ) : (
    <div className="cup-thumb" style={style} />
  );
}
