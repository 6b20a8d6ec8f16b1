"""Results of the demo company as the report gets them: its gold labels stand in for a model's."""

import dataclasses
import functools
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd

from classifier import report, schema
from classifier.labels import LABELS
from classifier.report import Results, Rows, ScoredSummary, manifest, sheets
from classifier.report.folder import prepare_folder

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'><b>{{ 7*7 }}</b> </style>"

DEMO = Path(__file__).parents[1] / "data" / "examples"
WEIGHTS = {"reach": 3.0, "mentions": 2.0, "revenue": 2.0, "trend": 1.0, "severity": 2.0, "recency": 1.0}
DEPARTMENTS = {
    "scheduling": "Product",
    "mobile": "Mobile",
    "invoicing": "Billing",
    "payments": "Billing",
    "integrations": "Billing",
    "portal": "Portal",
    "support": "Support",
    "onboarding": "Onboarding",
    "commercial": "Sales",
}


def scored(limit: int = 1000) -> pd.DataFrame:
    """Return the first documents of the demo company as a table SCORED."""
    gold = pd.read_csv(DEMO / "gold.csv", dtype="str", keep_default_na=False).head(limit)
    origin = _documents().set_index("document_id")
    rows = gold.join(origin, on="document_id")
    table = pd.DataFrame(index=rows.index)
    for name in ("document_id", "source", "channel", "created_at", "account", "stage", "url", "subject"):
        table[name] = rows[name]
    table["amount"], table["segment"], table["language"] = rows["amount"], "", "en"
    for label in LABELS:
        has = rows["labels"].str.split(";").map(lambda names, label=label: label in names)
        text = rows[f"{label}_evidence"]
        table[label], table[f"{label}_score"] = has, np.where(has, 0.9, 0.1)
        table[f"{label}_start"] = pd.array(np.where(has, 0, None), dtype="Int64")
        table[f"{label}_end"] = pd.array([len(one) if one else None for one in text], dtype="Int64")
        table[f"{label}_evidence"] = text
    table["expectation_source"] = rows["expectation_source"]
    table["spans"] = "[]"
    table["review"] = table["pain_point_evidence"].str.len() % 7 == 1
    table["review_reason"] = np.where(table["review"], "uncertain", "")
    table["model_id"] = "default-1"
    return schema.conform(table, schema.SCORED)


@functools.cache
def results(limit: int = 1000, *, has_claims: bool = True) -> Results:
    """Return what the stages would make of those documents, roughly ranked."""
    documents = scored(limit)
    evidence = _evidence(documents)
    product = _product(evidence)
    claims = _claims(evidence) if has_claims else schema.empty(schema.CLAIMS_AT_RISK)
    rejected = pd.DataFrame(
        {
            "file": "sales_notes.csv",
            "row": [17, 204],
            "document_id": "",
            "reason": ["no text", "too many cells"],
        }
    )
    duplicates = pd.DataFrame(
        {
            "file": ["tickets.json"],
            "row": [88],
            "document_id": ["48999"],
            "duplicate_of": ["48214"],
            "kind": ["exact"],
        }
    )
    dropped = pd.DataFrame(
        {
            "file": "tickets.json",
            "row": [5, 9, 31],
            "document_id": ["1", "2", "3"],
            "reason": ["agent"] * 2 + ["auto_reply"],
        }
    )
    return Results(
        title="Kestova: customer feedback",
        currency="EUR",
        model_id="default-1",
        as_of=documents["created_at"].max(),
        rows=Rows(read=len(documents) + 6, scored=len(documents), rejected=2, duplicates=1, dropped=3),
        summary=ScoredSummary.of(documents),
        weights=WEIGHTS,
        themes=_themes(product),
        evidence=evidence.drop(columns="title"),
        product_backlog=product,
        marketing_backlog=_marketing(product, claims),
        claims_at_risk=claims,
        influence=_influence(evidence),
        weekly=_weekly(evidence),
        rejected=schema.conform(rejected, schema.REJECTED),
        duplicates=schema.conform(duplicates, schema.DUPLICATES),
        dropped=schema.conform(dropped, schema.DROPPED),
        has_claims=has_claims,
        warnings=("3 accounts have revenue in another currency than EUR: left out of revenue",),
        names={"OBJ-6": "Get the money flow right"},
    )


