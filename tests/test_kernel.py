"""The kernel gives what the readable references give, on any text, in any batch."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import chars, features, kernel, split
from classifier.buffers import Column
from classifier.features import FeatureSettings
from classifier.kernel import sums

COMPLAINT = "It crashed twice, please fix it. I'd like dark mode."
PIECES = st.sampled_from(
    [
        "Mr. Smith",
        "e.g. this",
        "1. open",
        "\n",
        "\n\n",
        "  ",
        ". ",
        "! ",
        "?!",
        "don't",
        "O’Brien",
        "5GB",
        "€30",
        "😀",
        "Straße",
        "İstanbul",
        "ÇA VA",
        "(ok). ",
        '"why?" ',
        "…",
        "v2.3",
        "日本語。",
        "x" * 400,
        "word " * 70,
        "a, b; c: ",
        "𠮷野家",
        "ﬃ",
        "\r\n",
        "\x85",
        "\u2028",
        "e\u0301",
        "--",
        ":-)",
        "no. 5",
        "said no. ",
        "etc. ",
        "usb c. ",
        "U.S. ",
        "(L. Tran)",
        "so did I. ",
        "doesn't. ",
        "crashed.Then ",
        "ago.I ",
        "Dr.Smith ",
        "a.Bc ",
        "ﬁg. 2 ",
        "。」",
        "！",
        "y" * 60 + "\ngoes on",
        "z" * 101 + "\ngoes on",
        "❤️",
        "1️⃣",
        "\ud83d",
        "\0",
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=12).map("".join))
SHAPES = [
    FeatureSettings(bits=18),
    FeatureSettings(bits=12, words=3),
    FeatureSettings(bits=10, char_max=0),
    FeatureSettings(bits=21, words=3, char_max=0),
    FeatureSettings(bits=6, words=1, char_max=0),
]


def units_of(texts: list[str]) -> list[list[tuple[int, int]]]:
    units = kernel.split_column(Column.of(texts))
    pairs = list(zip(units.start.tolist(), units.end.tolist(), strict=True))
    return [pairs[a:b] for a, b in zip(units.first[:-1], units.first[1:], strict=True)]


@functools.cache
def weighed(shape: FeatureSettings, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of a model that knows every second bucket."""
    index = np.arange(shape.buckets, dtype=np.int32)
    index[::2] = 0
    weights = np.random.default_rng(7).normal(size=(shape.buckets, outputs)).astype(np.float32)
    weights[0] = 0
    return index, weights


@given(st.lists(TEXTS, max_size=6))
@example(["", " ", "\n", ".", "a." * 400])
@settings(max_examples=300)
def test_units_equal_the_reference(texts: list[str]) -> None:
    assert units_of(texts) == [split.units(text) for text in texts]


@pytest.mark.parametrize("shape", SHAPES)
@given(texts=st.lists(TEXTS, max_size=4))
@settings(max_examples=100)
def test_buckets_equal_the_reference(shape: FeatureSettings, texts: list[str]) -> None:
    column = Column.of(texts)
    indptr, buckets = kernel.bucket_column(column, kernel.split_column(column), shape)
    found = [buckets[a:b].tolist() for a, b in itertools.pairwise(indptr)]
    expected = [
        [ngram.bucket for ngram in features.ngrams(text[start:end], shape)]
        for text in texts
        for start, end in split.units(text)
    ]
    assert found == expected


@given(texts=st.lists(TEXTS, min_size=1, max_size=6), data=st.data())
@settings(max_examples=100)
def test_sums_do_not_depend_on_the_batch(texts: list[str], data: st.DataObject) -> None:
    shape = SHAPES[1]
    lookup = kernel.Lookup.of(*weighed(shape, 3))

    def sums(batch: list[str]) -> list[list[float]]:
        column = Column.of(batch)
        _, summed, counts = kernel.weigh_column(column, shape, lookup)
        assert (counts[:, 1] <= counts[:, 0]).all()
        rows: list[list[float]] = np.hstack([summed, counts]).tolist()
        return rows

    cut = data.draw(st.integers(0, len(texts)))
    assert sums(texts[:cut]) + sums(texts[cut:]) == sums(texts)


