import { setShape } from '../actions/set_shape';
import { classNamed } from '../core/ontology';
import { faceOf } from '../shapes';
import { type Issue, issue } from './issue';
import { ofObject } from './rule';

/** What somebody draws to the edge of the least size is not refused for its last rounding: the server's own measure. */
const SLACK_PX = 0.01;

/** An object is as large as its class asks for, and lies straight where its class does not turn. */
export const sizeOfClass = ofObject(({ id, cls, shape }, { ontology }) => {
  const spec = classNamed(ontology, cls);
  if (!spec) return [];
  const { size, turn } = faceOf(shape);
  const [width, height] = [spec.min_width_px ?? 0, spec.min_height_px ?? 0];
  const found: Issue[] = [];
  const extent = size(shape);
  if (extent && (extent.width < width - SLACK_PX || extent.height < height - SLACK_PX)) {
    found.push(
      issue('size-of-class', '“{cls}” is at least {width} × {height} px: draw all of it, or leave it out.', {
        object: id,
        values: { cls, width, height },
      }),
    );
  }
  if (turn && spec.can_turn === false && turn.of(shape) !== 0) {
    found.push(
      issue('straight', '“{cls}” lies straight.', {
        object: id,
        values: { cls },
        fix: { title: 'Turn it back', action: setShape(id, turn.to(shape, 0)) },
      }),
    );
  }
  return found;
});
