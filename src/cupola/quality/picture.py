"""Small pictures in SVG, written as text: no plotting library, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK = "#2b2f36"
FAINT = "#c9ced6"
COLOURS = ("#2563a8", "#b4531a", "#2f7d4f", "#7a3e8f", "#a03030", "#5b6b7b", "#8a7a1e", "#1c7c86")

Points = Sequence[tuple[float, float]]


def _frame(width: int, height: int, body: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"><title>{escape(title)}</title>'
        + f'<rect width="{width}" height="{height}" fill="#fff"/>'
        + "".join(body)
        + "</svg>"
    )


def lines(
    series: dict[str, Points],
    title: str,
    x_label: str,
    y_label: str,
    *,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    diagonal: bool = False,
) -> str:
    """Lines with dots over given ticks; the first and last tick are the ends of each axis."""
    width, height, left, top, right, bottom = 640, 400, 64, 36, 170, 48
    x0, x1 = x_ticks[0][0], x_ticks[-1][0]
    y0, y1 = y_ticks[0][0], y_ticks[-1][0]

    def px(x: float) -> float:
        return left + (x - x0) / (x1 - x0) * (width - left - right)

    def py(y: float) -> float:
        return height - bottom - (y - y0) / (y1 - y0) * (height - top - bottom)

    body = [f'<text x="{left}" y="20" font-weight="600">{escape(title)}</text>']
    for value, name in x_ticks:
        body.append(f'<line x1="{px(value):.1f}" x2="{px(value):.1f}" y1="{top}" y2="{py(y0):.1f}" stroke="{FAINT}"/>')
        body.append(f'<text x="{px(value):.1f}" y="{py(y0) + 16:.1f}" text-anchor="middle">{escape(name)}</text>')
    for value, name in y_ticks:
        body.append(f'<line x1="{left}" x2="{px(x1):.1f}" y1="{py(value):.1f}" y2="{py(value):.1f}" stroke="{FAINT}"/>')
        body.append(f'<text x="{left - 6}" y="{py(value) + 4:.1f}" text-anchor="end">{escape(name)}</text>')
    if diagonal:
        low, high = max(x0, y0), min(x1, y1)
        body.append(
            f'<line x1="{px(low):.1f}" y1="{py(low):.1f}" x2="{px(high):.1f}" y2="{py(high):.1f}" '
            f'stroke="{INK}" stroke-dasharray="4 4"/>'
        )
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        body += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        y = top + 12 + number * 18
        body.append(f'<rect x="{width - right + 14}" y="{y - 9}" width="12" height="4" fill="{colour}"/>')
        body.append(f'<text x="{width - right + 32}" y="{y - 3}">{escape(name)}</text>')
    body.append(
        f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">{escape(x_label)}</text>'
    )
    body.append(
        f'<text transform="translate(14 {(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return _frame(width, height, body, title)


def bars(rows: Sequence[tuple[str, float, float, float]], title: str, unit: str) -> str:
    """Horizontal bars with intervals: (name, value, low, high), all at least 0."""
    width, left, right, step = 640, 150, 70, 26
    height = 50 + step * len(rows)
    most = max((high for _, _, _, high in rows), default=1.0) or 1.0
    body = [f'<text x="12" y="22" font-weight="600">{escape(title)} ({escape(unit)})</text>']
    for number, (name, value, low, high) in enumerate(rows):
        y = 40 + number * step

        def px(x: float) -> float:
            return left + x / most * (width - left - right)

        body.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        body.append(
            f'<rect x="{left}" y="{y + 2}" width="{max(px(value) - left, 0):.1f}" height="13" '
            f'fill="{COLOURS[0]}" opacity="0.75"/>'
        )
        body.append(f'<line x1="{px(low):.1f}" x2="{px(high):.1f}" y1="{y + 8}" y2="{y + 8}" stroke="{INK}"/>')
        body.append(f'<text x="{px(high) + 6:.1f}" y="{y + 12}">{value:.3g}</text>')
    return _frame(width, height, body, title)


def interval(lower: float, target: float, observed: float | None, title: str, words: tuple[str, str, str]) -> str:
    """A certificate's claim: the range that remains possible, the target, and what the sample showed.

    words: the names of (what remains possible, the target, observed in the sample), in the reader's language.
    """
    width, height, left, right = 640, 120, 24, 24
    floor = min(lower, target, 1.0 if observed is None else observed)
    start = max(0.0, 1.0 - (1.0 - floor) * 1.25 - 1e-6)

    def px(x: float) -> float:
        return left + (x - start) / (1.0 - start) * (width - left - right)

    axis = 70
    body = [
        f'<line x1="{left}" x2="{width - right}" y1="{axis}" y2="{axis}" stroke="{FAINT}" stroke-width="2"/>',
        f'<rect x="{px(lower):.1f}" y="{axis - 9}" width="{px(1.0) - px(lower):.1f}" height="18" '
        f'fill="{COLOURS[2]}" opacity="0.35"/>',
        f'<line x1="{px(target):.1f}" x2="{px(target):.1f}" y1="{axis - 20}" y2="{axis + 20}" '
        f'stroke="{COLOURS[1]}" stroke-width="3"/>',
        f'<text x="{px(lower):.1f}" y="{axis + 36}" text-anchor="middle">{lower:.2%}</text>',
        f'<text x="{px(1.0):.1f}" y="{axis + 36}" text-anchor="end">100%</text>',
        f'<text x="{left}" y="18"><tspan fill="{COLOURS[2]}">■</tspan> {escape(words[0])}  '
        f'<tspan fill="{COLOURS[1]}">■</tspan> {escape(words[1])} {target:.2%}</text>',
    ]
    if observed is not None:
        body.append(f'<circle cx="{px(observed):.1f}" cy="{axis}" r="5" fill="{COLOURS[0]}"/>')
        body.append(
            f'<text x="{left}" y="38"><tspan fill="{COLOURS[0]}">●</tspan> {escape(words[2])} {observed:.2%}</text>'
        )
    return _frame(width, height, body, title)
