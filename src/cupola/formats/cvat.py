"""CVAT's XML 1.1: pictures with their shapes, or a video's tracks. Angles are degrees about a shape's centre."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from cupola.formats import masks
from cupola.formats.form import File, Form, Out, Picture, Spool, Target, in_words, nothing, picture_name
from cupola.formats.model import (
    ABSENT,
    OCCLUDED,
    VISIBLE,
    Box,
    Class,
    Classes,
    Cuboid,
    Ellipse,
    Item,
    Mask,
    Points,
    Polygon,
    Polyline,
    Reading,
    Ring,
    Saying,
    Shape,
    Source,
    Thing,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.spill import Spill
from cupola.formats.tree import Files, Pictures, head, number, with_ending
from cupola.formats.xmlstream import Element, elements

_unfit = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_node = re.compile(r'data-node-(from|to)="(\d+)"')
SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton")
_CUBOID = ("xtl1", "ytl1", "xbl1", "ybl1", "xtr1", "ytr1", "xbr1", "ybr1",
           "xtl2", "ytl2", "xbl2", "ybl2", "xtr2", "ytr2", "xbr2", "ybr2")  # fmt: skip
_SOURCES: dict[str, Source] = {"auto": "model", "semi-auto": "corrected"}
_WORDS = {"model": "auto", "corrected": "semi-auto", "person": "manual"}


class Cvat(Form):
    name = "cvat"
    title = "CVAT images"
    about = in_words(
        "CVAT's XML 1.1 of pictures: every shape and its attributes", "CVAT 图片 XML 1.1：所有形状及其属性"
    )
    holds = frozenset({
        "box", "rotated", "polygon", "polyline", "point", "skeleton", "seen", "ellipse", "mask", "cuboid", "classes",
        "several-classes", "attributes", "source", "groups",
    })  # fmt: skip

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.95, f"{found[0]} begins with CVAT's <annotations>") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no XML file begins with <annotations>")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    return [name for name in with_ending(files, "xml") if b"<annotations" in head(files, name, 4096)]


class _Meta:
    """What the head of a document says: classes, types of attributes, who drew, the size of a video."""

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.types: dict[tuple[str, str], str] = {}
        self.annotator = ""
        self.size: tuple[int | None, int | None] = (None, None)

    def take(self, one: Element) -> None:
        parents: dict[str, list[str]] = {}
        for label in _below(one, "label"):
            name, parent = label.said("name"), label.said("parent")
            if not name:
                continue
            if parent:
                parents.setdefault(parent, []).append(name)
                continue
            svg = label.said("svg")
            nodes = [int(told) - 1 for _, told in _node.findall(svg)]
            self.classes.add(
                Class(name, colour=label.said("color"), edges=tuple(zip(nodes[::2], nodes[1::2], strict=False)))
            )
            for attribute in _below(label, "attribute"):
                self.types[name, attribute.said("name")] = attribute.said("input_type")
        for parent, names in parents.items():
            self.classes.named(parent).points = tuple(names)
        for told in _below(one, "assignee"):
            self.annotator = self.annotator or told.said("username") or told.text.strip()
        for told in _below(one, "original_size"):
            try:
                self.size = (int(told.said("width")), int(told.said("height")))
            except ValueError:
                continue

    def attributes(self, cls: str, shape: Element) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for one in shape.all("attribute"):
            name, text = one.attributes.get("name", ""), one.text.strip()
            kind = self.types.get((cls, name))
            if kind == "checkbox" or (kind is None and text in ("true", "false")):
                out[name] = text.lower() == "true"
            elif kind == "number" and text:
                try:
                    found = number(text)
                    out[name] = int(found) if found == int(found) else found
                except ValueError:
                    out[name] = text
            elif text:
                out[name] = text
        if shape.attributes.get("occluded") == "1" and shape.tag != "skeleton":
            out["occluded"] = True
        return out


def _below(one: Element, tag: str) -> Iterator[Element]:
    for child in one.children:
        if child.tag == tag:
            yield child
        else:
            yield from _below(child, tag)


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        meta = _Meta(classes)
        with Spill() as frames:
            for one in elements(files, name, report, "meta", "image", "track"):
                if one.tag == "meta":
                    meta.take(one)
                elif one.tag == "image":
                    yield _image(one, name, meta, pictures, report)
                else:
                    _track(one, name, meta, frames, report)
            for frame in sorted(frames.keys, key=int):
                things = [thing for told in frames.of(frame) if (thing := _thawed(told, name, meta, report))]
                yield Item(
                    f"frame_{int(frame):06d}",
                    pictures.find(f"frame_{int(frame):06d}", "images/", stem=True),
                    width_px=meta.size[0],
                    height_px=meta.size[1],
                    sayings=(Saying(meta.annotator, things=tuple(things)),),
                    metadata={"frame": int(frame)},
                    place=f"{name} (frame {frame})",
                )


def _image(one: Element, name: str, meta: _Meta, pictures: Pictures, report: Report) -> Item:
    told = one.attributes
    file = told.get("name", "")
    picture = pictures.find(file, "images/", f"images/{told.get('subset', '')}/")
    try:
        size: tuple[int | None, int | None] = (int(number(told["width"])), int(number(told["height"])))
    except (KeyError, ValueError):
        size = (pictures.size(picture) if picture else None) or (None, None)
    things: list[tuple[int, Thing]] = []
    whole = []
    answers: dict[str, Any] = {}
    for shape in one.children:
        place = f"{name}:{shape.line}"
        if shape.tag == "tag":
            cls = shape.attributes.get("label", "")
            whole.append(cls)
            meta.classes.named(cls)
            answers.update(meta.attributes(cls, shape))
        elif shape.tag in SHAPES:
            thing = _thing(shape, place, size, meta, report)
            if thing is not None:
                depth = shape.attributes.get("z_order", "0")
                things.append((int(depth) if depth.lstrip("-").isdecimal() else 0, thing))
        else:
            report.drop("shape-unknown", f"{place}: {shape.tag}")
    things.sort(key=lambda row: row[0])  # what lies in front comes last
    split = told.get("subset", "").lower()
    return Item(
        file or told.get("id", ""),
        picture,
        width_px=size[0],
        height_px=size[1],
        sayings=(
            Saying(meta.annotator, classes=tuple(whole), things=tuple(row[1] for row in things), answers=answers),
        ),
        split="" if split == "default" else split,
        place=f"{name}:{one.line}",
    )


def _thing(
    shape: Element, place: str, size: tuple[int | None, int | None], meta: _Meta, report: Report
) -> Thing | None:
    told = shape.attributes
    cls = told.get("label", "")
    if not cls:
        report.drop("class-unknown", place)
        return None
    known = meta.classes.named(cls)
    try:
        found = _shape(shape, size, known)
    except (ValueError, KeyError) as error:
        report.drop("shape-malformed", f"{place}: {shape.tag} {cls}: {error}")
        return None
    if found is None:
        report.drop("shape-empty", f"{place}: {shape.tag} {cls}")
        return None
    group = told.get("group_id", "")
    return Thing(
        cls,
        found,
        meta.attributes(cls, shape),
        told.get("id", ""),
        _SOURCES.get(told.get("source", ""), "person"),
        group="" if group == "0" else group,
        place=place,
    )


def _shape(one: Element, size: tuple[int | None, int | None], known: Class) -> Shape | None:
    """Raises ValueError or KeyError for numbers that are missing or none."""
    told = one.attributes
    turn = math.radians(number(told.get("rotation", "0") or "0"))
    match one.tag:
        case "box":
            x0, y0, x1, y1 = (number(told[name]) for name in ("xtl", "ytl", "xbr", "ybr"))
            return Box(x0, y0, x1 - x0, y1 - y0, turn) if x1 > x0 and y1 > y0 else None
        case "polygon":
            ring = _ring(told["points"])
            if len(ring) < 3:
                raise ValueError(f"an outline of {len(ring)} corners")
            return simple_polygon(ring)
        case "polyline":
            return Polyline(_ring(told["points"]))
        case "points":
            ring = _ring(told["points"])
            return Points(ring, (VISIBLE,) * len(ring))
        case "ellipse":
            rx, ry = number(told["rx"]), number(told["ry"])
            return Ellipse(number(told["cx"]), number(told["cy"]), rx, ry, turn) if rx > 0 and ry > 0 else None
        case "mask":
            return _mask(told, size)
        case "cuboid":
            numbers = [number(told[name]) for name in _CUBOID]
            return Cuboid(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    return _skeleton(one, known)


def _ring(text: str) -> Ring:
    return tuple((number(x), number(y)) for x, y in (pair.split(",") for pair in text.split(";") if pair.strip()))


def _mask(told: dict[str, str], size: tuple[int | None, int | None]) -> Mask | None:
    """Runs row by row within a rectangle, beginning with what is not in it."""
    runs = [int(number(part)) for part in told["rle"].split(",") if part.strip()]
    left, top, w, h = (int(number(told[name])) for name in ("left", "top", "width", "height"))
    if sum(runs) != w * h or min(w, h) <= 0 or min(runs) < 0:
        raise ValueError(f"runs of {sum(runs)} pixels in a rectangle of {w} x {h}")
    width, height = size[0] or left + w, size[1] or top + h
    if left < 0 or top < 0 or left + w > width or top + h > height or width * height > masks.MOST_PIXELS:
        raise ValueError(f"a mask that reaches out of the picture of {width} x {height}")
    raster = np.zeros((height, width), dtype=np.bool_)
    raster[top : top + h, left : left + w] = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(h, w)
    return masks.from_raster(raster) if raster.any() else None


def _skeleton(one: Element, known: Class) -> Points | None:
    found: dict[str, tuple[tuple[float, float], int]] = {}
    for part in one.all("points"):
        told = part.attributes
        ring = _ring(told.get("points", ""))
        if ring:
            seen = ABSENT if told.get("outside") == "1" else OCCLUDED if told.get("occluded") == "1" else VISIBLE
            found[told.get("label", str(len(found) + 1))] = (ring[0], seen)
    for name in found:
        if name not in known.points:
            known.points = (*known.points, name)
    rows = [found.get(name, ((0.0, 0.0), ABSENT)) for name in known.points]
    if not any(seen for _, seen in rows):
        return None
    return Points(tuple(at for at, _ in rows), tuple(seen for _, seen in rows))


def _track(one: Element, name: str, meta: _Meta, frames: Spill, report: Report) -> None:
    """A track's shapes, frame by frame: each waits for its frame."""
    told = one.attributes
    for shape in one.children:
        if shape.tag not in SHAPES:
            continue
        place = f"{name}:{shape.line}"
        frame = shape.attributes.get("frame", "")
        if not frame.isdecimal():
            report.drop("entry-malformed", f"{place}: no frame")
        elif shape.attributes.get("outside") == "1":
            report.drop("frames-outside", place)
        else:
            frames.add(
                str(int(frame)), [_frozen(shape), told.get("id", ""), told.get("label", ""), told.get("source", "")]
            )


