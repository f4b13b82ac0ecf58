import { Textarea } from '@mantine/core';
import type { Shape } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { type AttributeDraft, Attributes, attributeOf, draftOf, incompleteAttributes } from '../../setup/attributes';
import { Classes, classSpecs, namesOf } from '../../setup/classes';
import { DrawnAs } from '../../setup/drawn_as';
import type { FormProps, KindSetup } from '../../setup/setup';
import { SHAPE_TYPES } from '../../shapes';

interface Own {
  shape: Shape['type'];
  attributes: AttributeDraft[];
  /** What goes on for a time: classes, one a line. */
  events: string;
}

const WORDS = {
  title: msg('Attributes of a track'),
  add: msg('Add an attribute'),
  none: msg(
    'Optional: a further question about each track, once or from frame to frame, such as whether its lights are on.',
  ),
  name: msg('Name of the attribute'),
};
/** A skeleton's places are written where pictures are set up. */
const SHAPES = SHAPE_TYPES.filter((type) => type !== 'skeleton');

const eventsOf = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim()))].filter(Boolean);

function Form({ named, own, rename, change }: FormProps<Own>) {
  const t = useT();
  return (
    <>
      <Classes label={t('Classes, one a line')} named={named} rename={rename} />
      <DrawnAs shapes={SHAPES} value={own.shape} onChange={(shape) => change({ shape })} />
      <Textarea
        label={t('Events, one a line')}
        description={t('Optional: what goes on from one frame to another and is drawn nowhere, such as rain.')}
        autosize
        minRows={2}
        maxRows={12}
        dir="auto"
        value={own.events}
        onChange={(event) => change({ events: event.currentTarget.value })}
      />
      <Attributes attributes={own.attributes} words={WORDS} change={(attributes) => change({ attributes })} inTime />
    </>
  );
}

export const tracksSetup: KindSetup<Own> = {
  blank: { shape: 'box', attributes: [], events: '' },
  ontology: (named, { shape, attributes, events }) => ({
    kind: 'tracks',
    classes: [
      ...classSpecs(named).map((one) => ({ ...one, geometry: shape })),
      ...eventsOf(events).map((name) => ({ name, event: true })),
    ],
    ...(attributes.length > 0
      ? { attributes: attributes.map((one) => ({ ...attributeOf(one), classes: namesOf(named) })) }
      : {}),
  }),
  from: ({ classes, attributes }) => ({
    shape: SHAPES.find((type) => type === classes?.find(({ event }) => !event)?.geometry) ?? 'box',
    attributes: (attributes ?? []).map(draftOf),
    events: (classes ?? [])
      .filter(({ event }) => event)
      .map(({ name }) => name)
      .join('\n'),
  }),
  incomplete: (named, { attributes, events }) => {
    if (namesOf(named).length < 1) return msg('Give at least one class.');
    if (eventsOf(events).some((name) => namesOf(named).includes(name))) {
      return msg('An event has the name of a class: give it another.');
    }
    return incompleteAttributes(attributes);
  },
  Form,
};
