import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing import grows_linearly

from classifier.errors import InputError
from classifier.splits import group_codes, grouped_folds, merge_groups, near_duplicate_groups

LETTER = (
    "Hello, since the update of last Tuesday the export of invoices to our accounting program stops after "
    "the first page and we have to copy the other forty pages by hand every single evening before closing."
)
OTHER = "The driver was friendly, the parcel came a day early and the box was dry in spite of the rain."


def partition(codes):
    return {frozenset(np.flatnonzero(codes == code).tolist()) for code in set(codes.tolist())}


def words(rng, count):
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(count))


# Near-duplicates


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (LETTER, LETTER, True),
        (LETTER, f"  {LETTER.upper()}!!\n", True),
        (LETTER, LETTER.replace("Tuesday", "Friday"), True),
        (LETTER, LETTER.replace("Hello,", "Good morning,") + " Thanks!", True),
        (LETTER, LETTER.replace(" ", "  "), True),
        ("Order 20871 is late", "order 55 is late.", True),
        ("\ufb01le is broken", "file is broken", True),
        (LETTER, OTHER, False),
        (LETTER, LETTER[:60], False),
        ("Where is my order?", "Where is my refund?", False),
        ("", "  \n", True),
        ("", "?", False),
        ("\U0001f600", "\U0001f621", False),
        ("\U0001f600", " \U0001f600 ", True),
        ("a", "b", False),
        ("\ud83d broken", "\ud83d broken", True),
    ],
)
def test_near_duplicates(one, other, alike):
    codes = near_duplicate_groups([one, OTHER + " x", other])
    assert (codes[0] == codes[2]) == alike


def test_groups_are_numbered_in_order_of_appearance():
    assert near_duplicate_groups(["b", "a", "B!", "c", "a"]).tolist() == [0, 1, 0, 2, 1]


def test_no_texts():
    assert near_duplicate_groups([]).tolist() == []
    assert group_codes([]).tolist() == []


def test_edited_copies_are_found_and_strangers_left_alone():
    rng = random.Random(1)
    originals = [words(rng, rng.randint(20, 90)) for _ in range(300)]
    copies = []
    for text in originals:
        edited = text.split()
        edited[rng.randrange(len(edited))] = words(rng, 1)
        copies.append(" ".join(edited))
    codes = near_duplicate_groups(originals + copies)
    assert partition(codes) == {frozenset((row, row + 300)) for row in range(300)}


def test_many_fillings_of_one_form_letter_are_one_group():
    rng = random.Random(2)
    texts = [LETTER.replace("invoices", words(rng, 1)) for _ in range(400)]
    assert len(set(near_duplicate_groups([*texts, OTHER]).tolist())) == 2


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([LETTER, LETTER[:-20], LETTER[30:], OTHER, "ab", "abc", ""]), max_size=12),
    st.data(),
)
def test_the_partition_does_not_depend_on_the_order(texts, data):
    order = data.draw(st.permutations(range(len(texts))))
    straight = near_duplicate_groups(texts)
    shuffled = near_duplicate_groups([texts[row] for row in order])
    assert partition(straight) == {frozenset(order[row] for row in part) for part in partition(shuffled)}


def test_a_long_text_is_one_more_text():
    rng = random.Random(3)
    long = words(rng, 100_000)
    codes = near_duplicate_groups([long, LETTER, long.replace("a", "a ", 1)])
    assert codes.tolist() == [0, 1, 0]


def test_texts_are_not_compared_in_pairs():
    rng = random.Random(4)
    texts = [words(rng, 60) for _ in range(2_000)]

    def group(size):
        assert len(set(near_duplicate_groups(texts[:size]).tolist())) == size

    assert grows_linearly(group, 2_000)


# Groups


def test_names_become_codes_and_empty_ones_stay_apart():
    assert group_codes(["acme", "", "bolt", "acme", None, ""]).tolist() == [0, 1, 2, 0, 3, 4]


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ([], [], []),
        ([5, 6, 7], [1, 2, 3], [0, 1, 2]),
        ([0, 0, 1, 1], [0, 1, 1, 2], [0, 0, 0, 0]),
        ([0, 1, 2, 0], [9, 8, 8, 7], [0, 1, 1, 0]),
    ],
)
def test_merged_groups(first, second, merged):
    assert merge_groups(first, second).tolist() == merged


codes_lists = st.integers(1, 25).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 8), min_size=size, max_size=size)] * 2)
)


@given(codes_lists)
def test_merging_joins_both_and_nothing_else(pair):
    first, second = pair
    merged = merge_groups(first, second)
    for one, other in combinations(range(len(first)), 2):
        if first[one] == first[other] or second[one] == second[other]:
            assert merged[one] == merged[other]
    assert np.array_equal(merged, merge_groups(second, first))
    assert np.array_equal(merged, merge_groups(merged, merged))
    reached = {0}
    while True:
        more = {
            row
            for row in range(len(first))
            for seen in reached
            if first[row] == first[seen] or second[row] == second[seen]
        }
        if more == reached:
            break
        reached = more
    assert set(np.flatnonzero(merged == merged[0]).tolist()) == reached


