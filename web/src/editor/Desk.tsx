/** The editor owns the screen: one bar, one canvas, one panel. Used for work, audits and adjudication alike. */
import { Button, Divider, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Localised } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Heading, IconButton, Key } from '../ui/bits';
import { BoundKeys } from '../ui/bound_keys';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { type Command, KeysHelp, useKeys } from '../ui/keys';
import { Markdown } from '../ui/markdown';
import { readFirst } from './core/instruction';
import type { Binding } from './core/keymap';
import type { LabelSession } from './core/label_session';
import { chosenKeys, resolved } from './core/presets';
import { KINDS } from './kinds';
import { Issues } from './kinds/issues';
import { isEmpty, modelOf } from './kinds/models';
import { useDocument, useDrawing } from './kinds/use_label';
import { useSight } from './kinds/use_picture';
import { redoOperation, undoOperation } from './operations/undo_redo';

/** So many objects may be left to look at when a label is finished without a wait. */
const AT_ONCE = 200;

export interface DeskProps {
  session: LabelSession;
  guidelines: Localised;
  bar: ReactNode;
  /** Above the label: what else is known of the task. */
  aside?: ReactNode;
  foot?: ReactNode;
  /** The main act, on Enter. */
  finish: {
    title: string;
    run: () => void;
    busy?: boolean;
    /** A question to be answered first, where what would be sent says nothing at all. */
    asks?: string | null;
  };
  /** What undo does when this label has nothing to take back. */
  undoBeyond?: { title: string; run: () => void } | null;
  commands?: readonly Command[];
  /** Off while a dialog is open over the desk. */
  keysEnabled?: boolean;
}

export function Desk({
  session,
  guidelines,
  bar,
  aside,
  foot,
  finish,
  undoBeyond,
  commands = [],
  keysEnabled = true,
}: DeskProps) {
  const t = useT();
  const { localised } = useFormat();
  const document_ = useDocument(session);
  const [help, setHelp] = useState(false);
  const [asking, setAsking] = useState(false);
  const [tried, setTried] = useState<LabelSession | null>(null);
  /** For the rules to come through with a large label. */
  const [waiting, setWaiting] = useState(false);
  const { ontology } = session.setting;
  const face = KINDS[ontology.kind];
  const model = modelOf(ontology.kind);
  const operations = useMemo(() => [undoOperation, redoOperation, ...face.operations(ontology)], [face, ontology]);
  useSight(session);
  useDrawing(session);

  const decide = () => {
    if (!session.isSound()) setTried(session);
    else if (finish.asks) setAsking(true);
    else finish.run();
  };
  const latest = useRef({ session, decide });
  latest.current = { session, decide };
  const finishNow = () => {
    if (finish.busy || waiting) return;
    // What one change leaves to look at is looked at here, so that the next key already meets the next item.
    if (session.check(AT_ONCE)) {
      decide();
      return;
    }
    setWaiting(true);
    void session.checked().then(() => {
      setWaiting(false);
      if (latest.current.session === session) latest.current.decide();
    });
  };
  const all: Command[] = [
    {
      command: 'finish',
      title: finish.title,
      keys: model.takesEnter ? ['Ctrl+Enter'] : ['Enter', 'Ctrl+Enter'],
      disabledBecause: null,
      run: finishNow,
    },
    ...operations.map((operation): Command => {
      const reason = operation.disabledBecause(session);
      const beyond = operation.id === 'undo' && reason !== null ? undoBeyond : null;
      return {
        command: operation.id,
        title: operation.title,
        keys: operation.keys,
        ...(operation.values ? { values: operation.values } : {}),
        ...(operation.repeats ? { repeats: true } : {}),
        disabledBecause: beyond ? null : reason,
        run: () => (beyond ? beyond.run() : operation.run(session)),
      };
    }),
    ...commands,
    { command: 'help', title: 'Show the keys', keys: ['?', 'F1'], disabledBecause: null, run: () => setHelp(true) },
  ];
  const chosen = useSyncExternalStore(chosenKeys.subscribe, chosenKeys.get);
  const listed = resolved<Binding>([...all, ...(face.stageKeys?.(ontology) ?? [])], chosen);
  const bound = all.map((one, at): Command => ({ ...one, keys: listed[at]?.keys ?? one.keys }));
  useKeys(bound, keysEnabled && !help && !asking && !waiting);
  const command = (id: string) => all.find((candidate) => candidate.command === id);
  const undo = command('undo');
  const redo = command('redo');
  const words = localised(readFirst(session.setting.item, guidelines));

  return (
    <BoundKeys bindings={listed}>
      <div className="cup-desk">
        <header className="cup-desk-bar">
          {bar}
          <Heading unseen>{t('Label this item')}</Heading>
          <span className="cup-spacer" />
          <IconButton
            icon="undo"
            label={
              undoBeyond && undo?.disabledBecause === null && session.history.past.length === 0
                ? t(undoBeyond.title)
                : t('Undo')
            }
            disabledBecause={undo?.disabledBecause ? t(undo.disabledBecause) : null}
            onClick={() => undo?.run()}
          />
          <IconButton
            icon="redo"
            label={t('Redo')}
            disabledBecause={redo?.disabledBecause ? t(redo.disabledBecause) : null}
            onClick={() => redo?.run()}
          />
          <IconButton icon="keyboard" label={t('Show the keys')} onClick={() => setHelp(true)} />
        </header>
        <main className="cup-stage" id="main" aria-label={t('The item')}>
          <face.Stage session={session} key={session.setting.item.id ?? session.setting.item.text} />
        </main>
        <aside className="cup-desk-panel" aria-label={t('Your label')}>
          <div className="cup-desk-scroll" tabIndex={0} role="region" aria-label={t('Label and guidelines')}>
            {aside}
            <face.Panel session={session} />
            <Issues session={session} quiet={tried !== session && isEmpty(document_.label)} />
            {words && (
              <>
                <Divider my={16} />
                <Group gap={6} mb={6}>
                  <Icon name="book" />
                  <Title order={2}>{t('Guidelines')}</Title>
                </Group>
                <Markdown source={words} />
              </>
            )}
          </div>
          <div className="cup-desk-foot">
            <Button
              fullWidth
              px="xs"
              onClick={finishNow}
              loading={waiting || (finish.busy ?? false)}
              rightSection={<Key>{bound[0]?.keys[0] ?? ''}</Key>}
            >
              {t(finish.title)}
            </Button>
            {foot && (
              <Text component="div" size="xs" mt={8}>
                {foot}
              </Text>
            )}
          </div>
        </aside>
        <Dialog opened={asking} onClose={() => setAsking(false)} title={t('Is there really nothing?')}>
          <Text mb={16}>{finish.asks}</Text>
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
              {t('Look again')}
            </Button>
            <Button
              onClick={() => {
                setAsking(false);
                finish.run();
              }}
            >
              {t('Yes, there is nothing')}
            </Button>
          </Group>
        </Dialog>
        <KeysHelp commands={listed} binds opened={help} onClose={() => setHelp(false)} />
      </div>
    </BoundKeys>
  );
}
