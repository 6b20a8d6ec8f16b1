"""The tables of docs/quality.md, by the marker between which they stand.

In: the figures that were kept. Out: Markdown. Never reads or writes a file.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from page_tables import markdown_table

from classifier.labels import GAP, LABELS, PAIN, REQUEST, TITLES
from classifier.options import TIERS

SETS: Final = {
    "dev": "real texts of training's sources (dev)",
    "dev_written": "written texts (dev_written)",
    "dev_unseen": "real texts of sources that training never saw (dev_unseen)",
    "pooled": "all three",
}

AIMS: Final[dict[str, tuple[float, float, float]]] = {
    "dev": (0.80, 0.85, 0.86),
    "dev_written": (0.80, 0.85, 0.86),
    "dev_unseen": (0.67, 0.74, 0.75),
    "gap_mean": (0.64, 0.72, 0.74),
    "ece": (0.08, 0.08, 0.08),
    "evidence": (0.80, 0.85, 0.85),
    "source": (0.70, 0.70, 0.70),
}
"""What was aimed at before anything was measured, for each of TIERS."""

AIMED: Final = {
    "T1_mean": 0.70,
    "T2_mean": 0.50,
    "tizard_bug": 0.45,
    "minibar_problem_report": 0.87,
    "minibar_feature_request": 0.73,
    "semeval_a": 0.70,
}
"""What was aimed at on public sets."""

NOTHING: Final = "–"
Figures = Mapping[str, Any]


# Cells and tables


def _number(value: float | None) -> str:
    return NOTHING if value is None else re.sub(r"^(-?)0(?=\.)", r"\1", f"{value:.3f}")


def _shown(estimate: Figures | None) -> str:
    """Return a figure with its interval."""
    if estimate is None or estimate["value"] is None:
        return NOTHING
    if estimate["low"] is None:
        return _number(estimate["value"])
    return f"{_number(estimate['value'])} [{_number(estimate['low'])}, {_number(estimate['high'])}]"


def _tiers(results: Figures) -> dict[str, Any]:
    measured = results.get("tiers", {})
    return {tier: measured[tier] for tier in TIERS if tier in measured}


# Sections


def _models(results: Figures) -> str:
    return markdown_table(
        ["tier", "model", "resamples"],
        [[tier, f"`{one['model_id']}`", f"{one['resamples']:,}"] for tier, one in _tiers(results).items()],
    )


_SUMMARY: Final[tuple[tuple[str, str, Callable[[Figures], Any]], ...]] = (
    ("dev", f"macro-F1, {SETS['dev']}", lambda gold: _shown(gold["dev"]["macro_f1"])),
    ("dev_written", f"macro-F1, {SETS['dev_written']}", lambda gold: _shown(gold["dev_written"]["macro_f1"])),
    ("dev_unseen", f"macro-F1, {SETS['dev_unseen']}", lambda gold: _shown(gold["dev_unseen"]["macro_f1"])),
    ("gap_mean", "F1 of expectation gaps, mean of the three sets", lambda gold: _shown(gold["gap_mean"])),
    (
        "ece",
        "debiased calibration error on all three: upper 95 % bound of the worst label",
        lambda gold: _number(max(one["debiased_ece"]["high"] for one in gold["pooled"]["labels"].values())),
    ),
    (
        "evidence",
        "evidence covers half of the gold span or more, of true positives",
        lambda gold: _shown(gold["pooled"]["evidence"]["all"]["covered"]),
    ),
    (
        "source",
        "expectation source right, of true positives",
        lambda gold: _shown(gold["pooled"]["expectation_source"]["accuracy"]),
    ),
)


def _gold(results: Figures) -> str:
    measured = _tiers(results)
    rows = []
    for key, title, cell in _SUMMARY:
        aims = " / ".join(_number(aim) for aim in AIMS[key])
        bound = "at most" if key == "ece" else "at least"
        cells = [cell(measured[tier]["gold"]) if tier in measured else NOTHING for tier in TIERS]
        rows.append([title, f"{bound} {aims}", *cells])
    return markdown_table(["figure", f"aimed at ({' / '.join(TIERS)})", *TIERS], rows)


def _gold_labels(results: Figures) -> str:
    rows = [
        [
            f"{name}, {TITLES[label]}",
            tier,
            str(one["gold"][name]["labels"][label]["positives"]),
            *(
                _shown(one["gold"][name]["labels"][label][figure])
                for figure in ("precision", "recall", "f1", "average_precision")
            ),
        ]
        for name in SETS
        for label in LABELS
        for tier, one in _tiers(results).items()
    ]
    head = ["set and label", "tier", "documents with it", "precision", "recall", "F1", "average precision"]
    return markdown_table(head, rows)


def _calibration(results: Figures) -> str:
    rows = [
        [TITLES[label], tier, *(_shown(one["gold"][name]["labels"][label]["debiased_ece"]) for name in SETS)]
        for label in LABELS
        for tier, one in _tiers(results).items()
    ]
    pictures = [
        f"![Reliability of the {tier} tier](quality/{tier}-reliability.png)\n" for tier in _tiers(results)
    ]
    return markdown_table(["label", "tier", *SETS], rows) + "\n" + "\n".join(pictures)


def _coverage(results: Figures) -> str:
    rows = [
        [
            name,
            tier,
            _shown(found["macro_f1"]),
            _shown(found["selective"]["macro_f1"]),
            _shown(found["review"]["share"]),
            _shown(found["review"]["f1_without"]),
        ]
        for name in SETS
        for tier, one in _tiers(results).items()
        for found in (one["gold"][name],)
    ]
    head = ["set", "tier", "macro-F1", "of the surest 80 %", "marked for review", "macro-F1 of the others"]
    pictures = [
        f"![Risk and coverage of the {tier} tier](quality/{tier}-risk_coverage.png)\n"
        for tier in _tiers(results)
    ]
    return markdown_table(head, rows) + "\n" + "\n".join(pictures)


def _evidence(results: Figures) -> str:
    rows = [
        [name, tier, *(_shown(one["gold"][name]["evidence"][label]["covered"]) for label in (*LABELS, "all"))]
        for name in SETS
        for tier, one in _tiers(results).items()
    ]
    return markdown_table(["set", "tier", *(TITLES[label] for label in LABELS), "all"], rows)


def _sources(results: Figures) -> str:
    blocks = []
    for tier, one in _tiers(results).items():
        found = one["gold"]["pooled"]["expectation_source"]
        names = sorted({name for row in found["confusion"].values() for name in row})
        rows = [
            [gold, *(str(row.get(name, 0)) for name in names)] for gold, row in found["confusion"].items()
        ]
        right = f"{tier}: right on {_shown(found['accuracy'])} of {found['measured']} gaps that were found."
        blocks.append(f"{right}\n\n{markdown_table(['gold, below; said, right', *names], rows)}")
    return "\n".join(blocks)


def _transfer(results: Figures) -> str:
    measured = {tier: one["public"] for tier, one in _tiers(results).items()}
    keys = sorted(
        {key: found["test"] for one in measured.values() for key, found in one.items()}.items(),
        key=lambda pair: (pair[1], not pair[0].endswith("_mean")),
    )
    rows = []
    for key, test in keys:
        found = next(one[key] for one in measured.values() if key in one)
        cells = [
            _shown(measured[tier][key]["f1"]) if key in measured.get(tier, {}) else NOTHING for tier in TIERS
        ]
        published = _number(found["published"]) if found["published"] is not None else NOTHING
        rows.append(
            [f"{test}: {found['title']}", published, found["published_of"], _number(AIMED.get(key)), *cells]
        )
    return markdown_table(["test", "published F1", "of", "aimed at", *TIERS], rows) if rows else ""


def _transfer_detail(results: Figures) -> str:
    rows = [
        [
            f"{found['test']}: {found['title']}",
            tier,
            f"{found['documents']:,}",
            _number(found["positives"] / found["documents"]),
            _shown(found["precision"]),
            _shown(found["recall"]),
            _number(found["auc"]),
            str(found.get("left_out", NOTHING)),
        ]
        for tier, one in _tiers(results).items()
        for found in sorted(one["public"].values(), key=lambda found: found["test"])
        if "precision" in found
    ]
    head = ["test", "tier", "texts", "share of yes", "precision", "recall", "ROC AUC", "left out"]
    return markdown_table(head, rows) if rows else ""


def _prior_shift(results: Figures) -> str:
    rows = [
        [
            SETS.get(row["set"], row["set"]),
            TITLES[row["label"]],
            tier,
            *(_number(row[name]) for name in ("share", "trained", "estimated")),
            *(_number(row[name]["value"]) for name in ("before", "after")),
            _shown(row["gain"]),
        ]
        for tier in TIERS
        for row in results.get("prior_shift", {}).get(tier, {"rows": []})["rows"]
    ]
    head = ["set", "label", "tier", "share", "in training", "estimated", "F1", "F1 with it", "difference"]
    return markdown_table(head, rows) if rows else ""


def _language(results: Figures) -> str:
    rows = [
        [
            row["set"],
            row["language"],
            row["words"],
            f"{row['texts']:,}",
            *(_number(row[name]) for name in ("right", "untold", "wrong", "as_english")),
        ]
        for row in results.get("language", [])
    ]
    head = ["set", "language", "words", "texts", "right", "not told", "wrong", "told as English"]
    return markdown_table(head, rows) if rows else ""


def _learning_curve(results: Figures) -> str:
    points = results.get("learning_curve", [])
    if not points:
        return ""
    rows = [
        [
            f"{point['documents']:,}",
            _shown(point["macro_f1"]),
            _shown(point["gain"]),
            *(_shown(point["f1"][label]) for label in (PAIN, REQUEST, GAP)),
        ]
        for point in points
    ]
    head = ["documents", "macro-F1", "gain", *(TITLES[label] for label in (PAIN, REQUEST, GAP))]
    return (
        markdown_table(head, rows)
        + "\n![Macro-F1 by number of training documents](quality/learning-curve.svg)\n"
    )


_COMPANY_FIGURES: Final = (
    "claim top 1",
    "claim top 3",
    "claim link precision",
    "claim link recall",
    "capability accuracy",
    "capability link precision",
    "capability link recall",
    "area accuracy",
    "B-cubed precision",
    "B-cubed recall",
    "B-cubed F1",
    "pairs in a theme that belong together",
    "churn precision",
    "churn recall",
)
_SPANS: Final = {"gold": "gold spans", "predicted": "spans that the model finds"}


def _companies(results: Figures) -> str:
    parts = []
    for kind, title in _SPANS.items():
        kept = results.get("companies", {}).get(kind)
        if kept:
            names = list(kept["figures"])
            rows = [
                [figure, *(_shown(kept["figures"][name].get(figure)) for name in names)]
                for figure in _COMPANY_FIGURES
            ]
            table = markdown_table([title, *names], rows)
            parts.append(f"By `{kept['encoder']}`, {title}:\n\n{table}")
    return "\n\n".join(parts)


def _unlearnt(results: Figures) -> str:
    measured = {tier: one["unlearnt"] for tier, one in _tiers(results).items() if "unlearnt" in one}
    if not measured:
        return ""
    some = next(iter(measured.values()))
    rows = [
        [
            f"macro-F1, {title}",
            f"{some[key]['documents']:,}",
            *(_shown(found[key]["macro_f1"]) for found in measured.values()),
        ]
        for key, title in (
            ("themes", "what customers say of themes"),
            ("texts", "other texts, most without a label"),
        )
    ]
    for place, length in enumerate(some["none"]):
        shares = [_shown(found["none"][place]["share"]) for found in measured.values()]
        title = f"texts without a label of more than {length['words']} words that get one"
        rows.append([title, str(length["documents"]), *shares])
    return markdown_table(["figure", "texts", *measured], rows)


SECTIONS: Final[dict[str, Callable[[Figures], str]]] = {
    "models": _models,
    "gold": _gold,
    "gold-labels": _gold_labels,
    "calibration": _calibration,
    "coverage": _coverage,
    "evidence": _evidence,
    "sources": _sources,
    "transfer": _transfer,
    "transfer-detail": _transfer_detail,
    "prior-shift": _prior_shift,
    "language": _language,
    "learning-curve": _learning_curve,
    "companies": _companies,
    "unlearnt": _unlearnt,
}
"""What a marker of the page may name."""
