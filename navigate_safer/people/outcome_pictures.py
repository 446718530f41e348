"""Pictures of outcomes as SVG, for the page and for print: each says in words what it shows.

Nothing here needs a script. Words are escaped; positions are all that is computed.
"""

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from navigate_safer.people.cost_case import Bar
from navigate_safer.people.outcome_report import Point
from navigate_safer.people.outcome_table import pounds, words

INK, GREY, BLUE, ORANGE = "#0b0c0c", "#858686", "#1d70b8", "#b65a00"
_OPEN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-family="Arial, sans-serif" font-size="13" role="img" aria-label="{label}">'
)
LONGEST_LABEL = 78
# Lines are told apart by their dashes too.
LOOKS = ((BLUE, ""), (ORANGE, ' stroke-dasharray="6 4"'))


def tornado(bars: Sequence[Bar], middle: float) -> str:
    """The bars about the result as it stands, each with both ends in words; "" for none."""
    if not bars:
        return ""
    width, row, top = 760, 46, 34
    ends = [0.0, middle, *(end for bar in bars for end in (bar.at_low, bar.at_high))]
    least, most = min(ends), max(ends)
    room = (most - least) or 1.0

    def x(value: float) -> float:
        return 20 + (width - 40) * (value - least) / room

    drawn = [_tornado_axis(x, middle, top, top + row * len(bars), width)]
    for number, bar in enumerate(bars):
        y = top + row * number
        left, right = sorted((x(bar.at_low), x(bar.at_high)))
        name = _cut(f"{bar.label}: {bar.low} to {bar.high}")
        span = f"{words(pounds(bar.at_low))} to {words(pounds(bar.at_high))}"
        drawn.append(
            f'<text x="20" y="{y + 14}" fill="{INK}">{escape(name)}</text>'
            f'<text x="{width - 20}" y="{y + 14}" text-anchor="end" fill="{INK}">{span}</text>'
            f'<rect x="{left:.1f}" y="{y + 20}" width="{max(right - left, 1):.1f}" height="14" '
            f'fill="{BLUE}"/><circle cx="{x(bar.at_high):.1f}" cy="{y + 27}" r="4" fill="{INK}"/>'
        )
    label = (
        f"Net present public value, {words(pounds(middle))} as assumed. It moves most with: "
        + "; ".join(
            f"{bar.label}, {words(pounds(bar.at_low))} to {words(pounds(bar.at_high))}"
            for bar in bars[:3]
        )
    )
    height = top + row * len(bars) + 6
    return _OPEN.format(w=width, h=height, label=escape(label)) + "".join(drawn) + "</svg>"


def _cut(name: str) -> str:
    """A name that leaves room for the figures on its right; the table has it whole."""
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"


def bars(named: Sequence[tuple[str, float]], label: str) -> str:
    """One lying bar for each amount of money, all on one scale; below nought they go left."""
    width, row, left = 760, 34, 210
    least, most = (end(0.0, *(value for _, value in named)) for end in (min, max))
    room = (most - least) or 1.0

    def x(value: float) -> float:
        return left + (width - left - 120) * (value - least) / room

    height = row * len(named)
    drawn = [f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{height}" stroke="{INK}"/>']
    for number, (name, value) in enumerate(named):
        y, (low, high) = row * number, sorted((x(0), x(value)))
        fill = ORANGE if number == 0 else BLUE
        drawn.append(
            f'<text x="0" y="{y + 20}" fill="{INK}">{escape(name)}</text>'
            f'<rect x="{low:.1f}" y="{y + 6}" width="{high - low:.1f}" height="20" fill="{fill}"/>'
            f'<text x="{high + 8:.1f}" y="{y + 20}" fill="{INK}">{words(pounds(value))}</text>'
        )
    told = "; ".join(f"{name} {words(pounds(value))}" for name, value in named)
    opened = _OPEN.format(w=width, h=height, label=escape(f"{label}: {told}"))
    return opened + "".join(drawn) + "</svg>"


def _tornado_axis(
    x: Callable[[float], float], middle: float, top: float, bottom: float, width: float
) -> str:
    marks = [(0.0, "£0", GREY), (middle, f"as assumed {words(pounds(middle))}", INK)]
    if abs(x(0.0) - x(middle)) < 160:
        marks = marks[1:]
    lines = (
        f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top - 12}" y2="{bottom}" stroke="{colour}" '
        f'stroke-dasharray="3 3"/>'
        for at, _, colour in (*marks, (0.0, "", GREY))
    )
    texts = (
        f'<text x="{min(max(x(at), 100), width - 100):.1f}" y="{top - 18}" text-anchor="middle" '
        f'fill="{INK}">{escape(name)}</text>'
        for at, name, _ in marks
    )
    return "".join((*lines, *texts))


def curves(named: Sequence[tuple[str, Sequence[Point]]], label: str) -> str:
    """Steps of one or two groups with their intervals as bands; "" where nobody is watched."""
    named = [(name, points) for name, points in named if points]
    if not named:
        return ""
    width, height, left, top, bottom = 640.0, 280.0, 46.0, 14.0, 52.0
    last = max(point.day for _, points in named for point in points) or 1.0

    def at(day: float, part: float) -> str:
        x = left + (width - left - 12) * day / last
        return f"{x:.1f},{top + (height - top - bottom) * (1 - part):.1f}"

    drawn = [_grid(at, last, left)]
    for (_, points), (colour, dashes) in zip(named, LOOKS, strict=False):
        low = _steps([(p.day, p.share if p.low is None else p.low) for p in points])
        high = _steps([(p.day, p.share if p.high is None else p.high) for p in points])
        band = " ".join(at(*each) for each in low + high[::-1])
        line = " ".join(at(*each) for each in _steps([(p.day, p.share) for p in points]))
        drawn.append(
            f'<polygon points="{band}" fill="{colour}" fill-opacity="0.18"/>'
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
        )
    for number, ((name, _), (colour, dashes)) in enumerate(zip(named, LOOKS, strict=False)):
        x = left + 290 * number
        drawn.append(
            f'<line x1="{x}" x2="{x + 30}" y1="{height - 10}" y2="{height - 10}" stroke="{colour}" '
            f'stroke-width="3"{dashes}/><text x="{x + 36}" y="{height - 6}" fill="{INK}">'
            f"{escape(name)}</text>"
        )
    return _OPEN.format(w=640, h=280, label=escape(label)) + "".join(drawn) + "</svg>"


def _grid(at: Callable[[float, float], str], last: float, left: float) -> str:
    parts = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = at(0, part).split(",")
        parts.append(
            f'<line x1="{left}" x2="628" y1="{y}" y2="{y}" stroke="#cecece"/>'
            f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end" fill="{INK}">'
            f"{100 * part:.0f} %</text>"
        )
    for number in range(1, 5):
        day = last * number / 4
        x, y = at(day, 0).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 18:.1f}" text-anchor="end" fill="{INK}">'
            f"{day:.0f} days</text>"
        )
    return "".join(parts)


def _steps(values: list[tuple[float, float]]) -> list[tuple[float, float]]:
    found = [values[0]]
    for (_, before), (day, share) in pairwise(values):
        found += [(day, before), (day, share)]
    return found
