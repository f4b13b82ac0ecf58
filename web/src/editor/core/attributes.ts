import type { Answer, AttributeSpec, FileAnswer, LabelObject, Ontology, RowsAnswer } from '../../api/types';
import { isStorable, MAX_ANSWER_FILE_BYTES, MAX_ANSWER_ROWS, MAX_NAME_CHARS, MAX_TEXT_CHARS } from './limits';
import { matchesWhole } from './patterns';

/** Answers to attributes: of one object, or of a form. */
export type Answers = Readonly<Record<string, Answer>>;

/** Whether an answer meets a condition: it is that value, or, of several options, has it among them. */
function meets(value: Answer | undefined, wanted: string | boolean): boolean {
  return Array.isArray(value) ? typeof wanted === 'string' && value.includes(wanted) : value === wanted;
}

export const isFile = (value: Answer | undefined): value is FileAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'file';
export const isRows = (value: Answer | undefined): value is RowsAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'rows';

/** Nothing chosen, nothing but blanks and no row are no answer. */
export function isAnswered(value: Answer | undefined): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  if (isRows(value)) return value.rows.length > 0;
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** What is asked after these answers: the attributes whose condition holds. */
export function askedOf(attributes: readonly AttributeSpec[], answers: Answers): AttributeSpec[] {
  return attributes.filter(({ when }) => !when || meets(answers[when.attribute], when.equals));
}

/** The attributes that apply to an object: those of its class whose condition holds. */
export function attributesFor(ontology: Ontology, object: LabelObject): AttributeSpec[] {
  const mine = (ontology.attributes ?? []).filter(({ classes }) => !classes || classes.includes(object.cls));
  return askedOf(mine, object.attributes ?? {});
}

/** The questions of a form that are asked after these answers. */
export function questionsOf(ontology: Ontology, answers: Answers): AttributeSpec[] {
  return askedOf(ontology.attributes ?? [], answers);
}

function isWithin({ least, most }: AttributeSpec, number: number): boolean {
  return (
    (least === undefined || least === null || number >= least) &&
    (most === undefined || most === null || number <= most)
  );
}

function isWrittenSo({ min_chars, max_chars, pattern }: AttributeSpec, value: string): boolean {
  const written = value.trim();
  if (!isStorable(value) || [...value].length > (max_chars ?? MAX_TEXT_CHARS)) return false;
  if (written === '') return true; // no answer; whether one is needed is asked elsewhere
  return [...written].length >= (min_chars ?? 0) && (!pattern || matchesWhole(pattern, written));
}

const FAMILIES = ['image', 'pdf', 'text', 'audio', 'video', 'archive'];
const OTHERWISE: Readonly<Record<string, string>> = { 'application/pdf': 'pdf', 'application/zip': 'archive' };

function isFileOf({ accepts }: AttributeSpec, { sha256, name, media_type, bytes }: FileAnswer): boolean {
  const family = OTHERWISE[media_type] ?? media_type.split('/', 1)[0] ?? '';
  return (
    /^[0-9a-f]{64}$/.test(sha256) &&
    bytes > 0 &&
    bytes <= MAX_ANSWER_FILE_BYTES &&
    name.trim() !== '' &&
    [...name].length <= MAX_NAME_CHARS &&
    isStorable(name) &&
    (accepts?.length ? accepts : FAMILIES).includes(family)
  );
}

function isRowOf({ columns }: AttributeSpec, row: Answers): boolean {
  const asked = askedOf(columns ?? [], row);
  return (
    Object.values(row).some(isAnswered) &&
    Object.entries(row).every(([name, cell]) => asked.some((column) => column.name === name && fits(column, cell))) &&
    asked.every((column) => !column.required || isAnswered(row[column.name]))
  );
}

/** Whether a value is one that the attribute may have. */
export function fits(spec: AttributeSpec, value: Answer): boolean {
  const options = spec.options ?? [];
  switch (spec.type) {
    case 'choice':
      return typeof value === 'string' && options.includes(value);
    case 'multi':
      return (
        Array.isArray(value) &&
        new Set(value).size === value.length &&
        value.every((option) => options.includes(option)) &&
        isWithin(spec, value.length)
      );
    case 'text':
      return typeof value === 'string' && isWrittenSo(spec, value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) && isWithin(spec, value);
    case 'bool':
      return typeof value === 'boolean';
    case 'ranking':
      return (
        Array.isArray(value) && value.length === options.length && options.every((option) => value.includes(option))
      );
    case 'file':
      return isFile(value) && isFileOf(spec, value);
    case 'rows':
      return (
        isRows(value) &&
        value.rows.length <= MAX_ANSWER_ROWS &&
        (value.rows.length === 0 || isWithin(spec, value.rows.length)) &&
        value.rows.every((row) => isRowOf(spec, row))
      );
  }
}
