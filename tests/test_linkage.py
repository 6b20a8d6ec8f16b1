"""Average linkage: the same groups as the textbook's, ties, weights, many rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from classifier import linkage as own
from classifier.linkage import average_link


def rows_of(seed: int, size: int, width: int = 6) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(size, width)) + 0.5
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def textbook(rows: np.ndarray, least: float) -> np.ndarray:
    distances = (1 - (rows @ rows.T).astype(np.float64))[np.triu_indices(len(rows), 1)]
    return fcluster(linkage(np.clip(distances, 0, None), method="average"), 1 - least, criterion="distance")


def partition(groups: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == one)) for one in np.unique(groups)}


@hypothesis_settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 80), st.floats(0.05, 0.95), st.integers(2, 8))
def test_groups_are_those_of_the_full_tree(seed, size, least, width):
    rows = rows_of(seed, size, width)
    expected = textbook(rows, least)
    # A pair that is alike to the last float digit may fall on either side.
    if partition(expected) == partition(textbook(rows, least + 2e-6)):
        assert partition(average_link(rows, least)) == partition(expected)


@pytest.mark.parametrize("neighbours", [1, 2, 5])
def test_short_lists_are_searched_anew(monkeypatch, neighbours):
    monkeypatch.setattr(own, "NEIGHBOURS", neighbours)
    monkeypatch.setattr(own, "_TILE", 7)
    monkeypatch.setattr(own, "_PAIRS_AT_ONCE", 11)
    rows = rows_of(3, 300)
    assert partition(average_link(rows, 0.6)) == partition(textbook(rows, 0.6))


def test_a_group_is_called_by_its_first_row():
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]], dtype=np.float32)
    assert average_link(rows, 0.5).tolist() == [0, 1, 0, 1, 0]


def test_ties_end():
    rows = np.tile(rows_of(0, 3), (20, 1))
    assert len(set(average_link(rows, 0.999))) == 3
    # Three rows, each as far from one as from the other.
    circle = (np.eye(3) + 1).astype(np.float32) / np.float32(np.sqrt(6))
    assert average_link(circle, 0.8).tolist() == [0, 0, 0]


def test_weights_count_as_so_many_rows():
    rows = rows_of(7, 40)
    counts = np.arange(40) % 3 + 1
    weighted = average_link(rows, 0.55, weights=counts)
    places = np.repeat(np.arange(40), counts)
    assert partition(weighted[places]) == partition(textbook(rows[places], 0.55))


def test_rows_without_company_stay_alone():
    assert average_link(np.eye(4, dtype=np.float32), 0.2).tolist() == [0, 1, 2, 3]
    assert average_link(np.zeros((3, 2), dtype=np.float32), 0.2).tolist() == [0, 1, 2]
    assert average_link(np.zeros((0, 2), dtype=np.float32), 0.2).tolist() == []
    assert average_link(np.ones((1, 1), dtype=np.float32), 0.2).tolist() == [0]
