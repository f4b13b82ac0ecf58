import type {
  Answer,
  AttributeSpec,
  EachAnswer,
  FileAnswer,
  GroupsAnswer,
  ItemView,
  LabelObject,
  Ontology,
  RowsAnswer,
  SpansAnswer,
} from '../../api/types';
import { targetsOf } from './conversation';
import {
  isStorable,
  MAX_ANSWER_FILE_BYTES,
  MAX_ANSWER_ROWS,
  MAX_NAME_CHARS,
  MAX_SPANS,
  MAX_TEXT_CHARS,
} from './limits';
import { matchesWhole } from './patterns';

/** Answers to attributes: of one object, or of a form. */
export type Answers = Readonly<Record<string, Answer>>;

/** Whether an answer meets a condition: it is that value, or, of several options, has it among them. */
function meets(value: Answer | undefined, wanted: string | boolean | string[]): boolean {
  if (Array.isArray(wanted)) return wanted.some((one) => meets(value, one));
  return Array.isArray(value) ? typeof wanted === 'string' && value.includes(wanted) : value === wanted;
}

export const isFile = (value: Answer | undefined): value is FileAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'file';
export const isRows = (value: Answer | undefined): value is RowsAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'rows';
export const isGroups = (value: Answer | undefined): value is GroupsAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'groups';
export const isSpans = (value: Answer | undefined): value is SpansAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'spans';
export const isEach = (value: Answer | undefined): value is EachAnswer =>
  typeof value === 'object' && 'type' in value && value.type === 'each';
/** What an attribute of an object may be: no structure of a form. */
export const isPlain = (value: Answer | undefined): value is string | boolean | number | string[] | undefined =>
  typeof value !== 'object' || Array.isArray(value);

/** Nothing chosen, nothing but blanks and no row are no answer. */
export function isAnswered(value: Answer | undefined): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  if (isRows(value)) return value.rows.length > 0;
  if (isEach(value)) return Object.values(value.values).some(isAnswered);
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
  if (spec.scope) {
    const alone = { ...spec, scope: null };
    return isEach(value) && Object.values(value.values).every((one) => fits(alone, one));
  }
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
    case 'scale':
      return Number.isInteger(value) && isWithin(spec, value as number);
    case 'preference':
      return Number.isInteger(value) && isWithin(spec, Math.abs(value as number));
    case 'groups':
      return isGroups(value) && areGroupsOf(options, value);
    case 'spans':
      return isSpans(value) && areSpansOf(spec, value);
  }
}

function areGroupsOf(options: readonly string[], { groups }: GroupsAnswer): boolean {
  const named = groups.flat();
  const once = new Set(named).size === named.length && groups.every((group) => group.length > 0);
  if (options.length === 0) return once && named.length >= 2;
  return once && named.length === options.length && options.every((option) => named.includes(option));
}

function areSpansOf({ options, relations }: AttributeSpec, { spans, relations: related = [] }: SpansAnswer): boolean {
  const marked = new Set(spans.map(({ start, end, label }) => `${start} ${end} ${label}`));
  return (
    spans.length <= MAX_SPANS &&
    related.length <= MAX_SPANS &&
    marked.size === spans.length &&
    spans.every(({ start, end, label }) => start >= 0 && start < end && (options ?? []).includes(label)) &&
    related.every(
      ({ head, tail, label }) =>
        Math.min(head, tail) >= 0 &&
        Math.max(head, tail) < spans.length &&
        head !== tail &&
        (relations ?? []).includes(label),
    )
  );
}

/** Whether an answer speaks only of what is in the item. */
export function isOfItem(spec: AttributeSpec, value: Answer, item: ItemView): boolean {
  if (isEach(value) && spec.scope) {
    const known = targetsOf(item, spec.scope);
    const like = new RegExp(`^${spec.scope.charAt(0)}[1-9]\\d{0,3}$`);
    return Object.keys(value.values).every((target) => like.test(target) && (known?.includes(target) ?? true));
  }
  if (isGroups(value) && !spec.options?.length) return areCandidatesOf(value.groups.flat(), item);
  if (isSpans(value)) {
    const characters = item.facts?.characters ?? (item.text ? [...item.text].length : null);
    return characters === null || value.spans.every(({ end }) => end <= characters);
  }
  const count = item.facts?.candidates;
  return spec.type !== 'preference' || count === undefined || count === null || count === 2;
}

/** Whether these name each candidate of the item once. */
export function areCandidatesOf(names: readonly string[], item: ItemView): boolean {
  const known = targetsOf(item, 'candidate');
  if (new Set(names).size !== names.length || !names.every((name) => /^c[1-9]\d{0,3}$/.test(name))) return false;
  return known === null || (names.length === known.length && known.every((name) => names.includes(name)));
}

/** Of a required question with a scope: what it has no answer of yet. */
export function openOf(spec: AttributeSpec, value: Answer | undefined, item: ItemView): string[] {
  if (!spec.scope || !spec.required) return [];
  const has = isEach(value) ? value.values : {};
  return (targetsOf(item, spec.scope) ?? []).filter((target) => !(target in has));
}
