import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_fscore_support

from classifier import metrics
from classifier.errors import InputError


def as_they_are(size):
    return metrics.resample(np.arange(size), 0, 0)


@st.composite
def judged(draw):
    """True labels, probabilities with ties, decisions and weights of one draw of the rows."""
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    y = rng.random((size, 3)) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    p = np.round(rng.random((size, 3)), draw(st.sampled_from([1, 6])))
    return y, p, p >= draw(st.sampled_from([0.2, 0.5, 0.9])), rng.integers(0, size, size)


# Against scikit-learn


@given(judged())
def test_rates_are_those_of_scikit_learn(sample):
    y, _, decisions, _ = sample
    rates = metrics.rates(y, decisions, as_they_are(len(y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        precision, recall, f1, support = precision_recall_fscore_support(y, decisions, zero_division=np.nan)
    np.testing.assert_allclose(rates.precision[0], precision)
    np.testing.assert_allclose(rates.recall[0], recall)
    # scikit-learn calls F1 0 where nothing is positive but something is predicted.
    np.testing.assert_allclose(rates.f1[0], np.where(support > 0, f1, np.nan))


@given(judged())
def test_average_precision_and_brier_are_those_of_scikit_learn(sample):
    y, p, _, _ = sample
    brier = metrics.brier(y, p, as_they_are(len(y)))[0]
    for label in range(3):
        found = metrics.average_precision(y[:, label], p[:, label], as_they_are(len(y)))[0]
        if y[:, label].any():
            assert found == pytest.approx(average_precision_score(y[:, label], p[:, label]))
        else:
            assert math.isnan(found)
        assert brier[label] == pytest.approx(brier_score_loss(y[:, label], p[:, label], pos_label=True))


@settings(max_examples=50)
@given(judged())
def test_a_resample_is_the_same_as_repeating_its_rows(sample):
    y, p, decisions, drawn = sample
    weights = np.stack([np.ones(len(y)), np.bincount(drawn, minlength=len(y))])
    resamples = metrics.Resamples(weights, np.arange(len(y)))
    again = as_they_are(len(y))
    rates, repeated = (
        metrics.rates(y, decisions, resamples),
        metrics.rates(y[drawn], decisions[drawn], again),
    )
    for name in ("precision", "recall", "f1"):
        np.testing.assert_allclose(getattr(rates, name)[1], getattr(repeated, name)[0])
    np.testing.assert_allclose(
        metrics.average_precision(y[:, 0], p[:, 0], resamples)[1],
        metrics.average_precision(y[drawn, 0], p[drawn, 0], again)[0],
    )
    np.testing.assert_allclose(metrics.brier(y, p, resamples)[1], metrics.brier(y[drawn], p[drawn], again)[0])


def test_rates_within_a_part_are_those_of_the_part_alone():
    rng = np.random.default_rng(0)
    y, decisions, within = rng.random((60, 3)) < 0.4, rng.random((60, 3)) < 0.5, rng.random(60) < 0.3
    found = metrics.rates(y, decisions, as_they_are(60), within).f1[0]
    alone = metrics.rates(y[within], decisions[within], as_they_are(int(within.sum()))).f1[0]
    np.testing.assert_allclose(found, alone)


# Resamples and intervals


def test_groups_are_drawn_whole_and_as_many_as_there_are():
    resamples = metrics.resample([7, 7, 3, 9, 3], 50, 0)
    assert resamples.codes.tolist() == [0, 0, 1, 2, 1]
    assert (resamples.weights[0] == 1).all()
    assert (resamples.weights[1:].sum(axis=1) == 3).all()
    assert resamples.weights[1:].std() > 0


def test_resamples_follow_the_seed():
    one, same, other = (metrics.resample(np.arange(20), 10, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.weights, same.weights)
    assert not np.array_equal(one.weights, other.weights)


@pytest.mark.parametrize(("groups", "n_boot"), [([], 10), ([1], -1)])
def test_nothing_to_resample(groups, n_boot):
    with pytest.raises(InputError, match="quality needs at least one document"):
        metrics.resample(groups, n_boot, 0)


def test_the_interval_of_a_share_is_about_the_binomial_one():
    flags = (np.arange(400) < 100)[:, None]
    totals = metrics.resample(np.arange(400), 2000, 0).totals(flags)[:, 0] / 400
    estimate = metrics.interval(totals)
    half = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert estimate.value == 0.25
    assert estimate.low == pytest.approx(0.25 - half, abs=0.006)
    assert estimate.high == pytest.approx(0.25 + half, abs=0.006)


def test_documents_that_depend_on_each_other_widen_the_interval():
    flags = np.repeat(np.arange(100) < 30, 10)[:, None]
    apart = metrics.resample(np.arange(1000), 500, 0).totals(flags)[:, 0] / 1000
    together = metrics.resample(np.repeat(np.arange(100), 10), 500, 0).totals(flags)[:, 0] / 1000
    assert together[1:].std() > 2.5 * apart[1:].std()


def test_undefined_figures_have_no_interval_and_undefined_resamples_are_left_out():
    assert math.isnan(metrics.interval(np.array([np.nan, 1.0])).low)
    assert math.isnan(metrics.interval(np.array([0.5])).high)
    assert metrics.interval(np.array([0.5, np.nan, 0.4, 0.4])) == metrics.Estimate(0.5, 0.4, 0.4)
    assert metrics.interval(np.array([0.5, 0.7, 0.7]), centred=True) == metrics.Estimate(0.5, 0.5, 0.5)


def test_macro_takes_the_labels_that_have_positives():
    nan = np.nan
    values = np.array([[0.5, nan, 0.7], [0.4, nan, nan], [nan, nan, nan]])
    np.testing.assert_allclose(metrics.macro(values), [0.6, 0.4, nan])
    assert math.isnan(metrics.macro(np.array([[nan, nan]]))[0])


# Calibration


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]) | st.floats(0, 1), min_size=1, max_size=80))
def test_bins_are_ordered_and_keep_ties_together(values):
    p = np.array(values)
    codes = metrics.bin_codes(p)
    assert sorted(set(codes.tolist())) == list(range(codes.max() + 1))
    assert codes.max() < metrics.BINS
    order = np.argsort(p, kind="stable")
    assert (np.diff(codes[order]) >= 0).all()
    assert all(len(set(codes[p == value].tolist())) == 1 for value in p)


