import type { Shape } from '../../../api/types';
import { useT } from '../../../i18n';
import { IconButton } from '../../../ui/bits';
import type { LabelSession } from '../../core/label_session';
import { faceOfType } from '../../shapes';

/** The bar of tools at the edge of the canvas. */
export function Tools({
  session,
  shapes,
  draws,
  onDraw,
  onSelect,
  onFit,
}: {
  session: LabelSession;
  shapes: readonly Shape['type'][];
  draws: boolean;
  onDraw: (shape: Shape['type']) => void;
  onSelect: () => void;
  onFit: () => void;
}) {
  const t = useT();
  return (
    <div className="cup-panel cup-tools" role="toolbar" aria-orientation="vertical" aria-label={t('Tools')}>
      {shapes.map((type) => {
        const { icon, words, key } = faceOfType(type);
        return (
          <IconButton
            key={type}
            icon={icon}
            label={`${t(words.draw)} (${shapes.length === 1 ? 'N' : key})`}
            pressed={draws && session.shape === type}
            onClick={() => onDraw(type)}
          />
        );
      })}
      <IconButton icon="cursor" label={t('Select and move (V)')} pressed={!draws} onClick={onSelect} />
      <IconButton icon="fit" label={t('Fit the picture (F)')} onClick={onFit} />
    </div>
  );
}
