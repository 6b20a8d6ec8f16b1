"""Evidence written by compiled code equals what the readable rule gives, whatever the text."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import classify, redact, spanfill, spans, split
from classifier.classify import Scores
from classifier.hashes import hash_column
from classifier.labels import LABELS
from classifier.redact.marks import may_need_masks

PIECES = st.sampled_from(
    [
        *(
            "It broke again.",
            "Großartig! ",
            "日本語。",
            "😡",
            '"quoted" \\ back',
            "\n",
            "\t",
            "\x01",
            "a" * 320,
            " ",
        ),
        *(
            "Write to lou@example.com please.",
            "lou (at) example (dot) com",
            "see www.example.com/x",
            "x.io/a",
        ),
        *(
            "https://a.example.com/b?c=d.",
            "Call +1 555 010 4471.",
            "DE89 3704 0044 0532 0130 00",
            "4111 1111 1111",
        ),
        *(
            "1111 now.",
            "Lou Ferrante said so.",
            "Acme is cheaper.",
            "v2.3",
            "me AT example DOT com",
            "٠١٢٣٤٥٦٧٨٩",
            "(ät)",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map(" ".join))


def scores_of(texts: list[str], seed: int) -> Scores:
    """Return scores with random evidence for the units of the texts."""
    places = [split.units(text) for text in texts]
    first = np.cumsum([0, *map(len, places)])
    flat = np.array([place for row in places for place in row], dtype=np.int32).reshape(-1, 2)
    draw = np.random.default_rng(seed)
    shape = (len(flat), len(LABELS))
    chances = np.array(
        [0.0, 1.0, 0.5, 0.25, 1.2e-5, 5e-6, 1e-5, 0.1234567, 2**-7, 0.9999997], dtype=np.float32
    )
    zeros = np.zeros((len(texts), len(LABELS)))
    kind = draw.random(shape)
    return Scores(
        probability=zeros.astype(np.float32),
        decision=zeros > 0,
        close=zeros > 0,
        known=zeros[:, 0].astype(np.float32),
        first=first,
        start=flat[:, 0],
        end=flat[:, 1],
        unit_probability=draw.choice(chances, size=shape),
        evidence=kind < 0.5,
        nearby=kind > 0.7,
        source=np.full(len(texts), -1),
        deciding=np.zeros((len(texts), len(LABELS), 2), dtype=np.int64),
        refined=zeros[:, 0] > 0,
        again=np.zeros(len(flat), dtype=np.bool_),
    )


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(0, 99), st.booleans(), st.booleans())
@example(["Acme: lou@example.com", ""], 1, True, True)
@settings(max_examples=150)
def test_compiled_rows_equal_the_readable_rule(texts, seed, quotes, with_people):
    scores = scores_of(texts, seed)
    people = "Lou Ferrante;Bo" if with_people else ""
    documents = pd.DataFrame({"account": [""] * len(texts), "people": [people] * len(texts)}, dtype="str")
    readable = np.arange(len(texts)) % 3 < 2
    rivals = {"Acme": ()} if with_people else {}
    column = pd.Series(texts, dtype="str")
    found = spans.columns_of(column, documents, scores, readable, quotes=quotes, competitors=rivals)
    for row, text in enumerate(texts):
        units = range(scores.first[row], scores.first[row + 1])
        named = {
            unit: ["Acme"]
            for unit in units
            if rivals and "Acme" in text[scores.start[unit] : scores.end[unit]]
        }
        names = tuple(filter(None, people.split(";")))
        document = spans.Document(text, names, bool(readable[row]), False, named)
        expected = spans.spans_of_row(scores, row, document, quotes)
        assert found["spans"][row] == spans.to_json(expected)
        for label in LABELS:
            own = [span for span in expected if span["label"] == label]
            best = max(own, key=lambda span: (span["score"], -span["start"])) if own else None
            assert found[f"{label}_evidence"][row] == (best["quote"] if best else "")
            start = found[f"{label}_start"][row]
            assert (pd.isna(start) and best is None) or start == best["start"]
            end = found[f"{label}_end"][row]
            assert (pd.isna(end) and best is None) or end == best["end"]


def chances_of(lengths: list[int], chances: list[float]) -> Scores:
    """Return scores of one document: units of these lengths, a space apart; below .2 is no evidence alone."""
    scores = scores_of([" ".join("a" * (length - 1) + "." for length in lengths)], 0)
    assert (scores.end - scores.start).tolist() == lengths
    chance = np.zeros_like(scores.unit_probability)
    chance[:, 0] = chances
    return replace(
        scores, unit_probability=chance, evidence=chance >= 0.2, nearby=(chance > 0) & (chance < 0.2)
    )


@pytest.mark.parametrize(
    ("lengths", "chances", "expected"),
    [
        ([20, 20, 20], [0.5, 0.75, 0.5], [(0, 62, 0.75)]),
        # A unit that is no evidence parts two spans.
        ([20, 20, 20], [0.5, 0.0, 0.75], [(0, 20, 0.5), (42, 62, 0.75)]),
        # The stronger neighbour first; then no more room.
        ([140, 140, 140], [0.25, 0.75, 0.5], [(0, 140, 0.25), (141, 422, 0.75)]),
        ([140, 140, 140], [0.5, 0.75, 0.5], [(0, 281, 0.75), (282, 422, 0.5)]),
        # 300 code points with the space between are allowed, 301 aren't.
        ([149, 150], [0.5, 0.5], [(0, 300, 0.5)]),
        ([150, 150], [0.5, 0.5], [(0, 150, 0.5), (151, 301, 0.5)]),
        # A stronger neighbour that is too long doesn't keep the weaker one out.
        ([280, 60, 20], [0.5, 0.75, 0.25], [(0, 280, 0.5), (281, 362, 0.75)]),
        # What is near evidence belongs to it where it lies beside it, and is none alone.
        ([20, 20, 20, 20, 20], [0.1, 0.5, 0.1, 0.0, 0.1], [(0, 62, 0.5)]),
        ([20, 20, 20], [0.5, 0.1, 0.75], [(0, 62, 0.75)]),
        ([20, 20, 20], [0.0, 0.1, 0.0], []),
        ([140, 140, 140], [0.1, 0.75, 0.15], [(141, 422, 0.75)]),
        # Evidence that the room of a stronger one doesn't reach takes the rest.
        ([140, 140, 140, 140], [0.5, 0.1, 0.1, 0.75], [(0, 281, 0.5), (282, 563, 0.75)]),
    ],
)
def test_neighbouring_evidence_is_one_span(lengths, chances, expected):
    scores = chances_of(lengths, chances)
    assert classify.spans_of(scores, 0) == [(LABELS[0], *span) for span in expected]


@given(st.lists(st.tuples(st.integers(5, 300), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75])), max_size=14))
@settings(max_examples=100)
def test_spans_hold_each_evidence_unit_once(units):
    scores = chances_of([length for length, _ in units], [chance for _, chance in units])
    found = classify.spans_of(scores, 0)
    assert all(end - start <= split.MAX_UNIT for _, start, end, _ in found)
    places = list(zip(scores.start.tolist(), scores.end.tolist(), scores.unit_probability[:, 0], strict=True))
    held = [
        [(start, end, chance) for start, end, chance in places if start >= span[1] and end <= span[2]]
        for span in found
    ]
    assert all(chance > 0 for inside in held for *_, chance in inside)
    evidence = [[unit for unit in inside if unit[2] >= 0.2] for inside in held]
    assert [unit for inside in evidence for unit in inside] == [unit for unit in places if unit[2] >= 0.2]
    assert all(evidence)
    assert [max(chance for *_, chance in inside) for inside in held] == [span[3] for span in found]
    assert [(inside[0][0], inside[-1][1]) for inside in held] == [span[1:3] for span in found]
    documents = pd.DataFrame({"account": [""], "people": [""]}, dtype="str")
    text = " ".join("a" * (length - 1) + "." for length, _ in units)
    written = spans.columns_of(
        pd.Series([text], dtype="str"), documents, scores, np.array([True]), quotes=True, competitors={}
    )
    expected = [
        {"label": label, "start": start, "end": end, "score": score, "quote": text[start:end]}
        for label, start, end, score in found
    ]
    assert json.loads(written["spans"][0]) == expected


def test_what_straddles_the_units_of_a_span_is_masked():
    text = "Ring me on +1 555.\n010 4471 is the number, or write to lou@\nexample.com please."
    scores = scores_of([text], 0)
    scores.evidence[:] = True
    documents = pd.DataFrame({"account": [""], "people": ["Lou Ferrante"]}, dtype="str")
    column = pd.Series([text], dtype="str")
    found = spans.columns_of(column, documents, scores, np.array([True]), quotes=True, competitors={})
    document = spans.Document(text, ("Lou Ferrante",), True, False, {})
    assert found["spans"][0] == spans.to_json(spans.spans_of_row(scores, 0, document, True))
    assert [span["quote"] for span in json.loads(found["spans"][0])] == [
        redact.redact(text, people=["Lou Ferrante"])
    ] * 3


def test_a_span_names_the_competitors_of_all_its_units():
    text = "Acme is cheaper than this. Rival Soft is better. And Acme has it."
    scores = scores_of([text], 0)
    scores.evidence[:] = True
    documents = pd.DataFrame({"account": [""], "people": [""]}, dtype="str")
    rivals = {"Acme": (), "Rival Soft": ()}
    column = pd.Series([text], dtype="str")
    found = spans.columns_of(column, documents, scores, np.array([True]), quotes=True, competitors=rivals)
    named = [(span["label"], span["competitors"]) for span in json.loads(found["spans"][0])]
    assert named == [(label, ["Acme", "Rival Soft"]) for label in LABELS]
    scores.evidence[:] = [[False] * 3, [True, False, False], [False] * 3]
    found = spans.columns_of(column, documents, scores, np.array([True]), quotes=True, competitors=rivals)
    named = [(span["label"], span["competitors"]) for span in json.loads(found["spans"][0])]
    assert named == [(LABELS[0], ["Rival Soft"]), ("", ["Acme"]), ("", ["Acme"])]


def test_leaving_is_told_where_there_is_an_account():
    scores = scores_of(["We will cancel our contract."] * 2, 1)
    scores.evidence[:] = True
    documents = pd.DataFrame({"account": ["A", ""], "people": ["", ""]}, dtype="str")
    texts = pd.Series(["We will cancel our contract."] * 2, dtype="str")
    found = spans.columns_of(texts, documents, scores, np.array([True, True]), quotes=True, competitors={})
    told = [["churn_risk" in span for span in json.loads(text)] for text in found["spans"]]
    assert told == [[True] * len(LABELS), [False] * len(LABELS)]


@given(TEXTS)
@settings(max_examples=300)
def test_what_is_masked_is_marked(text):
    assert may_need_masks([text]).tolist()[0] or not redact.masks(text)


@pytest.mark.parametrize("value", [0, 1, 5, 9, 10, 12, 99, 100, 1234, 250_000, 999_999, 1_000_000])
def test_decimals_are_written_as_python_writes_them(value):
    out = np.zeros(16, dtype=np.uint8)
    size = spanfill._decimal(value, out, 0)
    assert out[:size].tobytes().decode() == repr(value / 1_000_000)


@given(st.floats(0, 1, width=32))
@settings(max_examples=200)
def test_millionths_round_as_python_rounds(probability):
    assert spanfill.millionths(np.float32(probability)) / 1_000_000 == round(probability, 6)


def test_hashes_are_those_of_murmur():
    # Reference values of MurmurHash3_x64_128, seed 0.
    found = hash_column(["", "hello", "hello, world", "The quick brown fox jumps over the lazy dog"])
    assert [f"{int(a):016x}{int(b):016x}" for a, b in found] == [
        "0" * 32,
        "cbd8a7b341bd9b025b1e906a48ae1d19",
        "342fac623a5ebc8e4cdcbc079642414d",
        "e34bbc7bbc071b6c7a433ca9c49a9347",
    ]
