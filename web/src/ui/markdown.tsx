/**
 * The part of Markdown that guidelines need, made into React elements. Text from data only ever becomes text:
 * HTML in it is shown as it is written, and links go only to http, https and mailto.
 */
import { createElement, Fragment, type ReactNode } from 'react';

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;
const INLINE = /(`[^`]+`)|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/;

function inline(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    if (match.index > 0) parts.push(rest.slice(0, match.index));
    const [whole, code, bold, boldToo, slanted, words, target] = match;
    const key = parts.length;
    if (code) parts.push(<code key={key}>{code.slice(1, -1)}</code>);
    else if (bold || boldToo) parts.push(<strong key={key}>{inline(bold ?? boldToo ?? '')}</strong>);
    else if (slanted) parts.push(<em key={key}>{inline(slanted)}</em>);
    else if (words && target && SAFE_LINK.test(target)) {
      parts.push(
        <a key={key} href={target} target="_blank" rel="noopener noreferrer nofollow">
          {words}
        </a>,
      );
    } else parts.push(whole);
    rest = rest.slice(match.index + whole.length);
  }
  if (rest) parts.push(rest);
  return parts;
}

function lines(block: string[]): ReactNode[] {
  return block.map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text have no other identity and never move
    <Fragment key={at}>
      {at > 0 && <br />}
      {inline(line)}
    </Fragment>
  ));
}

const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBERED = /^\s*\d+[.)]\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;

function isPlain(line: string | undefined): line is string {
  return (
    line !== undefined &&
    line.trim() !== '' &&
    ![BULLET, NUMBERED, HEADING, QUOTE].some((form) => form.test(line)) &&
    !line.startsWith('```')
  );
}

export function parseMarkdown(source: string): ReactNode[] {
  const input = source.replace(/\r\n?/g, '\n').split('\n');
  const out: ReactNode[] = [];
  const take = (form: RegExp): string[] => {
    const taken: string[] = [];
    for (let match = form.exec(input[0] ?? ''); match; match = form.exec(input[0] ?? '')) {
      taken.push(match[1] ?? '');
      input.shift();
      if (input.length === 0) break;
    }
    return taken;
  };
  while (input.length > 0) {
    const line = input[0] ?? '';
    const key = out.length;
    if (line.trim() === '') {
      input.shift();
    } else if (line.startsWith('```')) {
      input.shift();
      const code: string[] = [];
      while (input.length > 0 && !(input[0] ?? '').startsWith('```')) code.push(input.shift() ?? '');
      input.shift();
      out.push(
        <pre key={key}>
          <code>{code.join('\n')}</code>
        </pre>,
      );
    } else if (HEADING.test(line)) {
      const [, marks = '#', words = ''] = HEADING.exec(line) ?? [];
      input.shift();
      // The page owns the first two levels of its outline.
      out.push(createElement(`h${Math.min(marks.length + 2, 6)}`, { key }, inline(words)));
    } else if (BULLET.test(line)) {
      out.push(
        <ul key={key}>
          {take(BULLET).map((entry) => (
            <li key={entry}>{inline(entry)}</li>
          ))}
        </ul>,
      );
    } else if (NUMBERED.test(line)) {
      out.push(
        <ol key={key}>
          {take(NUMBERED).map((entry) => (
            <li key={entry}>{inline(entry)}</li>
          ))}
        </ol>,
      );
    } else if (QUOTE.test(line)) {
      out.push(<blockquote key={key}>{lines(take(QUOTE))}</blockquote>);
    } else {
      const block: string[] = [input.shift() ?? ''];
      while (isPlain(input[0])) block.push(input.shift() ?? '');
      out.push(<p key={key}>{lines(block)}</p>);
    }
  }
  return out;
}

export function Markdown({ source }: { source: string }) {
  return <div className="cup-prose">{parseMarkdown(source)}</div>;
}