def nothing() -> Results:
    """Return the results of a run that read no row."""
    weekly = {"theme_id": "str", "label": "str", "week": schema.TIME, "mentions": "int64"}
    return Results(
        title="Customer feedback",
        currency="USD",
        model_id="default-1",
        as_of=None,
        rows=Rows(),
        summary=ScoredSummary.of(schema.empty(schema.SCORED)),
        weights=WEIGHTS,
        themes=schema.empty(schema.THEMES),
        evidence=schema.empty(schema.EVIDENCE),
        product_backlog=schema.empty(schema.PRODUCT_BACKLOG),
        marketing_backlog=schema.empty(schema.MARKETING_BACKLOG),
        claims_at_risk=schema.empty(schema.CLAIMS_AT_RISK),
        influence=schema.empty(schema.INFLUENCE),
        weekly=schema.empty(weekly),
        rejected=schema.empty(schema.REJECTED),
        duplicates=schema.empty(schema.DUPLICATES),
        dropped=schema.empty(schema.DROPPED),
    )


def hostile_results():
    found = results(60)
    everywhere = {}
    for name in (
        "product_backlog",
        "marketing_backlog",
        "claims_at_risk",
        "influence",
        "evidence",
        "rejected",
    ):
        frame = getattr(found, name).copy()
        for column in frame.columns:
            if frame[column].dtype == "str" and column not in ("theme_id", "claim_id", "labels"):
                frame[column] = HOSTILE
        everywhere[name] = frame
    summary = dataclasses.replace(found.summary, languages={HOSTILE: 1}, channels={HOSTILE: 2})
    return dataclasses.replace(
        found, title=HOSTILE, model_id=HOSTILE, warnings=(HOSTILE,), summary=summary, **everywhere
    )


def _documents() -> pd.DataFrame:
    export = json.loads((DEMO / "tickets.json").read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in export["organizations"]}
    tickets = pd.DataFrame(
        {
            "document_id": [str(one["id"]) for one in export["tickets"]],
            "source": "zendesk",
            "channel": [one["via"]["channel"] for one in export["tickets"]],
            "created_at": [one["created_at"] for one in export["tickets"]],
            "account": [names.get(one["organization_id"], "") for one in export["tickets"]],
            "amount": np.nan,
            "stage": "",
            "url": [
                f"https://kestova.zendesk.example/agent/tickets/{one['id']}" for one in export["tickets"]
            ],
            "subject": [one["subject"] for one in export["tickets"]],
        }
    )
    notes = pd.read_csv(DEMO / "sales_notes.csv", dtype={"Id": "str"})
    sales = pd.DataFrame(
        {
            "document_id": notes["Id"],
            "source": "salesforce",
            "channel": "sales_note",
            "created_at": notes["CreatedDate"],
            "account": notes["AccountName"],
            "amount": notes["Amount"],
            "stage": notes["OpportunityStage"],
            "url": "",
            "subject": notes["Subject"],
        }
    )
    both = pd.concat([tickets, sales], ignore_index=True)
    return both.assign(created_at=pd.to_datetime(both["created_at"], utc=True, format="ISO8601"))


def _evidence(documents: pd.DataFrame) -> pd.DataFrame:
    gold = pd.read_csv(DEMO / "gold.csv", dtype="str", keep_default_na=False).set_index("document_id")
    numbers = {name: f"T-{at:06d}" for at, name in enumerate(sorted(set(gold["theme"]) - {""}), start=1)}
    parts = []
    for label in LABELS:
        rows = documents[documents[label]].join(
            gold[[name for name in gold if name not in documents]], on="document_id"
        )
        part = rows[["document_id", "source", "channel", "account", "created_at", "url"]].copy()
        part["theme_id"] = rows["theme"].map(numbers).fillna("T-999999")
        part["label"], part["area"], part["claim_id"] = label, rows["product_area"], rows["claim_id"]
        part["quote"] = documents[f"{label}_evidence"]
        part["capability_id"], part["competitor"] = rows["capability_id"], rows["competitor"]
        part["churn_risk"] = rows["churn_risk"] == "1"
        part["claim_stance"] = np.where(rows["claim_id"] == "", "", "contradicts")
        part["expectation_source"] = documents["expectation_source"]
        parts.append(part)
    joined = pd.concat(parts).sort_values(["theme_id", "document_id", "label"])
    joined["title"] = joined["theme_id"].map({number: name for name, number in numbers.items()})
    defaults = {"start": 0, "score": 0.9, "claim_score": np.nan}
    for name in schema.EVIDENCE:
        if name not in joined:
            joined[name] = defaults.get(name, "")
    joined["end"] = joined["quote"].str.len()
    return schema.conform(joined, schema.EVIDENCE, extra=["title"])


