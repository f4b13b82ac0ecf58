import type { Shape } from '../../../api/types';
import { useT } from '../../../i18n';
import { classColour } from '../../renderers/palette';
import { faceOf } from '../../shapes';
import type { KindFace } from '../kind';

function Outline({ shape, colour, stroke }: { shape: Shape; colour: string; stroke: number }) {
  const face = faceOf(shape);
  if (face.pose === 'point') {
    const { x, y } = face.anchor(shape);
    return <circle cx={x} cy={y} r={stroke * 4} fill={colour} stroke="#fff" strokeWidth={stroke} />;
  }
  const points = face
    .outline(shape)
    .map(({ x, y }) => `${x},${y}`)
    .join(' ');
  return <polygon points={points} fill="none" stroke={colour} strokeWidth={stroke} />;
}

/** Objects over their picture, as vectors: small, sharp, and readable by a screen reader as a list. */
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
        aria-label={t('{count, plural, one {# object} other {# objects}}: {words}', { count: objects.length, words })}
        style={{ width: '100%', background: 'var(--cup-stage)', borderRadius: 6, display: 'block' }}
      >
        {item.url && <image href={item.url} width={width} height={height} />}
        {objects.map(({ id, cls, shape }) => (
          <Outline key={id} shape={shape} colour={ontology ? classColour(ontology, cls) : '#E69F00'} stroke={stroke} />
        ))}
      </svg>
      <figcaption style={{ fontSize: 12, marginTop: 4 }}>{words || t('No objects')}</figcaption>
    </figure>
  );
};
