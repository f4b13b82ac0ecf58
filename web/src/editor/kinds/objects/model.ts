import type { Label } from '../../../api/types';
import { msg } from '../../../i18n/msg';
import { attributeKnown } from '../../validations/attribute_known';
import { attributeRequired } from '../../validations/attribute_required';
import { attributeValue } from '../../validations/attribute_value';
import { objectClassKnown } from '../../validations/object_class_known';
import { objectCount } from '../../validations/object_count';
import { objectIdOnce } from '../../validations/object_id_once';
import { objectNoTwin } from '../../validations/object_no_twin';
import { overlapOfClass } from '../../validations/overlap_of_class';
import { placesOfClass } from '../../validations/places_of_class';
import { pointsOfClass } from '../../validations/points_of_class';
import { shapeFaults } from '../../validations/shape_faults';
import { shapeOfClass } from '../../validations/shape_of_class';
import { sizeOfClass } from '../../validations/size_of_class';
import type { KindModel } from '../model';

export const objectsModel: KindModel<'objects'> = {
  kind: 'objects',
  title: msg('Draw objects'),
  empty: () => ({ kind: 'objects', objects: [] }),
  isEmpty: ({ objects }) => objects.length === 0,
  words: ({ objects }) => ({
    message: msg('{count, plural, one {# object} other {# objects}}'),
    count: objects.length,
  }),
  name: () => null,
  classes: ({ objects }) => objects.map(({ cls }) => cls),
  isDrawn: true,
  isWide: true,
  takesEnter: false,
  takesAltArrows: true,
  rules: [
    objectCount,
    objectIdOnce,
    objectClassKnown,
    shapeOfClass,
    shapeFaults,
    sizeOfClass,
    pointsOfClass,
    placesOfClass,
    attributeRequired,
    attributeKnown,
    attributeValue,
    objectNoTwin,
    overlapOfClass,
  ],
  read: (cell) => {
    try {
      const label = JSON.parse(cell) as Label;
      if (label.kind === 'objects' && Array.isArray(label.objects)) return label;
    } catch {
      // Said below, with the line.
    }
    return { fault: msg('Objects are written as the JSON of a label, in quotes.') };
  },
};
