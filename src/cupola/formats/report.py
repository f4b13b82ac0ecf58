"""What was left out or taken otherwise on the way, counted by reason, with a place where it was first met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_EXAMPLE_CHARS = 300

# code: (English, Chinese). "Lost" reasons say what is not in the result; "otherwise" reasons how it stands there.
REASONS: Mapping[str, tuple[str, str]] = {
    # reading
    "entry-malformed": ("Entries that cannot be read", "无法读取的条目"),
    "shape-malformed": ("Shapes with too few, missing or impossible numbers", "坐标缺失、过少或不合法的形状"),
    "shape-empty": ("Shapes without area", "没有面积的形状"),
    "shape-unknown": ("Shapes of a sort that is not known here", "此处不认识的形状类型"),
    "class-unknown": ("Objects of a class that the file does not name", "文件未声明其类别的对象"),
    "picture-missing": ("Items whose picture is not among the files", "文件中找不到图片的条目"),
    "picture-unnamed": (
        "Pictures that lie beside and that the annotations do not name",
        "与图片同在而标注未提及的图片",
    ),
    "picture-unreadable": ("Pictures whose size cannot be read", "无法读取尺寸的图片"),
    "image-unknown": ("Annotations of an image that the file does not name", "所属图片未在文件中声明的标注"),
    "size-differs": ("Pictures of another size than the annotations say", "图片实际尺寸与标注所写不符"),
    "outside": ("Shapes that reach out of the picture", "超出图片边界的形状"),
    "encoding-guessed": ("Files that are no UTF-8, read by a guessed encoding", "非 UTF-8 文件，按猜测的编码读取"),
    "frames-outside": ("Boxes of frames in which the track is outside", "轨迹在画面之外的帧上的框"),
    "relation": ("Relations between objects", "对象之间的关系"),
    "annotation-cancelled": ("Annotations that their annotator skipped", "标注员跳过的标注"),
    "tag-unknown": ("Members that have no place here", "此处没有对应位置的内容"),
    "name-twice": ("Items of a name that was met before", "名称重复的条目"),
    # writing
    "shape-not-held": ("Objects of a shape that the format does not hold", "该格式无法容纳其形状的对象"),
    "shape-as-box": ("Shapes that are the upright box around them", "改写为外接正框的形状"),
    "shape-as-polygon": ("Shapes that are an outline of corners", "改写为多边形轮廓的形状"),
    "shape-as-mask": ("Shapes that are the pixels they cover", "改写为所覆盖像素的形状"),
    "holes-filled": ("Polygons whose holes are filled", "孔洞被填充的多边形"),
    "parts-split": ("Polygons whose parts are an object each", "各部分拆为单独对象的多边形"),
    "overlap-hidden": ("Pixels of objects behind others", "被其他对象遮住的像素"),
    "rotation": ("Angles of turned boxes", "旋转框的角度"),
    "attributes": ("Attributes of objects", "对象的属性"),
    "annotators": ("What further annotators say of an item", "同一条目其他标注员的标注"),
    "annotator-names": ("Names of annotators", "标注员的名称"),
    "predictions": ("What models say of an item", "模型的预测"),
    "source": ("Who made an object, a person or a model", "对象由人还是模型产生"),
    "score": ("Scores of models", "模型的分数"),
    "classes-of-item": ("Classes of whole items", "整个条目的类别"),
    "classes-beyond-first": ("Further classes of an item that may have one", "只能有一个类别的条目的其余类别"),
    "answers": ("Answers to questions", "问题的回答"),
    "text": ("Texts that annotators wrote", "标注员撰写的文本"),
    "spans": ("Spans of text", "文本片段"),
    "groups": ("Groups of objects", "对象分组"),
    "tracks": ("Tracks, whose boxes are single objects", "轨迹，其各框改为单独的对象"),
    "events": ("Events, which the format does not hold", "该格式无法容纳的事件"),
    "no-picture": ("Items without a picture", "没有图片的条目"),
    "no-size": ("Items of a size that is not known", "尺寸未知的条目"),
    "no-text": ("Items without a text", "没有文本的条目"),
    "point-visibility": ("Whether points of skeletons are seen", "骨架点是否可见"),
    "sub-pixel": ("Shapes smaller than a pixel of the format", "小于该格式一个像素的形状"),
    "left-out": ("Items of which something was left out", "有内容未写入的条目"),
    # bringing into a project
    "outline-mended": ("Outlines that crossed themselves, cut into parts", "自相交的轮廓，已拆成若干部分"),
    "shape-no-label": ("Objects whose shape nothing here draws yet", "此处暂不能绘制其形状的对象"),
    "kind-other": ("What is said in another way than most of it", "与多数标注方式不同的内容"),
    "no-content": ("Items without a picture, text or address", "没有图片、文本或地址的条目"),
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """reason: a stable code; words: {language: it in words}; count: how often; example: where it was first met."""

    reason: str
    count: int
    example: str
    words: dict[str, str]


class Report:
    """Counts as it goes. Take `dropped` at the end."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def drop(self, reason: str, place: str, count: int = 1) -> None:
        """reason: a code of REASONS."""
        if count <= 0:
            return
        assert reason in REASONS, reason
        before, example = self._found.get(reason, (0, ""))
        self._found[reason] = (before + count, example or place[:MOST_EXAMPLE_CHARS])

    def add(self, other: Report) -> None:
        for reason, (count, example) in other._found.items():
            self.drop(reason, example, count)

    @property
    def dropped(self) -> list[Dropped]:
        """The commonest first."""
        rows = sorted(self._found.items(), key=lambda row: (-row[1][0], row[0]))
        return [
            Dropped(reason, count, example, dict(zip(("en", "zh"), REASONS[reason], strict=True)))
            for reason, (count, example) in rows
        ]

    def plain(self) -> list[dict[str, object]]:
        """For a JSON file beside the result."""
        return [{"reason": one.reason, "count": one.count, "example": one.example, **one.words} for one in self.dropped]
