import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { newId } from '../../../api/ids';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { IconButton } from '../../../ui/bits';
import { useKeysOf } from '../../../ui/bound_keys';
import { addEvent, changeEvent, toggleFlag, toggleKey, toggleOutside } from '../../actions/change_tracks';
import { seek } from '../../actions/seek';
import { selectObjects } from '../../actions/select_objects';
import { attributesFor } from '../../core/attributes';
import { tracksOf } from '../../core/document';
import type { LabelSession } from '../../core/label_session';
import { classesOf, classNamed } from '../../core/ontology';
import { isOccluded, isSeen, keyAt, keyOn } from '../../core/tracks';
import { classColour } from '../../renderers/palette';
import { AttributeField } from '../attribute_field';
import { Panel as ObjectsPanel } from '../objects/Panel';
import { useDocument } from '../use_label';

/** How the selected track stands in this frame. */
function TrackState({ session }: { session: LabelSession }) {
  const t = useT();
  const keysOf = useKeysOf();
  const { frame = 0, selected, ...document_ } = useDocument(session);
  const track = tracksOf({ ...document_, selected }).find(({ id }) => id === selected[0]);
  if (!track || selected.length !== 1) return null;
  const { id } = track;
  const seen = isSeen(track, frame);
  const states = [
    { on: keyOn(track, frame) !== undefined, title: t('Keyframe'), command: 'toggle-key', act: toggleKey([id]) },
    { on: !seen, title: t('Not to be seen'), command: 'toggle-outside', act: toggleOutside([id]) },
    {
      on: seen && isOccluded(track, frame),
      title: t('Covered'),
      command: 'toggle-occluded',
      act: toggleFlag([id], 'occluded'),
      off: !seen,
    },
    {
      on: track.keys[keyAt(track.keys, frame)]?.holds ?? false,
      title: t('Stands still'),
      command: 'toggle-holds',
      act: toggleFlag([id], 'holds'),
      off: !seen,
    },
  ];
  return (
    <div>
      <Title order={2} size="h3" mb={6}>
        {t('In frame {n}', { n: frame })}
      </Title>
      <Group gap={6}>
        {states.map(({ on, title, command, act, off = false }) => (
          <Button
            key={command}
            size="compact-sm"
            variant={on ? 'filled' : 'default'}
            aria-pressed={on}
            disabled={off}
            onClick={() => session.perform(act)}
          >
            {title}
            {keysOf(command)[0] ? ` (${keysOf(command)[0]})` : ''}
          </Button>
        ))}
      </Group>
    </div>
  );
}

/** What goes on for a time: begun and ended at the frame that is looked at. */
function Events({ session }: { session: LabelSession }) {
  const t = useT();
  const { localised } = useFormat();
  const { frame = 0, label, selected } = useDocument(session);
  const { ontology } = session.setting;
  const classes = classesOf(ontology).filter(({ event }) => event);
  if (classes.length === 0 || label.kind !== 'tracks') return null;
  return (
    <Stack gap={6}>
      <Title order={2} size="h3">
        {t('Events')}
      </Title>
      <Group gap={6}>
        {classes.map(({ name, title }) => (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            onClick={() => {
              const id = newId();
              session.perform(addEvent({ id, cls: name, start: frame, end: frame }));
              session.perform(selectObjects([id]));
            }}
          >
            {t('“{name}” from here', { name: localised(title) || name })}
          </Button>
        ))}
      </Group>
      {(label.events ?? []).map((event) => {
        const { id, cls, start, end, attributes } = event;
        const asked = { id, cls, shape: { type: 'point' as const, x: 0, y: 0 }, ...(attributes ? { attributes } : {}) };
        return (
          <div key={id} className="cup-event" data-selected={selected.includes(id)}>
            <Group gap={6} wrap="nowrap">
              <span className="cup-choice-swatch" style={{ background: classColour(ontology, cls) }} />
              <Text size="sm" dir="auto" className="cup-ellipsis" style={{ flex: 1 }}>
                {localised(classNamed(ontology, cls)?.title) || cls}
              </Text>
              <Button size="compact-xs" variant="subtle" onClick={() => session.perform(seek(start))}>
                {start}
              </Button>
              –
              <Button size="compact-xs" variant="subtle" onClick={() => session.perform(seek(end))}>
                {end}
              </Button>
              <IconButton
                icon="trash"
                label={t('Delete the event')}
                onClick={() => session.perform(changeEvent(id, () => null))}
              />
            </Group>
            <Group gap={6}>
              <Button
                size="compact-xs"
                variant="default"
                disabled={frame > end}
                onClick={() => session.perform(changeEvent(id, (one) => ({ ...one, start: frame })))}
              >
                {t('Begins here')}
              </Button>
              <Button
                size="compact-xs"
                variant="default"
                disabled={frame < start}
                onClick={() => session.perform(changeEvent(id, (one) => ({ ...one, end: frame })))}
              >
                {t('Ends here')}
              </Button>
            </Group>
            {attributesFor(ontology, asked).map((spec) => (
              <AttributeField
                key={spec.name}
                spec={spec}
                value={attributes?.[spec.name]}
                onChange={(value, mark) =>
                  session.perform(
                    changeEvent(id, (one) => {
                      const { [spec.name]: _, ...rest } = one.attributes ?? {};
                      return { ...one, attributes: value === undefined ? rest : { ...rest, [spec.name]: value } };
                    }),
                    mark ? `${mark}:${id}` : null,
                  )
                }
              />
            ))}
          </div>
        );
      })}
    </Stack>
  );
}

export function Panel({ session }: { session: LabelSession }) {
  return (
    <Stack gap={16}>
      <TrackState session={session} />
      <ObjectsPanel session={session} />
      <Events session={session} />
    </Stack>
  );
}
