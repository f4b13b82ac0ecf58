import type { ClassSpec, Shape } from '../../../api/types';
import { useT } from '../../../i18n';
import { classNamed } from '../../core/ontology';
import { classColour } from '../../renderers/palette';
import { faceOf } from '../../shapes';
import type { KindFace } from '../kind';

interface Drawn {
  shape: Shape;
  spec: ClassSpec | undefined;
  colour: string;
  stroke: number;
}

export function Outline({ shape, spec, colour, stroke }: Drawn) {
  const face = faceOf(shape);
  if (face.pose === 'point') {
    const { x, y } = face.anchor(shape);
    return <circle cx={x} cy={y} r={stroke * 4} fill={colour} stroke="#fff" strokeWidth={stroke} />;
  }
  const d = face
    .paths(shape, spec)
    .map(({ points, closed }) => `M${points.map(({ x, y }) => `${x},${y}`).join('L')}${closed ? 'Z' : ''}`)
    .join('');
  const fill = face.pose === 'pixels' ? colour : 'none';
  return (
    <>
      <path d={d} fill={fill} fillOpacity={0.4} fillRule="evenodd" stroke={colour} strokeWidth={stroke} />
      {face.places
        ?.of(shape)
        .map(
          ({ name, at, state }) =>
            state !== 'absent' && (
              <circle
                key={name}
                cx={at.x}
                cy={at.y}
                r={stroke * 2.5}
                fill={state === 'visible' ? colour : 'var(--cup-stage)'}
                stroke={colour}
                strokeWidth={stroke}
              />
            ),
        )}
    </>
  );
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
          <Outline
            key={id}
            shape={shape}
            spec={ontology ? classNamed(ontology, cls) : undefined}
            colour={ontology ? classColour(ontology, cls) : '#E69F00'}
            stroke={stroke}
          />
        ))}
      </svg>
      <figcaption style={{ fontSize: 12, marginTop: 4 }}>{words || t('No objects')}</figcaption>
    </figure>
  );
};
