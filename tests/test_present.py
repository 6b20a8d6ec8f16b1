import json
from dataclasses import replace

from report_samples import nothing, results

from classifier import present
from classifier.labels import GAP, LABELS, PAIN, REQUEST
from classifier.run import Outcome

ROWS = {"read": 1234, "scored": 1200, "rejected": 4, "duplicates": 20, "dropped": 10, "merged": 0}
OUTCOME = Outcome(
    out="report",
    rows=ROWS,
    labels={PAIN: 600, REQUEST: 120, GAP: 1},
    review=37,
    model_id="default-1-abc",
    notes=("tickets.json: read as zendesk",),
    warnings=("4 row(s) could not be read; see rejected.csv",),
    seconds=12.34567,
    results=results(200),
    files={"report.html": "report/report.html"},
)
SCORED_ONLY = replace(OUTCOME, out="scored.csv", results=None, files={})
NONE = replace(
    OUTCOME,
    rows=dict.fromkeys(ROWS, 0),
    labels=dict.fromkeys(LABELS, 0),
    review=0,
    results=nothing(),
)


def test_summary_as_text():
    lines = present.outcome_text(OUTCOME).splitlines()
    assert lines[:6] == [
        "Read 1,234 rows: 1,200 scored, 4 rejected, 20 duplicates, 10 dropped",
        "  pain points            600   50 %",
        "  feature requests       120   10 %",
        "  expectation gaps         1    0 %",
        "  to review               37",
        "",
    ]
    product = OUTCOME.results.product_backlog
    assert lines[6] == f"Product backlog, top of {len(product)} themes"
    first = product.iloc[0]
    assert lines[7].startswith(f"  1. {first['title']}  [")
    assert f"priority {first['priority']:.2f}, {first['mentions']} document" in lines[7]
    assert [line[:5] for line in lines[7:10]] == ["  1. ", "  2. ", "  3. "]
    assert lines[-1] == "Report: report/report.html  (12.3 s, model default-1-abc)"


def test_summary_of_score_alone():
    assert (
        present.outcome_text(SCORED_ONLY).splitlines()[-1]
        == "Scored rows: scored.csv  (12.3 s, model default-1-abc)"
    )
    assert "Scored rows: standard output" in present.outcome_text(replace(SCORED_ONLY, out="-"))
    assert "backlog" not in present.outcome_text(SCORED_ONLY)


def test_summary_of_nothing():
    text = present.outcome_text(NONE)
    assert "Read 0 rows: 0 scored\n" in text
    assert "  pain points              0    0 %\n" in text
    assert text.count("  (none)") == 2


def test_one_document_and_one_theme_are_singular():
    one = OUTCOME.results.product_backlog.head(1).assign(
        mentions=1, labels=f"{PAIN};{GAP}", title="Slow export"
    )
    text = present.outcome_text(replace(OUTCOME, results=replace(OUTCOME.results, product_backlog=one)))
    assert "top of 1 theme\n" in text
    assert "Slow export  [pain point, expectation gap; priority" in text
    assert "1 document]" in text


def test_summary_as_json():
    found = present.outcome_json("run", OUTCOME)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == [
        "command",
        "out",
        "model_id",
        "rows",
        "labels",
        "review",
        "product_backlog",
        "marketing_backlog",
        "warnings",
        "notes",
        "files",
        "seconds",
    ]
    assert found["rows"] == ROWS
    assert found["labels"][PAIN] == {"documents": 600, "share": 0.5}
    assert found["labels"][GAP]["share"] == 0.000833
    assert found["seconds"] == 12.346
    assert len(found["product_backlog"]) == len(found["marketing_backlog"]) == present.TOP
    assert set(found["product_backlog"][0]) == {"rank", "theme_id", "title", "priority", "mentions"}
    assert set(found["marketing_backlog"][0]) == {"rank", "kind", "title", "priority", "mentions"}


def test_json_of_score_alone_and_of_nothing():
    assert not {"product_backlog", "marketing_backlog"} & set(present.outcome_json("score", SCORED_ONLY))
    found = present.outcome_json("run", NONE)
    assert found["product_backlog"] == found["marketing_backlog"] == []
    assert found["labels"][PAIN] == {"documents": 0, "share": 0.0}


def explanation(**changes):
    label = {"probability": 0.125, "threshold": 0.5, "decision": False, "evidence": None, "ngrams": []}
    found = {
        **label,
        "probability": 0.91234,
        "decision": True,
        "evidence": {"start": 3, "end": 20, "text": "It\n  crashed."},
        "ngrams": [{"ngram": "crashed", "weight": 1.234}, {"ngram": "thanks", "weight": -0.5}],
    }
    return {
        "model_id": "default-1-abc",
        "tier": "accurate",
        "language": "en",
        "labels": {PAIN: found, REQUEST: label, GAP: label},
        "expectation_source": "told",
        "review": True,
        "too_short": False,
        "review_reason": "uncertain",
        **changes,
    }


def test_an_explanation():
    assert present.explanation_text(explanation()).splitlines() == [
        "model default-1-abc, language en, decided by the accurate tier",
        "a person should look: uncertain",
        "it has no n-grams; those below are the fast tier's, which it weighs in with its own reading",
        "",
        "pain point: yes  (0.91, threshold 0.50)",
        "  evidence [3:20]: It crashed.",
        "  +1.23  crashed",
        "  -0.50  thanks",
        "",
        "feature request: no  (0.12, threshold 0.50)",
        "",
        "expectation gap: no  (0.12, threshold 0.50)",
        "",
        "expectation from: told",
    ]


def test_an_explanation_without_source_review_and_language():
    text = present.explanation_text(
        explanation(language="", expectation_source="", review=False, review_reason="")
    )
    assert text.startswith("model default-1-abc, language undecided, decided by the accurate tier\n")
    assert "expectation from" not in text
    assert "a person should look" not in text


def test_sources():
    columns = {"body": ["a", "b", "b", "c", "d", "e", "f", "g"], "subject": ["title"]}
    source = {"name": "zendesk", "title": "Zendesk export", "recognised_by": "its keys", "columns": columns}
    assert present.sources_text([source], [{"name": "csv", "title": "delimited text"}]).splitlines() == [
        "Sources (who wrote the export; --source NAME, found by its content otherwise)",
        "",
        "  zendesk: Zendesk export",
        "    recognised by: its keys",
        "    body          from a, b, c, d, e, f, …",
        "    subject       from title",
        "",
        "Formats (how it is written; found by content)",
        "  csv      delimited text",
    ]
