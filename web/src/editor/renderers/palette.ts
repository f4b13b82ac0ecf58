/** Class colours: Okabe and Ito's eight less black (2008), then hues a golden angle apart at one lightness. */

import type { Ontology } from '../../api/types';
import { classesOf } from '../core/ontology';

const OKABE_ITO = ['#E69F00', '#56B4E9', '#009E73', '#F0E442', '#0072B2', '#D55E00', '#CC79A7'] as const;
const GOLDEN_ANGLE_DEG = 137.508;

export function paletteColour(index: number): string {
  const fixed = OKABE_ITO[index];
  if (fixed) return fixed;
  const hue = ((index - OKABE_ITO.length) * GOLDEN_ANGLE_DEG + 20) % 360;
  return `hsl(${hue.toFixed(1)} 70% 60%)`;
}

const SAFE_COLOUR = /^#[0-9a-f]{6}$/i;

/** The colour of a class: its own, or its place in the palette; grey when the ontology does not know it. */
export function classColour(ontology: Ontology, name: string): string {
  const index = classesOf(ontology).findIndex((cls) => cls.name === name);
  if (index === -1) return '#ADB5BD';
  const own = classesOf(ontology)[index]?.colour;
  return own && SAFE_COLOUR.test(own) ? own : paletteColour(index);
}
