"""The benchmark of themes: its figures, and the page made of them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import bench_themes
import themes_page

AGREEMENT = {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "ari": 0.25, "groups": 7, "alone": 0.125}
COSTS = {"seconds": 12.4, "processor_seconds": 20.6, "peak_mb": 1234.5}
RESULTS = {
    "scale": {
        "measured": "Somewhere.",
        "figures": {
            "100000": {**COSTS, "vectors": "words;static-1-0123456789", "themes": 900, "themes_of_5": 800}
            | {"warnings": ["themes were found among 50,000"]},
            "1000": {**COSTS, "vectors": "words", "themes": 90, "themes_of_5": 8, "warnings": []},
        },
    },
    "quality": {
        "measured": "",
        "figures": {"banking77": {"words": {**AGREEMENT, **COSTS, "texts": 13063}}},
    },
    "sample": {
        "measured": "",
        "figures": {
            "corpus": {"2": {"rows": 20000, "compared": 10000, "told": 0.5, "against_whole": AGREEMENT}},
            "intents": {
                "4": {"rows": 400, "compared": 100, "told": 0.25, "against_whole": AGREEMENT}
                | {"whole": AGREEMENT, "sampled": AGREEMENT}
            },
        },
    },
    "bertopic": {
        "measured": "",
        "figures": {
            "corpus": {
                "ours": {**COSTS, "texts": 20000, "outliers": 0.0, "groups": 5},
                "bertopic": {**COSTS, "texts": 20000, "outliers": 0.4, "groups": 5},
            },
            "banking77": {
                "bertopic": {**COSTS, "texts": 9, "outliers": 0.4, "groups": 5, "quality": AGREEMENT}
                | {"outliers_apart": AGREEMENT}
            },
        },
    },
}


def test_the_page_shows_what_was_measured_and_keeps_the_rest():
    page = "# Benchmarks\n<!-- figures: themes -->\nstale\n<!-- /figures -->\nend\n"
    shown = themes_page.rendered(page, RESULTS)
    assert shown.startswith("# Benchmarks\n")
    assert shown.endswith("<!-- /figures -->\nend\n")
    assert "stale" not in shown
    lines = shown.splitlines()
    assert "| 1,000 | words | 12 | 21 | 1,234 | 90 | 8 |" in lines
    assert "| 100,000 | words, static-1 | 12 | 21 | 1,234 | 900 | 800 |" in lines
    assert "- 100,000: themes were found among 50,000." in lines
    assert any("| .50 | 1.00 | .67 | .25 | 7 | 12.5% |" in line for line in lines)
    assert any("10,000 | .67 | .50 | – |" in line for line in lines)
    assert any("| 40% | .67 (.67) | .25 (.25) |" in line for line in lines)
    assert themes_page.rendered(shown, RESULTS) == shown


def test_a_part_alone_makes_a_page():
    assert themes_page.section({"quality": RESULTS["quality"]}).startswith("### Quality")
    assert themes_page.section({}) == ""


def test_figures_are_kept_beside_former_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- figures: themes -->\n<!-- /figures -->\n", encoding="utf-8")
    monkeypatch.setattr(themes_page, "PAGE", page)
    monkeypatch.setattr(themes_page, "RESULTS", tmp_path / "benchmarks" / "themes.json")
    for size, one in RESULTS["scale"]["figures"].items():
        themes_page.record("scale", {size: one})
    assert page.read_text(encoding="utf-8").count("\n| 1") == 2


def test_bcubed_and_rand_index():
    found = bench_themes.agreement_figures(["a", "a", "b", "b"], [0, 0, 0, 1])
    assert round(found["precision"], 3) == 0.667
    assert (found["recall"], found["groups"], found["alone"]) == (0.75, 2, 0.25)
    assert bench_themes.agreement_figures([1, 1, 2], [5, 5, 4])["ari"] == 1


def test_copies_are_of_other_documents_and_not_the_same_texts():
    spans = pd.DataFrame(
        {"document_id": ["a", "b"], "quote": ["one two three four five six seven eight nine", "ten"]}
    )
    many = bench_themes.multiplied(spans, 5)
    assert many["document_id"].tolist() == ["a", "b", "a-1", "b-1", "a-2"]
    assert many["quote"].nunique() == 3
    assert set(many["quote"]) >= {"ten", "one two three four six seven eight nine"}
    assert len(bench_themes.multiplied(spans, 1)) == 1


def test_a_sample_of_clear_groups_is_right():
    rows = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)[np.random.default_rng(0).permutation(40)]
    gold = rows.argmax(axis=1)
    found = bench_themes.measure_sample(rows, gold, 2, gold)
    assert (found["compared"], found["told"]) == (20, 1.0)
    assert found["sampled"]["f1"] == found["whole"]["f1"] == found["against_whole"]["f1"] == 1
