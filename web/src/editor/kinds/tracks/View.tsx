import { useEffect, useMemo, useState } from 'react';
import { useT } from '../../../i18n';
import { type Frames, frameCount, framesOf } from '../../core/frames';
import { classNamed } from '../../core/ontology';
import { objectsIn, spansOf } from '../../core/tracks';
import { classColour } from '../../renderers/palette';
import type { KindFace } from '../kind';
import { Outline } from '../objects/View';

/** A label of a video to look at: one frame with what is in it, and a slider through all of them. */
export const View: KindFace['View'] = ({ label, ontology, item }) => {
  const t = useT();
  const tracks = label.kind === 'tracks' ? label : null;
  const first = Math.min(...(tracks?.tracks ?? []).map(({ keys }) => keys[0]?.frame ?? 0), frameCount(item));
  const [frame, setFrame] = useState(Number.isFinite(first) && first < frameCount(item) ? first : 0);
  const [frames, setFrames] = useState<Frames | null>(null);
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    let alive = true;
    framesOf(item)?.then(
      (found) => alive && setFrames(found),
      () => undefined,
    );
    return () => {
      alive = false;
    };
  }, [item]);
  useEffect(() => {
    if (!frames) return;
    let alive = true;
    frames.picture(frame).then(
      (bitmap) => {
        if (!alive) return;
        const canvas = document.createElement('canvas');
        Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
        canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
        setUrl(canvas.toDataURL('image/jpeg', 0.85));
      },
      () => alive && setUrl(null),
    );
    return () => {
      alive = false;
    };
  }, [frames, frame]);
  const count = Math.max(1, frames?.times.frames ?? frameCount(item));
  const objects = useMemo(() => (tracks ? objectsIn(tracks, frame) : []), [tracks, frame]);
  const width = item.width ?? 640;
  const height = item.height ?? 480;
  const stroke = Math.max(width, height) / 200;
  const words = (tracks?.tracks ?? []).map(({ cls }) => cls).join(', ');
  const colourOf = (cls: string) => (ontology ? classColour(ontology, cls) : '#E69F00');
  const rows = [...(tracks?.events ?? []), ...(tracks?.tracks ?? [])].slice(0, 40);
  return (
    <figure style={{ margin: 0 }}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={t('Frame {n}: {count, plural, one {# object} other {# objects}}', {
          n: frame,
          count: objects.length,
        })}
        style={{ width: '100%', background: 'var(--cup-stage)', borderRadius: 6, display: 'block' }}
      >
        {url && <image href={url} width={width} height={height} />}
        {objects.map(({ id, cls, shape }) => (
          <Outline
            key={id}
            shape={shape}
            spec={ontology ? classNamed(ontology, cls) : undefined}
            colour={colourOf(cls)}
            stroke={stroke}
          />
        ))}
      </svg>
      <input
        type="range"
        aria-label={t('Frame')}
        min={0}
        max={count - 1}
        value={frame}
        onChange={(event) => setFrame(Number(event.currentTarget.value))}
        style={{ width: '100%', accentColor: 'var(--mantine-primary-color-filled)' }}
      />
      <svg
        viewBox={`0 0 ${count} ${4 * rows.length}`}
        preserveAspectRatio="none"
        aria-hidden
        style={{ width: '100%', height: 5 * rows.length, display: 'block' }}
      >
        {rows.map((row, at) =>
          ('keys' in row ? spansOf(row, count) : [[row.start, row.end + 1] as const]).map(([from, to]) => (
            <rect key={`${row.id}:${from}`} x={from} width={to - from} y={4 * at} height={3} fill={colourOf(row.cls)} />
          )),
        )}
      </svg>
      <figcaption style={{ fontSize: 12, marginTop: 4 }}>
        {t('Frame {n}', { n: frame })} · {words || t('No tracks')}
      </figcaption>
    </figure>
  );
};
