/** A skeleton's template as it is written: its places a line each, its edges as pairs a line each. */
import type { ClassSpec } from '../../api/types';
import { msg } from '../../i18n/msg';

type Template = NonNullable<ClassSpec['skeleton']>;

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** "nose" or "nose 0.5 0.1": where it stands in the template, as shares of its width and height. */
const PLACE = /^(.*?)(?:\s+([01](?:\.\d*)?|\.\d+)\s+([01](?:\.\d*)?|\.\d+))?$/;
const SIDES = [
  ['left', 'right'],
  ['Left', 'Right'],
  ['左', '右'],
] as const;

function placesIn(text: string): Template['points'] {
  const all = lines(text);
  return all.map((line, at) => {
    const [, name = line, x, y] = PLACE.exec(line) ?? [];
    if (x !== undefined && y !== undefined) return { name, x: Number(x), y: Number(y) };
    // Without a place of its own it stands on a ring, the first at the top.
    const angle = (2 * Math.PI * at) / all.length - Math.PI / 2;
    const share = (way: number) => Math.round((0.5 + 0.5 * way) * 1000) / 1000;
    return { name, x: share(Math.cos(angle)), y: share(Math.sin(angle)) };
  });
}

/** The other of a pair by its name: left for right. */
function counterpart(name: string): string | null {
  for (const [left, right] of SIDES) if (name.includes(left)) return name.replace(left, right);
  return null;
}

/** "left eye - nose" is an edge; a place called left and one called right are each other's counterparts. */
export function templateOf(places: string, edges: string): Template {
  const points = placesIn(places);
  const names = new Set(points.map(({ name }) => name));
  const pairs = lines(edges)
    .map((line) => line.split(/\s+[-–—]\s+/))
    .filter((pair): pair is [string, string] => pair.length === 2);
  const symmetry = points.flatMap(({ name }): [string, string][] => {
    const other = counterpart(name);
    return other && names.has(other) ? [[name, other]] : [];
  });
  return { points, ...(pairs.length > 0 ? { edges: pairs } : {}), ...(symmetry.length > 0 ? { symmetry } : {}) };
}

/** Why it is not a template, as an English message; null where it is one. */
export function wrongTemplate(places: string, edges: string): string | null {
  const { points } = templateOf(places, edges);
  const names = new Set(points.map(({ name }) => name));
  if (points.length === 0) return msg('Name the places of the skeleton, one a line.');
  if (names.size < points.length) return msg('Each place of the skeleton has a name of its own.');
  const isEdge = (line: string) => {
    const pair = line.split(/\s+[-–—]\s+/);
    return pair.length === 2 && pair[0] !== pair[1] && pair.every((name) => names.has(name));
  };
  return lines(edges).every(isEdge) ? null : msg('Each edge joins two places of the skeleton: left eye - nose.');
}
