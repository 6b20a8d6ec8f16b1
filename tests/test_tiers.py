"""The tiers of the model that ships: which one decides, and that nothing depends on what stands beside."""

import json
import os
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trained

from classifier import accurate, classify, labelled, models, teach
from classifier.classify import Scores
from classifier.errors import ModelError
from classifier.labels import GAP, LABELS, PAIN, REQUEST
from classifier.model import Model
from classifier.models import LoadedModel
from classifier.models.layout import ACCURATE, model_id_of

SAMPLE = 42
PER_TEXT = ("probability", "decision", "close", "source", "known", "refined")
PER_UNIT = ("unit_probability", "evidence", "start", "end")
EQUAL = tuple(accurate.Side(weight, 4.0) for weight in (0.5, 1.0, 2.0))


@cache
def shipped() -> LoadedModel:
    return models.load(models.find("default", places=[trained.ROOT / "models"]))


@cache
def texts() -> pd.Series:
    written = labelled.read_labelled(trained.WRITTEN[1:2])["text"]
    return written.iloc[:: len(written) // SAMPLE].reset_index(drop=True)


def scores(tier: str, some: pd.Series) -> Scores:
    model = models.choose_tier(shipped(), tier)
    everything = np.ones(len(some), dtype=np.bool_)
    return model.score(some, classify.score_texts(model.fast, some), everything)


def test_the_cascade_is_the_default() -> None:
    assert shipped().tiers == ("cascade", "fast", "accurate")
    assert models.choose_tier(shipped(), None) is shipped()
    assert models.choose_tier(shipped(), "cascade").model_id == shipped().model_id


@pytest.mark.parametrize("tier", ["fast", "accurate"])
def test_rows_tell_that_another_tier_scored_them(tier: str) -> None:
    model = models.choose_tier(shipped(), tier)
    assert model.model_id == f"{shipped().model_id}-{tier}"


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_text_says_the_same_alone_in_sevens_and_in_sixty_fours(size: int) -> None:
    whole = scores("accurate", texts())
    assert whole.refined.all()
    parts = [
        scores("accurate", texts().iloc[begin : begin + size].reset_index(drop=True))
        for begin in range(0, len(texts()), size)
    ]
    for name in (*PER_TEXT, *PER_UNIT):
        together = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(together, getattr(whole, name), err_msg=name)


def test_the_cascade_asks_inside_the_band_alone() -> None:
    fast, cascade, slow = (scores(tier, texts()) for tier in ("fast", "cascade", "accurate"))
    model = shipped()
    assert model.accurate is not None
    asked = accurate.unsure(fast, model.fast.heads, model.accurate.band)
    assert 0 < len(asked) < len(texts())
    assert np.flatnonzero(cascade.refined).tolist() == asked.tolist()
    for name in PER_TEXT:
        expected = getattr(fast, name).copy()
        expected[asked] = getattr(slow, name)[asked]
        np.testing.assert_array_equal(getattr(cascade, name), expected, err_msg=name)


def test_texts_in_other_languages_are_not_asked_about() -> None:
    model = models.choose_tier(shipped(), "accurate")
    some = texts().iloc[:4]
    readable = np.array([True, False, True, False])
    found = model.score(some, classify.score_texts(model.fast, some), readable)
    assert found.refined.tolist() == readable.tolist()


def test_too_little_and_too_much_text_stays_with_the_fast_tier() -> None:
    hard = pd.Series(["", "🪬🪬🪬", "crash", "It crashes again. " * 4_000], dtype="str")
    fast, slow = scores("fast", hard), scores("accurate", hard)
    assert not slow.decision[:3].any()
    assert not slow.refined.any()
    np.testing.assert_array_equal(fast.probability, slow.probability)


def test_scored_rows_and_evaluation_use_the_tier() -> None:
    some = texts().iloc[:8].reset_index(drop=True)
    model = models.choose_tier(shipped(), "accurate")
    expected = scores("accurate", some)
    rows = Model(model).score(some)
    assert set(rows["model_id"]) == {model.model_id}
    for place, label in enumerate(LABELS):
        assert rows[label].tolist() == expected.decision[:, place].tolist()
    predicted = teach.Contender(shipped(), "accurate").predictions(some)
    np.testing.assert_array_equal(predicted.decisions, expected.decision)


def test_a_damaged_transformer_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "default" / "9"
    shutil.copytree(shipped().folder, copy)
    path = copy / ACCURATE / "model.onnx"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx is damaged.*fetch the model again"):
        models.load(copy)
    path.unlink()
    with pytest.raises(ModelError, match=r"model\.onnx is missing"):
        models.load(copy)


@pytest.mark.parametrize(
    ("written", "told", "band"),
    [
        (1, {GAP: 0.3, PAIN: 0.1, REQUEST: 0.2}, accurate.Widths((0.1, 0.2, 0.3))),
        (2, {"weights": [0.5, 1.0, 2.0], "scale": 4.0, "limit": 0.7}, accurate.Gain(EQUAL, EQUAL, 0.7)),
    ],
)
def test_the_cascade_of_an_older_model_asks_as_it_did(
    tmp_path: Path, written: int, told: dict[str, object], band: accurate.Band
) -> None:
    folder = shipped().folder
    old = Path(shutil.copytree(folder, tmp_path / "default" / "1", copy_function=os.link))
    body = json.loads((folder / models.DESCRIPTION).read_text())
    body["accurate"]["band"] = told
    body["format"] = written
    (old / models.DESCRIPTION).unlink()
    (old / models.DESCRIPTION).write_text(json.dumps({**body, "model_id": ""}))
    with pytest.raises(ModelError, match="changed after the model was saved"):
        models.load(old)
    (old / models.DESCRIPTION).write_text(json.dumps({**body, "model_id": model_id_of(body)}))
    loaded = models.load(old).accurate
    assert loaded is not None
    assert loaded.band == band
