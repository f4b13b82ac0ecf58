"""Files as tools and people leave them: cut off, from other systems, counted from 1, without pictures."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cupola.formats import whole
from cupola.formats.model import Box, Ellipse, Item, Points, Polygon
from cupola.formats.report import Report
from cupola.formats.table import FORMS, recognised
from cupola.kernel.errors import Problem
from tests.formats.helping import Memory, png, read, read_files, reasons, things

VOC = """<annotation><filename>a.png</filename><size><width>60</width><height>40</height><depth>3</depth></size>
<object><name>{cls}</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{xmax}</xmax><ymax>10</ymax>
</bndbox></object></annotation>"""
COCO: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.png", "width": 60, "height": 40}],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 10], "iscrowd": 0}],
    "categories": [{"id": 3, "name": "car", "supercategory": ""}],
}


def coco(**changes: Any) -> str:
    return json.dumps({**COCO, **changes})


def test_pascal_voc_counts_from_one_and_takes_both_ends_in() -> None:
    items, report = read_files(FORMS["voc"], a_dot_xml=VOC.format(cls="car", xmax=60), a_dot_png=png(60, 40))
    [thing] = things(items)
    assert thing.shape == Box(0, 0, 60, 10)
    assert thing.attributes == {"difficult": True}
    assert report.dropped == []


def test_a_truncated_file_among_many_is_told_with_its_line_and_the_rest_is_read() -> None:
    whole = VOC.format(cls="car", xmax=9)
    items, report = read_files(FORMS["voc"], a_dot_xml=whole, b_dot_xml=whole[:150], a_dot_png=png(60, 40))
    assert len(items) == 1
    [told] = report.dropped
    assert (told.reason, told.count) == ("entry-malformed", 1)
    assert told.example.startswith("b.xml, line 2")


@pytest.mark.parametrize("cut", [90, 130, 210])
def test_a_json_file_that_is_cut_off_names_the_file_and_the_line(cut: int) -> None:
    text = json.dumps(COCO, indent=1)
    with pytest.raises(Problem) as caught:
        read_files(FORMS["coco"], set_dot_json=text[: cut * len(text) // 230])
    assert caught.value.place.startswith("set.json:")
    assert caught.value.remedy


def test_marks_of_order_ends_of_lines_and_gbk_are_read() -> None:
    text = coco(categories=[{"id": 3, "name": "行人", "supercategory": ""}])
    text = json.dumps(json.loads(text), ensure_ascii=False, indent=1).replace("\n", "\r\n")
    for data, guessed in ((b"\xef\xbb\xbf" + text.encode(), 0), (text.encode("utf-16"), 0), (text.encode("gbk"), 1)):
        items, report = read_files(FORMS["coco"], set_dot_json=data, a_dot_png=png(60, 40))
        assert [thing.cls for thing in things(items)] == ["行人"]
        assert reasons(report).get("encoding-guessed", 0) == guessed
    xml = VOC.format(cls="行人", xmax=9)
    for data in (('<?xml version="1.0" encoding="gbk"?>' + xml).encode("gbk"), xml.encode("gbk")):
        items, _ = read_files(FORMS["voc"], a_dot_xml=data, a_dot_png=png(60, 40))
        assert [thing.cls for thing in things(items)] == ["行人"]
    labels = {"labels/图.txt": b"0 0.5 0.5 0.5 0.5\r\n", "images/图.png": png(60, 40),
              "data.yaml": "\ufeffnames: [行人]\r\n".encode()}  # fmt: skip
    items, _, _ = read(FORMS["yolo"], Memory(labels))
    assert [(one.cls, one.shape) for one in things(items)] == [("行人", Box(15, 10, 30, 20))]


def test_what_a_coco_file_gets_wrong_is_counted_and_nothing_else_is_lost() -> None:
    wrong = [
        {"id": 2, "image_id": 7, "category_id": 99, "bbox": [1, 2, 3, 4]},
        {"id": 3, "image_id": 8, "category_id": 3, "bbox": [1, 2, 3, 4]},
        {"id": 4, "image_id": 7, "category_id": 3, "bbox": [1, 2, float("nan"), 4]},
        {"id": 5, "image_id": 7, "category_id": 3, "bbox": [1, 2, 0, 4]},
        {"id": 6, "image_id": 7, "category_id": 3, "segmentation": [[1, 2, 3, 4]]},
        {"id": 7, "image_id": 7, "category_id": 3, "segmentation": {"size": [40, 60], "counts": [5, 5]}},
        {"id": 8, "image_id": 7, "category_id": 3, "bbox": "none"},
    ]
    items, report = read_files(FORMS["coco"], set_dot_json=coco(annotations=[*COCO["annotations"], *wrong]))
    assert [thing.shape for thing in things(items)] == [Box(1, 2, 10, 10)]
    assert items[0].picture == ""
    assert reasons(report) == {"class-unknown": 1, "image-unknown": 1, "shape-empty": 1, "shape-malformed": 4}
    assert all("set.json:1" in one.example for one in report.dropped)


def test_yolo_lines_of_other_sorts_are_told_by_their_place() -> None:
    labels = (
        "0 .5 .5 .2 .2\n7 .5 .5 .2 .2\n0 300 200 20 20\n0 .5 nan .2 .2\n0 .5 .5 .2\n0 .1 .1 .4 .1 .4 .4\n0 1 .5 .2 .2\n"
    )
    items, report = read_files(
        FORMS["yolo"], labels__a_dot_txt=labels, images__a_dot_png=png(60, 40), data_dot_yaml="names: {0: car, 1: bus}",
        labels__gone_dot_txt="0 .5 .5 .1 .1\n",
    )  # fmt: skip
    assert len(things(items)) == 3
    assert isinstance(things(items)[1].shape, Polygon)
    assert things(items)[2].shape == Box(54, 16, 6, 8)  # cut at the edge
    assert reasons(report) == {"class-unknown": 1, "shape-malformed": 3, "picture-missing": 1}
    assert next(one.example for one in report.dropped if one.reason == "class-unknown").startswith("labels/a.txt:2")


def test_label_studio_turns_about_the_corner_and_speaks_of_per_cent() -> None:
    def region(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"id": kind, "type": kind, "from_name": "l", "to_name": "image", "original_width": 200,
                "original_height": 100, "value": value, **more}  # fmt: skip

    turned = region("rectanglelabels", {"x": 50, "y": 20, "width": 20, "height": 10, "rotation": 90,
                                        "rectanglelabels": ["car"]})  # fmt: skip
    dot = region("keypointlabels", {"x": 10, "y": 10, "width": 1, "keypointlabels": ["car"]})
    shape = region("ellipse", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10, "rotation": 0})
    named = {"id": "ellipse", "type": "labels", "value": {"labels": ["bus"]}, "from_name": "n"}
    about = {"id": "ellipse", "type": "choices", "value": {"choices": ["parked"]}, "from_name": "state"}
    whole = {"id": "w", "type": "choices", "value": {"choices": ["day"]}, "from_name": "light"}
    task = {
        "id": 5, "data": {"image": "/data/upload/1/0a1b2c3d-a.png"},
        "annotations": [
            {"id": 1, "completed_by": {"email": "anna@example.org"},
             "result": [turned, dot, shape, named, about, whole]},
            {"id": 2, "completed_by": 4, "result": [], "was_cancelled": True},
            {"id": 3, "completed_by": 4,
             "result": [region("rectanglelabels", {"x": "?", "rectanglelabels": ["car"]})],
             "ground_truth": True},
        ],
        "predictions": [{"model_version": "m1", "score": 0.25, "result": [turned]}],
    }  # fmt: skip
    items, report = read_files(FORMS["labelstudio"], export_dot_json=json.dumps([task]), a_dot_png=png(200, 100))
    first, second, third = items[0].sayings
    assert (items[0].name, items[0].picture) == ("a.png", "a.png")
    assert (first.annotator, second.is_gold, third.source, third.score) == ("anna@example.org", True, "model", 0.25)
    box, point, ellipse = (one.shape for one in first.things)
    assert isinstance(box, Box)
    # 40 x 10 px, turned a quarter about (100, 20): it covers x 90 to 100, y 20 to 60
    assert (box.x + box.w / 2, box.y + box.h / 2) == pytest.approx((95, 40))
    assert (box.w, box.h, box.rotation_rad) == pytest.approx((40, 10, math.pi / 2))
    assert point == Points(((20, 10),), (2,))
    assert ellipse == Ellipse(100, 50, 20, 10)
    assert [one.cls for one in first.things] == ["car", "car", "bus"]
    assert first.things[2].attributes == {"state": "parked"}
    assert first.classes == ("day",)
    assert reasons(report) == {"annotation-cancelled": 1, "shape-malformed": 1}


def test_an_outside_box_ends_a_cvat_track_and_frames_are_items() -> None:
    boxes = "".join(
        f'<box frame="{n}" outside="{out}" occluded="0" keyframe="1" xtl="{n}" ytl="1" xbr="{n + 9}" ybr="9"></box>'
        for n, out in ((0, 0), (1, 0), (2, 1), (5, 0))
    )
    text = f'<annotations><version>1.1</version><track id="0" label="car">{boxes}</track></annotations>'
    items, report = read_files(FORMS["cvat"], annotations_dot_xml=text)
    assert [item.metadata["frame"] for item in items] == [0, 1, 5]
    assert {thing.track for thing in things(items)} == {"0"}
    assert reasons(report) == {"frames-outside": 1}


def test_entities_and_deep_nests_are_refused_with_their_line() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "ha">]>\n<annotation><object><name>&x;</name></object></annotation>'
    _, report = read_files(FORMS["voc"], a_dot_xml=bomb)
    assert "entity" in report.dropped[0].example
    deep = f"<annotation>{'<b>' * 200}{'</b>' * 200}</annotation>"
    _, report = read_files(FORMS["voc"], a_dot_xml=deep)
    assert "deeper" in report.dropped[0].example


def test_files_of_several_formats_and_of_none_are_told_apart() -> None:
    several = Memory({"set.json": coco().encode(), "a.xml": VOC.format(cls="car", xmax=9).encode()})
    with pytest.raises(Problem) as caught:
        recognised(several)
    assert caught.value.code == "format-ambiguous"
    assert "coco" in caught.value.detail
    assert "voc" in caught.value.detail
    with pytest.raises(Problem) as nothing:
        recognised(Memory({"readme.txt": b"words", "a.png": png(4, 4)}))
    assert nothing.value.code == "format-unrecognised"


def test_a_path_of_another_machine_finds_its_picture() -> None:
    images = [{"id": 7, "file_name": "C:\\sets\\Street\\A.PNG", "width": 60, "height": 40}]
    items, _ = read_files(FORMS["coco"], set_dot_json=coco(images=images), street__a_dot_png=png(60, 40))
    assert items[0].picture == "street/a.png"


def test_a_huge_list_is_read_part_by_part(tmp_path: Path) -> None:
    annotations = [{"id": n, "image_id": n % 50, "category_id": 3, "bbox": [n % 40, 2, 10, 10]} for n in range(20_000)]
    images = [{"id": n, "file_name": f"{n}.png", "width": 60, "height": 40} for n in range(50)]
    items, report = read_files(FORMS["coco"], set_dot_json=coco(images=images, annotations=annotations))
    assert [len(item.sayings[0].things) for item in items] == [400] * 50
    assert report.dropped == []


def every_item(name: str, files: dict[str, bytes]) -> tuple[list[Item], Report]:
    report = Report()
    return list(whole.read(FORMS[name], Memory(files), report).items), report


def test_a_picture_without_annotation_is_an_item_where_each_has_its_own_and_is_counted_where_a_list_names_them() -> (
    None
):
    voc = VOC.format(cls="car", xmax=9).encode()
    files = {"Annotations/a.xml": voc, "JPEGImages/a.png": png(60, 40), "JPEGImages/b.png": png(30, 20),
             "elsewhere/c.png": png(5, 5)}  # fmt: skip
    items, report = every_item("voc", files)
    assert [(one.name, one.width_px, len(things([one]))) for one in items] == [("a.png", 60, 1), ("b.png", 30, 0)]
    assert report.dropped == []
    listed = {"annotations.json": coco().encode(), "images/a.png": png(60, 40), "images/b.png": png(30, 20)}
    items, report = every_item("coco", listed)
    assert [one.name for one in items] == ["a.png"]
    assert reasons(report) == {"picture-unnamed": 1}


def test_folders_are_classes_only_where_they_are_called_so_and_nothing_beside_speaks_of_the_pictures() -> None:
    pictures = {f"train/{folder}/{n}.png": png(4, 4) for n, folder in enumerate(("cat", "dog"))}
    assert recognised(Memory(pictures)).form == "yolo"
    for others in (
        {"val/images/0.png": png(4, 4), "val/images/1.png": png(4, 4)},
        {**pictures, "train/label_2/0.txt": b"Car 0.0 0 0.0 1 2 3 4"},
    ):
        with pytest.raises(Problem) as refused:
            recognised(Memory(others))
        assert refused.value.code == "format-unrecognised"


def test_masks_of_colours_are_read_by_their_list_and_a_colour_that_it_lacks_is_told() -> None:
    plane = np.zeros((4, 6, 3), dtype=np.uint8)
    plane[:2, :3], plane[2:, 3:], plane[3, 0] = (128, 0, 0), (9, 8, 7), (1, 1, 1)
    out = io.BytesIO()
    Image.fromarray(plane).save(out, "PNG")
    listed = {
        "labelmap.txt": b"# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\nroad side:9,8,7::\n",
        "label_colors.txt": b"0 0 0 background\n128 0 0 cat\n9 8 7 road side\n",
    }
    for name, text in listed.items():
        files = {name: text, "SegmentationClass/a.png": out.getvalue(), "JPEGImages/a.jpg": png(6, 4)}
        items, report = every_item("masks", files)
        assert [one.cls for one in things(items)] == ["cat", "road side"]
        assert reasons(report) == {"class-unknown": 1}


def test_the_xml_of_the_older_labelme_has_outlines() -> None:
    def told(more: str) -> str:
        corners = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 2), (11, 2), (11, 12)))
        return f"<object><name>car</name>{more}<polygon>{corners}</polygon></object>"

    wanted, boxed, gone = told("<deleted>0</deleted>"), told("<type>bounding_box</type>"), told("<deleted>1</deleted>")
    xml = f"<annotation><filename>a.png</filename>{wanted}{boxed}{gone}<object><name>x</name></object></annotation>"
    items, report = every_item("voc", {"Annotations/a.xml": xml.encode(), "Images/a.png": png(60, 40)})
    assert [one.shape for one in things(items)] == [
        Polygon(((((1.0, 2.0), (11.0, 2.0), (11.0, 12.0)),),)),
        Box(1, 2, 10, 10),
    ]
    assert reasons(report) == {"annotation-cancelled": 1, "shape-unknown": 1}


def test_a_set_of_datumaro_with_masks_is_not_taken_for_frames() -> None:
    label = {"id": 0, "type": "mask", "label_id": 0, "rle": {"counts": "04", "size": [2, 2]}}
    said = {"info": {}, "categories": {"label": {"labels": [{"name": "a"}]}},
            "items": [{"id": "a", "annotations": [label], "image": {"path": "a.png"}}]}  # fmt: skip
    assert recognised(Memory({"annotations/val.json": json.dumps(said).encode()})).form == "datumaro"
