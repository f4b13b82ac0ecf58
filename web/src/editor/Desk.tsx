/** The editor owns the screen: one bar, one canvas, one panel. Used for work, audits and adjudication alike. */
import { Button, Divider, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import type { Localised } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { IconButton, Key } from '../ui/bits';
import { Icon } from '../ui/icons';
import { type Command, KeysHelp, useKeys } from '../ui/keys';
import { Markdown } from '../ui/markdown';
import { isEmpty } from './core/document';
import type { LabelSession } from './core/label_session';
import { KINDS } from './kinds';
import { Issues } from './kinds/issues';
import { useDocument } from './kinds/use_label';
import { redoOperation, undoOperation } from './operations/undo_redo';

/** Extra keys that the canvas itself listens to; listed so that the help is complete. */
const CANVAS_KEYS = [
  { command: 'mode-draw', title: 'Draw boxes', keys: ['N'] },
  { command: 'mode-select', title: 'Select and move', keys: ['V'] },
  { command: 'fit', title: 'Fit the picture', keys: ['F'] },
  { command: 'zoom', title: 'Zoom (or the wheel, at the pointer)', keys: ['+', '-'] },
  { command: 'turn', title: 'Turn the box by its knob; Shift snaps to 15 degrees', keys: ['Shift'] },
  { command: 'pan', title: 'Pan while held and dragged (or the middle button)', keys: ['Space'] },
];

export interface DeskProps {
  session: LabelSession;
  guidelines: Localised;
  bar: ReactNode;
  /** Above the label: what else is known of the task. */
  aside?: ReactNode;
  foot?: ReactNode;
  /** The main act, on Enter. */
  finish: { title: string; run: () => void; busy?: boolean };
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
  const [tried, setTried] = useState<LabelSession | null>(null);
  const { ontology } = session.setting;
  const face = KINDS[ontology.kind];
  const operations = useMemo(() => [undoOperation, redoOperation, ...face.operations(ontology)], [face, ontology]);
  const hasErrors = session.issues.some((issue) => issue.severity === 'error');

  const finishNow = () => {
    if (hasErrors) setTried(session);
    else finish.run();
  };
  const all: Command[] = [
    {
      command: 'finish',
      title: finish.title,
      keys: ontology.kind === 'text' ? ['Ctrl+Enter'] : ['Enter', 'Ctrl+Enter'],
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
        disabledBecause: beyond ? null : reason,
        run: () => (beyond ? beyond.run() : operation.run(session)),
      };
    }),
    ...commands,
    { command: 'help', title: 'Show the keys', keys: ['?', 'F1'], disabledBecause: null, run: () => setHelp(true) },
  ];
  useKeys(all, keysEnabled && !help);
  const listed = ontology.kind === 'objects' ? [...all, ...CANVAS_KEYS] : all;
  const command = (id: string) => all.find((candidate) => candidate.command === id);
  const undo = command('undo');
  const redo = command('redo');
  const words = localised(guidelines);

  return (
    <div className="cup-desk">
      <header className="cup-desk-bar">
        {bar}
        <h1 className="cup-visually-hidden">{t('Label this item')}</h1>
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
        <face.Stage
          session={session}
          key={session.setting.item.id ?? session.setting.item.url ?? session.setting.item.text}
        />
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
            onClick={finishNow}
            loading={finish.busy ?? false}
            rightSection={<Key>{ontology.kind === 'text' ? 'Ctrl+Enter' : 'Enter'}</Key>}
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
      <KeysHelp commands={listed} opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}