def _frozen(one: Element) -> list[Any]:
    return [one.tag, one.attributes, one.line, one.text, [_frozen(child) for child in one.children]]


def _element(told: list[Any]) -> Element:
    tag, attributes, line, text, children = told
    return Element(tag, attributes, line, text, [_element(child) for child in children])


def _thawed(told: list[Any], name: str, meta: _Meta, report: Report) -> Thing | None:
    frozen, track, cls, source = told
    shape = _element(frozen)
    shape.attributes = {**shape.attributes, "label": cls, "source": source}
    thing = _thing(shape, f"{name}:{shape.line}", meta.size, meta, report)
    if thing is None:
        return None
    return Thing(thing.cls, thing.shape, thing.attributes, track, thing.source, track=track, place=thing.place)


# ---------------------------------------------------------------- writing
def text(value: str) -> str:
    return quoteattr(_unfit.sub("\ufffd", value))


def words(value: str) -> str:
    return _unfit.sub("\ufffd", value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shape_xml(thing: Thing, known: Class, extra: str, depth: int | None) -> str:
    """One shape as an element; extra: further attributes of it, written."""
    shape = thing.shape
    told = {name: value for name, value in thing.attributes.items() if name != "occluded"}
    common = f' occluded="{int(thing.attributes.get("occluded") is True)}"{extra}'
    if depth is not None:
        common += f' z_order="{depth}"'
    if thing.group and depth is not None:
        common += f" group_id={text(thing.group)}"
    inner = "".join(f"<attribute name={text(name)}>{words(_plain(value))}</attribute>" for name, value in told.items())
    match shape:
        case Box():
            turn = f' rotation="{math.degrees(shape.rotation_rad) % 360:.4f}"' if shape.rotation_rad else ""
            first, last = f'xtl="{shape.x:.4f}" ytl="{shape.y:.4f}"', (shape.x + shape.w, shape.y + shape.h)
            body = f'box{common} {first} xbr="{last[0]:.4f}" ybr="{last[1]:.4f}"{turn}'
        case Polygon():
            body = f'polygon{common} points="{_points(shape.parts[0][0])}"'
        case Polyline():
            body = f'polyline{common} points="{_points(shape.points)}"'
        case Ellipse():
            turn = f' rotation="{math.degrees(shape.rotation_rad) % 360:.4f}"' if shape.rotation_rad else ""
            body = (
                f'ellipse{common} cx="{shape.cx:.4f}" cy="{shape.cy:.4f}" rx="{shape.rx:.4f}" ry="{shape.ry:.4f}"{turn}'
            )
        case Mask():
            body = f"mask{common}{_mask_xml(shape)}"
        case Cuboid():
            numbers = [n for corner in shape.corners for n in corner]
            body = f"cuboid{common} " + " ".join(f'{name}="{n:.4f}"' for name, n in zip(_CUBOID, numbers, strict=True))
        case Points() if len(shape.points) == 1 or not known.points:
            body = f'points{common} points="{_points(shape.points)}"'
        case Points():
            body = f"skeleton{common}"
            inner += "".join(
                f'<points label={text(name)} outside="{int(seen == ABSENT)}" occluded="{int(seen == OCCLUDED)}" '
                f'points="{_points((at,))}"/>'
                for name, at, seen in zip(known.points, shape.points, shape.seen, strict=False)
            )
    tag = body.split(" ", 1)[0]
    return f"<{body}>{inner}</{tag}>\n"


def _points(ring: Ring) -> str:
    return ";".join(f"{x:.4f},{y:.4f}" for x, y in ring)


def _mask_xml(mask: Mask) -> str:
    x0, y0, x1, y1 = (int(edge) for edge in masks.bounds(mask))
    flat = masks.to_raster(mask)[y0:y1, x0:x1].reshape(-1)
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    runs = np.diff(edges).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)
    return f' rle="{", ".join(map(str, runs))}" left="{x0}" top="{y0}" width="{x1 - x0}" height="{y1 - y0}"'


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class Asked:
    """Which attributes classes have, and what was said: the head of a document tells their types."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, set[str]]] = {}
        self._kinds: dict[tuple[str, str], set[type]] = {}

    def add(self, thing: Thing) -> None:
        for name, value in thing.attributes.items():
            if name == "occluded":
                continue
            values = self._found.setdefault(thing.cls, {}).setdefault(name, set())
            self._kinds.setdefault((thing.cls, name), set()).add(type(value))
            if len(values) < 200:
                values.add(_plain(value))

    def labels(self, classes: Classes) -> str:
        return "".join(self._label(one) for one in classes)

    def _label(self, one: Class) -> str:
        attributes = "".join(
            f"<attribute><name>{words(name)}</name><mutable>False</mutable><input_type>{self._type(one.name, name)}"
            f"</input_type><default_value></default_value><values>{words(chr(10).join(sorted(values)))}</values></attribute>"
            for name, values in self._found.get(one.name, {}).items()
        )
        kind = "skeleton" if one.points else "any"
        edges = "".join(
            f'<line data-type="edge" data-node-from="{a + 1}" data-node-to="{b + 1}"></line>' for a, b in one.edges
        )
        svg = f"<svg>{words(edges)}</svg>" if one.points else ""
        own = (
            f"<label><name>{words(one.name)}</name><color>{one.colour or '#33ddff'}</color><type>{kind}</type>"
            f"<attributes>{attributes}</attributes>{svg}</label>\n"
        )
        return own + "".join(
            f"<label><name>{words(name)}</name><color>#33ddff</color><type>points</type><attributes></attributes>"
            f"<parent>{words(one.name)}</parent></label>\n"
            for name in one.points
        )

    def _type(self, cls: str, name: str) -> str:
        kinds = self._kinds[cls, name]
        if kinds == {bool}:
            return "checkbox"
        if kinds <= {int, float}:
            return "number"
        return "select" if len(self._found[cls][name]) <= 50 else "text"


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._images = Spool()
        self._count = 0
        self._asked = Asked()

    def add(self, item: Item) -> Iterator[Out]:
        name = picture_name(item)
        classes = self._target.classes
        lines = []
        for saying in item.sayings:
            for cls in saying.classes:
                classes.named(cls)
                lines.append(f'<tag label={text(cls)} source="{_WORDS[saying.source]}"></tag>\n')
            for depth, thing in enumerate(saying.things):
                known = classes.named(thing.cls)
                self._asked.add(thing)
                extra = f' label={text(thing.cls)} source="{_WORDS[thing.source]}"'
                lines.append(shape_xml(thing, known, extra, depth))
        subset = f" subset={text(item.split)}" if item.split else ""
        self._images.write(
            (
                f'<image id="{self._count}" name={text(name)}{subset} width="{item.width_px or 0}" '
                f'height="{item.height_px or 0}">\n{"".join(lines)}</image>\n'
            ).encode()
        )
        self._count += 1
        if item.picture:
            yield Picture(f"images/{name}", item)

    def end(self) -> Iterator[Out]:
        yield File("annotations.xml", self._document())

    def _document(self) -> Iterator[bytes]:
        yield (
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task>'
            f"<name>{words(self._target.title)}</name><size>{self._count}</size><mode>annotation</mode>\n<labels>\n"
            f"{self._asked.labels(self._target.classes)}</labels></task></meta>\n"
        ).encode()
        yield from self._images.parts()
        yield b"</annotations>\n"


cvat = Cvat()
