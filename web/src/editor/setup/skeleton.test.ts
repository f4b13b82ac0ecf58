import { describe, expect, it } from 'vitest';
import { templateOf, wrongTemplate } from './skeleton';

describe('the template of a skeleton as it is written', () => {
  it('has places where they are said to stand, and on a ring where nothing is said', () => {
    const { points } = templateOf('nose 0.5 .1\nleft eye\nright eye', '');
    expect(points[0]).toEqual({ name: 'nose', x: 0.5, y: 0.1 });
    expect(points.map(({ name }) => name)).toEqual(['nose', 'left eye', 'right eye']);
    for (const { x, y } of points) expect(Math.min(x, y, 1 - x, 1 - y)).toBeGreaterThanOrEqual(0);
  });
  it('knows left and right by their names', () => {
    expect(templateOf('left eye\nright eye\nnose', 'left eye - nose')).toMatchObject({
      edges: [['left eye', 'nose']],
      symmetry: [['left eye', 'right eye']],
    });
    expect(templateOf('左手\n右手', '').symmetry).toEqual([['左手', '右手']]);
  });
  it('says what is wrong with it', () => {
    expect(wrongTemplate('', '')).not.toBeNull();
    expect(wrongTemplate('a\na', '')).not.toBeNull();
    expect(wrongTemplate('a\nb', 'a - c')).not.toBeNull();
    expect(wrongTemplate('a\nb', 'a - b')).toBeNull();
  });
});
