"""Measure areas, themes, links, competitors and signs of leaving on companies with gold tables.

In: folders with gold.csv beside a company's texts and tables. Out: a table of figures with 95 %
bootstrap intervals; of the invented companies that nothing was learnt from (`companies.py`), links of those
with promises and themes of the others.

Usage: python scripts/evaluate_themes.py --data-root FOLDER [--scored FOLDER] [--encoder NAME]
"""

import argparse
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import companies as made
import numpy as np
import pandas as pd
import quality_page
from sklearn.metrics import v_measure_score

from classifier import backlogs, schema, sentences, settings
from classifier.entities import find_churn, find_competitors
from classifier.labels import LABELS
from classifier.sentences import SentenceEncoder
from classifier.settings import Settings

REPLICATES = 1_000
TABLES = {"claims": schema.CLAIMS, "capabilities": schema.CAPABILITIES}


@dataclass(frozen=True)
class Company:
    """One company's texts, tables and gold."""

    name: str
    documents: pd.DataFrame  # document_id, subject, text, tags, created_at, account, channel
    gold: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    settings: Settings


def companies(root: Path, examples: Path) -> Iterator[Company]:
    """Read every folder under `root` that holds a gold.csv with themes."""
    for path in sorted(root.rglob("gold.csv")):
        gold = _csv(path)
        if "theme" in gold:
            yield _company(path.parent, gold, examples)


def invented() -> Iterator[Company]:
    """Yield the invented companies that are held out; of each label a document's first span counts."""
    for one in made.companies():
        if one["held_out"]:
            yield _invented(one)


def _invented(one: Mapping[str, Any]) -> Company:
    rows = []
    for number, document in enumerate(one["documents"]):
        first = {span["label"]: span for span in reversed(document["spans"])}
        gap, request = first.get(LABELS[2], {}), first.get(LABELS[1], {})
        rows.append(
            {
                "document_id": str(number),
                "text": document["text"],
                **{f"{label}_evidence": first.get(label, {}).get("quote", "") for label in LABELS},
                "expectation_source": gap.get("source", ""),
                "claim_id": gap.get("claim", ""),
                "capability_id": request.get("capability", ""),
                "theme": "",
                "product_area": "",
            }
        )
    table = pd.DataFrame(rows)
    said = table[["document_id", "text"]].assign(
        subject="", tags="", created_at=_WRITTEN, account="", channel="email"
    )
    tables = {
        name: _filled(pd.DataFrame(one[name]).rename(columns={"id": f"{kind}_id"}), columns)
        for (name, columns), kind in zip(TABLES.items(), ("claim", "capability"), strict=True)
    }
    return Company(
        one["company"], said, table.drop(columns="text"), tables, settings.parse({}, origin="invented")
    )


def themed() -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield table SCORED of each held-out company with themes, and the theme of each of its spans."""
    for one in made.companies(made.THEMES):
        if one["held_out"]:
            rows = [made.placed(document) for document in one["documents"]]
            known = [
                {**span, "document_id": str(number), "theme": f"{one['company']} {span['theme']}"}
                for number, spans in enumerate(rows)
                for span in spans
            ]
            gold = pd.DataFrame(known)[["document_id", "label", "start", "theme"]]
            yield _said(one, rows), gold.drop_duplicates(["document_id", "label", "start"])


def _said(one: Mapping[str, Any], rows: Sequence[Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return what a perfect model would say of a company's documents."""
    written = pd.Timestamp(_WRITTEN)
    columns = {name: _blank(dtype, len(rows)) for name, dtype in schema.SCORED.items()}
    columns |= {
        "document_id": pd.Series(map(str, range(len(rows)))),
        "channel": pd.Series([document["channel"] for document in one["documents"]]),
        "created_at": pd.Series([written] * len(rows)),
        "spans": pd.Series([json.dumps(spans) if spans else "" for spans in rows]),
    }
    return schema.conform(pd.DataFrame(columns), schema.SCORED)


_WRITTEN: Final = "2026-03-01T00:00:00Z"
"""When the invented texts are taken to be written: nothing about them depends on it."""


