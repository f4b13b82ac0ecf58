"""What a format holds comes back as it was written, and what it does not hold is counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupola.formats import masks
from cupola.formats.fitting import bounds
from cupola.formats.model import (
    Box,
    Class,
    Cuboid,
    Ellipse,
    Item,
    Mask,
    Points,
    Polygon,
    Polyline,
    Saying,
    Shape,
    Span,
    Thing,
    box_of_corners,
    corners,
    simple_polygon,
)
from cupola.formats.table import FORMS, guesses
from tests.formats.helping import one_item, png, read, reasons, things, write

WIDTH, HEIGHT = 60, 40
CLASSES = ["car", "人/行人", 'a "b" & <c>']
READ_AS = {
    "coco-panoptic": "coco", "yolo-seg": "yolo", "yolo-pose": "yolo", "yolo-obb": "yolo", "yolo-classify": "yolo",
    "cvat-video": "cvat",
}  # fmt: skip
FEW = settings(max_examples=3, deadline=None)


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(whole(0, WIDTH - 12)), draw(whole(0, HEIGHT - 12))
    return Box(float(x), float(y), float(draw(whole(4, 11))), float(draw(whole(4, 11))))


@st.composite
def turned(draw: st.DrawFn) -> Box:
    return Box(20.0, 10.0, float(draw(whole(8, 12))), float(draw(whole(4, 7))), draw(whole(-8, 8)) / 6 or 0.5)


@st.composite
def outlines(draw: st.DrawFn) -> Polygon:
    x, y, size = draw(whole(0, 20)), draw(whole(0, 10)), draw(whole(8, 20))
    return simple_polygon(((float(x), float(y)), (float(x + size), float(y + 1)), (x + 3.5, y + size - 0.25)))


@st.composite
def rasters(draw: st.DrawFn) -> Mask:
    raster = np.zeros((HEIGHT, WIDTH), dtype=bool)
    raster[draw(whole(0, 9)) : draw(whole(12, HEIGHT)), draw(whole(0, 9)) : draw(whole(12, WIDTH))] = True
    raster[10:12, 10:11] = False
    return masks.from_raster(raster)


@st.composite
def skeletons(draw: st.DrawFn) -> Points:
    seen = (2, draw(whole(0, 2)), draw(whole(0, 2)))
    places = tuple((float(draw(whole(1, 50))), float(draw(whole(1, 30)))) for _ in seen)
    return Points(tuple(at if v else (0.0, 0.0) for at, v in zip(places, seen, strict=True)), seen)


SHAPES: dict[str, st.SearchStrategy[Shape]] = {
    "box": boxes(),
    "rotated": turned(),
    "polygon": outlines(),
    "polyline": st.just(Polyline(((1.0, 2.0), (5.5, 6.0), (20.0, 9.0)))),
    "point": st.builds(lambda x: Points(((float(x), 3.0),), (2,)), whole(1, 50)),
    "skeleton": skeletons(),
    "ellipse": st.builds(lambda r, a: Ellipse(20.0, 20.0, float(r), 5.0, a / 10), whole(6, 10), whole(0, 10)),
    "mask": rasters(),
    "cuboid": st.just(Cuboid(tuple((float(n), float(n % 5 + 1)) for n in range(8)))),
}
# Where the format says some of the shape alone: circles, ellipses that lie straight, boxes that belong to a skeleton.
EXCEPT = {("labelme", "ellipse"), ("datumaro", "ellipse"), ("yolo-pose", "box")}


def near(a: Shape, b: Shape) -> bool:
    """Do both cover the same place, within the rounding of files?"""
    if isinstance(a, Mask) and isinstance(b, Mask):
        return a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, Points) and isinstance(b, Points) and a.seen != b.seen:
        return False
    if isinstance(a, Box) and isinstance(b, Box):
        return all(min(math.dist(p, q) for q in corners(b)) < 0.05 for p in corners(a))
    return max(abs(p - q) for p, q in zip(bounds(a), bounds(b), strict=True)) < 0.05


HELD = [
    (name, word)
    for name, form in FORMS.items()
    for word in SHAPES
    if form.writes and word in form.holds and (name, word) not in EXCEPT
]


@pytest.mark.parametrize(("name", "word"), HELD)
def test_a_shape_that_a_format_holds_comes_back(name: str, word: str) -> None:
    form, reader = FORMS[name], FORMS[READ_AS.get(name, name)]
    points = ("nose", "left", "right") if word == "skeleton" else ("point",) if word == "point" else ()

    @FEW
    @given(st.lists(SHAPES[word], min_size=1, max_size=1 if word == "mask" else 3), st.sampled_from(CLASSES))
    def comes_back(shapes: list[Shape], cls: str) -> None:
        given_ = [one_item(*(Thing(cls, shape) for shape in shapes))]
        classes = [Class(one, points=points) for one in CLASSES]
        files, lost = write(form, given_, classes, {"a.png": png(WIDTH, HEIGHT)})
        assert lost.dropped == []
        items, known, report = read(reader, files)
        assert report.dropped == []
        found = things(items)
        assert [one.cls for one in found] == [cls] * len(shapes)
        assert cls in known
        for shape, other in zip(shapes, found, strict=True):
            assert near(shape, other.shape), (shape, other.shape)
        assert (items[0].width_px, items[0].height_px) == (WIDTH, HEIGHT)
        assert items[0].picture or name == "cvat-video"

    comes_back()


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.writes])
def test_nothing_that_a_format_cannot_hold_is_lost_in_silence(name: str) -> None:
    form = FORMS[name]
    shapes = [
        Box(2, 2, 10, 10), Box(20, 10, 10, 6, 0.4), simple_polygon(((30, 2), (40, 2), (35, 12))),
        Polyline(((1, 30), (9, 35))), Points(((50, 30),), (2,)), Ellipse(50, 10, 5, 4),
        Cuboid(tuple((20.0 + n, 25.0 + n % 3) for n in range(8))),
    ]  # fmt: skip
    given_ = Item(
        "a.png", "a.png", width_px=WIDTH, height_px=HEIGHT,
        sayings=(
            Saying("anna", classes=("day", "rain"), things=tuple(Thing("car", one, {"parked": True}) for one in shapes),
                   answers={"q": "yes"}),
            Saying("bert", things=(Thing("car", shapes[0]),)),
            Saying("m1", "model", things=(Thing("car", shapes[0], score=0.5),)),
        ),
    )  # fmt: skip
    files, lost = write(form, [given_], [Class("car")], {"a.png": png(WIDTH, HEIGHT)})
    counted = reasons(lost)
    if "annotators" not in form.holds:
        assert counted["annotators"] == 1
    if "attributes" not in form.holds and {"box", "polygon", "mask"} & form.holds:
        assert counted["attributes"] > 0
    if "polyline" not in form.holds:
        assert counted["shape-not-held"] >= 1
    if "classes" not in form.holds:
        assert counted["classes-of-item"] == 2
    assert all(one.example for one in lost.dropped)
    assert files.names


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.writes])
def test_what_is_written_is_recognised_as_what_it_is(name: str) -> None:
    form = FORMS[name]
    word = next((word for word in SHAPES if word in form.holds and word not in ("point", "skeleton")), None)
    saying = Saying(classes=("car",) if "classes" in form.holds else (), text="hm" if "text" in form.holds else None)
    if word == "box":
        saying = Saying(things=(Thing("car", Box(2, 2, 10, 10)),))
    elif word == "polygon" or word == "mask":
        saying = Saying(
            things=(
                Thing(
                    "car",
                    simple_polygon(((3, 2), (20, 2), (15, 22))),
                ),
            )
        )
    elif "spans" in form.holds:
        saying = Saying(spans=(Span(0, 2, "car"),))
    body = "of cars" if word is None and form.is_text else None
    item = Item("a.png", "" if body else "a.png", body=body, width_px=WIDTH, height_px=HEIGHT, sayings=(saying,),
                split="train")  # fmt: skip
    files, _ = write(form, [item], [Class("car")], {"a.png": png(WIDTH, HEIGHT)})
    assert guesses(files)[0].form == READ_AS.get(name, name)


def test_runs_of_masks_and_their_texts_are_ways_back_and_forth() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        raster = rng.random((13, 9)) < 0.5
        mask = masks.from_raster(raster)
        assert (masks.to_raster(mask) == raster).all()
        assert masks.counts_from_text(masks.counts_to_text(mask.counts)) == mask.counts
        assert masks.from_brush(masks.to_brush(mask), 13, 9) == mask
        assert (masks.raster_of(masks.outline_of(mask), 13, 9) == raster).all()


@pytest.mark.parametrize("turn", [-3.0, -1.2, 0.3, 1.6, 3.1])
def test_four_corners_of_a_turned_box_are_that_box_again(turn: float) -> None:
    box = Box(10, 20, 30, 12, turn)
    for ring in (corners(box), corners(box)[::-1]):
        found = box_of_corners(ring)
        assert found is not None
        assert all(min(math.dist(p, q) for q in corners(found)) < 1e-6 for p in ring)
    assert box_of_corners(((0, 0), (10, 0), (14, 10), (4, 10))) is None
