/** A conversation to read: what was said, the answers to be compared side by side, and the texts to go by. */
import { SegmentedControl } from '@mantine/core';
import { memo, useState } from 'react';
import type { ItemView } from '../../api/types';
import { useT } from '../../i18n';
import { msg } from '../../i18n/msg';
import { Markdown } from '../../ui/markdown';
import { type Conversation, conversationOf, type Piece, type Said } from '../core/conversation';

const ROLES: Readonly<Record<string, string>> = {
  system: msg('System'),
  user: msg('User'),
  assistant: msg('Assistant'),
  tool: msg('Tool'),
};
const KINDS: Readonly<Record<string, string>> = {
  tool_call: msg('Call of a tool'),
  tool_result: msg('Result of a tool'),
  step: msg('Step'),
};
/** Texts longer than this are shown as they are written: taking Markdown apart would hold up the page. */
const MARKDOWN_CHARS = 60_000;
/** What is shown at first of a long text. */
const AT_FIRST_CHARS = 40_000;

/** What an answer is called where it stands in this order: A, B, C. */
export function letterOf(name: string, order: readonly string[]): string {
  const at = order.indexOf(name);
  return at < 0 ? name : String.fromCharCode(65 + at);
}

function Words({ text, raw }: { text: string; raw: boolean }) {
  const t = useT();
  const [whole, setWhole] = useState(false);
  const cut = !whole && text.length > AT_FIRST_CHARS;
  const seen = cut ? text.slice(0, AT_FIRST_CHARS) : text;
  return (
    <>
      {raw || seen.length > MARKDOWN_CHARS ? (
        <div className="cup-said-raw" dir="auto">
          {seen}
        </div>
      ) : (
        <Markdown source={seen} />
      )}
      {cut && (
        <button type="button" className="cup-said-more" onClick={() => setWhole(true)}>
          {t('Show all of it ({count} characters)', { count: text.length })}
        </button>
      )}
    </>
  );
}

function PieceShown({ piece, raw, step }: { piece: Piece; raw: boolean; step: number }) {
  const t = useT();
  if (piece.url) return <img src={piece.url} alt={t('A picture in the conversation')} draggable={false} />;
  const text = piece.text ?? '';
  const coded = piece.kind === 'code' || piece.kind === 'tool_call' || piece.kind === 'tool_result';
  const kind = KINDS[piece.kind];
  return (
    <div className="cup-piece" data-kind={piece.kind}>
      {(kind || piece.as) && (
        <div className="cup-piece-kind">
          {piece.as ? t(ROLES[piece.as] ?? piece.as) : kind && t(kind)} {piece.kind === 'step' && step}
        </div>
      )}
      {coded ? (
        <pre>
          <code>{text}</code>
        </pre>
      ) : text.trim() ? (
        <Words text={text} raw={raw} />
      ) : (
        <p className="cup-said-nothing">{t('Nothing was said.')}</p>
      )}
    </div>
  );
}

const SaidShown = memo(function SaidShown({
  said,
  title,
  raw,
  firstStep,
  indent = false,
}: {
  said: Said;
  title: string;
  raw: boolean;
  firstStep: number;
  /** As deep as it lies in the tree; answers to compare lie side by side. */
  indent?: boolean;
}) {
  return (
    <article
      className="cup-spoken"
      data-role={said.role}
      style={indent ? { marginInlineStart: Math.min(said.depth, 6) * 20 } : undefined}
    >
      <h2>{title}</h2>
      {said.pieces.map((piece, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one message have no other identity and never move
        <PieceShown key={at} piece={piece} raw={raw} step={firstStep + at} />
      ))}
    </article>
  );
});

/** How many steps stand before each message. */
function stepsBefore(all: readonly Said[]): Map<string, number> {
  let count = 1;
  return new Map(
    all.map((said) => {
      const first = count;
      count += said.pieces.filter(({ kind }) => kind === 'step').length;
      return [said.name, first];
    }),
  );
}

interface Props {
  told: Conversation;
  /** The candidates in the order in which they are to be seen; without it, in the item's. */
  order?: readonly string[] | null;
}

export function ConversationLook({ told, order }: Props) {
  const t = useT();
  const [look, setLook] = useState('read');
  const raw = look === 'raw';
  const names = order ?? told.candidates.map(({ name }) => name);
  const candidates = names.flatMap((name) => told.candidates.find((one) => one.name === name) ?? []);
  const steps = stepsBefore([...told.messages, ...told.candidates]);
  const titleOf = (said: Said, at: number) => `${at + 1} · ${t(ROLES[said.role] ?? said.role)}`;
  return (
    <section className="cup-conversation" tabIndex={0} aria-label={t('The conversation')}>
      <SegmentedControl
        className="cup-conversation-look"
        size="xs"
        value={look}
        onChange={setLook}
        aria-label={t('How texts are shown')}
        data={[
          { value: 'read', label: t('To read') },
          { value: 'raw', label: t('As written') },
        ]}
      />
      {told.references.map((said, at) => (
        <details key={said.name} className="cup-reference">
          <summary>{t('Reference {number}', { number: at + 1 })}</summary>
          <SaidShown said={said} title={t('Reference {number}', { number: at + 1 })} raw={raw} firstStep={1} />
        </details>
      ))}
      {told.messages.map((said, at) => (
        <SaidShown
          key={said.name}
          said={said}
          title={titleOf(said, at)}
          raw={raw}
          firstStep={steps.get(said.name) ?? 1}
          indent
        />
      ))}
      {candidates.length > 0 && (
        <div className="cup-candidates" role="group" aria-label={t('Answers to compare')}>
          {candidates.map((said) => (
            <SaidShown
              key={said.name}
              said={said}
              title={t('Answer {letter}', { letter: letterOf(said.name, names) })}
              raw={raw}
              firstStep={steps.get(said.name) ?? 1}
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** The item as a conversation where it is one. */
export function conversationIn(item: ItemView): Conversation | null {
  return conversationOf(item);
}
