// Every message of the app: the first argument of t(…) and msg(…), the second of issue(…), and the titles and reasons
// of the editor's operations. Used by the completeness test; run alone it prints what the Chinese catalogue lacks.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const SOURCE = /\.tsx?$/;
const NOT_SHOWN = /\.test\.tsx?$|i18n\/zh/;

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return SOURCE.test(name) && !NOT_SHOWN.test(path) ? [path] : [];
  });
}

/** Property names whose literal value is a message wherever the editor or a desk uses it. */
const TITLED = new Set(['title', 'disabledBecause']);
/** Functions of plain data that return an English reason. */
const REASONS = /pages\/wizard_state\.ts$/;

/** The string literals an expression can come to: either branch of a condition counts. */
function literals(node) {
  if (!node) return [];
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  if (ts.isParenthesizedExpression(node)) return literals(node.expression);
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return literals(node.body);
  return [];
}

export function messagesIn(path, text) {
  const found = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.expression.text;
      if (name === 't' || name === 'msg') found.push(...literals(node.arguments[0]));
      if (name === 'issue') found.push(...literals(node.arguments[1]));
      if (name === 'move') found.push(...literals(node.arguments[3]));
    }
    if (ts.isPropertyAssignment(node) && TITLED.has(node.name.getText()) && /editor\/|pages\//.test(path)) {
      found.push(...literals(node.initializer));
    }
    if (
      /object_operations\.ts$/.test(path) &&
      ts.isVariableDeclaration(node) &&
      /^(NOTHING|needs|has)/.test(node.name.getText())
    ) {
      found.push(...literals(node.initializer));
    }
    if (REASONS.test(path) && ts.isReturnStatement(node)) {
      found.push(...literals(node.expression).filter((words) => words.includes(' ')));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** All messages, each once, with the files that say it. */
export function allMessages(folder) {
  const messages = new Map();
  for (const path of files(folder)) {
    for (const message of messagesIn(path, readFileSync(path, 'utf8'))) {
      messages.set(message, [...(messages.get(message) ?? []), path]);
    }
  }
  return messages;
}

/** Text written straight into markup, past the translator: JSX text and the labels that are read out. */
export function untranslated(folder) {
  const found = [];
  const SPOKEN = new Set(['label', 'placeholder', 'title', 'aria-label', 'alt', 'description', 'lead']);
  const WORDS = /\p{L}{2,}/u;
  const NAMES = new Set(['Cupola', 'CSV', 'JSON', 'English', '中文', 'https://…', '/docs', 'Ctrl K', 'UTC']);
  for (const path of files(folder).filter((file) => file.endsWith('.tsx'))) {
    const source = ts.createSourceFile(
      path,
      readFileSync(path, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
      ts.ScriptKind.TSX,
    );
    const visit = (node) => {
      const text = ts.isJsxText(node)
        ? node.text.trim()
        : ts.isJsxAttribute(node) &&
            SPOKEN.has(node.name.getText()) &&
            node.initializer &&
            ts.isStringLiteral(node.initializer)
          ? node.initializer.text
          : '';
      if (WORDS.test(text) && !NAMES.has(text)) found.push(`${path}: ${text}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

if (process.argv[1]?.endsWith('messages.mjs')) {
  const messages = allMessages(new URL('../src', import.meta.url).pathname);
  for (const message of [...messages.keys()].sort()) console.log(JSON.stringify(message));
}
