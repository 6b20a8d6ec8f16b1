"""Labelled and soft documents as batches of tokens, for fine-tuning the accurate tier.

In: documents and a tokenizer. Out: windows of tokens, what each loss takes of them, and padded batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import student
import torch
from tokenizers import Tokenizer
from torch import Tensor

from classifier import kernel, train
from classifier.accurate import windows_of
from classifier.buffers import Column
from classifier.labels import LABELS

CLS, SEP, MASK = 101, 102, 103
TOKENS_PER_BATCH = 3072

UNKNOWN_UNIT = 0.15
"""Weight of units of a labelled document that aren't its evidence: most carry the label less, some do."""

SOFT_LONGEST, SOFT_OF_SOURCE = 300, 5_000
"""Soft labels that are learnt from too: code points of a text, and texts of a source."""

NONE = student.Soft(pd.Series([], dtype="str"), np.array([]), np.zeros((0, 3)), np.zeros((0, 3)))


@dataclass(frozen=True)
class Window:
    """A part of a document that is read at once: its token ids, and the unit of each token."""

    document: int
    ids: np.ndarray
    unit: np.ndarray
    whole: bool


@dataclass(frozen=True)
class Data:
    """Documents as windows of tokens; u units, of which `evidence` carry a label for sure, shape (u, 3).

    Each loss takes a share to be reached and its weight: of documents, `share`, shape (n, 3), and `weight`,
    shape (n,); of units, `unit_share` and `unit_weight`, shape (u, 3). `unit_source` is -1 where it isn't
    told.
    """

    windows: list[Window]
    share: np.ndarray
    weight: np.ndarray
    evidence: np.ndarray
    unit_share: np.ndarray
    unit_weight: np.ndarray
    unit_source: np.ndarray


def prepare(documents: pd.DataFrame, soft: student.Soft, tokenizer: Tokenizer) -> Data:
    """Tokenize labelled documents and, behind them, soft ones, and assign tokens to units."""
    texts = pd.concat([documents["text"], soft.texts], ignore_index=True)
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    labelled = kernel.split_column(Column.of(documents["text"]))
    unit_has, unit_source = train.unit_labels(documents, labelled, has)
    evidence = unit_has == 1
    known = np.where(unit_has == -1, UNKNOWN_UNIT, 1.0)
    return Data(
        windows_in(texts, tokenizer),
        share=np.concatenate([has, soft.document]).astype(np.float32),
        weight=np.concatenate([np.ones(len(has)), np.full(len(soft.texts), student.SOFT)]).astype(np.float32),
        evidence=np.concatenate([evidence, np.zeros(soft.unit.shape, dtype=bool)]).astype(np.float32),
        unit_share=np.concatenate([evidence, soft.unit]).astype(np.float32),
        unit_weight=np.concatenate([known, np.full(soft.unit.shape, student.SOFT)]).astype(np.float32),
        unit_source=np.concatenate([unit_source, np.full(len(soft.unit), -1)]).astype(np.int64),
    )


def short(soft: student.Soft) -> student.Soft:
    """Return the first SOFT_OF_SOURCE texts of each source that are no longer than SOFT_LONGEST."""
    few = pd.Series(np.where(soft.texts.str.len() <= SOFT_LONGEST, soft.source, ""))
    chosen = ((few != "") & (few.groupby(few).cumcount() < SOFT_OF_SOURCE)).to_numpy()
    own = np.repeat(chosen, np.diff(kernel.split_column(Column.of(soft.texts)).first))
    texts = soft.texts[chosen].reset_index(drop=True)
    return student.Soft(texts, soft.source[chosen], soft.document[chosen], soft.unit[own])


def windows_in(texts: pd.Series, tokenizer: Tokenizer) -> list[Window]:
    """Tokenize texts, assign tokens to units, and cut what can't be read at once."""
    units = kernel.split_column(Column.of(texts))
    encoded = tokenizer.encode_batch(texts.tolist(), add_special_tokens=False)
    windows: list[Window] = []
    for row, found in enumerate(encoded):
        begin, stop = int(units.first[row]), int(units.first[row + 1])
        if begin == stop:
            continue
        starts = np.array([start for start, _ in found.offsets], dtype=np.int64)
        unit = begin + np.clip(
            np.searchsorted(units.start[begin:stop], starts, side="right") - 1, 0, stop - begin - 1
        )
        ids = np.array(found.ids, dtype=np.int64)
        parts = windows_of(unit)
        windows += [Window(row, ids[a:b], unit[a:b], len(parts) == 1) for a, b in parts]
    return windows


@dataclass(frozen=True)
class Batch:
    """Windows padded to one length; `segment` numbers the units of the batch, -1 where no token is."""

    windows: Sequence[Window]
    ids: Tensor
    attention: Tensor
    segment: Tensor
    units: np.ndarray
    row: Tensor


def collate(windows: Sequence[Window]) -> Batch:
    """Pad windows to a batch."""
    length = max(len(window.ids) for window in windows) + 2
    ids = torch.zeros(len(windows), length, dtype=torch.long)
    attention = torch.zeros_like(ids)
    segment = torch.full_like(ids, -1)
    units, rows, count = [], [], 0
    for row, window in enumerate(windows):
        size = len(window.ids)
        ids[row, 0], ids[row, size + 1] = CLS, SEP
        ids[row, 1 : size + 1] = torch.from_numpy(window.ids)
        attention[row, : size + 2] = 1
        own, place = np.unique(window.unit, return_inverse=True)
        segment[row, 1 : size + 1] = torch.from_numpy(place) + count
        units.append(own)
        rows += [row] * len(own)
        count += len(own)
    return Batch(windows, ids, attention, segment, np.concatenate(units), torch.tensor(rows))


def batches(windows: Sequence[Window], generator: np.random.Generator) -> list[list[Window]]:
    """Return one epoch: windows of like length together, batches in random order."""
    order = generator.permutation(len(windows))
    found: list[list[Window]] = []
    for begin in range(0, len(order), 2048):
        chunk = sorted((windows[place] for place in order[begin : begin + 2048]), key=lambda w: len(w.ids))
        found += list(filled(chunk))
    generator.shuffle(found)  # type: ignore[arg-type]
    return found


def filled(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Yield runs of windows, in ascending length, that fill a batch each."""
    batch: list[Window] = []
    for window in windows:
        if batch and (len(window.ids) + 2) * (len(batch) + 1) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
