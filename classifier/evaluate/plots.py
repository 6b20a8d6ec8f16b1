"""Plots of calibration and of abstention, as PNG.

In: numbers per label. Out: the bytes of a picture, the same for the same numbers.
Never touches files, the screen, or the user's plotting settings.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by colour-blind readers; the markers do it on paper.
_COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#000000")
_MARKERS: Final = ("o", "s", "^", "D")
_DPI: Final = 120


class Point(NamedTuple):
    """Documents of like probability: how many, mean probability, share of positives."""

    documents: int
    probability: float
    share: float


def reliability(bins: Mapping[str, Sequence[Point]], captions: Mapping[str, str]) -> bytes:
    """Draw, per label, the share of positives against the mean probability of each bin.

    Parameters
    ----------
    bins
        Title of the label -> its bins.
    captions
        Title of the label -> what stands below the title, such as its calibration error.
    """

    def draw(figure: "Figure") -> None:
        for axes, (title, points) in zip(_panels(figure, len(bins)), bins.items(), strict=True):
            axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
            most = max(point.documents for point in points)
            axes.plot([p.probability for p in points], [p.share for p in points], color=_COLORS[0])
            axes.scatter(
                [p.probability for p in points],
                [p.share for p in points],
                s=[12 + 48 * p.documents / most for p in points],
                color=_COLORS[0],
            )
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="mean probability", aspect="equal")
            axes.set_title(f"{title}\n{captions[title]}", fontsize=9)
        figure.axes[0].set_ylabel("share of positives")

    return _png(draw, width=3.2 * len(bins), height=3.6)


def risk_coverage(
    coverage: Sequence[float], errors: Mapping[str, Sequence[float]], macro_f1: Sequence[float]
) -> bytes:
    """Draw what is wrong, and the macro-F1, among the surest documents at each coverage.

    Parameters
    ----------
    coverage
        Shares of the documents that are answered, in (0, 1].
    errors
        Title of the label -> share of wrong decisions at each coverage.
    macro_f1
        At each coverage; NaN leaves a gap.
    """

    def draw(figure: "Figure") -> None:
        risk, score = _panels(figure, 2)
        for (title, values), color, marker in zip(errors.items(), _COLORS, _MARKERS, strict=False):
            risk.plot(coverage, values, color=color, marker=marker, markersize=3, label=title)
        risk.legend(fontsize=8)
        risk.set(ylabel="share of wrong decisions")
        risk.set_ylim(bottom=0)
        score.plot(coverage, macro_f1, color=_COLORS[-1], marker=_MARKERS[-1], markersize=3)
        score.set(ylabel="macro-F1")
        for axes in (risk, score):
            axes.set(xlabel="coverage (share of documents, surest first)", xlim=(0, 1.02))

    return _png(draw, width=8.4, height=3.6)


def _panels(figure: "Figure", count: int) -> "list[Axes]":
    panels = [figure.add_subplot(1, count, number + 1) for number in range(count)]
    for axes in panels:
        axes.grid(color="0.9", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8)
    return panels


def _png(draw: Callable[["Figure"], None], *, width: float, height: float) -> bytes:
    from matplotlib import style
    from matplotlib.figure import Figure

    # A user's matplotlibrc would otherwise change the picture.
    with style.context("default"):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        stream = io.BytesIO()
        # Without the default entry for the software, whose version would change the bytes.
        figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return stream.getvalue()
