/** The table of kinds with their screens: one folder and one line each here and in `kinds/models`. */
import type { Kind } from '../../api/types';
import { choice } from './choice';
import { form } from './form';
import type { KindFace } from './kind';
import { objects } from './objects';
import { text } from './text';
import { tracks } from './tracks';

export const KINDS: { readonly [K in Kind]: KindFace } = { choice, objects, tracks, text, form };
