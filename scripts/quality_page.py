"""The figures of docs/quality.md: kept in docs/quality/results.json, shown between markers of the page.

In: figures of the measuring scripts. Out: the JSON, the page, the plot of the learning curve. Never measures;
what stands outside of the markers is written by people.
"""

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from quality_tables import SECTIONS, Figures

from classifier.labels import LABELS, TITLES

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "quality.md"
FOLDER: Final = ROOT / "docs" / "quality"
RESULTS: Final = FOLDER / "results.json"
CURVE: Final = FOLDER / "learning-curve.svg"
LABEL_FIGURES: Final = (
    "positives",
    "predicted",
    "threshold",
    "precision",
    "recall",
    "f1",
    "average_precision",
    "debiased_ece",
)
_MARKED: Final = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- /figures -->)", flags=re.DOTALL)


def record(key: str, value: Any) -> list[Path]:
    """Keep a figure (tiers are kept beside those of other runs), and renew all that is shown of it.

    Returns
    -------
    The files that were written.
    """
    results = load()
    results[key] = {**results.get(key, {}), **value} if isinstance(value, dict) else value
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(_rounded(results), indent=1, sort_keys=True, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    return [RESULTS, *renew()]


def load() -> dict[str, Any]:
    """Return all figures that were kept; empty where none were."""
    if not RESULTS.is_file():
        return {}
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return results


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return None if value != value else round(value, 4)
    return value


def renew() -> list[Path]:
    """Write the page and the plot anew from the kept figures."""
    results = load()
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    written = [PAGE]
    if results.get("learning_curve"):
        CURVE.write_bytes(_curve_plot(results["learning_curve"]))
        written.append(CURVE)
    return written


def rendered(page: str, results: Figures) -> str:
    """Return the page with what stands between its markers made from `results`.

    Raises
    ------
    KeyError
        If a marker names no section.
    """

    def section(found: re.Match[str]) -> str:
        body = SECTIONS[found[2]](results).strip() or "Not measured yet."
        return f"{found[1]}{body}\n{found[3]}"

    return _MARKED.sub(section, page)


def _curve_plot(points: Sequence[Figures]) -> bytes:
    """Return an SVG: the same bytes for the same figures."""
    import matplotlib as mpl
    from matplotlib import style
    from matplotlib.figure import Figure

    stream = io.BytesIO()
    with style.context("default"), mpl.rc_context({"svg.hashsalt": "quality", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.add_subplot()
        sizes = [point["documents"] for point in points]
        lines = [("macro", [point["macro_f1"] for point in points])]
        lines += [(TITLES[label], [point["f1"][label] for point in points]) for label in LABELS]
        for (title, values), marker in zip(lines, "Dos^", strict=True):
            centre = [value["value"] for value in values]
            spread = [
                [value["value"] - value["low"] for value in values],
                [value["high"] - value["value"] for value in values],
            ]
            axes.errorbar(sizes, centre, yerr=spread, marker=marker, markersize=4, capsize=2, label=title)
        axes.set(xscale="log", xlabel="training documents", ylabel="F1 on whole folds")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.grid(color="0.9")
        axes.legend(fontsize=8)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


if __name__ == "__main__":
    for path in renew():
        print(f"wrote {path}")
