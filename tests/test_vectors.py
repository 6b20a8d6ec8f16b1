"""Texts -> vectors: words, stems, TF-IDF on its main directions."""

import random
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier import vectors
from classifier.vectors import (
    fit_tfidf,
    fold,
    stem,
    stop_words,
    subject_features,
    unit_rows,
    word_features,
    words,
)

TEXTS = [
    "invoices arrive twice in QuickBooks",
    "the invoice is duplicated in QuickBooks",
    "the board is slow in the morning",
    "loading the board takes a minute",
    "photos are lost when offline",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("E-mail or email?", ["email", "or", "email"]),
        ("log-in, login", ["login", "login"]),
        ("long-winded half-hour", ["long", "winded", "half", "hour"]),
        ("Café [EMAIL] straße", ["cafe", "straße"]),
        ("wifi_hardware", ["wifi", "hardware"]),
        ("I can’t, it's", ["i", "can't", "it's"]),
        ("", []),
        ("…!", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("family", "root"),
    [
        (("invoice", "invoices", "invoiced", "invoicing"), "invoic"),
        (("drop", "dropped", "dropping", "drops"), "drop"),
        (("company", "companies"), "company"),
        (("address", "addresses"), "address"),
        (("status",), "status"),
        (("sing", "string"), None),
    ],
)
def test_words_of_a_family_share_their_stem_and_others_do_not(family, root):
    found = [stem(word) for word in family]
    assert set(found) == {root} if root else len(set(found)) == len(family)


def test_pairs_of_words_skip_stop_words():
    assert word_features("the status of the invoices") == ["status", "invoic", "status invoic"]


@pytest.mark.parametrize("language", ["en", "nl"])
def test_stop_words_are_those_that_spacy_lists(language):
    listed = import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
    assert {fold(word) for word in listed} - stop_words() <= {
        "call",
        "move",
        "show",
        "empty",
        "full",
        "front",
    }


def test_stop_words_are_read_without_their_languages():
    code = (
        "import sys; from classifier.vectors import stop_words\n"
        "assert 'dans' in stop_words(); print('spacy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_vectors_are_unit_rows_and_alike_texts_are_near():
    rows = fit_tfidf(TEXTS).encode(TEXTS)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    likeness = rows @ rows.T
    assert likeness[0, 1] > 0.2 > abs(likeness[0, 2])
    assert likeness[2, 3] > likeness[2, 4]


def test_order_of_the_corpus_changes_no_bit():
    shuffled = random.Random(1).sample(TEXTS * 3, 3 * len(TEXTS))
    assert (fit_tfidf(TEXTS).encode(TEXTS) == fit_tfidf(shuffled).encode(TEXTS)).all()


def test_the_batch_changes_no_meaning():
    encoder = fit_tfidf(TEXTS)
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    assert np.allclose(alone, encoder.encode(TEXTS), atol=1e-6)


def test_texts_without_known_words_are_rows_of_zeros():
    rows = fit_tfidf(TEXTS).encode(["", "§§", "invoice"])
    assert rows.any(axis=1).tolist() == [False, False, True]


def test_empty_corpus_gives_vectors_without_columns():
    assert fit_tfidf([]).encode(["a", "b"]).shape == (2, 0)
    assert fit_tfidf(TEXTS).encode([]).shape[0] == 0


def test_large_corpora_keep_fixed_dimensions(monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 3)
    monkeypatch.setattr(vectors, "CHARACTERS_UP_TO", 3)
    texts = [f"first{a} second{b}" for a in range(20) for b in range(20)]
    encoder = fit_tfidf(texts, dimensions=4)
    assert encoder.encode(texts).shape == (400, 4)
    assert len(encoder.blocks) == 1
    assert (encoder.encode(texts) == fit_tfidf(texts[::-1], dimensions=4).encode(texts)).all()


@given(st.lists(st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=3), min_size=1, max_size=6))
@example([[0.0, 0.0, 4.2725317520655e-22], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
def test_unit_rows_have_length_one_or_zero(rows):
    lengths = np.linalg.norm(unit_rows(np.array(rows, dtype=np.float32)), axis=1)
    assert (np.isclose(lengths, 1, atol=1e-4) | (lengths == 0)).all()


@given(st.text(max_size=80))
def test_words_of_any_text_hold_no_space(text):
    assert all(word and not any(char.isspace() for char in word) for word in words(text))


def test_a_corpus_without_repeated_words_has_nothing_to_compare_by(monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 3)
    monkeypatch.setattr(vectors, "CHARACTERS_UP_TO", 3)
    texts = ["alpha", "bravo", "charlie", "delta", "echo"]
    assert fit_tfidf(texts).encode(texts).shape == (5, 0)


def test_in_a_large_corpus_words_of_any_complaint_name_no_subject() -> None:
    assert subject_features("Bookmarks not working, new tab not working") == [
        "bookmark",
        "tab",
        "bookmark work",
        "new tab",
        "tab work",
    ]


def test_the_name_that_every_text_holds_tells_none_apart() -> None:
    subjects = ["printer", "bookmark", "password", "video"]
    texts = [f"Acme {subjects[row % 4]} stays gone {row}" for row in range(1_200)]
    rows = fit_tfidf(texts).encode(["Acme printer", "printer", "Acme bookmark"])
    assert float(rows[0] @ rows[1]) > 0.99
    assert float(rows[0] @ rows[2]) < 0.1