def test_sums_equal_the_sparse_product() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    shape = SHAPES[0]
    texts = ["It crashed twice, please fix it. I'd like dark mode, dark mode!", "", "Über-teuer für €30?"]
    index, weights = weighed(shape, 2)
    column = Column.of(texts)
    units = kernel.split_column(column)
    indptr, buckets = kernel.bucket_column(column, units, shape)
    matrix = sparse.csr_matrix(
        (np.ones(len(buckets), np.float32), buckets, indptr), shape=(len(units), shape.buckets)
    )
    matrix.sum_duplicates()
    assert matrix.data.max() > 1
    matrix.data[:] = 1.0
    _, sums, counts = kernel.weigh_column(column, shape, kernel.Lookup.of(index, weights))
    np.testing.assert_allclose(sums, matrix @ weights[index], atol=1e-4)
    assert counts[:, 0].tolist() == np.diff(matrix.indptr).tolist()
    assert counts[:, 1].tolist() == (matrix @ (index > 0).astype(np.float32)).tolist()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("outputs", [13, 17])
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
@example([" ".join(f"w{number}" for number in range(30))])
@example(["a " * 400, "l'" * 30 + "'a 'b' c'", "'", "ß" * 39 + "ßx", "9" * 40, "9" * 41])
@example([". ".join(f"{word} Ok" for word in "abcdefghij")])
@example(["b\n" * 300, "", "c\n" * 300])
@settings(max_examples=40)
def test_sums_equal_the_reference_to_the_last_bit(
    shape: FeatureSettings, outputs: int, texts: list[str]
) -> None:
    index, weights = weighed(shape, outputs)
    column = Column.of(texts)
    found, sums, counts = kernel.weigh_column(column, shape, kernel.Lookup.of(index, weights))
    split_too = kernel.split_column(column)
    for name in ("first", "start", "end"):
        assert getattr(found, name).tolist() == getattr(split_too, name).tolist()
    expected = np.zeros_like(sums)
    units = [text[start:end] for text in texts for start, end in split.units(text)]
    for row, unit in enumerate(units):
        ngrams = features.distinct(unit, shape)
        known = [index[ngram.bucket] for ngram in ngrams if index[ngram.bucket]]
        assert counts[row].tolist() == [len(ngrams), len(known)]
        for place in known:
            expected[row] += weights[place]
    assert sums.tobytes() == expected.tobytes()


@pytest.mark.parametrize("read_as_such", [True, False])
def test_weights_of_16_bits_weigh_what_they_say(read_as_such: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not read_as_such:
        # As on a processor that can't.
        monkeypatch.setattr(sums, "READS_HALVES", False)
    shape = SHAPES[3]
    index, weights = weighed(shape, 13)
    halves = weights.astype(np.float16)
    halves[1::4] = np.float16(6e-8) * np.sign(halves[1::4])  # the least there are
    column = Column.of([COMPLAINT, "", "Straße " * 20])
    _, found, _ = kernel.weigh_column(column, shape, kernel.Lookup.of(index, halves))
    _, expected, _ = kernel.weigh_column(column, shape, kernel.Lookup.of(index, halves.astype(np.float32)))
    assert np.abs(expected).max() > 0
    assert found.tobytes() == expected.tobytes()


@given(st.lists(st.integers(0, 40) | st.integers(0, 2**31 - 2), max_size=70))
@example([])
@example(list(range(64, 0, -1)))
def test_what_is_sorted_is_there_once(numbers: list[int]) -> None:
    values, ranks, out = (np.zeros(len(numbers) + 16, dtype=np.int32) for _ in range(3))
    values[: len(numbers)] = numbers
    kept = sums._sort_distinct(values, len(numbers), ranks, out)
    assert out[:kept].tolist() == sorted(set(numbers))


def test_a_model_may_keep_its_rows_in_any_order() -> None:
    shape = SHAPES[1]
    index, weights = weighed(shape, 3)
    shuffled = np.concatenate([[0], 1 + np.random.default_rng(5).permutation(len(weights) - 1)])
    others = np.empty_like(weights)
    others[shuffled] = weights
    column = Column.of([COMPLAINT])
    expected = kernel.weigh_column(column, shape, kernel.Lookup.of(index, weights))
    found = kernel.weigh_column(column, shape, kernel.Lookup.of(shuffled[index].astype(np.int32), others))
    assert [part.tobytes() for part in found[1:]] == [part.tobytes() for part in expected[1:]]


def test_half_a_surrogate_pair_takes_one_place() -> None:
    texts = ["\ud83d It broke. \udc00 Again", None, "fine"]
    assert units_of(texts) == [split.units(text or "") for text in texts]  # type: ignore[arg-type]


def test_abbreviations_have_hashes_of_their_own() -> None:
    words = split.ABBREVIATIONS
    assert len({features.hash_chars([ord(char) for char in word]) for word in words}) == len(words)


def test_a_slice_and_nulls_of_an_arrow_column() -> None:
    pa = pytest.importorskip("pyarrow")
    whole = pa.array(["one. two", None, "three. Four. five"], type=pa.large_string())
    assert units_of(whole.slice(1)) == [[], split.units("three. Four. five")]


def test_no_character_is_part_of_a_word_and_a_token_of_its_own() -> None:
    kinds, _ = chars.tables()
    symbols = (kinds & chars.SYMBOL) != 0
    assert not (kinds[symbols] & (chars.LETTER | chars.DIGIT | chars.APOSTROPHE)).any()
