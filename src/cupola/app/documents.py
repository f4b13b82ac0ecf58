"""Labels and ontologies in the OpenAPI document, described by the very Structs that read and write them.

The routes pass such documents on as they are stored, so their own types say no more than "an object". Here each place
that holds one is given its schema. Members at their default are left out of what is sent: the schema does not require
them, and neither may any client.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cupola.labels.base import AnyLabel
from cupola.labels.ontology import Ontology

_PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "Ontology": (
        ("Assignment", "ontology"),
        ("BlindItem", "ontology"),
        ("Hearing", "ontology"),
        ("NewOntology", "spec"),
        ("OntologyVersion", "spec"),
        ("Result", "ontology"),
        ("SubmissionDetail", "ontology"),
        ("TaskDetail", "ontology"),
        ("TemplateView", "spec"),
        ("Version", "spec"),
    ),
    "Label": (
        ("Answered", "expected"),
        ("Answered", "label"),
        ("AuditVerdict", "label"),
        ("Feedback", "expected"),
        ("GoldLabel", "label"),
        ("Hearing", "corrected"),
        ("Hearing", "label"),
        ("JudgementView", "label"),
        ("Lesson", "label"),
        ("PageTask", "draft"),
        ("Opinion", "label"),
        ("OpinionIn", "label"),
        ("PageTask", "pre_label"),
        ("RejectIn", "corrected"),
        ("WhyRejected", "corrected"),
        ("SettlementView", "label"),
        ("Submission", "label"),
        ("TaskView", "settled_label"),
        ("TemplateView", "example_answers", "additionalProperties"),
        ("Unclear", "labels", "items"),
        ("Verdict", "label"),
    ),
}

# Typed as anything at all, these are null where there is none.
_OPTIONAL = {
    ("PageTask", "draft"),
    ("PageTask", "pre_label"),
    ("Answered", "expected"),
    ("Hearing", "corrected"),
    ("WhyRejected", "corrected"),
}


def describe(schemas: dict[str, Any]) -> None:
    """Add the two languages to the document's schemas and name them wherever one is held.

    Raises KeyError when a place of the table is no longer in the document, ValueError for two schemas of one name.
    """
    (_, label), parts = msgspec.json.schema_components([Ontology, AnyLabel], ref_template="#/components/schemas/{name}")
    for name, schema in {**parts, "Label": label}.items():
        if name in schemas:
            raise ValueError(f"the document has two schemas named {name}")
        schemas[name] = schema
    for name, places in _PLACES.items():
        for owner, member, *inner in places:
            held = schemas[owner]["properties"]
            key = member
            for step in inner:
                held, key = held[key], step
            ref = {"$ref": f"#/components/schemas/{name}"}
            takes_null = (owner, member) in _OPTIONAL or any(
                option.get("type") == "null" for option in held[key].get("anyOf", ())
            )
            words = {word: held[key][word] for word in ("title", "description") if word in held[key]}
            held[key] = words | ({"anyOf": [ref, {"type": "null"}]} if takes_null else ref)
