/** Keys of the page that is shown, and the list of them. */
import { Table, Text } from '@mantine/core';
import { useEffect, useMemo, useRef } from 'react';
import { type Binding, buildKeymap, chordOf, isTyping } from '../editor/core/keymap';
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

export function KeysHelp({
  commands,
  opened,
  onClose,
}: {
  commands: readonly Binding[];
  opened: boolean;
  onClose: () => void;
}) {
  const t = useT();
  return (
    <Dialog opened={opened} onClose={onClose} title={t('Keys')} size="lg">
      <Table className="cup-table">
        <Table.Tbody>
          {commands.map((binding) => (
            <Table.Tr key={binding.command}>
              <Table.Td>{t(binding.title, binding.values)}</Table.Td>
              <Table.Td style={{ textAlign: 'right' }}>
                {binding.keys.map((chord) => (
                  <span key={chord} style={{ marginLeft: 8, whiteSpace: 'nowrap' }}>
                    {(chord === '+' ? ['+'] : chord.split('+')).map((part) => (
                      <span key={part} style={{ marginLeft: 2 }}>
                        <Key>{part.replace('Arrow', '')}</Key>
                      </span>
                    ))}
                  </span>
                ))}
              </Table.Td>
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