def _product(evidence: pd.DataFrame) -> pd.DataFrame:
    arr = pd.read_csv(DEMO / "accounts.csv").set_index("account")["arr"]
    last = evidence["created_at"].max()
    rows = []
    for theme_id, part in evidence.groupby("theme_id"):
        accounts = sorted(set(part["account"]) - {""})
        halves = (part["created_at"] > last - pd.Timedelta(days=60)).sum(), len(part)
        trend = (2 * halves[0] - halves[1]) / halves[1]
        title = (part["title"].iloc[0] or "no theme").replace("-", " ")
        quotes = [*part["quote"].drop_duplicates().head(3), "", ""][:3]
        rows.append(
            {
                "theme_id": theme_id,
                "title": title[:1].upper() + title[1:],
                "labels": ";".join(label for label in LABELS if (part["label"] == label).any()),
                "area": part["area"].iloc[0],
                "mentions": part["document_id"].nunique(),
                "expected_true": 0.9 * part["document_id"].nunique(),
                "accounts": len(accounts),
                "revenue": float(arr.reindex(accounts).sum()),
                "share": part["document_id"].nunique() / evidence["document_id"].nunique(),
                "trend": trend,
                "trend_low": max(trend - 0.2, -1.0),
                "trend_high": trend + 0.3,
                "status": ("fading", "steady", "growing", "new")[int(np.digitize(trend, [-0.3, 0.1, 0.5]))],
                "first_seen": part["created_at"].min(),
                "last_seen": part["created_at"].max(),
                "capability_id": max(part["capability_id"]),
                "objective_id": "OBJ-6" if part["area"].iloc[0] == "invoicing" else "",
                "departments": DEPARTMENTS.get(part["area"].iloc[0], ""),
                "document_ids": ";".join(sorted(set(part["document_id"]))[:100]),
                **dict(zip(schema.QUOTES, quotes, strict=True)),
            }
        )
    table = pd.DataFrame(rows)
    for name, column in (("reach", "accounts"), ("mentions", "mentions"), ("revenue", "revenue")):
        table[f"factor_{name}"] = table[column] / table[column].max()
    table["factor_trend"] = (table["trend"].clip(-1, 1) + 1) / 2
    table["factor_severity"], table["factor_recency"] = 0.5, 0.8
    total = sum(weight * table[f"factor_{name}"] for name, weight in WEIGHTS.items())
    table["priority"] = total / sum(WEIGHTS.values())
    table = table.sort_values(["priority", "theme_id"], ascending=[False, True], ignore_index=True)
    table["rank"], table["currency"] = range(1, len(table) + 1), "EUR"
    return _completed(table, schema.PRODUCT_BACKLOG)


def _marketing(product: pd.DataFrame, claims: pd.DataFrame) -> pd.DataFrame:
    kinds = ("unmet_expectation", "education_gap", "objection", "win", "differentiator")
    table = product[
        ["title", "theme_id", "priority", "mentions", "accounts", "revenue", "trend", *schema.QUOTES]
    ].head(12)
    table = table.assign(
        kind=[kinds[at % 5] for at in range(len(table))],
        goal=[("education", "conversion", "brand", "retention")[at % 4] for at in range(len(table))],
        owner=[("Ilse Verbeke", "Devin Marsh", "")[at % 3] for at in range(len(table))],
        next_step="Answer it on the pricing page before the trial ends.",
    )
    if len(claims):
        risky = claims.assign(
            kind="claim_at_risk",
            goal="brand",
            title=claims["claim"].str.split(r"[:.,]").str[0],
            priority=0.9,
            mentions=claims["contradictions"],
            next_step="Correct the wording, or say when it will be true.",
        )
        table = pd.concat([risky, table])
    table["rank"] = range(1, len(table) + 1)
    return _completed(table, schema.MARKETING_BACKLOG)