def test_bins_without_ties_are_of_equal_mass():
    sizes = np.bincount(metrics.bin_codes(np.random.default_rng(0).permutation(1000) / 1000))
    assert len(sizes) == 15
    assert np.ptp(sizes) <= 1


def test_reliability_by_hand():
    p = np.array([0.1] * 10 + [0.8] * 10)
    y = np.array([True] * 2 + [False] * 8 + [True] * 5 + [False] * 5)
    bins = metrics.reliability(y, p)
    assert [b.documents for b in bins] == [10, 10]
    np.testing.assert_allclose([(b.probability, b.share) for b in bins], [(0.1, 0.2), (0.8, 0.5)])
    plain, _ = metrics.calibration_errors(y, p, as_they_are(20))
    assert plain[0] == pytest.approx((0.1 + 0.3) / 2)


def test_the_closed_form_is_what_simulating_the_noise_gives():
    rng = np.random.default_rng(0)
    p = rng.random(300)
    y = rng.random(300) < p**1.5
    plain, debiased = metrics.calibration_errors(y, p, as_they_are(300))
    bins = metrics.reliability(y, p)
    sizes, means, shares = np.array([(b.documents, b.probability, b.share) for b in bins]).T
    noise = np.sqrt(shares * (1 - shares) / (sizes - 1))
    simulated = np.abs(rng.normal(shares, noise, (100_000, len(bins))) - means) @ (sizes / 300)
    assert debiased[0] == pytest.approx(2 * plain[0] - simulated.mean(), abs=1e-3)


@pytest.mark.parametrize("slope", [1.0, 0.6])
def test_the_debiased_error_is_nearer_to_the_truth_and_its_interval_holds_it(slope):
    rng = np.random.default_rng(1)

    def sample(size):
        p = rng.beta(0.6, 1.2, size)
        odds = slope * np.log(p / (1 - p))
        return p, 1 / (1 + np.exp(-odds))

    p, true = sample(200_000)
    codes = metrics.bin_codes(p)
    gaps = np.abs(np.bincount(codes, p) - np.bincount(codes, true)).sum() / len(p)
    plain, debiased, held = [], [], []
    for seed in range(40):
        p, true = sample(400)
        errors = metrics.calibration_errors(
            rng.random(400) < true, p, metrics.resample(range(400), 100, seed)
        )
        plain.append(errors[0][0])
        debiased.append(errors[1][0])
        held.append(gaps <= metrics.interval(errors[1], centred=True).high)
    assert abs(np.mean(debiased) - gaps) < abs(np.mean(plain) - gaps)
    assert np.mean(held) >= 0.9


# Abstention


@pytest.mark.parametrize(
    ("probabilities", "decisions", "expected"),
    [
        ([0.1, 0.4, 0.6], [False, True, True], 0.4),
        ([0.1, 0.4], [True, True], 0.1),
        ([0.1, 0.4], [False, False], math.nan),
        ([0.1, 0.4, 0.4], [False, True, False], math.nan),
    ],
)
def test_the_cut_behind_decisions(probabilities, decisions, expected):
    found = metrics.cut(np.array(probabilities), np.array(decisions))
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_confidence_is_the_distance_of_the_closest_label_in_log_odds():
    p = np.array([[0.5, 0.9], [0.99, 0.21], [0.0, 1.0]])
    found = metrics.confidence(p, np.array([0.5, 0.2]))
    assert found[0] == 0
    assert 0 < found[1] < 0.1
    assert math.isfinite(found[2])
    assert metrics.confidence(p, np.array([np.nan, 0.2]))[0] == 0


@pytest.mark.parametrize(("coverage", "kept"), [(1.0, 5), (0.8, 4), (0.2, 1), (0.25, 2), (0.01, 1)])
def test_the_surest_documents_are_kept(coverage, kept):
    marked = metrics.most_confident(np.array([0.1, 0.5, 0.3, 0.5, 0.2]), coverage)
    assert marked.sum() == kept
    assert marked[1]
