"""What the fast tier would lose and gain with its weights in fewer bits.

In: the shipped model, gold texts, and texts of a corpus. Out: figures for each kind of weights. The model
and the kernel stay as they are: quality is measured with the weights as they would be after rounding, speed
on the sum over the same n-grams alone.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numba as nb
import numpy as np
import pandas as pd
import pyarrow as pa
from bench_measure import macro_f1

from classifier import buffers, classify, kernel, labelled, models
from classifier.classify import FastModel
from classifier.labels import LABELS

GOLD: Final = ("dev", "dev_written", "dev_unseen")
CORPUS: Final = "corpora/sumo_firefox_questions.parquet"
CORPUS_TEXTS: Final = 20_000
ROUNDS: Final = 5

_TINY: Final = np.float32(1e-12)


def measure(data_root: Path) -> dict[str, Any]:
    """Return the figures of each kind: quality, changed decisions, size in memory, and the sum's speed."""
    model = models.load(models.find("default", places=models.folders(""))).fast
    gold = {name: labelled.read_labelled([data_root / "gold" / f"{name}.jsonl"]) for name in GOLD}
    corpus = pd.read_parquet(data_root / CORPUS, columns=["text"])["text"]
    drawn = corpus.sample(min(CORPUS_TEXTS, len(corpus)), random_state=7)
    texts = pa.array(drawn, pa.large_string())
    before = _decisions(model, texts)
    ngrams = _ngrams(model, texts)
    found = {}
    # In memory they may be float16 already.
    for name, (kept, restored) in kinds(model.weights.astype(np.float32)).items():
        other = replace(model, weights=restored)
        decisions = _decisions(other, texts)
        found[name] = {
            "mb": kept.nbytes / 1e6,
            "macro_f1": {key: _quality(other, frame) for key, frame in gold.items()},
            "changed": float((decisions != before).any(axis=1).mean()),
            "ns_per_ngram": _nanoseconds(kept, restored, ngrams),
        }
    return {"texts": len(drawn), "ngrams": len(ngrams[0]), "kinds": found}


def kinds(weights: np.ndarray) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """Return of each kind the weights as they lie in memory, and what they then stand for in float32.

    Parameters
    ----------
    weights
        Shape (n-grams, outputs), float32, of which float16 is what lies on the disk.
    """
    column = np.maximum(np.abs(weights).max(axis=0), _TINY) / np.float32(127)
    whole = np.rint(weights / column).astype(np.int8)
    half = weights.astype(np.float16)
    return {
        "float32": (weights, weights),
        "float16": (half, half.astype(np.float32)),
        "int8, a scale for each column": (whole, whole.astype(np.float32) * column),
    }


def _decisions(model: FastModel, texts: pa.Array) -> np.ndarray:
    return classify.score_texts(model, texts).decision


def _quality(model: FastModel, frame: pd.DataFrame) -> float:
    found = _decisions(model, pa.array(frame["text"], pa.large_string()))
    return macro_f1(found, frame[list(LABELS)].to_numpy(dtype=bool))


def _ngrams(model: FastModel, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the weights that the texts' units need, and where each unit begins."""
    column = buffers.Column.of(texts)
    units = kernel.split_column(column)
    first, buckets = kernel.bucket_column(column, units, model.features)
    return model.index[buckets], first


def _nanoseconds(kept: np.ndarray, restored: np.ndarray, ngrams: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the processor time of adding one n-gram's weights: the best of some rounds."""
    rows, first = ngrams
    sums = np.zeros((len(first) - 1, kept.shape[1]), dtype=np.float32)
    if kept.dtype == np.float16:
        # Compiled code has no half floats here: each is looked up by its bits.
        table = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
        bits = kept.view(np.uint16)
        work: Callable[[], None] = lambda: _add_looked_up(bits, table, rows, first, sums)  # noqa: E731
    elif kept.dtype == np.int8:
        scale = restored.max(axis=0) / np.maximum(kept.max(axis=0), 1).astype(np.float32)
        whole = np.zeros(kept.shape[1], dtype=np.int32)
        work = lambda: _add_whole(kept, scale, rows, first, sums, whole)  # noqa: E731
    else:
        work = lambda: _add(kept, rows, first, sums)  # noqa: E731
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return 1e9 * min(times) / len(rows)


@nb.njit(nogil=True)
def _add(weights: Any, rows: Any, first: Any, sums: Any) -> None:
    for unit in range(len(first) - 1):
        for place in range(first[unit], first[unit + 1]):
            row = rows[place]
            if row:
                for column in range(weights.shape[1]):
                    sums[unit, column] += weights[row, column]


@nb.njit(nogil=True)
def _add_looked_up(weights: Any, table: Any, rows: Any, first: Any, sums: Any) -> None:
    for unit in range(len(first) - 1):
        for place in range(first[unit], first[unit + 1]):
            row = rows[place]
            if row:
                for column in range(weights.shape[1]):
                    sums[unit, column] += table[weights[row, column]]


@nb.njit(nogil=True)
def _add_whole(weights: Any, scale: Any, rows: Any, first: Any, sums: Any, whole: Any) -> None:
    for unit in range(len(first) - 1):
        whole[:] = 0
        for place in range(first[unit], first[unit + 1]):
            row = rows[place]
            if row:
                for column in range(weights.shape[1]):
                    whole[column] += weights[row, column]
        for column in range(weights.shape[1]):
            sums[unit, column] = whole[column] * scale[column]
