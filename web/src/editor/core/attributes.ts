import type { AttributeSpec, AttributeValue, LabelObject, Ontology } from '../../api/types';
import { isStorable, MAX_TEXT_CHARS } from './limits';
import { matchesWhole } from './patterns';

/** Answers to attributes: of one object, or of a form. */
export type Answers = Readonly<Record<string, AttributeValue>>;

/** Whether an answer meets a condition: it is that value, or, of several options, has it among them. */
function meets(value: AttributeValue | undefined, wanted: string | boolean): boolean {
  return Array.isArray(value) ? typeof wanted === 'string' && value.includes(wanted) : value === wanted;
}

/** Nothing chosen and nothing but blanks are no answer. */
export function isAnswered(value: AttributeValue | undefined): boolean {
  if (typeof value === 'string') return value.trim() !== '';
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

/** Whether a value is one that the attribute may have. */
export function fits(spec: AttributeSpec, value: AttributeValue): boolean {
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
  }
}