def _company(folder: Path, gold: pd.DataFrame, examples: Path) -> Company:
    tables = {name: _table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    documents = _zendesk(folder) if (folder / "tickets.json").exists() else _flat(folder)
    return Company(folder.name, documents, gold, tables, _settings(folder, examples))


def _csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _table(path: Path, columns: schema.Table) -> pd.DataFrame:
    return _filled(_csv(path), columns)


def _filled(table: pd.DataFrame, columns: schema.Table) -> pd.DataFrame:
    """Return a table with all its columns, empty where the file has none."""
    table = table.reindex(columns=list(columns), fill_value="")
    for name, dtype in columns.items():
        if dtype == schema.TIME:
            table[name] = pd.to_datetime(table[name].replace("", None), utc=True)
    return schema.conform(table, columns)


def _flat(folder: Path) -> pd.DataFrame:
    table = _csv(folder / "documents.csv").rename(columns={"kind": "channel"})
    return table.assign(subject="", tags="")


def _zendesk(folder: Path) -> pd.DataFrame:
    export = json.loads((folder / "tickets.json").read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in export["organizations"]}
    tickets = pd.DataFrame(
        {
            "document_id": str(ticket["id"]),
            "subject": ticket["subject"] or "",
            "text": ticket["description"] or "",
            "tags": ";".join(ticket["tags"]),
            "created_at": ticket["created_at"],
            "account": names.get(ticket["organization_id"], ""),
            "channel": ticket["via"]["channel"],
        }
        for ticket in export["tickets"]
    )
    renamed = {"Id": "document_id", "Subject": "subject", "Description": "text", "CreatedDate": "created_at"}
    notes = _csv(folder / "sales_notes.csv").rename(columns={**renamed, "AccountName": "account"})
    notes = notes.assign(tags="", channel="sales_note")
    return pd.concat([tickets, notes[tickets.columns]]).drop_duplicates("document_id")


def _settings(folder: Path, examples: Path) -> Settings:
    """Take classifier.toml where there is one; else areas.csv, and competitors from company.md."""
    for path in (folder / "classifier.toml", examples / "classifier.toml"):
        if path.exists() and (path.parent == folder or not (folder / "areas.csv").exists()):
            return settings.load(path)
    with (folder / "areas.csv").open(encoding="utf-8", newline="") as lines:
        areas = {row["area"]: row["phrases"].split(";") for row in csv.DictReader(lines)}
    about = (folder / "company.md").read_text(encoding="utf-8")
    listed = re.search(r"\*\*Competitors[^:]*:?([^.]*)", about)
    names = re.findall(r"([A-Z]\w+(?: [A-Z]\w+)*) \(", listed[1] if listed else "")
    raw = {"areas": areas, "competitors": {name: [] for name in names}, "themes": {"area_column": "tags"}}
    return settings.parse(raw, origin=str(folder))


def scored_from_gold(company: Company) -> pd.DataFrame:
    """Return table SCORED as a perfect model would write it: gold labels, gold spans."""
    rows = company.gold.merge(company.documents, on="document_id")
    table = pd.DataFrame({name: _blank(dtype, len(rows)) for name, dtype in schema.SCORED.items()}).assign(
        **{name: rows[name] for name in ("document_id", "channel", "account", "subject", "tags")}
    )
    table["expectation_source"] = rows["expectation_source"]
    table["created_at"] = pd.to_datetime(rows["created_at"], utc=True, format="ISO8601")
    table["spans"] = [_spans(row) for row in rows.to_dict("records")]
    return schema.conform(table, schema.SCORED, extra=["tags"])


def _scored_by_model(path: Path) -> pd.DataFrame:
    """Return scored rows; companies whose exports have no tags have none here, too."""
    table = pd.read_parquet(path)
    return table if "tags" in table else table.assign(tags="")


def _blank(dtype: str, size: int) -> pd.Series:
    value = {schema.STR: "", schema.FLAG: False, schema.REAL: 0.0}.get(dtype, pd.NA)
    return pd.Series([value] * size, dtype=dtype)


def _spans(row: Mapping[str, str]) -> str:
    spans = []
    for label in LABELS:
        quote = row[f"{label}_evidence"]
        if quote:
            start = max(row["text"].find(quote), 0)
            end = start + len(quote)
            spans.append({"label": label, "start": start, "end": end, "score": 1.0, "quote": quote})
    return json.dumps(spans)


def linked(company: Company, scored: pd.DataFrame, encoder: SentenceEncoder, wanted: str) -> pd.DataFrame:
    """Return the evidence after links and themes."""
    built = backlogs.build(
        scored,
        settings=replace(company.settings, themes=replace(company.settings.themes, encoder=wanted)),
        references=company.tables,
        as_of=None,
        sentences=lambda: encoder,
    )
    return built.evidence


Figure = Callable[[pd.DataFrame], float]

PAIRS: Final = "pairs in a theme that belong together"
"""Of documents, whose spans count once: what somebody finds who opens a theme."""


def with_bcubed(rows: pd.DataFrame) -> pd.DataFrame:
    """Add each span's B-cubed precision and recall (Bagga and Baldwin, 1998)."""
    together = rows.groupby(["theme_id", "theme"])["document_id"].transform("size")
    return rows.assign(
        precision=together / rows.groupby("theme_id")["document_id"].transform("size"),
        recall=together / rows.groupby("theme")["document_id"].transform("size"),
    )


def pairs_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return of each document how many others its theme holds, and how many of these share its gold theme."""
    documents = rows[["document_id", "theme_id", "theme"]].drop_duplicates()
    there = documents.groupby("theme_id")["document_id"]
    alike = documents.groupby(["theme_id", "theme"])["document_id"]
    return documents.assign(others=there.transform("size") - 1, alike=alike.transform("size") - 1)


def _f1(rows: pd.DataFrame) -> float:
    precision, recall = rows["precision"].mean(), rows["recall"].mean()
    return float(2 * precision * recall / (precision + recall))


# Resampled are the spans' own figures, not the themes: a document drawn twice would agree with itself.
THEME_FIGURES: dict[str, Figure] = {
    "B-cubed precision": lambda rows: float(rows["precision"].mean()),
    "B-cubed recall": lambda rows: float(rows["recall"].mean()),
    "B-cubed F1": _f1,
}


def _theme_figures(grouped: pd.DataFrame) -> Iterator[tuple[str, float, float, float]]:
    v_measure = float(v_measure_score(grouped["theme"], grouped["theme_id"]))
    yield "V-measure", v_measure, float("nan"), float("nan")
    for name, figure in THEME_FIGURES.items():
        yield name, *_interval(grouped, figure)
    yield (
        PAIRS,
        *_interval(pairs_of(grouped), lambda some: some["alike"].sum() / max(some["others"].sum(), 1)),
    )


def figures(company: Company, evidence: pd.DataFrame) -> Iterator[tuple[str, float, float, float]]:
    """Yield (name, value, low, high): intervals of 95 % by resampling documents."""
    rows = evidence[evidence["label"] != ""].merge(company.gold, on="document_id", suffixes=("", "_gold"))
    grouped = with_bcubed(rows[rows["theme"] != ""])
    yield from _theme_figures(grouped)
    yield (
        "area accuracy",
        *_interval(grouped, lambda some: float((some["area"] == some["product_area"]).mean())),
    )
    yield from _link_figures(rows[rows["label"] == LABELS[2]], "claim", "claim_id")
    yield from _link_figures(rows[rows["label"] == LABELS[1]], "capability", "capability_id")
    yield from _mention_figures(company)


def _link_figures(rows: pd.DataFrame, name: str, column: str) -> Iterator[tuple[str, float, float, float]]:
    gold = f"{column}_gold"
    with_gold = rows[rows[gold] != ""]
    if name == "claim":
        yield "claim top 1", *_interval(with_gold, lambda some: _within(some, gold, 1))
        yield "claim top 3", *_interval(with_gold, lambda some: _within(some, gold, 3))
    else:
        yield (
            f"{name} accuracy",
            *_interval(with_gold, lambda some: float((some[column] == some[gold]).mean())),
        )
    yield f"{name} link precision", *_interval(rows, lambda some: _link(some, column, gold)[0])
    yield f"{name} link recall", *_interval(rows, lambda some: _link(some, column, gold)[1])


def _within(rows: pd.DataFrame, gold: str, first: int) -> float:
    pairs = zip(rows["claim_candidates"], rows[gold], strict=True)
    return float(np.mean([claim in candidates.split(";")[:first] for candidates, claim in pairs]))


def _link(rows: pd.DataFrame, column: str, gold: str) -> tuple[float, float]:
    right = ((rows[column] == rows[gold]) & (rows[gold] != "")).sum()
    return right / max((rows[column] != "").sum(), 1), right / max((rows[gold] != "").sum(), 1)


def _mention_figures(company: Company) -> Iterator[tuple[str, float, float, float]]:
    """Measure competitors and signs of leaving on the full texts, as scoring does."""
    rows = company.documents.merge(
        company.gold[["document_id", "competitor", "churn_risk"]], on="document_id"
    )
    said = rows["subject"] + "\n" + rows["text"]
    rows["found"] = find_competitors(said, company.settings.competitors)
    rows["leaving"] = find_churn(said, company.settings.competitors)
    rows["gold_leaving"] = rows["churn_risk"] == "1"
    for place, name in enumerate(("precision", "recall")):
        yield f"competitor {name}", *_interval(rows, lambda some, i=place: _named(some)[i])
    for name, by in (("precision", "leaving"), ("recall", "gold_leaving")):
        yield f"churn {name}", *_interval(rows, lambda some, by=by: _both(some) / max(some[by].sum(), 1))


def _named(rows: pd.DataFrame) -> tuple[float, float]:
    pairs = [
        ({*found.split(";")} - {""}, {*gold.split(";")} - {""})
        for found, gold in zip(rows["found"], rows["competitor"], strict=True)
    ]
    right = sum(len(found & gold) for found, gold in pairs)
    return right / max(sum(len(f) for f, _ in pairs), 1), right / max(sum(len(g) for _, g in pairs), 1)


def _both(rows: pd.DataFrame) -> float:
    return float((rows["leaving"] & rows["gold_leaving"]).sum())


def _interval(rows: pd.DataFrame, figure: Figure) -> tuple[float, float, float]:
    if rows.empty:
        return (float("nan"),) * 3
    draw = np.random.default_rng(0)
    documents = rows["document_id"].unique()
    places = rows.reset_index(drop=True).groupby("document_id").indices
    replicates = []
    for _ in range(REPLICATES):
        drawn = draw.choice(documents, len(documents))
        replicates.append(figure(rows.iloc[np.concatenate([places[one] for one in drawn])]))
    low, high = np.quantile(replicates, [0.025, 0.975])
    return figure(rows), float(low), float(high)


Told = Mapping[str, tuple[float, float, float]]


def measured(
    found: Sequence[Company], scored: Path | None, encoder: SentenceEncoder, wanted: str
) -> Iterator[tuple[str, Told]]:
    """Yield the figures of each company, then those of the invented ones together."""
    for company in found:
        given = _scored_by_model(scored / f"{company.name}.parquet") if scored else scored_from_gold(company)
        evidence = linked(company, given, encoder, wanted)
        yield company.name, {name: rest for name, *rest in figures(company, evidence)}
    if not scored:
        links = _links_of_all(list(invented()), encoder, wanted)
        yield "invented", {name: rest for name, *rest in (*_themes_of_all(encoder, wanted), *links)}


def _themes_of_all(encoder: SentenceEncoder, wanted: str) -> Iterator[tuple[str, float, float, float]]:
    """Yield the figures of themes over the companies of `themed`: each is grouped by itself."""
    chosen = settings.parse({"themes": {"encoder": wanted}}, origin="invented")
    rows = []
    for place, (scored, gold) in enumerate(themed()):
        built = backlogs.build(scored, settings=chosen, references={}, as_of=None, sentences=lambda: encoder)
        found = built.evidence.merge(gold, on=["document_id", "label", "start"])
        rows.append(found.assign(**{name: f"{place} " + found[name] for name in ("theme_id", "document_id")}))
    yield from _theme_figures(with_bcubed(pd.concat(rows, ignore_index=True)))


def _links_of_all(
    found: Sequence[Company], encoder: SentenceEncoder, wanted: str
) -> Iterator[tuple[str, float, float, float]]:
    """Yield the figures of links over several companies."""
    rows = []
    for company in found:
        evidence = linked(company, scored_from_gold(company), encoder, wanted)
        both = evidence[evidence["label"] != ""].merge(company.gold, on="document_id", suffixes=("", "_gold"))
        rows.append(both.assign(document_id=f"{company.name} " + both["document_id"]))
    together = pd.concat(rows, ignore_index=True)
    yield from _link_figures(together[together["label"] == LABELS[2]], "claim", "claim_id")
    yield from _link_figures(together[together["label"] == LABELS[1]], "capability", "capability_id")


def main() -> None:
    """Print the figures of every company, and keep them for docs/quality.md where all is by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, required=True, help="folder that holds companies' folders")
    parser.add_argument("--scored", type=Path, help="folder of <company>.parquet scored by a model")
    parser.add_argument(
        "--encoder", choices=settings.ENCODERS, default="auto", help="what texts are compared by"
    )
    chosen = parser.parse_args()
    found = list(companies(chosen.data_root, Path(__file__).parents[1] / "data" / "examples"))
    encoder = sentences.load()
    kept = {}
    for company, told in measured(found, chosen.scored, encoder, chosen.encoder):
        print(f"\n{company}")
        for name, (value, low, high) in told.items():
            print(f"  {name:28} {value:.3f}  [{low:.3f}, {high:.3f}]")
        kept[company] = {
            name: dict(zip(("value", "low", "high"), one, strict=True)) for name, one in told.items()
        }
    if chosen.encoder == "auto":
        kind = "predicted" if chosen.scored else "gold"
        quality_page.record("companies", {kind: {"encoder": encoder.model_id, "figures": kept}})


if __name__ == "__main__":
    main()
