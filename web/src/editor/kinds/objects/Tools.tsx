import { useSyncExternalStore } from 'react';
import type { Shape } from '../../../api/types';
import { useT } from '../../../i18n';
import { IconButton } from '../../../ui/bits';
import { useKeysOf } from '../../../ui/bound_keys';
import type { LabelSession } from '../../core/label_session';
import { LEAST_RADIUS_PX, MOST_RADIUS_PX, toolbox } from '../../core/toolbox';
import { faceOfType, gestureOf } from '../../shapes';

/** How painting is set: shown while something is painted. */
function Brush({ session }: { session: LabelSession }) {
  const t = useT();
  const { radius_px, tolerance, erases } = useSyncExternalStore(toolbox.subscribe, toolbox.get);
  const isStroke = gestureOf(session.shape, session.way).isStroke;
  const isFlood = session.way === 'flood';
  return (
    <div className="cup-panel cup-brush" role="group" aria-label={t('Painting')}>
      {isStroke && (
        <label>
          <span>{t('Brush {px} px', { px: Math.round(radius_px * 2) })}</span>
          <input
            type="range"
            min={Math.log2(LEAST_RADIUS_PX)}
            max={Math.log2(MOST_RADIUS_PX)}
            step={0.25}
            value={Math.log2(radius_px)}
            onChange={(event) => toolbox.set({ radius_px: 2 ** Number(event.currentTarget.value) })}
          />
        </label>
      )}
      {isFlood && (
        <label>
          <span>{t('Tolerance {tolerance}', { tolerance })}</span>
          <input
            type="range"
            min={0}
            max={128}
            value={tolerance}
            onChange={(event) => toolbox.set({ tolerance: Number(event.currentTarget.value) })}
          />
        </label>
      )}
      {session.way !== 'eraser' && (
        <label>
          <input
            type="checkbox"
            checked={erases}
            onChange={(event) => toolbox.set({ erases: event.currentTarget.checked })}
          />
          <span>{t('Takes away')}</span>
        </label>
      )}
    </div>
  );
}

/** The bar of tools at the edge of the canvas. */
export function Tools({
  session,
  shapes,
  mode,
  onDraw,
  onSelect,
  onSlice,
  onFit,
}: {
  session: LabelSession;
  shapes: readonly Shape['type'][];
  mode: 'draw' | 'select' | 'slice';
  onDraw: (shape: Shape['type'], way?: string | null) => void;
  onSelect: () => void;
  onSlice: () => void;
  onFit: () => void;
}) {
  const t = useT();
  const draws = mode === 'draw';
  const keysOf = useKeysOf();
  /** With the key that does the same. */
  const named = (title: string, command: string) => {
    const [key] = keysOf(command);
    return key ? `${title} (${key})` : title;
  };
  return (
    <>
      <div className="cup-panel cup-tools" role="toolbar" aria-orientation="vertical" aria-label={t('Tools')}>
        {shapes.map((type) => {
          const { icon, words } = faceOfType(type);
          return (
            <IconButton
              key={type}
              icon={icon}
              label={named(t(words.draw), shapes.length === 1 ? 'mode-draw' : `draw:${type}`)}
              pressed={draws && session.shape === type && session.way === null}
              onClick={() => onDraw(type)}
            />
          );
        })}
        <IconButton
          icon="cursor"
          label={named(t('Select and move'), 'mode-select')}
          pressed={mode === 'select'}
          onClick={onSelect}
        />
        {(faceOfType(session.shape).ways ?? []).map(({ id, icon, title }) => (
          <IconButton
            key={id}
            icon={icon}
            label={named(t(title), `draw:${session.shape}:${id}`)}
            pressed={draws && session.way === id}
            onClick={() => onDraw(session.shape, id)}
          />
        ))}
        {faceOfType(session.shape).cut && (
          <IconButton
            icon="slice"
            label={named(t('Cut the selected outline in two'), 'slice')}
            pressed={mode === 'slice'}
            onClick={onSlice}
          />
        )}
        <IconButton icon="fit" label={named(t('Fit the picture'), 'fit')} onClick={onFit} />
      </div>
      {draws && faceOfType(session.shape).tiles && <Brush session={session} />}
    </>
  );
}
