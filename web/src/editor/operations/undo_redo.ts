import { canRedo, canUndo } from '../core/history';
import type { Operation } from './operation';

export const undoOperation: Operation = {
  id: 'undo',
  title: 'Undo',
  keys: ['Ctrl+Z'],
  repeats: true,
  disabledBecause: (session) => (canUndo(session.history) ? null : 'Nothing to undo here.'),
  run: (session) => session.undo(),
};

export const redoOperation: Operation = {
  id: 'redo',
  title: 'Redo',
  keys: ['Ctrl+Shift+Z', 'Ctrl+Y'],
  repeats: true,
  disabledBecause: (session) => (canRedo(session.history) ? null : 'Nothing to redo here.'),
  run: (session) => session.redo(),
};
