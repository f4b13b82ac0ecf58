import { useT } from '../../../i18n';
import { classColour } from '../../renderers/palette';
import type { KindFace } from '../kind';

/** Boxes over their picture, as vectors: small, sharp, and readable by a screen reader as a list. */
export const View: KindFace['View'] = ({ label, ontology, item }) => {
  const t = useT();
  const objects = label.kind === 'objects' ? label.objects : [];
  const width = item.width ?? 640;
  const height = item.height ?? 480;
  const stroke = Math.max(width, height) / 200;
  const words = objects.map((object) => object.cls).join(', ');
  return (
    <figure style={{ margin: 0 }}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={t('{count, plural, one {# box} other {# boxes}}: {words}', { count: objects.length, words })}
        style={{ width: '100%', background: 'var(--cup-stage)', borderRadius: 6, display: 'block' }}
      >
        {item.url && <image href={item.url} width={width} height={height} />}
        {objects.map(({ id, cls, shape }) => (
          <rect
            key={id}
            x={shape.x}
            y={shape.y}
            width={shape.w}
            height={shape.h}
            transform={
              shape.rotation_rad
                ? `rotate(${(shape.rotation_rad * 180) / Math.PI} ${shape.x + shape.w / 2} ${shape.y + shape.h / 2})`
                : undefined
            }
            fill="none"
            stroke={ontology ? classColour(ontology, cls) : '#E69F00'}
            strokeWidth={stroke}
          />
        ))}
      </svg>
      <figcaption style={{ fontSize: 12, marginTop: 4 }}>{words || t('No boxes')}</figcaption>
    </figure>
  );
};
