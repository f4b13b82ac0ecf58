"""The labelling interface of Label Studio that fits what was written, so that a project there can be made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from xml.sax.saxutils import quoteattr

_TAGS = {
    "rectanglelabels": "RectangleLabels", "polygonlabels": "PolygonLabels", "keypointlabels": "KeyPointLabels",
    "ellipselabels": "EllipseLabels", "brushlabels": "BrushLabels",
}  # fmt: skip


def config_of(used: Collection[str], attributes: Mapping[str, Collection[str]], classes: Collection[str]) -> str:
    """used: types of results; attributes: "choices NAME" or "number NAME" -> the values met."""
    is_text = "labels" in used
    subject = "text" if is_text else "image"
    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in classes)
    lines = ['<Text name="text" value="$text"/>' if is_text else '<Image name="image" value="$image"/>']
    lines += [
        f'<{tag} name="{kind.removesuffix("labels")}" toName="{subject}">{labels}</{tag}>'
        for kind, tag in _TAGS.items()
        if kind in used
    ]
    if is_text:
        lines.append(f'<Labels name="span" toName="text">{labels}</Labels>')
    if "choices" in used:
        options = "".join(f"<Choice value={quoteattr(name)}/>" for name in classes)
        lines.append(f'<Choices name="class" toName="{subject}" choice="multiple">{options}</Choices>')
    if "textarea" in used:
        lines.append(f'<TextArea name="words" toName="{subject}"/>')
    for key, values in attributes.items():
        kind, name = key.split(" ", 1)
        if kind == "number":
            lines.append(f'<Number name={quoteattr(name)} toName="{subject}" perRegion="true"/>')
        else:
            options = "".join(f"<Choice value={quoteattr(value)}/>" for value in sorted(values))
            lines.append(f'<Choices name={quoteattr(name)} toName="{subject}" perRegion="true">{options}</Choices>')
    return "<View>\n  " + "\n  ".join(lines) + "\n</View>\n"
