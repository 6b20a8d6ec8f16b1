"""Small charts as inline SVG, without script and without inline style.

In: numbers and names. Out: SVG text, safe to place into a page. Never draws a number that isn't
also in a table or in the text beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 14.0, 12.0, 30.0


@dataclass(frozen=True)
class Series:
    """One line of a chart: `name` is its CSS class, `title` what people read."""

    name: str
    title: str
    values: tuple[int, ...]


def line_chart(
    ticks: Sequence[str], series: Sequence[Series], *, title: str, description: str, wide: bool
) -> Markup:
    """Draw one line per series over common ticks.

    Parameters
    ----------
    ticks
        Names of the points of the x axis, at least one.
    series
        As many values each as there are ticks, all >= 0.
    title, description
        For screen readers.
    wide
        True for desktops, False for phones: same figures, other proportions.
    """
    width, height = (1000.0, 250.0) if wide else (400.0, 240.0)
    top = nice_ceiling(max((value for one in series for value in one.values), default=0))
    xs = _positions(len(ticks), _LEFT, width - _RIGHT)
    scale = (height - _TOP - _BOTTOM) / top
    bottom = height - _BOTTOM
    parts = [_grid(top, bottom, scale, width), _tick_labels(ticks, xs, height, 9 if wide else 4)]
    for one in series:
        points = " ".join(
            f"{_n(x)},{_n(bottom - value * scale)}" for x, value in zip(xs, one.values, strict=True)
        )
        line = Markup('<polyline class="line {}" points="{}"/>').format(one.name, points)
        dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>').format(
            one.name, _n(xs[-1]), _n(bottom - one.values[-1] * scale)
        )
        parts.append(line + dot)
    name = "wide" if wide else "narrow"
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-labelledby="chart-{}-t chart-{}-d">'
        '<title id="chart-{}-t">{}</title><desc id="chart-{}-d">{}</desc>{}</svg>'
    ).format(name, _n(width), _n(height), name, name, name, title, name, description, Markup("").join(parts))


def sparkline(values: Sequence[int], *, title: str) -> Markup:
    """Draw a word-sized line that ends in a dot; nothing where there are fewer than two values."""
    if len(values) < 2:
        return Markup("")
    width, height = 84.0, 22.0
    top = max(max(values), 1)
    xs = _positions(len(values), 2.0, width - 4.0)
    ys = [height - 3.0 - (height - 6.0) * value / top for value in values]
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in zip(xs, ys, strict=True))
    area = f"{_n(xs[0])},{_n(height - 2)} {points} {_n(xs[-1])},{_n(height - 2)}"
    return Markup(
        '<svg class="spark" viewBox="0 0 84 22" width="84" height="22" role="img" aria-label="{}">'
        '<polygon points="{}"/><polyline points="{}"/><circle cx="{}" cy="{}" r="2.2"/></svg>'
    ).format(title, area, points, _n(xs[-1]), _n(ys[-1]))


def bar(value: float, *, name: str = "bar") -> Markup:
    """Draw a horizontal bar for a value in [0, 1]; beside it stands the figure."""
    filled = 0.0 if math.isnan(value) else 100 * min(max(value, 0.0), 1.0)
    return Markup(
        '<svg class="{}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="6" rx="2"/>'
        '<rect class="fill" width="{}" height="6" rx="2"/></svg>'
    ).format(name, _n(filled))


def nice_ceiling(value: float) -> float:
    """Return the end of an axis that holds `value`: 4, 8, 10, 20, 40 … with four equal whole steps."""
    if value <= 4:
        return 4.0
    size = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10):
        if step * size >= value and (step * size / 4) == int(step * size / 4):
            return step * size
    return 10 * size + (-10 * size) % 4


def buckets(values: Sequence[int], most: int) -> list[int]:
    """Return at most `most` sums of neighbouring values; the last bucket is always a full one."""
    size = max(1, math.ceil(len(values) / most))
    start = len(values) % size
    full = [sum(values[at : at + size]) for at in range(start, len(values), size)]
    return full if full else list(values)


def _grid(top: float, bottom: float, scale: float, width: float) -> Markup:
    lines = []
    for quarter in range(5):
        value = top * quarter / 4
        y = bottom - value * scale
        lines.append(
            Markup(
                '<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/>'
                '<text class="axis end" x="{}" y="{}">{}</text>'
            ).format(_n(_LEFT), _n(y), _n(width - _RIGHT), _n(y), _n(_LEFT - 8), _n(y + 4), f"{value:,.0f}")
        )
    return Markup("").join(lines)


def _tick_labels(ticks: Sequence[str], xs: Sequence[float], height: float, most: int) -> Markup:
    step = max(1, math.ceil(len(ticks) / most))
    # Counted from the end, so that the newest point always has its name.
    shown = range((len(ticks) - 1) % step, len(ticks), step)
    labels = []
    for at in shown:
        side = "end" if at == len(ticks) - 1 and len(ticks) > 1 else "start" if at == 0 else "middle"
        labels.append(
            Markup('<text class="axis {}" x="{}" y="{}">{}</text>').format(
                side, _n(xs[at]), _n(height - 8), escape(ticks[at])
            )
        )
    return Markup("").join(labels)


def _positions(number: int, start: float, end: float) -> list[float]:
    if number == 1:
        return [(start + end) / 2]
    return [start + (end - start) * at / (number - 1) for at in range(number)]


def _n(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
