import type { AttributeSpec, AttributeValue, LabelObject, Ontology } from '../../api/types';

function equal(a: AttributeValue | undefined, b: AttributeValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The attributes that apply to an object: those of its class whose condition holds. */
export function attributesFor(ontology: Ontology, object: LabelObject): AttributeSpec[] {
  return (ontology.attributes ?? []).filter((spec) => {
    if (spec.classes?.length && !spec.classes.includes(object.cls)) return false;
    return !spec.when || equal(object.attributes?.[spec.when.attribute], spec.when.equals);
  });
}
