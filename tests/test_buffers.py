"""What all compiled code shares: its options."""

import numba as nb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import buffers


def first_at(data, wanted, begin):
    while begin < len(data):
        if data[begin] == wanted:
            return begin
        begin += 1
    return -1


def code_of(*, makes_arrays: bool) -> str:
    """Return what is made of a loop that calls a function with an array."""
    options = buffers.options_of(makes_arrays=makes_arrays)
    first = nb.njit(**options, forceinline=True)(first_at)

    @nb.njit(**options)
    def places(data, wanted, out):
        found, place = 0, first(data, wanted, 0)
        while place >= 0:
            out[found] = place
            found += 1
            place = first(data, wanted, place + 1)
        return found

    data, out = np.frombuffer(b"a;bc;;d", dtype=np.uint8), np.zeros(7, dtype=np.int64)
    assert out[: places(data, ord(";"), out)].tolist() == [1, 4, 5]
    (code,) = places.inspect_llvm().values()
    return code


@pytest.mark.parametrize("makes_arrays", [False, True])
def test_references_are_counted_only_beside_arrays_that_are_made(makes_arrays):
    """Two atomic steps for each array of each call took longer than the calls."""
    assert ("@NRT_" in code_of(makes_arrays=makes_arrays)) == makes_arrays


@given(st.lists(st.text() | st.text(alphabet="aü€😀", min_size=100, max_size=700)))
def test_lengths_are_counted_in_code_points(texts):
    assert buffers.lengths_of(texts).tolist() == [len(text) for text in texts]


def test_lengths_of_a_part_of_a_column():
    texts = pd.Series(["ä" * 300, "b", "", "€uro"], dtype="str")
    assert buffers.lengths_of(texts.iloc[1:]).tolist() == [1, 0, 4]
