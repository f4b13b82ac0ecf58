"""Grades as columns beside what they are of: `scores`, a line for each answer or text that was graded; `rubric-scores`,
the same with each criterion, its points and whether it is met, and the score that follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cupola.labels.ontology import Each
from cupola.labels.rubric import WHOLE, criteria, scores
from cupola.releases.exporters.base import About, Row
from cupola.releases.exporters.language.asked import answers_of, of_each
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import Talk, talk_of, words


def _what(talk: Talk | None, target: str) -> dict[str, Any]:
    """What a grade is of: the prompt and the reply, or the whole."""
    if talk is None:
        return {}
    if target == WHOLE:
        return {"text": words(talk.messages)} if talk.of_text else {"messages": talk.messages}
    return {"prompt": talk.before(target), "response": words(talk.reply(target))}


def _scores(row: Row, about: About) -> Iterator[dict[str, Any]]:
    answers, talk = answers_of(row), talk_of(row)
    graded = [one for one in about.ontology.attributes if one.type in ("scale", "number", "bool", "preference")]
    targets: dict[str, None] = {}
    for spec in graded:
        value = answers.get(spec.name)
        targets |= dict.fromkeys(value.values if isinstance(value, Each) else () if value is None else (WHOLE,))
    for target in targets:
        told = {
            spec.name: of_each(answers.get(spec.name), target)
            for spec in graded
            if (spec.scope is None) == (target == WHOLE)
        }
        sure = {name: (row.units or {}).get(name if target == WHOLE else f"{name}@{target}") for name in told}
        known = {name: round(value, 6) for name, value in sure.items() if value is not None}
        yield {"ref": row.ref, "target": target or None, **_what(talk, target), "scores": told, "confidences": known}


def _rubric(row: Row, about: About) -> Iterator[dict[str, Any]]:
    talk = talk_of(row)
    points = {spec.name: spec.weight for spec in criteria(about.ontology.attributes)}
    for target, score in scores(about.ontology.attributes, answers_of(row)).items():
        yield {
            "ref": row.ref,
            "target": target or None,
            **_what(talk, target),
            "score": None if score.value is None else round(score.value, 6),
            "rubric": [
                {"criterion": name, "points": points[name], "met": round(met, 6)} for name, met in score.met.items()
            ],
            "answered": score.answered,
            "asked": score.asked,
        }


graded = jsonl_format(
    "Scores",
    "Grades of each answer or text, as HelpSteer has them",
    "每个回答或文本的评分，与 HelpSteer 类似",
    _scores,
    ("scale", "number"),
)
rubric_scores = jsonl_format(
    "Rubric scores",
    "Each criterion met or not, its points, and the score",
    "每条标准是否满足、分值及总分",
    _rubric,
    ("criterion",),
)
