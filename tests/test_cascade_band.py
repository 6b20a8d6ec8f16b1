"""The band of the cascade: fitted where the two tiers part, and no wider than its budget."""

import numpy as np
import pytest
from cascade_band import BUDGET, Judged, choose_band

from classifier.labels import LABELS

ROWS = 40_000
USUAL = np.random.default_rng(1).normal(-2, 2, (10_000, len(LABELS)))


def judged(
    right: float, height: float = 0.8, scale: float = 1.5, weight: float = 1.0, seed: int = 0
) -> Judged:
    """Return documents on which the tiers part less the further they lie from the thresholds.

    Where they do, the accurate one is `right` so often.
    """
    generator = np.random.default_rng(seed)
    distance = generator.normal(0, 2, (ROWS, len(LABELS)))
    old = distance >= 0
    parted = generator.random(old.shape) < height * np.exp(-np.abs(distance) / scale)
    new = old ^ parted
    has = np.where(parted & (generator.random(old.shape) >= right), old, new)
    return Judged(has, distance, new, weight)


def test_the_band_knows_how_the_chance_that_the_tiers_part_falls() -> None:
    (side, *_) = choose_band([judged(1.0, height=0.6, scale=1.2)], USUAL).below
    assert side.scale == pytest.approx(1.2, rel=0.1)
    (wider, *_) = choose_band([judged(1.0, height=0.6, scale=2.4)], USUAL).below
    assert wider.scale == pytest.approx(2.4, rel=0.1)


def test_the_band_asks_about_its_budget_of_usual_texts() -> None:
    band = choose_band([judged(0.8)], USUAL)
    assert band.asks(USUAL).mean() == pytest.approx(BUDGET, abs=0.001)


def test_sides_on_which_the_accurate_tier_is_no_better_are_not_asked_about() -> None:
    one = judged(0.9)
    wrong = one.distance >= 0
    # Above the thresholds the accurate tier is never right where it says something else.
    has = np.where(wrong, True, one.has)
    band = choose_band([Judged(has, one.distance, one.decision, 1.0)], USUAL)
    assert [side.height for side in band.above] == [0.0] * len(LABELS)
    assert all(side.height > 0 for side in band.below)


def test_where_the_tiers_never_part_asking_is_worth_nothing() -> None:
    band = choose_band([judged(1.0, height=0.0)], USUAL)
    assert band.worth(USUAL).mean() < 0.01
    assert choose_band([judged(1.0)], USUAL).worth(USUAL).mean() > 0.1


def test_a_hit_is_worth_more_than_an_error_less() -> None:
    band = choose_band([judged(1.0)], USUAL)
    for below, above in zip(band.below, band.above, strict=True):
        assert below.height > above.height > 0


def test_sets_count_by_their_weight_not_by_their_size() -> None:
    narrow, wide = judged(1.0, scale=0.5, weight=3.0), judged(1.0, scale=3.0, weight=1.0, seed=2)
    both = choose_band([narrow, wide], USUAL)
    few = Judged(*(part[::4] for part in (narrow.has, narrow.distance, narrow.decision)), 3.0)
    assert choose_band([few, wide], USUAL).below[0].scale == pytest.approx(both.below[0].scale, rel=0.1)
    alone = choose_band([narrow], USUAL)
    assert alone.below[0].scale < both.below[0].scale < choose_band([wide], USUAL).below[0].scale
