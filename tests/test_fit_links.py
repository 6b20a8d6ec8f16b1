"""What links are fitted on: pairs of companies, and how good a rule is on companies that it never saw."""

import json
from itertools import pairwise

import companies
import fit_links
import numpy as np
import pandas as pd
import pytest
from evaluate_themes import invented, scored_from_gold, themed

from classifier.labels import GAP, REQUEST
from classifier.link import FEATURES, Pairs

TEXTS, SPANS = 4, 30
TOLD = 1
"""Which feature tells the right text; the others are noise."""


def company(seed: int) -> fit_links.Known:
    draw = np.random.default_rng(seed)
    right = draw.integers(-1, TEXTS, SPANS)
    features = draw.normal(size=(SPANS, TEXTS, len(FEATURES)))
    features[..., TOLD] = (right[:, None] == np.arange(TEXTS)) + draw.normal(scale=0.1, size=(SPANS, TEXTS))
    rows = pd.DataFrame(
        {
            "document_id": [f"{seed}-{span}" for span in range(SPANS)],
            "expectation_source": "sold",
            "score": 1.0,
        }
    )
    pairs = Pairs(rows, tuple(f"C{text}" for text in range(TEXTS)), features)
    return fit_links.Known(pairs, right, np.ones((SPANS, TEXTS), dtype=bool))


@pytest.mark.parametrize("kind", ["claim", "capability"])
def test_what_tells_the_right_text_is_learnt(kind):
    found = [company(seed) for seed in range(10)]
    rule = fit_links.fit(found, kind, 0.5)
    assert np.argmax(np.abs(rule.weights)) == TOLD
    made, right, there, best = np.sum([fit_links.judged(one, rule) for one in found], axis=0)
    assert there == sum((one.right >= 0).sum() for one in found)
    assert right / made > 0.95
    assert right / there > 0.95
    assert best / there > 0.95


def test_a_higher_least_makes_fewer_links():
    lines = fit_links.cross_fitted([company(seed) for seed in range(10)], "claim")
    recalls = [float(line.split("recall ")[1].split(",")[0]) for line in lines]
    assert len(lines) == len(fit_links.LEAST)
    assert all(first >= second for first, second in pairwise(recalls))


def test_what_may_not_be_is_never_linked():
    one = company(0)
    rule = fit_links.fit([company(1), company(2)], "capability", 0.0)
    some = one.possible.copy()
    some[:, 0] = False
    *_, best = fit_links.judged(fit_links.Known(one.pairs, one.right, some), rule)
    assert best <= (one.right > 0).sum()


def test_invented_companies_are_the_held_out_ones():
    found = list(invented())
    held_out = [one for one in companies.companies() if one["held_out"]]
    assert [one.name for one in found] == [one["company"] for one in held_out]
    scored = scored_from_gold(found[0])
    spans = scored["spans"].str.cat()
    assert GAP in spans
    assert REQUEST in spans
    linked = found[0].gold["claim_id"]
    assert set(linked) - {""} == set(found[0].tables["claims"]["claim_id"])


def test_spans_have_the_themes_of_their_own_company():
    """Taken together, companies must not share themes that are merely numbered alike."""
    known: set[str] = set()
    for scored, gold in themed():
        places = {
            (row["document_id"], span["label"], span["start"])
            for row in scored.to_dict("records")
            for span in json.loads(row["spans"] or "[]")
        }
        assert set(zip(gold["document_id"], gold["label"], gold["start"], strict=True)) == places
        assert gold["theme"].nunique() >= 20
        assert not known & set(gold["theme"])
        known |= set(gold["theme"])
