"""What annotations hold, before anybody brings them in: counts, who annotated, and an ontology that would fit them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cupola.formats import whole
from cupola.formats.form import Form
from cupola.formats.labels import class_name, point_names, value_of
from cupola.formats.model import SHAPE_WORDS, Class, Classes, Item, Points, Saying, Thing
from cupola.formats.report import Dropped, Report
from cupola.formats.tree import Files
from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.labels import decode_ontology, encode_ontology

MOST_OPTIONS = 50  # of an attribute that chooses; what has more is a text
MOST_ATTRIBUTES = 100
MOST_ANNOTATORS = 200
GEOMETRY = {
    "box": "box", "polygon": "polygon", "polyline": "polyline", "ellipse": "ellipse", "mask": "mask",
}  # fmt: skip


@dataclass(slots=True)
class Counted:
    """One class: how often, and as which shapes."""

    name: str
    count: int
    shapes: dict[str, int]


@dataclass(slots=True)
class Annotator:
    """name: as the file has it; pseudonym: what it is known by here."""

    name: str
    pseudonym: str
    items: int


@dataclass(slots=True)
class Survey:
    """form: the format; why: how it was told. ontology: a proposal, as JSON.

    pictures: items whose picture is there; urls, texts: that are addresses or words; annotated: of which somebody says
    something; gold: that are marked as truth; several: that several people annotated; predicted: of which a model says
    something.
    """

    form: str
    title: str
    why: str
    items: int = 0
    pictures: int = 0
    urls: int = 0
    texts: int = 0
    annotated: int = 0
    objects: int = 0
    gold: int = 0
    several: int = 0
    predicted: int = 0
    kind: str = ""
    classes: list[Counted] = field(default_factory=list)
    annotators: list[Annotator] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)
    ontology: dict[str, Any] | None = None
    dropped: list[Dropped] = field(default_factory=list)


def pseudonym(name: str, salt: str = "") -> str:
    """What an annotator of elsewhere is called here: the same for the same name in one dataset, and not the name."""
    told = "\0".join(("cupola annotator", salt, name)).encode()
    return f"annotator {hashlib.sha256(told).hexdigest()[:10]}"


def survey(files: Files, form: Form, why: str, salt: str = "") -> Survey:
    """Go through all of it once, at constant memory but for what is counted. Raises Problem as the reader does."""
    report = Report()
    out = Survey(form.name, form.title, why)
    reading = whole.read(form, files, report)
    tally = _Tally()
    seen: set[bytes] = set()
    for item in reading.items:
        key = hashlib.sha256(item.name.encode("utf-8", "replace")).digest()[:12]
        if key in seen:
            report.drop("name-twice", item.place or item.name)
            continue
        seen.add(key)
        _count(item, out, tally)
        if not item.picture and not item.url and item.body is None:
            report.drop("no-content", item.place or item.name)
    out.kind = tally.kind
    out.annotators = [
        Annotator(name, pseudonym(name, salt), count) for name, count in tally.annotators.most_common(MOST_ANNOTATORS)
    ]
    names = list(dict.fromkeys([*reading.classes.names, *tally.shapes, *tally.whole]))
    out.classes = sorted(
        (
            Counted(
                name, sum(tally.shapes.get(name, {}).values()) + tally.whole[name], dict(tally.shapes.get(name, {}))
            )
            for name in names
        ),
        key=lambda one: -one.count,
    )
    out.ontology = tally.ontology(reading.classes)
    out.dropped = report.dropped
    return out


def _count(item: Item, out: Survey, tally: _Tally) -> None:
    out.items += 1
    out.pictures += bool(item.picture)
    out.urls += bool(item.url and not item.picture)
    out.texts += item.body is not None
    if item.split:
        out.splits[item.split] = out.splits.get(item.split, 0) + 1
    people = [one for one in item.sayings if one.source != "model"]
    out.annotated += any(not one.is_empty for one in item.sayings)
    out.gold += any(one.is_gold for one in people)
    out.several += len(people) > 1
    out.predicted += len(people) < len(item.sayings)
    for saying in item.sayings:
        out.objects += len(saying.things)
        tally.add(saying)


class _Tally:
    def __init__(self) -> None:
        self.annotators: Counter[str] = Counter()
        self.shapes: dict[str, Counter[str]] = {}
        self.whole: Counter[str] = Counter()
        self.answers: dict[str, _Values] = {}
        self._attributes: dict[str, _Values] = {}
        self._attributes_of: dict[str, set[str]] = {}
        self._templates: dict[str, Points] = {}
        self._texts = 0
        self._several = False

    def add(self, saying: Saying) -> None:
        if saying.annotator and saying.source != "model":
            self.annotators[saying.annotator] += 1
        self._texts += saying.text is not None
        self._several |= len(saying.classes) > 1
        for name in saying.classes:
            self.whole[name] += 1
        for name, value in saying.answers.items():
            self.answers.setdefault(name, _Values()).add(value)
        for thing in saying.things:
            self._thing(thing)

    def _thing(self, thing: Thing) -> None:
        word = SHAPE_WORDS[type(thing.shape)]
        if isinstance(thing.shape, Points):
            word = "point" if len(thing.shape.points) == 1 else "skeleton"
            best = self._templates.get(thing.cls)
            if best is None or sum(map(bool, thing.shape.seen)) > sum(map(bool, best.seen)):
                self._templates[thing.cls] = thing.shape
        self.shapes.setdefault(thing.cls, Counter())[word] += 1
        for name, value in thing.attributes.items():
            if name.strip() and (name in self._attributes or len(self._attributes) < MOST_ATTRIBUTES):
                self._attributes.setdefault(name, _Values()).add(value)
                self._attributes_of.setdefault(name, set()).add(thing.cls)

    @property
    def kind(self) -> str:
        if self.shapes:
            return "objects"
        return "choice" if self.whole else "form" if self.answers else "text" if self._texts else ""

    def ontology(self, classes: Classes) -> dict[str, Any] | None:
        """What would take nearly all of it; None where nobody said anything."""
        kind = self.kind
        if not kind:
            return None
        made: dict[str, Any] = {"kind": kind}
        if kind == "objects":
            names = [name for name in classes.names if name in self.shapes or not self.whole] or list(self.shapes)
            made["classes"] = [self._class(name, classes) for name in _unlike(names)]
            made["attributes"] = [
                spec
                for name, values in self._attributes.items()
                if (spec := values.spec(name[: limits.MAX_NAME_CHARS], self._attributes_of[name], len(names)))
            ]
        elif kind == "choice":
            made["classes"] = [{"name": name} for name in _unlike(classes.names or list(self.whole))]
            made["multiple"] = self._several
        elif kind == "form":
            made["attributes"] = [
                spec for name, values in self.answers.items() if (spec := values.spec(name[: limits.MAX_NAME_CHARS]))
            ]
        try:
            checked = encode_ontology(decode_ontology({key: value for key, value in made.items() if value}))
        except Problem:
            return made  # told where somebody makes a project of it
        return dict(msgspec.json.decode(checked))

    def _class(self, name: str, classes: Classes) -> dict[str, Any]:
        out: dict[str, Any] = {"name": class_name(name)}
        drawn = self.shapes.get(name, Counter())
        known = classes.named(name)
        if len(drawn) == 1:
            [word] = drawn
            if word in GEOMETRY or word == "point":
                out["geometry"] = GEOMETRY.get(word, word)
        if "skeleton" in drawn:
            out["skeleton"] = _template(known, self._templates[name])
            if len(drawn) == 1:
                out["geometry"] = "skeleton"
        if len(known.colour) == 7 and all(c in "0123456789abcdefABCDEF" for c in known.colour[1:]):
            out["colour"] = known.colour
        return out


def _unlike(names: list[str]) -> list[str]:
    """Names that an ontology can hold, each once."""
    return list(dict.fromkeys(class_name(name) for name in names))[: limits.MAX_CLASSES]


def _template(known: Class, best: Points) -> dict[str, Any]:
    """The places of a skeleton as the fullest drawing of it has them."""
    names = point_names(known, max(len(best.points), len(known.points)))
    seen = [at for at, state in zip(best.points, best.seen, strict=True) if state]
    x0, x1 = min(x for x, _ in seen), max(x for x, _ in seen)
    y0, y1 = min(y for _, y in seen), max(y for _, y in seen)
    places = []
    for n, name in enumerate(names):
        there = n < len(best.points) and best.seen[n]
        x = (best.points[n][0] - x0) / (x1 - x0) if there and x1 > x0 else 0.5
        y = (best.points[n][1] - y0) / (y1 - y0) if there and y1 > y0 else 0.5
        places.append({"name": name, "x": round(x, 3), "y": round(y, 3)})
    edges = [[names[a], names[b]] for a, b in known.edges if a != b and max(a, b) < len(names) and min(a, b) >= 0]
    return {"points": places, "edges": edges}


class _Values:
    """The values of one attribute, as far as they decide what sort of question it is."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._options: dict[str, None] = {}

    def add(self, told: Any) -> None:
        value = value_of(told)
        if value is None:
            return
        kind = "bool" if isinstance(value, bool) else "number" if isinstance(value, int | float) else (
            "multi" if isinstance(value, list) else "choice"
        )  # fmt: skip
        self._kinds.add(kind)
        if kind in ("choice", "multi"):
            for one in value if isinstance(value, list) else [str(value)]:
                if len(self._options) <= MOST_OPTIONS and one.strip() and len(one) <= limits.MAX_NAME_CHARS:
                    self._options[one] = None
                elif len(one) > limits.MAX_NAME_CHARS:
                    self._kinds.add("text")

    def spec(self, name: str, of: set[str] | None = None, among: int = 0) -> dict[str, Any] | None:
        if not self._kinds:
            return None
        kind = (
            next(iter(self._kinds))
            if len(self._kinds) == 1
            else "multi"
            if self._kinds <= {"choice", "multi"}
            else "text"
        )
        if kind in ("choice", "multi") and not 1 <= len(self._options) <= MOST_OPTIONS:
            kind = "text"
        out: dict[str, Any] = {"name": name, "type": kind}
        if kind in ("choice", "multi"):
            out["options"] = list(self._options)
        if of is not None and len(of) < among:
            out["classes"] = sorted(map(class_name, of))
        return out
