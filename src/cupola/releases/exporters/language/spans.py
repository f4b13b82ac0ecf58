"""Marked words: `spacy` (what spaCy's `Example.from_dict` takes), `doccano` and `conll`. Places are code points.

CoNLL has one tag a token: the outermost of nested marks stands in the last column, which is what readers look at, the
next inner one in the column before, and where a token begins and ends before that. A token is cut wherever a mark
begins or ends, so that no mark grows; of deeper nesting, and of relations, what is left out is told.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from cupola.labels.ontology import Each, Relation, Span, Spans
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.language.asked import answers_of
from cupola.releases.exporters.language.lines import jsonl_format
from cupola.releases.exporters.language.talk import talk_of, words

ASKS = ("spans",)
_blank = re.compile(r"\s")
# a word, with the marks that its letters carry; a sign of East Asia or any other by itself, with what joins to it
_token = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|\w[\w\u0300-\u036f\u200d]*?(?=[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\w\u0300-\u036f\u200d]|\Z)"
    r"|[^\w\s](?:[\ufe0e\ufe0f\u0300-\u036f\U0001f3fb-\U0001f3ff]|\u200d[^\w\s])*"
)


def marked(row: Row, about: About) -> Iterator[tuple[str, str, Spans]]:
    """(name, text, marks) of each text in which somebody looked for marks: the item, or each message of it."""
    answers, talk = answers_of(row), talk_of(row)
    for spec in about.ontology.attributes:
        value = answers.get(spec.name)
        if isinstance(value, Spans) and row.body is not None:
            yield row.ref, row.body, value
        elif isinstance(value, Each) and talk is not None:
            for target, one in value.values.items():
                if isinstance(one, Spans):
                    yield f"{row.ref}#{target}", words(talk.reply(target)), one


def outermost(spans: Sequence[Span]) -> tuple[list[Span], list[Span]]:
    """Those that lie in no other and over none before, and the rest."""
    taken: list[Span] = []
    rest: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end, one.label)):
        (rest if taken and span.start < taken[-1].end else taken).append(span)
    return taken, rest


def _spacy(row: Row, about: About) -> Iterator[dict[str, Any]]:
    for name, text, said in marked(row, about):
        outer, _ = outermost(said.spans)
        yield {
            "text": text,
            "entities": [[one.start, one.end, one.label] for one in outer],
            "spans": {"sc": [[one.start, one.end, one.label] for one in said.spans]},
            "relations": [_related(said.spans, one) for one in said.relations],
            "ref": name,
        }


def _related(spans: Sequence[Span], one: Relation) -> dict[str, Any]:
    return {
        "head": [spans[one.head].start, spans[one.head].end],
        "tail": [spans[one.tail].start, spans[one.tail].end],
        "label": one.label,
    }


def _doccano(row: Row, about: About) -> Iterator[dict[str, Any]]:
    """Where relations are asked for, entities and relations by their numbers; else labels as places."""
    related = any(spec.relations for spec in about.ontology.attributes)
    for name, text, said in marked(row, about):
        if not related:
            yield {"id": name, "text": text, "label": [[one.start, one.end, one.label] for one in said.spans]}
            continue
        yield {
            "id": name,
            "text": text,
            "entities": [
                {"id": n, "label": one.label, "start_offset": one.start, "end_offset": one.end}
                for n, one in enumerate(said.spans)
            ],
            "relations": [
                {"id": n, "from_id": one.head, "to_id": one.tail, "type": one.label}
                for n, one in enumerate(said.relations)
            ],
        }


def tokens(text: str, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Where the tokens of a text begin and end: its words, cut where a mark begins or ends."""
    cuts = sorted({place for one in spans for place in (one.start, one.end)})
    found: list[tuple[int, int]] = []
    for match in _token.finditer(text):
        start, end = match.span()
        for cut in [*(cut for cut in cuts if start < cut < end), end]:
            found.append((start, cut))
            start = cut
    return found


def _tags(places: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[str]:
    tags = ["O"] * len(places)
    for span in spans:
        label = _blank.sub("_", span.label)
        within = [n for n, (start, end) in enumerate(places) if span.start <= start and end <= span.end]
        for n in within:
            tags[n] = f"{'B' if n == within[0] else 'I'}-{label}"
    return tags


async def _conll(rows: Rows, about: About) -> AsyncIterator[bytes]:
    async for batch in rows:
        for row in batch:
            found = list(marked(row, about))
            if not found:
                about.report.drop("left-out", f"{row.ref}: nothing of it can be said in this format")
            for name, text, said in found:
                places = tokens(text, said.spans)
                outer, rest = outermost(said.spans)
                inner, deeper = outermost(rest)
                about.report.drop("spans", f"{name}: nested three deep", len(deeper))
                about.report.drop("relation", name, len(said.relations))
                lines = ["-DOCSTART- -X- O O", ""]
                for (start, end), within, tag in zip(places, _tags(places, inner), _tags(places, outer), strict=True):
                    lines.append(f"{text[start:end]} {start}-{end} {within} {tag}")
                yield ("\n".join(lines) + "\n\n").encode()


spacy = jsonl_format(
    "spaCy",
    "Texts with entities, nested spans and relations, for Example.from_dict",
    "文本及其实体、嵌套片段和关系，供 Example.from_dict 使用",
    _spacy,
    ASKS,
)
doccano = jsonl_format(
    "doccano",
    "Texts with marks and relations, as doccano imports them",
    "文本及其标记和关系，可由 doccano 导入",
    _doccano,
    ASKS,
)
conll = Format(
    title="CoNLL",
    about={"en": "A token a line with its tag", "zh": "每行一个词元及其标记"},
    extension="conll",
    media_type="text/plain",
    write=_conll,
    holds=frozenset({"answers"}),
    asks=ASKS,
)
