import { NumberInput, Stack, Text, Title } from '@mantine/core';
import type { LabelObject } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { Chip, IconButton, Key } from '../../../ui/bits';
import { useKeysOf } from '../../../ui/bound_keys';
import { deleteObjects } from '../../actions/delete_objects';
import { rotateObject } from '../../actions/rotate_object';
import { selectObjects } from '../../actions/select_objects';
import { setAside } from '../../actions/set_aside';
import { setAttribute } from '../../actions/set_attribute';
import { setClass } from '../../actions/set_class';
import { attributesFor } from '../../core/attributes';
import { objectsOf } from '../../core/document';
import type { LabelSession } from '../../core/label_session';
import { classNamed, drawnClasses } from '../../core/ontology';
import { classColour } from '../../renderers/palette';
import { faceOf } from '../../shapes';
import { AttributeField } from '../attribute_field';
import { useDocument } from '../use_label';
import { Places } from './Places';

const DEGREES = 180 / Math.PI;

/** The rotation as people read it, to a tenth of a degree; null for what cannot turn. */
function degreesOf({ shape }: LabelObject): number | null {
  const { turn } = faceOf(shape);
  return turn && Math.round(turn.of(shape) * DEGREES * 10) / 10;
}

function Source({ object }: { object: LabelObject }) {
  const t = useT();
  if (object.source === 'model') return <Chip tone="model">{t('model')}</Chip>;
  if (object.source === 'corrected') return <Chip tone="model">{t('corrected')}</Chip>;
  return null;
}

export function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { localised } = useFormat();
  const { ontology } = session.setting;
  const document_ = useDocument(session);
  const objects = objectsOf(document_);
  const keysOf = useKeysOf();
  const only =
    document_.selected.length === 1 ? objects.find((object) => object.id === document_.selected[0]) : undefined;
  const degrees = only ? degreesOf(only) : null;
  const active = only?.cls ?? document_.cls;
  const titleOf = (name: string) => localised(classNamed(ontology, name)?.title) || name;
  return (
    <Stack gap={16}>
      <div>
        <Title order={2} size="h3" mb={6}>
          {only ? t('Class of the selected object') : t('Class of the next object')}
        </Title>
        <div
          className="cup-choices"
          role="radiogroup"
          aria-label={t('Class')}
          style={{ maxHeight: 220, overflow: 'auto', padding: 2 }}
        >
          {drawnClasses(ontology).map((cls) => (
            <button
              key={cls.name}
              type="button"
              role="radio"
              aria-checked={cls.name === active}
              className="cup-choice"
              style={{ minHeight: 30, paddingBlock: 2 }}
              onClick={() => session.perform(setClass(cls.name))}
            >
              <span className="cup-choice-swatch" style={{ background: classColour(ontology, cls.name) }} />
              <span dir="auto" style={{ flex: 1 }}>
                {titleOf(cls.name)}
              </span>
              {keysOf(`class:${cls.name}`)[0] && <Key>{keysOf(`class:${cls.name}`)[0]}</Key>}
            </button>
          ))}
        </div>
      </div>
      {only && degrees !== null && (
        <NumberInput
          label={t('Rotation')}
          suffix="°"
          min={-180}
          max={180}
          decimalScale={1}
          value={degrees}
          onChange={(next) => {
            if (typeof next === 'number') session.perform(rotateObject(only.id, next / DEGREES), `turning:${only.id}`);
          }}
        />
      )}
      {only && <Places session={session} object={only} />}
      {only && attributesFor(ontology, only).length > 0 && (
        <Stack gap={8}>
          <Title order={2} size="h3">
            {t('Attributes')}
          </Title>
          {attributesFor(ontology, only).map((spec) => (
            <AttributeField
              key={spec.name}
              spec={spec}
              value={only.attributes?.[spec.name]}
              onChange={(value, mark) =>
                session.perform(setAttribute(only.id, spec.name, value), mark ? `${mark}:${only.id}` : null)
              }
            />
          ))}
        </Stack>
      )}
      <div>
        <Title order={2} size="h3" mb={6}>
          {t('Objects ({count})', { count: objects.length })}
        </Title>
        {objects.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t('Draw one on the picture, or press Shift+N for one in the middle.')}
          </Text>
        ) : (
          <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {objects.map((object, at) => {
              const selected = document_.selected.includes(object.id);
              return (
                <li key={object.id} className="cup-object-row" data-selected={selected}>
                  <button
                    type="button"
                    aria-pressed={selected}
                    onClick={() => session.perform(selectObjects([object.id]))}
                  >
                    <span className="cup-choice-swatch" style={{ background: classColour(ontology, object.cls) }} />
                    <span className="cup-ellipsis">
                      {at + 1}. {titleOf(object.cls)}
                    </span>
                    <Source object={object} />
                    <Text size="xs" c="dimmed" ml="auto" style={{ whiteSpace: 'nowrap' }}>
                      {faceOf(object.shape).measure(object.shape)}
                    </Text>
                  </button>
                  <IconButton
                    icon={document_.hidden?.includes(object.id) ? 'eyeOff' : 'eye'}
                    pressed={document_.hidden?.includes(object.id) ?? false}
                    label={t('Hide object {number}', { number: at + 1 })}
                    onClick={() => session.perform(setAside('hidden', [object.id]))}
                  />
                  <IconButton
                    icon={document_.locked?.includes(object.id) ? 'lock' : 'unlock'}
                    pressed={document_.locked?.includes(object.id) ?? false}
                    label={t('Lock object {number}', { number: at + 1 })}
                    onClick={() => session.perform(setAside('locked', [object.id]))}
                  />
                  <IconButton
                    icon="trash"
                    label={t('Delete object {number}', { number: at + 1 })}
                    onClick={() => session.perform(deleteObjects([object.id]))}
                  />
                </li>
              );
            })}
          </ul>
        )}
      </div>
    </Stack>
  );
}
