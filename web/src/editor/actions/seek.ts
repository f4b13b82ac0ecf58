import type { Action } from '../core/document';

/** Looks at another frame of a video; no step of history. What was selected stays so. */
export function seek(frame: number): Action {
  return (document) => (document.frame === undefined || document.frame === frame ? document : { ...document, frame });
}
