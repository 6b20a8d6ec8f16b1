"""The folder that an evaluation leaves: JSON, Markdown and two plots.

In: Evaluation, Comparison. Out: files, the same bytes for the same figures.
Never leaves a file under its final name unless it is complete, never writes text of a document.
"""

import json
import os
from pathlib import Path

from classifier.errors import OutputError
from classifier.evaluate import plots
from classifier.evaluate.scorecard import Comparison, Evaluation
from classifier.evaluate.tables import render_markdown
from classifier.labels import LABELS, TITLES


def write(folder: str | Path, evaluation: Evaluation, comparison: Comparison | None = None) -> list[Path]:
    """Write evaluation.json, evaluation.md, reliability.png and risk_coverage.png.

    Parameters
    ----------
    folder
        Made where it is missing; files of these names are replaced, each only once it is complete.
    comparison
        Stands in the JSON under "comparison", and at the end of the Markdown.

    Returns
    -------
    The four paths.

    Raises
    ------
    OutputError
        If the folder or a file can't be written.
    """
    content = evaluation.as_dict() | ({"comparison": comparison.as_dict()} if comparison else {})
    text = f"# Evaluation\n\n{render_markdown(evaluation)}"
    if comparison:
        text += f"\n{render_markdown(comparison)}"
    files = {
        "evaluation.json": (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(),
        "evaluation.md": text.encode(),
        "reliability.png": _reliability_plot(evaluation),
        "risk_coverage.png": _risk_coverage_plot(evaluation),
    }
    return [_place(Path(folder) / name, made) for name, made in files.items()]


def _place(path: Path, content: bytes) -> Path:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror}; choose another --out") from error
    return path


def _reliability_plot(evaluation: Evaluation) -> bytes:
    captions = {}
    for name, label in evaluation.labels.items():
        plain, debiased = label.figures["ece"].value, label.figures["debiased_ece"].value
        captions[TITLES[name]] = f"ECE {plain:.3f}, debiased {debiased:.3f}"
    bins = {
        TITLES[name]: [plots.Point(b.documents, b.probability, b.share) for b in label.bins]
        for name, label in evaluation.labels.items()
    }
    return plots.reliability(bins, captions)


def _risk_coverage_plot(evaluation: Evaluation) -> bytes:
    points = evaluation.risk_coverage
    return plots.risk_coverage(
        [point.coverage for point in points],
        {TITLES[label]: [point.errors[label] for point in points] for label in LABELS},
        [point.macro_f1.value for point in points],
    )
