import { Group, Radio } from '@mantine/core';
import type { Shape } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { type AttributeDraft, Attributes, attributeOf, incompleteAttributes } from '../../setup/attributes';
import { Classes, classSpecs, namesOf } from '../../setup/classes';
import type { FormProps, KindSetup } from '../../setup/setup';
import { faceOfType, SHAPE_TYPES } from '../../shapes';

interface Own {
  shape: Shape['type'];
  attributes: AttributeDraft[];
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
      <Radio.Group
        label={t('What is drawn')}
        value={own.shape}
        onChange={(value) => change({ shape: value as Shape['type'] })}
      >
        <Group gap={24} mt={8}>
          {SHAPE_TYPES.map((type) => (
            <Radio key={type} value={type} label={t(faceOfType(type).words.one)} />
          ))}
        </Group>
      </Radio.Group>
      <Attributes attributes={own.attributes} words={WORDS} change={(attributes) => change({ attributes })} />
    </>
  );
}

export const objectsSetup: KindSetup<Own> = {
  blank: { shape: 'box', attributes: [] },
  ontology: (named, { shape, attributes }) => ({
    kind: 'objects',
    classes: classSpecs(named).map((one) => ({ ...one, geometry: shape })),
    ...(attributes.length > 0 ? { attributes: attributes.map(attributeOf) } : {}),
  }),
  incomplete: (named, { attributes }) =>
    namesOf(named).length < 1 ? msg('Give at least one class.') : incompleteAttributes(attributes),
  Form,
};
