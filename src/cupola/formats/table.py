"""The table of formats: one file and one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cupola.formats.coco import coco
from cupola.formats.coco_panoptic import coco_panoptic
from cupola.formats.cvat import cvat
from cupola.formats.cvat_video import cvat_video
from cupola.formats.darwin import darwin
from cupola.formats.datumaro import datumaro
from cupola.formats.doccano import doccano
from cupola.formats.form import Form
from cupola.formats.groundtruth import groundtruth
from cupola.formats.labelbox import labelbox
from cupola.formats.labelme import labelme
from cupola.formats.labelstudio import labelstudio
from cupola.formats.maskpng import cityscapes, masks_png
from cupola.formats.openimages import openimages
from cupola.formats.scalabel import scalabel
from cupola.formats.supervisely import supervisely
from cupola.formats.tree import Files
from cupola.formats.voc import voc
from cupola.formats.yolo import yolo, yolo_classify, yolo_obb, yolo_pose, yolo_seg
from cupola.kernel.errors import invalid

FORMS: Mapping[str, Form] = {
    one.name: one
    for one in (
        coco,
        coco_panoptic,
        yolo,
        yolo_seg,
        yolo_pose,
        yolo_obb,
        yolo_classify,
        voc,
        cvat,
        cvat_video,
        labelstudio,
        labelme,
        datumaro,
        openimages,
        masks_png,
        cityscapes,
        scalabel,
        groundtruth,
        labelbox,
        darwin,
        supervisely,
        doccano,
    )
}


@dataclass(frozen=True, slots=True)
class Guess:
    """sure: in [0, 1]; why: what was found."""

    form: str
    sure: float
    why: str


def named(name: str) -> Form:
    """Raises Problem (INVALID) for a name that is not there."""
    found = FORMS.get(name)
    if found is None:
        raise invalid(
            "format-unknown", f"There is no format {name!r}.", remedy=f"Choose one of: {', '.join(sorted(FORMS))}."
        )
    return found


def guesses(files: Files) -> list[Guess]:
    """Every format that the files could be, the surest first."""
    found = [Guess(form.name, *told) for form in FORMS.values() if (told := form.sniff(files)) is not None]
    return sorted(found, key=lambda one: -one.sure)


def recognised(files: Files) -> Guess:
    """The one format of these files. Raises Problem (INVALID) for none, and for several that are as likely."""
    found = guesses(files)
    if not found:
        raise invalid(
            "format-unrecognised",
            f"None of the formats known here was recognised among {len(files.names)} files.",
            remedy=f"Name it with --format: {', '.join(sorted(FORMS))}.",
        )
    likely = [one for one in found if one.sure >= found[0].sure - 0.1]
    if len(likely) > 1:
        told = "; ".join(f"{one.form} ({one.why})" for one in likely)
        raise invalid(
            "format-ambiguous",
            f"The files could be of several formats: {told}.",
            remedy="Name one with --format, or give the folder of one of them.",
        )
    return found[0]
