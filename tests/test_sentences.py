"""Texts -> vectors of their meaning, alone and beside words."""

import json
import shutil

import numpy as np
import pytest

from classifier import sentences
from classifier.errors import ModelError
from classifier.sentences import JoinedEncoder
from classifier.shipped import folder_of
from classifier.vectors import fit_tfidf

LOADED = sentences.load()
TEXTS = ["I can't log in", "my password is refused at sign-in", "the parcel arrived late", " "]


def test_rows_have_unit_length_and_alike_meanings_are_near():
    rows = LOADED.encode(TEXTS)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0], atol=1e-5)
    assert rows[0] @ rows[1] > 0.4 > rows[0] @ rows[2]


def test_order_and_company_of_texts_change_no_bit():
    fresh = sentences.SentenceEncoder("", LOADED.transformer)
    backwards = fresh.encode([*TEXTS[::-1], "another one"])[3::-1]
    assert (backwards == LOADED.encode(TEXTS)).all()
    assert LOADED.encode([]).shape == (0, LOADED.transformer.outputs)


def test_joined_cosines_are_the_weighted_mean():
    words = fit_tfidf(TEXTS)
    joined = JoinedEncoder((words, LOADED), (0.3, 0.7)).encode(TEXTS[:3])
    apart = [(rows @ rows.T) for rows in (words.encode(TEXTS[:3]), LOADED.encode(TEXTS[:3]))]
    assert np.allclose(joined @ joined.T, 0.3 * apart[0] + 0.7 * apart[1], atol=1e-5)


def test_the_shipped_model_names_its_licence_and_source():
    about = json.loads(
        (folder_of(sentences.NAME, sentences.VERSION) / "model.json").read_text(encoding="utf-8")
    )
    assert about["licence"] == "Apache-2.0"
    assert about["source"].endswith("all-MiniLM-L6-v2")
    assert "scripts/train_encoder.py" in about["changes"]
    assert LOADED.model_id == f"encoder-{sentences.VERSION}-{about['files']['model.onnx'][:10]}"


def test_a_changed_or_missing_file_is_refused(tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(folder_of(sentences.NAME, sentences.VERSION), folder)
    with (folder / "tokenizer.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(ModelError, match=r"tokenizer.json is damaged: .+; install the program again"):
        sentences.load(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="names files that can't"):
        sentences.load(folder)
    (folder / "model.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match="can't be read"):
        sentences.load(folder)
