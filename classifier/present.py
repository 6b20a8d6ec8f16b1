"""What commands tell: as text for people, as JSON for programs (docs/json.md).

In: outcomes. Out: strings and JSON-able dicts. Never prints, never computes a result.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from classifier.labels import LABELS, TITLES

if TYPE_CHECKING:
    import pandas as pd

    from classifier.run import Outcome

TOP = 3
"""Rows of each backlog that a summary shows."""


def outcome_json(command: str, outcome: "Outcome") -> dict[str, Any]:
    """Return the summary of score, report or run."""
    scored = outcome.rows["scored"]
    summary: dict[str, Any] = {
        "command": command,
        "out": outcome.out,
        "model_id": outcome.model_id,
        "rows": dict(outcome.rows),
        "labels": {
            label: {"documents": found, "share": round(found / scored, 6) if scored else 0.0}
            for label, found in outcome.labels.items()
        },
        "review": outcome.review,
    }
    if outcome.results is not None:
        summary["product_backlog"] = _top(
            outcome.results.product_backlog, ("rank", "theme_id", "title", "priority", "mentions")
        )
        summary["marketing_backlog"] = _top(
            outcome.results.marketing_backlog, ("rank", "kind", "title", "priority", "mentions")
        )
    summary |= {
        "warnings": list(outcome.warnings),
        "notes": list(outcome.notes),
        "files": dict(outcome.files),
        "seconds": round(outcome.seconds, 3),
    }
    return summary


def _top(backlog: "pd.DataFrame", columns: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        {str(name): value for name, value in row.items()}
        for row in backlog.head(TOP)[list(columns)].to_dict("records")
    ]
    for row in rows:
        row["priority"] = round(row["priority"], 6)
    return rows


def outcome_text(outcome: "Outcome") -> str:
    """Return the summary of score, report or run, as a few lines."""
    rows = outcome.rows
    left_out = [
        f"{rows[name]:,} {name.removesuffix('s') if rows[name] == 1 else name}"
        for name in ("rejected", "duplicates", "dropped", "merged")
        if rows[name]
    ]
    lines = [
        f"Read {rows['read']:,} rows: {rows['scored']:,} scored" + "".join(f", {part}" for part in left_out)
    ]
    for label in LABELS:
        share = 100 * outcome.labels[label] / rows["scored"] if rows["scored"] else 0
        lines.append(f"  {TITLES[label] + 's':<17}{outcome.labels[label]:>9,}  {share:3.0f} %")
    lines.append(f"  {'to review':<17}{outcome.review:>9,}")
    if outcome.results is not None:
        lines += ["", "Product backlog, top of " + _count(outcome.results.product_backlog, "theme")]
        lines += _lines(outcome.results.product_backlog, "labels")
        lines += ["", "Marketing backlog, top of " + _count(outcome.results.marketing_backlog, "row")]
        lines += _lines(outcome.results.marketing_backlog, "kind")
    lines += ["", f"{_where(outcome)}  ({outcome.seconds:.1f} s, model {outcome.model_id})"]
    return "\n".join(lines)


def _count(frame: "pd.DataFrame", noun: str) -> str:
    return f"{len(frame):,} {noun}{'' if len(frame) == 1 else 's'}"


def _lines(backlog: "pd.DataFrame", kind: str) -> list[str]:
    if backlog.empty:
        return ["  (none)"]
    return [
        f"  {row.rank}. {row.title}  [{getattr(row, kind).replace(';', ', ').replace('_', ' ')}; "
        f"priority {row.priority:.2f}, {row.mentions} document{'' if row.mentions == 1 else 's'}]"
        for row in backlog.head(TOP).itertuples()
    ]


def _where(outcome: "Outcome") -> str:
    if outcome.results is not None:
        return f"Report: {outcome.files['report.html']}"
    return f"Scored rows: {outcome.out if outcome.out != '-' else 'standard output'}"


def explanation_text(explanation: Mapping[str, Any]) -> str:
    """Return what `explain` found, as text."""
    lines = [
        f"model {explanation['model_id']}, language {explanation['language'] or 'undecided'}, "
        f"decided by the {explanation['tier']} tier"
    ]
    if explanation["review"]:
        lines.append(f"a person should look: {explanation['review_reason']}")
    if explanation["too_short"]:
        lines.append("too short to decide on: the model knows but one word of it, or none")
    if explanation["tier"] == "accurate":
        lines.append(
            "it has no n-grams; those below are the fast tier's, which it weighs in with its own reading"
        )
    for label, one in explanation["labels"].items():
        verdict = "yes" if one["decision"] else "no"
        lines.append("")
        lines.append(
            f"{TITLES[label]}: {verdict}  ({one['probability']:.2f}, threshold {one['threshold']:.2f})"
        )
        if one["evidence"]:
            evidence = one["evidence"]
            lines.append(
                f"  evidence [{evidence['start']}:{evidence['end']}]: {' '.join(evidence['text'].split())}"
            )
        lines += [f"  {gram['weight']:+.2f}  {gram['ngram']}" for gram in one["ngrams"]]
    if explanation["expectation_source"]:
        lines += ["", f"expectation from: {explanation['expectation_source']}"]
    return "\n".join(lines)


def sources_text(sources: Sequence[Mapping[str, Any]], formats: Sequence[Mapping[str, Any]]) -> str:
    """Return the input sources and formats, as text."""
    lines = ["Sources (who wrote the export; --source NAME, found by its content otherwise)"]
    for source in sources:
        lines += ["", f"  {source['name']}: {source['title']}"]
        lines.append(f"    recognised by: {source['recognised_by']}")
        lines += [f"    {column:<14}from {_first(names)}" for column, names in source["columns"].items()]
    lines += ["", "Formats (how it is written; found by content)"]
    lines += [f"  {one['name']:<9}{one['title']}" for one in formats]
    return "\n".join(lines)


def _first(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    return ", ".join(different[:6]) + (", …" if len(different) > 6 else "")
