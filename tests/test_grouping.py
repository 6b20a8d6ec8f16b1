"""Vectors -> groups: samples, equal rows, what is told of the sample."""

import numpy as np

from classifier import cluster


def clouds(seed: int, size: int, directions: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    centres = np.eye(directions, 24)
    rows = centres[np.arange(size) % directions] + draw.normal(0, 0.05, (size, 24))
    rows = rows[draw.permutation(size)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_samples_find_the_groups_of_the_whole(monkeypatch):
    rows = clouds(0, 600, 8)
    whole = cluster.group_rows(rows)
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 60)
    sampled = cluster.group_rows(rows)
    assert len(set(whole.groups)) == len(set(sampled.groups)) == 8
    assert (whole.groups == sampled.groups).all()
    assert (whole.compared, whole.agreement) == (600, 1.0)
    assert (sampled.compared, sampled.agreement) == (60, 1.0)


def test_groups_that_the_sample_lacks_are_found_among_what_fits_nowhere(monkeypatch):
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 40)
    rows = np.vstack([clouds(1, 40, 2), clouds(2, 200, 12)])
    found = cluster.group_rows(rows, similarity=0.5).groups
    assert len(set(found)) == 12
    assert (found == cluster.group_rows(rows, similarity=0.5).groups).all()


def test_what_fits_nowhere_after_all_rounds_joins_the_nearest_group(monkeypatch):
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 30)
    monkeypatch.setattr(cluster, "ROUNDS", 1)
    monkeypatch.setattr(cluster, "_CHUNK", 8)
    rows = np.vstack([clouds(1, 40, 2), clouds(2, 200, 12)])
    groups = cluster.group_rows(rows, similarity=0.5).groups
    assert len(groups) == 240
    assert groups.min() == 0
    assert len(set(groups)) < 12


def test_agreement_is_that_of_a_trial_with_a_sample_of_the_same_share(monkeypatch):
    # Rows that are alike in no clear way: a sample finds other groups than all rows would give.
    draw = np.random.default_rng(5)
    rows = draw.normal(size=(400, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    monkeypatch.setattr(cluster, "_TRIED", 200)
    monkeypatch.setattr(cluster, "EXACT_UP_TO", 100)
    found = cluster.group_rows(rows, similarity=0.5)
    whole = cluster._exact(rows[:200], 0.5)
    part = cluster._placed(rows[:200], cluster._exact(rows[:50], 0.5), 0.5)
    assert found.agreement == cluster.bcubed_f1(whole, part)
    assert 0 < found.agreement < 0.9


def test_bcubed_f1_counts_each_row_and_takes_both_sides_alike():
    one, other = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])
    assert cluster.bcubed_f1(one, one[::-1] * 7) == 1.0
    precision, recall = 3 / 4, 2 / 3
    assert abs(cluster.bcubed_f1(one, other) - 2 * precision * recall / (precision + recall)) < 1e-12
    assert cluster.bcubed_f1(one, other) == cluster.bcubed_f1(other, one)


def test_equal_rows_count_as_often_as_they_come():
    rows = np.repeat(clouds(4, 12, 3), [1, 5, 2] * 4, axis=0)
    assert len(set(cluster.group_rows(rows, similarity=0.5).groups)) == 3


def test_rows_that_share_nothing_stay_alone():
    assert cluster.group_rows(np.eye(5, dtype=np.float32)).groups.tolist() == [0, 1, 2, 3, 4]
    assert cluster.group_rows(np.zeros((0, 3), dtype=np.float32)).groups.tolist() == []
    assert cluster.group_rows(np.zeros((3, 3), dtype=np.float32)).groups.tolist() == [0, 1, 2]
    assert cluster.group_rows(np.zeros((2, 0), dtype=np.float32)).groups.tolist() == [0, 1]
    assert cluster.group_rows(np.ones((1, 1), dtype=np.float32)).groups.tolist() == [0]