def test_groups_of_different_length():
    with pytest.raises(InputError, match="lengths differ: first 2, second 3"):
        merge_groups([0, 1], [0, 1, 2])


# Folds


@st.composite
def corpora(draw):
    n_folds = draw(st.integers(2, 5))
    size = draw(st.integers(n_folds, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    groups = rng.permutation(np.concatenate([np.arange(n_folds), rng.integers(0, 40, size - n_folds)]))
    y = rng.random((size, 3)) < draw(st.sampled_from([0.02, 0.3, 0.9]))
    strata = rng.choice(["a", "b", "c"], size) if draw(st.booleans()) else None
    return y, groups, n_folds, strata


@given(corpora(), st.integers(0, 3))
def test_folds_never_leak_and_none_is_empty(corpus, seed):
    y, groups, n_folds, strata = corpus
    folds = grouped_folds(y, groups, n_folds, seed, strata)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert set(folds.tolist()) == set(range(n_folds))
    assert np.array_equal(folds, grouped_folds(y, groups, n_folds, seed, strata))


def corpus(size, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.choice(["reviews", "tickets", "calls"], size, p=[0.6, 0.35, 0.05])
    lift = np.where(source == "tickets", 2.0, 0.7)[:, None]
    return rng.random((size, 3)) < np.array([0.4, 0.06, 0.02]) * lift, source


@pytest.mark.parametrize("stratified", [False, True])
def test_every_label_is_spread_evenly(stratified):
    y, source = corpus(1_500)
    folds = grouped_folds(y, np.arange(1_500), 5, 0, source if stratified else None)
    positives = np.array([y[folds == fold].sum(axis=0) for fold in range(5)])
    assert (np.ptp(positives, axis=0) <= 3).all()
    assert np.ptp(np.bincount(folds)) <= 12


def test_strata_spread_the_labels_of_every_source():
    y, source = corpus(1_500)
    folds = grouped_folds(y, np.arange(1_500), 5, 0, source)
    for name in np.unique(source):
        here = source == name
        assert (np.ptp([y[here & (folds == fold)].sum(axis=0) for fold in range(5)], axis=0) <= 3).all()
        assert np.ptp([(here & (folds == fold)).sum() for fold in range(5)]) <= 5


def test_groups_of_many_sizes_still_balance():
    rng = np.random.default_rng(5)
    y, _ = corpus(2_000)
    groups = rng.geometric(0.01, 2_000)
    folds = grouped_folds(y, groups, 5)
    positives = np.array([y[folds == fold].sum(axis=0) for fold in range(5)])
    assert (np.ptp(positives, axis=0) <= 0.05 * y.sum(axis=0) + 2).all()


def test_a_label_rarer_than_the_folds_goes_to_different_folds():
    y = np.zeros((100, 2), dtype=bool)
    y[:50, 0] = True
    y[[3, 60, 77], 1] = True
    folds = grouped_folds(y, np.arange(100), 5)
    assert len(set(folds[[3, 60, 77]].tolist())) == 3


def test_one_huge_group_stays_whole_and_the_rest_is_shared():
    y = np.ones((100, 1), dtype=bool)
    groups = np.concatenate([np.zeros(60, dtype=int), np.arange(1, 41)])
    folds = grouped_folds(y, groups, 3)
    assert len(set(folds[:60].tolist())) == 1
    assert sorted(np.bincount(folds).tolist()) == [20, 20, 60]


def test_the_seed_changes_only_ties():
    y, _ = corpus(300)
    one, other = (grouped_folds(y, np.arange(300), 5, seed) for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert np.array_equal(np.bincount(one), np.bincount(other))


def test_documents_without_any_label():
    folds = grouped_folds(np.zeros((10, 3), dtype=bool), np.arange(10), 5)
    assert np.bincount(folds).tolist() == [2] * 5


@pytest.mark.parametrize(("groups", "n_folds"), [([0, 0, 1], 3), ([0, 1, 2], 1), ([], 2)])
def test_too_few_groups_for_the_folds(groups, n_folds):
    with pytest.raises(InputError, match=f"{n_folds} folds of {len(set(groups))} groups: use at least 2"):
        grouped_folds(np.zeros((len(groups), 3), dtype=bool), groups, n_folds)


def test_folds_of_different_lengths():
    with pytest.raises(InputError, match="lengths differ: y 3, groups 2"):
        grouped_folds(np.zeros((3, 3), dtype=bool), [0, 1], 2)
    with pytest.raises(InputError, match="y 2, groups 2, strata 1"):
        grouped_folds(np.zeros((2, 3), dtype=bool), [0, 1], 2, 0, ["a"])
