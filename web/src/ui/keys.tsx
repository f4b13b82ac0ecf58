/** Keys of the page that is shown, and the list of them. */
import { Button, Group, NativeSelect, Table, Text } from '@mantine/core';
import {
  type KeyboardEvent as ReactKeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { type Binding, buildKeymap, chordOf, isTyping } from '../editor/core/keymap';
import { chosenKeys, holderOf, PRESETS, type PresetName } from '../editor/core/presets';
import { useT } from '../i18n';
import { Key } from './bits';
import { Dialog } from './dialog';

export interface Command extends Binding {
  /** Why not now, or null. */
  readonly disabledBecause: string | null;
  readonly run: () => void;
}

/** Chords that mean the same while text is being written. */
const WHILE_TYPING = new Set(['Ctrl+Enter', 'Ctrl+Z', 'Ctrl+Shift+Z', 'Ctrl+Y', 'Ctrl+K']);
/** Where these leave the page (everywhere but on a Mac, where they go from word to word), a desk does not let them. */
const BROWSER_BACK = new Set(['Alt+ArrowLeft', 'Alt+ArrowRight']);
const IS_MAC = typeof navigator !== 'undefined' && /^Mac/.test(navigator.platform);

/** Enter and Space on a control are that control's; on a chosen label they are the page's. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  // A dialog over the page has keys of its own.
  if (target.closest('[role="dialog"]')) return true;
  if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return false;
  const control = target.closest('button, a, summary, [role="button"]');
  return control !== null && !control.closest('.cup-choices');
}

function means(event: KeyboardEvent, chord: string): boolean {
  if (!isTyping(event)) return true;
  if (event.isComposing) return false;
  return WHILE_TYPING.has(chord) || (BROWSER_BACK.has(chord) && !IS_MAC);
}

/** Listens while `enabled`. @throws Error (in development and tests alike) when two commands claim one chord. */
export function useKeys(commands: readonly Command[], enabled = true): void {
  const keymap = useMemo(() => buildKeymap(commands), [commands]);
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      const chord = chordOf(event);
      if (event.defaultPrevented || belongsToControl(event) || !means(event, chord)) return;
      const id = keymap.byChord.get(chord);
      const command = latest.current.find((candidate) => candidate.command === id);
      // Whoever makes a label must not be taken back in the browser's history by a slip of the hand.
      if (command || BROWSER_BACK.has(chord)) event.preventDefault();
      if (!command || (event.repeat && !command.repeats)) return;
      if (command.disabledBecause === null) command.run();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [keymap, enabled]);
}

/** The chords of a command, each key of them by itself. */
function Chords({ keys }: { keys: readonly string[] }) {
  return keys.map((chord) => (
    <span key={chord} style={{ marginLeft: 8, whiteSpace: 'nowrap' }}>
      {(chord === '+' ? ['+'] : chord.split('+')).map((part) => (
        <span key={part} style={{ marginLeft: 2 }}>
          <Key>{part.replace('Arrow', '')}</Key>
        </span>
      ))}
    </span>
  ));
}

const ALONE = new Set(['Shift', 'Control', 'Alt', 'Meta', 'AltGraph']);

/** One row's key while it waits for another: a key that another command has is refused, and whose it is is said. */
function Bind({ binding, commands }: { binding: Binding; commands: readonly Binding[] }) {
  const t = useT();
  const [waits, setWaits] = useState(false);
  const [holder, setHolder] = useState<Binding | null>(null);
  const onKey = (event: ReactKeyboardEvent) => {
    if (!waits || ALONE.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const chord = chordOf(event.nativeEvent);
    if (chord === 'Escape' || chord === 'Tab') {
      setWaits(false);
      return;
    }
    const taken = holderOf(commands, binding.command, chord);
    setHolder(taken);
    if (taken) return;
    const { preset, own } = chosenKeys.get();
    chosenKeys.set({ preset, own: { ...own, [binding.command]: [chord] } });
    setWaits(false);
  };
  return (
    <>
      <Button
        size="compact-xs"
        variant={waits ? 'filled' : 'subtle'}
        aria-label={waits ? undefined : t('Change: {command}', { command: t(binding.title, binding.values) })}
        onClick={() => {
          setWaits(!waits);
          setHolder(null);
        }}
        onKeyDown={onKey}
        onBlur={() => setWaits(false)}
      >
        {waits ? t('Press a key…') : t('Change')}
      </Button>
      {holder && (
        <Text size="xs" c="var(--cup-refused)" role="alert">
          {t('That key is taken by: {command}', { command: t(holder.title, holder.values) })}
        </Text>
      )}
    </>
  );
}

export function KeysHelp({
  commands,
  opened,
  onClose,
  binds = false,
}: {
  commands: readonly Binding[];
  opened: boolean;
  onClose: () => void;
  /** Whether keys can be bound anew here. */
  binds?: boolean;
}) {
  const t = useT();
  const chosen = useSyncExternalStore(chosenKeys.subscribe, chosenKeys.get);
  return (
    <Dialog opened={opened} onClose={onClose} title={t('Keys')} size="lg">
      {binds && (
        <Group gap={12} mb={8} align="end">
          <NativeSelect
            label={t('As in')}
            size="xs"
            value={chosen.preset}
            data={Object.entries(PRESETS).map(([value, { name }]) => ({ value, label: name }))}
            onChange={(event) => chosenKeys.set({ ...chosen, preset: event.currentTarget.value as PresetName })}
          />
          <Button
            size="xs"
            variant="default"
            disabled={Object.keys(chosen.own).length === 0}
            onClick={() => chosenKeys.set({ ...chosen, own: {} })}
          >
            {t('Forget the keys that I bound')}
          </Button>
        </Group>
      )}
      <Table className="cup-table">
        <Table.Tbody>
          {commands.map((binding) => (
            <Table.Tr key={binding.command}>
              <Table.Td>{t(binding.title, binding.values)}</Table.Td>
              <Table.Td style={{ textAlign: 'right' }}>
                <Chords keys={binding.keys} />
              </Table.Td>
              {binds && (
                <Table.Td style={{ textAlign: 'right' }}>
                  {!binding.isFixed && <Bind binding={binding} commands={commands} />}
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" mt={8}>
        {t('On a Mac, Ctrl is Command.')}
      </Text>
    </Dialog>
  );
}
