import type { AttributeSpec } from '../../api/types';
import { type Answers, askedOf, fits, isAnswered, isRows, questionsOf } from '../core/attributes';
import { answersOf } from '../core/document';
import { MAX_ANSWER_ROWS } from '../core/limits';
import { calledOf } from '../core/ontology';
import { type Issue, issue } from './issue';
import { ofDocument } from './rule';

/** Each entry of rows says something, has what it needs, and holds only values that its columns may have. */
export const answerRows = ofDocument((document, { ontology }) => {
  const answers = answersOf(document);
  return questionsOf(ontology, answers).flatMap((spec) => {
    const value = answers[spec.name];
    if (!isRows(value)) return [];
    return [...value.rows.flatMap((row, at) => ofRow(spec, row, at)), ...ofCount(spec, value.rows.length)];
  });
});

function ofCount(spec: AttributeSpec, count: number): Issue[] {
  const [least, most] = [spec.least ?? 0, Math.min(spec.most ?? MAX_ANSWER_ROWS, MAX_ANSWER_ROWS)];
  const values = { name: calledOf(spec), least, most };
  if (count > 0 && count < least)
    return [issue('answer-rows', '“{name}” needs {least} entries at least.', { key: spec.name, values })];
  if (count > most) return [issue('answer-rows', '“{name}” takes {most} entries at most.', { key: spec.name, values })];
  return [];
}

function ofRow(spec: AttributeSpec, row: Answers, at: number): Issue[] {
  const asked = askedOf(spec.columns ?? [], row);
  const values = { name: calledOf(spec), number: at + 1 };
  if (!Object.values(row).some(isAnswered))
    return [issue('answer-rows', 'Entry {number} of “{name}” is empty.', { key: `${spec.name} ${at}`, values })];
  const unknown = Object.keys(row).filter((name) => !asked.some((column) => column.name === name));
  return [
    ...unknown.map((name) =>
      issue('answer-rows', 'Entry {number} of “{name}”: “{column}” is not asked.', {
        key: `${spec.name} ${at} ${name}`,
        values: { ...values, column: name },
      }),
    ),
    ...asked.flatMap((column) => {
      const cell = row[column.name];
      const about = { key: `${spec.name} ${at} ${column.name}`, values: { ...values, column: calledOf(column) } };
      if (column.required && !isAnswered(cell))
        return [issue('answer-rows', 'Entry {number} of “{name}”: “{column}” needs a value.', about)];
      if (cell !== undefined && !fits(column, cell))
        return [issue('answer-rows', 'Entry {number} of “{name}”: “{column}” has a value that is not allowed.', about)];
      return [];
    }),
  ];
}
