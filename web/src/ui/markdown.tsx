/**
 * Markdown made into React elements from its syntax tree. Text from data only ever becomes text: HTML in it is shown as it
 * is written, a picture from elsewhere is a link to it, and links go only to http, https and mailto.
 */
import type { Definition, Nodes, Parents, Table } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import { createElement, Fragment, type ReactNode, useMemo } from 'react';

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;
const TABLES = { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] };
/** Quotes in quotes beyond this are shown flat: nobody writes them to be read. */
const MAX_DEPTH = 32;

interface Told {
  source: string;
  definitions: Map<string, Definition>;
}

/** A line break in a text is one on the page: whoever writes guidelines means it. */
function broken(text: string): ReactNode {
  const lines = text.split('\n');
  return lines.length === 1
    ? text
    : lines.map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text have no other identity and never move
        <Fragment key={at}>
          {at > 0 && <br />}
          {line}
        </Fragment>
      ));
}

function link(target: string | undefined, words: ReactNode, key: number, asWritten: string): ReactNode {
  if (target === undefined || !SAFE_LINK.test(target)) return <Fragment key={key}>{asWritten}</Fragment>;
  return (
    <a key={key} href={target} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}

function written(node: Nodes, told: Told): string {
  const { start, end } = node.position ?? {};
  return told.source.slice(start?.offset ?? 0, end?.offset ?? 0);
}

function all(node: Parents, told: Told, depth: number): ReactNode[] {
  return node.children.map((child, at) => shown(child, at, told, depth + 1));
}

function table(node: Table, key: number, told: Told, depth: number): ReactNode {
  const [head, ...rows] = node.children;
  const cells = (row: Table['children'][number] | undefined, tag: 'th' | 'td') =>
    (row?.children ?? []).map((cell, at) =>
      createElement(tag, { key: at, style: { textAlign: node.align?.[at] ?? undefined } }, all(cell, told, depth)),
    );
  return (
    <table key={key}>
      <thead>
        <tr>{cells(head, 'th')}</tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows of one text have no other identity and never move
          <tr key={at}>{cells(row, 'td')}</tr>
        ))}
      </tbody>
    </table>
  );
}

function shown(node: Nodes, key: number, told: Told, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return <Fragment key={key}>{written(node, told)}</Fragment>;
  const children = () => all(node as Parents, told, depth);
  switch (node.type) {
    case 'text':
      return <Fragment key={key}>{broken(node.value)}</Fragment>;
    case 'paragraph':
      return <p key={key}>{children()}</p>;
    case 'heading':
      // The page owns the first two levels of its outline.
      return createElement(`h${Math.min(node.depth + 2, 6)}`, { key }, children());
    case 'emphasis':
      return <em key={key}>{children()}</em>;
    case 'strong':
      return <strong key={key}>{children()}</strong>;
    case 'inlineCode':
      return <code key={key}>{node.value}</code>;
    case 'code':
      return (
        <pre key={key}>
          <code>{node.value}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote key={key}>{children()}</blockquote>;
    case 'list':
      return createElement(
        node.ordered ? 'ol' : 'ul',
        { key, ...(node.ordered && node.start != null && node.start !== 1 && { start: node.start }) },
        children(),
      );
    case 'listItem':
      return (
        <li key={key}>
          {node.children.map((child, at) =>
            child.type === 'paragraph' && !node.spread ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: parts of one entry have no other identity and never move
              <Fragment key={at}>{all(child, told, depth)}</Fragment>
            ) : (
              shown(child, at, told, depth + 1)
            ),
          )}
        </li>
      );
    case 'link':
      return link(node.url, children(), key, written(node, told));
    case 'image':
      return link(node.url, node.alt || node.url, key, written(node, told));
    case 'linkReference':
      return link(told.definitions.get(node.identifier)?.url, children(), key, written(node, told));
    case 'imageReference':
      return link(told.definitions.get(node.identifier)?.url, node.alt, key, written(node, told));
    case 'break':
      return <br key={key} />;
    case 'thematicBreak':
      return <hr key={key} />;
    case 'table':
      return table(node, key, told, depth);
    case 'definition':
      return null;
    default: // HTML above all
      return <Fragment key={key}>{broken(written(node, told))}</Fragment>;
  }
}

export function parseMarkdown(source: string): ReactNode[] {
  const text = source.replace(/\r\n?/g, '\n');
  const tree = fromMarkdown(text, TABLES);
  const definitions = new Map<string, Definition>();
  for (const node of tree.children) {
    if (node.type === 'definition' && !definitions.has(node.identifier)) definitions.set(node.identifier, node);
  }
  return all(tree, { source: text, definitions }, 0);
}

export function Markdown({ source }: { source: string }) {
  const parsed = useMemo(() => parseMarkdown(source), [source]);
  return (
    <div className="cup-prose" dir="auto">
      {parsed}
    </div>
  );
}
