/** The table of kinds, without their screens: one folder and one line each here and in `kinds/index`. */
import type { Kind, Label, Ontology } from '../../api/types';
import { choiceModel } from './choice/model';
import { formModel } from './form/model';
import type { KindModel, Words } from './model';
import { objectsModel } from './objects/model';
import { textModel } from './text/model';
import { tracksModel } from './tracks/model';

type Table = { readonly [K in Kind]: KindModel<K> };

/** A kind that the server knows and this table does not is an error of its type. */
export const MODELS: Table = {
  choice: choiceModel,
  objects: objectsModel,
  tracks: tracksModel,
  text: textModel,
  form: formModel,
};

export const KIND_LIST = Object.keys(MODELS) as Kind[];

export function modelOf(kind: Kind): KindModel {
  return MODELS[kind] as unknown as KindModel;
}

export const emptyLabel = (kind: Kind): Label => modelOf(kind).empty();
export const isEmpty = (label: Label): boolean => modelOf(label.kind).isEmpty(label);
export const wordsOf = (label: Label): Words => modelOf(label.kind).words(label);
/** A label by what it is counted under, or null. */
export const nameOf = (label: Label): string | null => modelOf(label.kind).name(label);
export const classesIn = (label: Label): readonly string[] => modelOf(label.kind).classes(label);
export const isDrawn = (label: Label): boolean => modelOf(label.kind).isDrawn;
export const readCell = (cell: string, ontology: Ontology) => modelOf(ontology.kind).read(cell, ontology);
