"""Static vectors: rows, order, what is loaded; and what a corpus is compared by."""

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

from classifier import encoders, sentences, static
from classifier.encoders import choose, fit_reduced
from classifier.errors import ModelError
from classifier.shipped import folder_of
from classifier.vectors import fit_tfidf

LOADED = static.load()
TEXTS = [
    "I can't log in",
    "my password is refused at sign-in",
    "the parcel arrived late",
    "late delivery of the package",
    " ",
]


def test_alike_meanings_are_near_without_a_shared_word():
    rows = static.fit_static(TEXTS, LOADED).encode(TEXTS)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 1, 0], atol=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert rows[2] @ rows[3] > 0 > rows[1] @ rows[3]


def test_order_and_repetition_of_texts_change_no_bit():
    shuffled = random.Random(0).sample(TEXTS * 2, 2 * len(TEXTS))
    fitted = static.fit_static(TEXTS, LOADED)
    assert (static.fit_static(shuffled, LOADED).encode(TEXTS) == fitted.encode(TEXTS)).all()
    assert (fitted.encode(TEXTS[::-1])[::-1] == fitted.encode(TEXTS)).all()


def test_texts_that_say_nothing_are_rows_of_zeros():
    assert not static.fit_static([], LOADED).encode(["", "\ud800"])[0].any()
    assert static.fit_static(TEXTS, LOADED).encode([]).shape == (0, LOADED.rows.shape[1])


@pytest.mark.parametrize("room", [0, static._KNOWN_WORDS])
def test_tokens_are_those_of_whole_texts(monkeypatch, room):
    monkeypatch.setattr(static, "_KNOWN_WORDS", room)
    texts = [
        *TEXTS,
        "Re-booking:\tfailed\n\nTWICE  [MASK] ##s",
        "naïve e\u0301t\u0301 日本 a\x1cb c\x85d ΣΣ",
        "x" * 150,
    ]
    vectors = replace(LOADED, known={})
    for _ in range(2):
        found = vectors.counted(texts)
        expected = [
            sorted({*one.ids}) for one in LOADED.tokenizer.encode_batch(texts, add_special_tokens=False)
        ]
        assert [found[row].indices.tolist() for row in range(len(texts))] == expected
        assert (found.data == 1).all()


def test_the_shipped_vectors_name_their_licence_and_source():
    about = json.loads((folder_of(static.NAME, static.VERSION) / "model.json").read_text(encoding="utf-8"))
    assert about["licence"] == "Apache-2.0"
    assert about["made_from"] == "encoder/1"
    assert LOADED.model_id == f"static-1-{about['files'][static.WEIGHTS][:10]}"
    assert len(LOADED.rows) == LOADED.tokenizer.get_vocab_size()


def test_a_changed_file_is_refused(tmp_path):
    folder = tmp_path / "static"
    shutil.copytree(folder_of(static.NAME, static.VERSION), folder)
    with (folder / static.WEIGHTS).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelError, match=r"tokens.safetensors is damaged: .+; install the program again"):
        static.load(folder)


def test_main_directions_keep_the_cosines(monkeypatch):
    monkeypatch.setattr(encoders, "DIMENSIONS", 3)
    words = fit_tfidf(TEXTS)
    reduced = fit_reduced(words, TEXTS).encode([*TEXTS, TEXTS[0]])
    assert reduced.shape == (6, 3)
    assert (reduced[0] == reduced[-1]).all()
    assert not reduced[4].any()
    monkeypatch.setattr(encoders, "DIMENSIONS", 100)
    rows, whole = (encoder.encode(TEXTS) for encoder in (words, fit_reduced(words, TEXTS)))
    assert np.allclose(rows @ rows.T, whole @ whole.T, atol=1e-4)


@pytest.mark.parametrize(
    ("wanted", "spans", "name"),
    [
        ("auto", 5, f"words;encoder-{sentences.VERSION}"),
        ("auto", 20_000, f"words;encoder-{sentences.VERSION}"),
        ("auto", 20_001, "words;static-1"),
        ("sentences", 20_001, f"words;encoder-{sentences.VERSION}"),
        ("static", 5, "words;static-1"),
        ("words", 5, "words"),
        ("auto", 0, "words"),
    ],
)
def test_size_and_settings_decide_what_is_compared(wanted, spans, name):
    found = choose(TEXTS, spans, wanted=wanted, words=fit_tfidf(TEXTS), sentences=sentences.load)
    assert found.name.startswith(name)
    assert found.name.count(";") == name.count(";")
    assert (found.meaning is not None) == ("encoder" in name)
    assert found.encoder.encode(TEXTS).shape[0] == len(TEXTS)


def test_without_a_sentence_model_words_decide_alone():
    assert choose(TEXTS, 50_000, wanted="auto", words=fit_tfidf(TEXTS), sentences=None).name == "words"
