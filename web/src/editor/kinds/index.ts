import type { Kind } from '../../api/types';
import { box } from './box';
import { choice } from './choice';
import type { KindFace } from './kind';
import { text } from './text';

export const KINDS: Record<Kind, KindFace> = { choice, text, objects: box };