def _claims(evidence: pd.DataFrame) -> pd.DataFrame:
    claims = pd.read_csv(DEMO / "claims.csv", dtype="str").set_index("claim_id")
    arr = pd.read_csv(DEMO / "accounts.csv").set_index("account")["arr"]
    rows = []
    for claim_id, part in evidence[evidence["claim_id"] != ""].groupby("claim_id"):
        accounts = sorted(set(part["account"]) - {""})
        quotes = [*part["quote"].drop_duplicates().head(3), "", ""][:3]
        rows.append(
            {
                "claim_id": claim_id,
                **claims.loc[claim_id].to_dict(),
                "contradictions": part["document_id"].nunique(),
                "confirmed": 1,
                "accounts": len(accounts),
                "revenue": float(arr.reindex(accounts).sum()),
                "trend": 0.25,
                **dict(zip(schema.QUOTES, quotes, strict=True)),
                "document_ids": ";".join(sorted(set(part["document_id"]))),
            }
        )
    table = pd.DataFrame(rows, columns=[name for name in schema.CLAIMS_AT_RISK if name != "share_of_owner"])
    table["share_of_owner"] = table["contradictions"] / table.groupby("owner")["contradictions"].transform(
        "sum"
    )
    table = table.sort_values(["contradictions", "claim_id"], ascending=[False, True])
    return _completed(table, schema.CLAIMS_AT_RISK)


def _influence(evidence: pd.DataFrame) -> pd.DataFrame:
    named = evidence.assign(department=evidence["area"].map(DEPARTMENTS).fillna(""))
    table = named.groupby(["channel", "label", "area", "department"]).size().rename("mentions").reset_index()
    return _completed(table.assign(share=table["mentions"] / table["mentions"].sum()), schema.INFLUENCE)


def _weekly(evidence: pd.DataFrame) -> pd.DataFrame:
    days = evidence["created_at"].dt.floor("D")
    dated = evidence.assign(week=days - pd.to_timedelta(days.dt.day_of_week, unit="D"))
    keys = ["theme_id", "label", "week"]
    table = (
        pd.concat([dated, dated.assign(theme_id="")]).groupby(keys).size().rename("mentions").reset_index()
    )
    return schema.conform(
        table, {"theme_id": "str", "label": "str", "week": schema.TIME, "mentions": "int64"}
    )


def _themes(product: pd.DataFrame) -> pd.DataFrame:
    table = product[["theme_id", "title", "area", "mentions", "accounts"]].sort_values("theme_id")
    return _completed(table.assign(status="open", created_at=product["first_seen"]), schema.THEMES)


def _completed(table: pd.DataFrame, columns: schema.Table) -> pd.DataFrame:
    missing = {
        name: {schema.STR: "", schema.INT: 0, schema.FLAG: False}.get(dtype)
        for name, dtype in columns.items()
        if name not in table
    }
    return schema.conform(table.assign(**missing), columns)


SETTINGS = {"rank": {"weights": {"reach": 3.0}}, "quotes": "redacted"}


def write_run(out, found, documents, *, settings=SETTINGS, force=False):
    """Write a whole folder the way the pipeline does."""
    with prepare_folder(out, force=force) as staging:
        with report.scored_writer(staging / "scored.parquet") as writer:
            writer.write(documents)
        report.write(staging, found)
        manifest.write(
            staging,
            manifest.build(
                staging,
                rows=found.rows,
                inputs=[{"name": "tickets.json", "sha256": "ab"}],
                model_id=found.model_id,
                settings=settings,
                as_of="2026-06-30",
                versions={"python": "3.11"},
                execution={"seconds": {"score": 1.5}},
            ),
        )
    return out


def copy_of(run, out):
    out.mkdir()
    for path in run.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


def sheets_of(found):
    """Return the workbook of results, as openpyxl reads it."""
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(sheets.workbook_bytes(found)))
