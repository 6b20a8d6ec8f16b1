"""Texts -> numbers per token: places, cuts, independence, faults."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import transformer
from classifier.errors import ModelError
from classifier.transformer import Transformer

ENCODERS = Path(__file__).parents[1] / "models" / "encoder"
ENCODER = ENCODERS / (ENCODERS / "CURRENT").read_text().strip()
LOADED = Transformer.load(ENCODER, workers=2)
DEFAULT = ENCODERS.parent / "default"
TIER = Transformer.load(DEFAULT / (DEFAULT / "CURRENT").read_text().strip() / "accurate", workers=2)
"""Unlike the encoder it reads texts of one length together."""

TEXTS = [
    "The invoice export drops every third row.",
    "",
    "Ça ne marche pas : l'écran reste noir 🙂 — toujours.",
    "Why is [SEP] printed here?",
    "word " * 60,
]


def test_offsets_are_code_points_of_the_text_and_added_tokens_have_no_width():
    for text, tokens in zip(TEXTS, LOADED.run(TEXTS), strict=True):
        assert tokens.output.shape == (len(tokens.start), LOADED.outputs)
        assert tokens.output.dtype == np.float32
        assert (np.diff(tokens.start) >= 0).all()
        assert (np.diff(tokens.end) >= 0).all()
        own = tokens.end > tokens.start
        assert own.tolist() == [False, *[True] * (len(own) - 2), False]
        spoken = "".join(text[a:b] for a, b in zip(tokens.start[own], tokens.end[own], strict=True))
        assert spoken == "".join(text.split())


def test_what_looks_like_a_token_of_the_model_is_plain_text():
    (tokens,) = LOADED.run(["a [SEP] b"])
    assert len(tokens.start) == 2 + len(["a", "[", "sep", "]", "b"])


def same(left, right):
    return all(
        (a.output == b.output).all() and (a.start == b.start).all() and (a.end == b.end).all()
        for a, b in zip(left, right, strict=True)
    )


def test_what_a_text_is_scored_beside_changes_no_bit():
    texts = [f"{text[: 10 + number]} {number}" for number in range(4) for text in TEXTS]
    together = LOADED.run(texts)
    assert same(together, [LOADED.run([text])[0] for text in texts])
    sevens = [tokens for i in range(0, len(texts), 7) for tokens in LOADED.run(texts[i : i + 7])]
    assert same(together, sevens)
    assert same(together, Transformer.load(ENCODER, workers=1).run(texts))
    assert same(together[::-1], LOADED.run(texts[::-1]))


def test_both_read_texts_of_one_length_together():
    assert TIER.together == LOADED.together > 0


@pytest.mark.parametrize("length", [2, 5, 18, 19, 50, 110, 198])
@pytest.mark.parametrize("loaded", [LOADED, TIER], ids=["encoder", "accurate"])
def test_texts_of_one_length_change_no_bit_of_each_other(loaded, length):
    ids = loaded.tokenizer.encode(f"{TEXTS[0]} {TEXTS[2]} " * 20, add_special_tokens=False).ids
    windows = [np.array(ids[start : start + length]) for start in range(24)]
    together = loaded.outputs_of(windows)
    alone = [loaded.outputs_of([window])[0] for window in windows]
    sevens = [output for start in range(0, 24, 7) for output in loaded.outputs_of(windows[start : start + 7])]
    for outputs in (alone, sevens):
        assert all((a == b).all() for a, b in zip(together, outputs, strict=True))
    assert {len(output) for output in together} == {length}


def test_batches_hold_texts_of_one_length_and_the_longest_come_first():
    lengths = [3, 5, 3, 9, 3, 5]
    assert transformer._alike(lengths, 10) == [[3], [1, 5], [0, 2, 4]]
    assert transformer._alike(lengths, 6) == [[3], [1], [5], [0, 2], [4]]
    assert transformer._alike(lengths, 0) == [[3], [1], [5], [0], [2], [4]]
    assert transformer._alike([], 10) == []


def test_tokens_beyond_the_longest_are_left_out():
    (tokens,) = LOADED.run(["one two three four five"], longest=5)
    assert tokens.start.tolist() == [0, 0, 4, 8, 13]
    assert tokens.end.tolist() == [0, 3, 7, 13, 13]
    assert same([tokens], LOADED.run(["one two three"]))


def test_more_tokens_than_the_model_takes_are_refused():
    assert LOADED.positions == 512
    with pytest.raises(ModelError, match="takes 512 tokens at most, not 513; give shorter windows"):
        LOADED.run(["a"], longest=513)


def test_each_returns_what_is_made_of_the_tokens_in_order_of_the_texts():
    assert LOADED.each(TEXTS, lambda tokens: int(tokens.end[-1])) == [len(text.rstrip()) for text in TEXTS]
    assert LOADED.run([]) == []


@settings(max_examples=25)
@given(st.text(st.characters(), max_size=40))
def test_any_text_has_tokens_inside_it(text):
    (tokens,) = LOADED.run([text])
    assert np.isfinite(tokens.output).all()
    assert tokens.start.min() >= 0
    assert tokens.end.max() <= len(text)


def test_alike_texts_are_near():
    texts = ["I can't log in", "My password is refused at sign-in", "The parcel arrived late"]
    rows = np.array(LOADED.each(texts, lambda tokens: tokens.output.mean(axis=0)))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert rows[0] @ rows[1] > 0.4 > rows[0] @ rows[2]


@pytest.mark.parametrize("name", [transformer.MODEL, transformer.TOKENIZER])
def test_missing_and_damaged_files_are_told(tmp_path, name):
    for file in (transformer.MODEL, transformer.TOKENIZER):
        shutil.copyfile(ENCODER / file, tmp_path / file)
    (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(ModelError, match=rf"{name} can't be read: .+; fetch the model again"):
        Transformer.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=rf"{name} is missing; fetch the model again"):
        Transformer.load(tmp_path)


def test_a_model_of_another_kind_is_told(monkeypatch):
    monkeypatch.setattr(transformer, "OUTPUT", "logits")
    with pytest.raises(ModelError, match="takes and gives input_ids, output, expected input_ids and logits"):
        Transformer.load(ENCODER)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\n", False),
        ("processor\t: 0\nflags\t\t: fpu avx avx_vnni\n", False),
        ("processor\t: 0\nflags\t\t: fpu avx2\n", True),
        ("processor\t: 0\nFeatures\t: asimd asimddp\n", False),
        ("", False),
    ],
)
def test_which_processors_overflow(about, expected):
    assert transformer._overflows(about) == expected
