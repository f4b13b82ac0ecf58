import { newId } from '../../../api/ids';
import { deleteTracks } from '../../actions/change_tracks';
import { objectOperations } from '../../operations/object_operations';
import type { Operation } from '../../operations/operation';
import { trackOperations } from '../../operations/track_operations';
import type { KindFace } from '../kind';
import { canvasKeys } from '../objects';
import { Panel } from './Panel';
import { Stage } from './Stage';
import { View } from './View';

/** What puts several things of one picture into one would take whole tracks away. */
const NOT_OF_TRACKS = new Set(['join']);

const ofTracks = (operation: Operation): Operation =>
  operation.id === 'delete'
    ? {
        ...operation,
        title: 'Delete the selected tracks and events',
        run: (session) => session.perform(deleteTracks(session.document.selected)),
      }
    : operation;

export const tracks: KindFace = {
  Stage,
  Panel,
  View,
  operations: (ontology) => [
    ...objectOperations(ontology, newId)
      .filter(({ id }) => !NOT_OF_TRACKS.has(id))
      .map(ofTracks),
    ...trackOperations(newId),
  ],
  stageKeys: (ontology) => [...canvasKeys(ontology, 'Z'), { command: 'play', title: 'Play or pause', keys: ['Space'] }],
};
