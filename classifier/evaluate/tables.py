"""Evaluations and comparisons as tables: aligned text for a terminal, Markdown for a file.

In: Evaluation or Comparison. Out: text. Never computes a figure, never writes a file.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from classifier.evaluate.scorecard import (
    HIGHER_IS_BETTER,
    NO_NAME,
    Comparison,
    Difference,
    Evaluation,
    Subset,
)
from classifier.labels import GAP, LABELS, TITLES
from classifier.metrics import Estimate

_HEADS: Final = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
    "ece": "ECE",
    "debiased_ece": "debiased ECE",
    "brier": "Brier",
}
_UNDEFINED: Final = "–"


@dataclass(frozen=True)
class _Section:
    title: str
    rows: Sequence[Sequence[str]]
    note: str = ""


def render_table(result: Evaluation | Comparison) -> str:
    """Return aligned text for a terminal, without a line end after the last line."""
    blocks = [
        "\n".join([section.title, *_aligned(section.rows), *([section.note] if section.note else [])])
        for section in _sections(result)
    ]
    return "\n\n".join(blocks)


def render_markdown(result: Evaluation | Comparison) -> str:
    """Return the same tables in Markdown."""
    blocks = []
    for section in _sections(result):
        header, *rows = [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in section.rows]
        rule = f"|---|{'---:|' * (len(section.rows[0]) - 1)}"
        blocks.append("\n".join([f"## {section.title}", "", header, rule, *rows]))
        if section.note:
            blocks.append(section.note)
    return "\n\n".join(blocks) + "\n"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _shown(estimate: Estimate, *, signed: bool = False) -> str:
    if math.isnan(estimate.value):
        return _UNDEFINED
    form = "+.3f" if signed else ".3f"
    if math.isnan(estimate.low):
        return format(estimate.value, form)
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def _plain(value: float) -> str:
    return _UNDEFINED if math.isnan(value) else f"{value:.3f}"


def _sections(result: Evaluation | Comparison) -> Iterator[_Section]:
    return _evaluation_sections(result) if isinstance(result, Evaluation) else _comparison_sections(result)


def _basis(result: Evaluation | Comparison) -> str:
    intervals = (
        f"In brackets: 95 % intervals from {result.resamples:,} resamples of {result.groups:,} groups"
        f" (seed {result.seed})."
        if result.resamples
        else "Without intervals (0 resamples)."
    )
    return f"{result.documents:,} documents. {intervals}"


def _evaluation_sections(result: Evaluation) -> Iterator[_Section]:
    labels = result.labels.values()
    rows = [
        ["", *(TITLES[name] for name in result.labels), "macro"],
        ["positives", *(f"{label.positives:,}" for label in labels), ""],
        ["predicted", *(f"{label.predicted:,}" for label in labels), ""],
        ["threshold", *(_plain(label.threshold) for label in labels), ""],
    ]
    for figure in HIGHER_IS_BETTER:
        macro = _shown(result.macro_f1) if figure == "f1" else ""
        rows.append([_HEADS[figure], *(_shown(label.figures[figure]) for label in labels), macro])
    yield _Section(
        "Labels",
        rows,
        f"{_basis(result)} Macro: the mean over labels with positives; {_UNDEFINED}: not defined."
        " ECE: 15 bins of equal mass, too high by nature with few documents; judge by the debiased one.",
    )
    for dimension, subsets in result.by.items():
        yield _subset_section(dimension, subsets)
    yield from _detail_sections(result)


def _subset_section(dimension: str, subsets: Mapping[str, Subset]) -> _Section:
    rows = [[dimension, "documents", "macro-F1", *(f"F1 {TITLES[label]} (positives)" for label in LABELS)]]
    for name, subset in subsets.items():
        cells = [f"{_plain(subset.f1[label].value)} ({subset.positives[label]:,})" for label in LABELS]
        rows.append([name or NO_NAME, f"{subset.documents:,}", _shown(subset.macro_f1), *cells])
    return _Section(f"By {dimension}", rows)


def _detail_sections(result: Evaluation) -> Iterator[_Section]:
    rows = [["label", "true positives", "measured", "not in the text", "covered"]]
    for name, evidence in result.evidence.items():
        counts = [f"{count:,}" for count in (evidence.true_positives, evidence.measured, evidence.lost)]
        rows.append([TITLES.get(name, name), *counts, _shown(evidence.covered)])
    yield _Section(
        "Evidence", rows, "Covered: a span of at most 300 characters with half of the gold span or more."
    )
    source = result.expectation_source
    predicted = sorted({name for row in source.confusion.values() for name in row})
    rows = [["gold \\ predicted", *(name or NO_NAME for name in predicted)]]
    rows += [[gold, *(str(row.get(name, 0)) for name in predicted)] for gold, row in source.confusion.items()]
    yield _Section(
        "Expectation source",
        rows,
        f"Accuracy {_shown(source.accuracy)} on {source.measured:,} true positives of {TITLES[GAP]}.",
    )
    yield _Section(
        "Abstention",
        [
            ["documents left to a person", "share", "macro-F1 of the others"],
            ["marked for review", _shown(result.review.share), _shown(result.review.f1_without)],
            [
                f"least sure {1 - result.selective.coverage:.0%}",
                _plain(1 - result.selective.coverage),
                _shown(result.selective.macro_f1),
            ],
        ],
    )


def _comparison_sections(result: Comparison) -> Iterator[_Section]:
    first, second = result.names
    head = [first, second, "difference", "better"]
    rows = [["figure", *head], ["macro-F1", *_pair(result.macro_f1, result.names)]]
    for label, figures in result.labels.items():
        for name, pair in figures.items():
            rows.append([f"{TITLES[label]}, {_HEADS[name]}", *_pair(pair, result.names)])
    yield _Section(
        f"{second} against {first}",
        rows,
        f"{_basis(result)} Better: named only where the interval of the difference leaves out 0.",
    )
    for dimension, subsets in result.by.items():
        pairs = [[name or NO_NAME, *_pair(pair, result.names)] for name, pair in subsets.items()]
        yield _Section(f"macro-F1 by {dimension}", [[dimension, *head], *pairs])


def _pair(pair: Difference, names: tuple[str, str]) -> list[str]:
    better = {"first": names[0], "second": names[1], "": ""}[pair.better]
    return [_shown(pair.first), _shown(pair.second), _shown(pair.difference, signed=True), better]
