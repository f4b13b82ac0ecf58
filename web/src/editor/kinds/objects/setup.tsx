import { Group, Textarea } from '@mantine/core';
import type { Shape } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { type AttributeDraft, Attributes, attributeOf, draftOf, incompleteAttributes } from '../../setup/attributes';
import { Classes, classSpecs, namesOf } from '../../setup/classes';
import { DrawnAs } from '../../setup/drawn_as';
import type { FormProps, KindSetup } from '../../setup/setup';
import { templateOf, wrongTemplate } from '../../setup/skeleton';
import { SHAPE_TYPES } from '../../shapes';

interface Own {
  shape: Shape['type'];
  attributes: AttributeDraft[];
  /** Of a skeleton: its places and its edges, one a line. */
  places: string;
  edges: string;
}

const WORDS = {
  title: msg('Attributes of an object'),
  add: msg('Add an attribute'),
  none: msg('Optional: a further question about each object, such as its colour, or whether it is cut off.'),
  name: msg('Name of the attribute'),
};

function Form({ named, own, rename, change }: FormProps<Own>) {
  const t = useT();
  return (
    <>
      <Classes label={t('Classes, one a line')} named={named} rename={rename} />
      <DrawnAs shapes={SHAPE_TYPES} value={own.shape} onChange={(shape) => change({ shape })} />
      {own.shape === 'skeleton' && (
        <Group gap={24} grow align="start">
          <Textarea
            label={t('Places of the skeleton, one a line')}
            description={t('With where each stands, if you like, as shares of width and height: nose 0.5 0.1')}
            autosize
            minRows={4}
            maxRows={20}
            dir="auto"
            value={own.places}
            onChange={(event) => change({ places: event.currentTarget.value })}
          />
          <Textarea
            label={t('Edges, one a line')}
            description={t('Two places and a dash between them: left eye - nose')}
            autosize
            minRows={4}
            maxRows={20}
            dir="auto"
            value={own.edges}
            onChange={(event) => change({ edges: event.currentTarget.value })}
          />
        </Group>
      )}
      <Attributes attributes={own.attributes} words={WORDS} change={(attributes) => change({ attributes })} />
    </>
  );
}

export const objectsSetup: KindSetup<Own> = {
  blank: { shape: 'box', attributes: [], places: '', edges: '' },
  ontology: (named, { shape, attributes, places, edges }) => ({
    kind: 'objects',
    classes: classSpecs(named).map((one) => ({
      ...one,
      geometry: shape,
      ...(shape === 'skeleton' ? { skeleton: templateOf(places, edges) } : {}),
    })),
    ...(attributes.length > 0 ? { attributes: attributes.map(attributeOf) } : {}),
  }),
  from: ({ classes, attributes }) => ({
    shape: SHAPE_TYPES.find((type) => type === classes?.[0]?.geometry) ?? 'box',
    attributes: (attributes ?? []).map(draftOf),
  }),
  incomplete: (named, { shape, attributes, places, edges }) => {
    if (namesOf(named).length < 1) return msg('Give at least one class.');
    const wrong = shape === 'skeleton' ? wrongTemplate(places, edges) : null;
    return wrong ?? incompleteAttributes(attributes);
  },
  Form,
};
