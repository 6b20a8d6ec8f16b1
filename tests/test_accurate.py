"""The accurate tier decides anew; what stands for the transformer here reads words off a list."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trained

from classifier import accurate, classify, kernel
from classifier.buffers import Column
from classifier.classify import Head, Scores
from classifier.classify.limits import NO_UNIT
from classifier.classify.logits import to_logits
from classifier.classify.weights import OUTPUTS
from classifier.labels import LABELS

PAIN, WISH = "The export crashes every time we run it.", "Please add an option for a dark mode."
DULL = "The meeting took place on Tuesday."
TOLD = {"crashes": 0, "add": 1}


@dataclass(frozen=True)
class Reader:
    """Says 6 for a label at its word in TOLD, and -1 at all others."""

    def encode(self, texts: list[str]) -> list[Any]:
        found = [list(re.finditer(r"\w+", text)) for text in texts]
        return [
            (
                np.array([TOLD.get(word[0], -1) for word in words], dtype=np.int64),
                np.array([word.start() for word in words], dtype=np.int64),
            )
            for words in found
        ]

    def outputs_of(self, windows: list[Any]) -> list[Any]:
        return [self._outputs(ids) for ids in windows]

    def _outputs(self, ids: Any) -> Any:
        outputs = np.full((len(ids), OUTPUTS), -1.0, dtype=np.float32)
        for place, told in enumerate(ids):
            if told >= 0:
                outputs[place, [told, len(LABELS) + told]] = 6.0
        return outputs


HEADS = {
    label: Head(
        (0.0, 1.0, 0.0, 0.0, 0.5, 0.3), 0.5, unit_scale=1.0, unit_shift=0.5, unit_threshold=0.5, margin=0.1
    )
    for label in LABELS
}


EVEN = (accurate.Side(1.0, 1.0),) * len(LABELS)


@dataclass(frozen=True)
class Told(accurate.AccurateModel):
    """A tier whose transformer is a Reader."""

    @property
    def transformer(self) -> Any:  # type: ignore[override]
        return Reader()


MODEL = Told(Path("nowhere"), HEADS, accurate.Gain(EVEN, EVEN, 0.5))


def refined(texts: list[str], rows: list[int]) -> tuple[Scores, Scores]:
    """Return what the fast tier says, and what is left of it once `rows` were read anew."""
    fast = classify.score_texts(trained.model(), texts)
    return fast, accurate.refine(MODEL, texts, fast, np.array(rows, dtype=np.int64))


def test_rows_that_nobody_asks_about_stay_as_they_are() -> None:
    texts = [PAIN, f"{DULL} {WISH}", DULL, PAIN]
    fast, found = refined(texts, [1, 2])
    assert found.refined.tolist() == [False, True, True, False]
    for name in ("probability", "decision", "close", "source", "deciding"):
        for row in (0, 3):
            np.testing.assert_array_equal(getattr(found, name)[row], getattr(fast, name)[row], err_msg=name)
    assert found.decision[1].tolist() == [False, True, False]
    assert found.decision[2].tolist() == [False, False, False]
    units = slice(*found.first[1:3])
    assert found.evidence[units].tolist() == [[False] * 3, [False, True, False]]
    assert (found.deciding[1] == found.first[1:3]).all()


@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_text_says_the_same_whatever_stands_beside_it(row: int) -> None:
    texts = [f"{PAIN} {DULL} " * 5, WISH, f"{DULL} {WISH}"]
    _, together = refined(texts, [0, 1, 2])
    _, alone = refined([texts[row]], [0])
    np.testing.assert_array_equal(together.probability[row], alone.probability[0])
    units = slice(*together.first[row : row + 2])
    np.testing.assert_array_equal(together.evidence[units], alone.evidence)


def test_what_is_said_over_and_over_counts_once_here_too() -> None:
    _, found = refined([WISH, f"{PAIN} {DULL} " * 40, WISH], [1, 2])
    _, once = refined([f"{PAIN} {DULL}"], [0])
    np.testing.assert_allclose(found.probability[1], once.probability[0], atol=1e-6)
    units = slice(*found.first[1:3])
    assert found.again[units].sum() == 78
    assert found.evidence[units].tolist() == [[True, False, False], *[[False] * 3] * 79]
    assert (found.deciding[1, 0] == [found.first[1], found.first[1] + 2]).all()
    assert found.decision[2].tolist() == [False, True, False]


def test_what_is_said_again_is_not_read_again() -> None:
    texts = [f"{PAIN} {DULL} {PAIN}"]
    units = kernel.split_column(Column.of(texts))
    read: list[int] = []

    class Counting(Reader):
        def outputs_of(self, windows: list[Any]) -> list[Any]:
            read.extend(len(window) for window in windows)
            return super().outputs_of(windows)

    again = np.array([False, False, True])
    logits = accurate.logits_of(Counting(), texts, units, again)  # type: ignore[arg-type]
    said = [f"{PAIN} {DULL}"]
    once = accurate.logits_of(Counting(), said, kernel.split_column(Column.of(said)))  # type: ignore[arg-type]
    assert read[0] == read[1] == len(re.findall(r"\w+", f"{PAIN} {DULL}"))
    np.testing.assert_array_equal(logits.part, once.part)
    np.testing.assert_array_equal(logits.unit[:2], once.unit)
    assert (logits.unit[2] == NO_UNIT).all()


BLENDED = {label: replace(head, blend=(0.8, 0.4, -0.3)) for label, head in HEADS.items()}


def test_the_fast_tier_has_a_say_in_what_is_read_anew() -> None:
    texts = [PAIN, f"{DULL} {WISH}", DULL]
    fast, alone = refined(texts, [0, 1])
    blended = accurate.refine(replace(MODEL, heads=BLENDED), texts, fast, np.array([0, 1]))
    expected = 0.8 * to_logits(alone.probability) + 0.4 * to_logits(fast.probability) - 0.3
    np.testing.assert_allclose(to_logits(blended.probability)[:2], expected[:2], atol=1e-4)
    assert (blended.decision[:2] == (expected[:2] >= 0)).all()
    assert (blended.close[:2] == (np.abs(expected[:2]) < 0.1)).all()
    np.testing.assert_array_equal(blended.probability[2], fast.probability[2])


@pytest.mark.parametrize("shift", [-1.5, 0.7])
def test_a_shift_of_both_tiers_moves_a_blend_by_no_more(shift: float) -> None:
    texts = [PAIN, f"{DULL} {WISH}", DULL]
    model = trained.model()
    moved = model.with_heads({label: head.shifted(shift) for label, head in model.heads.items()})
    rows = np.arange(3)
    plain, shifted = (
        accurate.refine(replace(MODEL, heads=heads), texts, classify.score_texts(fast, texts), rows)
        for heads, fast in (
            (BLENDED, model),
            ({label: head.shifted(shift) for label, head in BLENDED.items()}, moved),
        )
    )
    difference = to_logits(shifted.probability) - to_logits(plain.probability)
    np.testing.assert_allclose(difference, shift, atol=1e-3)


def test_what_asking_is_worth_adds_up_over_labels() -> None:
    half = (*EVEN[:2], accurate.Side(0.5, 1.0))
    band = accurate.Gain(tuple(accurate.Side(side.height, 2.0) for side in half), half, limit=1.2)
    distance = np.array(
        [
            [0.0, 9.0, 9.0],  # one label at its threshold is worth 1
            [0.0, -1.0, 9.0],  # another one just below its own
            [0.0, 1.0, 9.0],  # and above it, where worth falls faster
            [0.0, 1.7, 9.0],
            [0.0, 9.0, 0.0],  # one that counts half
            [9.0, -9.0, 9.0],
        ]
    )
    asks = [False, True, True, False, True, False]
    assert band.asks(distance).tolist() == asks
    assert [band.asks(distance[row : row + 1]).item() for row in range(len(asks))] == asks


def test_models_of_old_ask_where_any_label_is_near_its_threshold() -> None:
    band = accurate.Widths((0.5, 1.0, 0.0))
    distance = np.array([[0.4, 9.0, 9.0], [0.6, -0.9, 9.0], [0.5, 1.0, 0.0], [9.0, 9.0, 9.0]])
    assert band.asks(distance).tolist() == [True, True, False, False]


def test_distances_are_those_to_the_thresholds() -> None:
    heads = {label: replace(HEADS[label], threshold=0.2) for label in LABELS}
    found = accurate.distances(np.array([[0.2, 0.5, 0.0]], dtype=np.float32), heads)
    np.testing.assert_allclose(found[0, :2], [0.0, np.log(4.0)], atol=1e-6)
    assert found[0, 2] < -10


def test_a_model_that_learnt_no_source_names_none_here_either() -> None:
    always = {label: replace(head, threshold=1e-9) for label, head in HEADS.items()}
    model, fast = replace(MODEL, heads=always), classify.score_texts(trained.model(), [PAIN])
    told = accurate.refine(model, [PAIN], fast, np.array([0]))
    untold = accurate.refine(model, [PAIN], fast, np.array([0]), tells_sources=False)
    assert told.source.tolist() != [-1]
    assert untold.source.tolist() == [-1]
