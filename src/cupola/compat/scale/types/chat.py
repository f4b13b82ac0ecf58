"""chat and its relatives: a conversation from the project's template and the task's variables. Read back through v2."""

from __future__ import annotations

from cupola.compat.scale.types.base import Json, TaskType
from cupola.compat.scale.types.check import Fields
from cupola.compat.scale.types.image_drawn import uuid_of

NAMES = ("chat", "chatlite", "multichat", "chatexperimental", "multistage")


def check(fields: Fields) -> list[str]:
    variables = fields.within("template_variables")
    if variables is not None:
        for name, value in variables.values.items():
            if isinstance(value, str):
                variables.text(name)
    return []


def canned(params: Json) -> Json:
    """A conversation of one turn, with each of the twelve kinds of annotation that can be told."""
    prompt = (params.get("template_variables") or {}).get("prompt")
    prompt = prompt if isinstance(prompt, str) and prompt else "An example prompt."

    def message(role: str, source: str, text: str) -> Json:
        return {
            "role": role,
            "content": {"text": text},
            "source_id": source,
            "annotations": [],
            "model_parameters": {"model": "example", "temperature": 0.5} if role == "assistant" else None,
        }

    def said(key: str, kind: str, value: object, **more: object) -> Json:
        return {"id": str(uuid_of(f"example/{prompt}/{key}")), "key": key, "type": kind, "value": value, **more}

    turn = {
        "id": str(uuid_of(f"example/{prompt}/turn")),
        "messages": [
            message("user", "user", prompt),
            message("assistant", "model-a", "An example answer."),
            message("assistant", "model-b", "Another example answer."),
        ],
        "annotations": [
            said("selected_model_id", "text", "model-a"),
            said("likert_value", "integer", 2, possible_values=[1, 2, 3, 4, 5]),
            said("is_safe", "boolean", True, possible_values=[True, False]),
            said("topic", "category", "other", possible_values=["other"]),
            said("topics", "category_multiple", ["other"], possible_values=["other"]),
            said("ranking", "ranked_choices", ["model-a", "model-b"]),
            said("ranking_with_ties", "ranked_groups", [["model-a", "model-b"]]),
            said("criterion", "rubric_criteria", {"weight": 1.0}),
            said("rating", "rubric_rating", {"score": 1.0, "color": "green", "justification": "It answers."}),
            said("spans", "labeled_text", [{"label": "claim", "text": "example"}]),
            said("file", "file", {"mime_type": "text/plain", "name": "notes.txt", "content": "example"}),
            said("sandbox", "workspace_container", {"workspace_id": "example"}),
        ],
    }
    return {"threads": [{"id": str(uuid_of(f"example/{prompt}/thread")), "turns": [turn], "annotations": []}]}


CHAT = tuple(TaskType(name, check, canned, template=True) for name in NAMES)
