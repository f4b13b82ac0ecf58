"""doccano's JSONL: a text a line, with spans, classes, or a text that answers it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cupola.formats.form import File, Form, Out, Spool, Target, in_words, nothing
from cupola.formats.model import Classes, Item, Reading, Saying, Span
from cupola.formats.report import Report
from cupola.formats.tree import Files, head, lines_of, with_ending

LABELS = ("label", "labels", "entities", "annotations")


class Doccano(Form):
    name = "doccano"
    title = "doccano"
    about = in_words("Texts with spans or classes, a JSON object a line", "文本及其片段或类别，每行一个 JSON 对象")
    holds = frozenset({"classes", "several-classes", "spans", "text"})
    is_text = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.8, f"{found[0]} has lines with text and label") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no JSONL file has lines with text and label")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    out = []
    for name in with_ending(files, "jsonl", "ndjson"):
        line = head(files, name).split(b"\n", 1)[0]
        if (b'"text"' in line or b'"data"' in line) and any(f'"{one}"'.encode() in line for one in LABELS):
            out.append(name)
    return out


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    for name in names:
        for line, text in lines_of(files, name, report):
            if not text.strip():
                continue
            place = f"{name}:{line}"
            try:
                told = json.loads(text)
            except (ValueError, RecursionError) as error:
                report.drop("entry-malformed", f"{place}: {error}")
                continue
            body = told.get("text", told.get("data")) if isinstance(told, dict) else None
            if not isinstance(body, str):
                report.drop("entry-malformed", f"{place}: no text")
                continue
            yield _item(told, body, place, classes, report)


def _item(told: dict[str, Any], body: str, place: str, classes: Classes, report: Report) -> Item:
    spans: list[Span] = []
    whole: list[str] = []
    answer: str | None = None
    for key in LABELS:
        value = told.get(key)
        if isinstance(value, str):
            value = [value]
        for one in value if isinstance(value, list) else ():
            if isinstance(one, str):
                whole.append(one)
                continue
            try:
                start, end, cls = _span(one)
            except (ValueError, KeyError, TypeError) as error:
                report.drop("shape-malformed", f"{place}: {error}")
                continue
            if not 0 <= start < end <= len(body):
                report.drop("outside", f"{place}: {start} to {end} of {len(body)} characters")
                continue
            spans.append(Span(start, end, cls))
    report.drop("relation", place, len(told.get("relations") or ()))
    if told.get("format") == "seq2seq" or (whole and not spans and told.get("kind") == "text"):
        answer, whole = "\n".join(whole), []
    for cls in (*whole, *(one.cls for one in spans)):
        classes.named(cls)
    who = told.get("username") or told.get("annotator") or told.get("user") or ""
    metadata = told["metadata"] if isinstance(told.get("metadata"), dict) else {}
    return Item(
        str(told.get("id", place)),
        body=body,
        sayings=(Saying(str(who), classes=tuple(whole), spans=tuple(spans), text=answer),),
        metadata=metadata,
        place=place,
    )


def _span(one: Any) -> tuple[int, int, str]:
    if isinstance(one, dict):
        first, last = ("start_offset", "end_offset") if "start_offset" in one else ("start", "end")
        return int(one[first]), int(one[last]), str(one["label"])
    start, end, cls = one
    return int(start), int(end), str(cls)


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._lines = Spool()

    def add(self, item: Item) -> Iterator[Out]:
        if item.body is None:
            self._target.report.drop("no-text", item.place or item.name)
            return
        for saying in item.sayings:
            line: dict[str, Any] = {"id": item.name, "text": item.body}
            if saying.spans:
                line["label"] = [[one.start, one.end, one.cls] for one in saying.spans]
            elif saying.text is not None:
                line |= {"label": [saying.text], "kind": "text"}
            else:
                line["label"] = list(saying.classes)
            if saying.spans and saying.classes:
                self._target.report.drop("classes-of-item", item.place or item.name, len(saying.classes))
            self._lines.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        yield from ()

    def end(self) -> Iterator[Out]:
        yield File("all.jsonl", self._lines.parts())


doccano = Doccano()
