"""The accurate tier: a fine-tuned transformer decides anew what the fast tier is unsure of.

In: the fast tier's scores and the texts. Out: scores of the same shape, with the rows that were read
anew replaced. Pure and row-local: neither the order nor the number of the texts changes a bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from classifier import classify
from classifier.classify import Head, Scores
from classifier.classify.decisions import decide
from classifier.classify.limits import NO_UNIT
from classifier.classify.logits import logit, to_logits
from classifier.classify.repeats import expanded, firsts_without
from classifier.classify.scores import Flags, Logits, Places, Reals, UnitPlaces
from classifier.labels import LABELS
from classifier.transformer import Transformer

LONGEST: Final = 254
"""Tokens that are read at once, without the two that mark beginning and end."""

Ints = npt.NDArray[np.int64]


class Band(Protocol):
    """Which documents the cascade asks about."""

    def asks(self, distance: npt.NDArray[np.float64]) -> Flags:
        """Return which, given how far each label lies from the fast tier's threshold, in logits, (n, 3)."""


@dataclass(frozen=True)
class Side:
    """What asking is worth on one side of a threshold: `height` at it, 1/e of that at `scale` logits."""

    height: float
    scale: float


@dataclass(frozen=True)
class Gain:
    """Asks where it is worth more than a limit; what it is worth for several labels adds up.

    A label is worth height * exp(-|distance| / scale), by the side of its threshold that the fast tier is on,
    in the order of LABELS. A rare label that is found may be worth far more than one that was missed by as
    little.
    """

    below: tuple[Side, ...]
    above: tuple[Side, ...]
    limit: float

    def asks(self, distance: npt.NDArray[np.float64]) -> Flags:
        """Return which documents are asked about."""
        return np.asarray(self.worth(distance) > self.limit)

    def worth(self, distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what asking about each document is worth, shape (n,)."""
        worth = np.zeros(len(distance))
        # One by one: a product of matrices might add up otherwise for another number of rows.
        for place, (below, above) in enumerate(zip(self.below, self.above, strict=True)):
            own = distance[:, place]
            height = np.where(own < 0, below.height, above.height)
            worth += height * np.exp(-np.abs(own) / np.where(own < 0, below.scale, above.scale))
        return worth


@dataclass(frozen=True)
class Widths:
    """Asks where any label lies within its width: what models of format 1 do."""

    widths: tuple[float, ...]

    def asks(self, distance: npt.NDArray[np.float64]) -> Flags:
        """Return which documents are asked about."""
        return np.asarray((np.abs(distance) < np.array(self.widths)).any(axis=1))


_DOCUMENT = slice(0, len(LABELS))


@dataclass(frozen=True)
class AccurateModel:
    """The transformer's folder, how its logits are decided, and which documents it is asked about.

    The cascade asks this tier within `band`. So many `threads` read texts at the same time; 0: one per
    processor.
    """

    folder: Path
    heads: Mapping[str, Head]
    band: Band
    threads: int = 0

    @property
    def transformer(self) -> Transformer:
        """The transformer, loaded when it is first asked: most texts never ask it."""
        return _transformer(self.folder, self.threads)


@lru_cache(maxsize=2)
def _transformer(folder: Path, threads: int) -> Transformer:
    return Transformer.load(folder, workers=threads)


def unsure(scores: Scores, heads: Mapping[str, Head], band: Band) -> Ints:
    """Return the rows that the cascade asks the accurate tier about.

    Parameters
    ----------
    scores, heads
        Of the fast tier.
    band
        What asks.
    """
    return np.flatnonzero(band.asks(distances(scores.probability, heads)))


def distances(probability: npt.NDArray[Any], heads: Mapping[str, Head]) -> npt.NDArray[np.float64]:
    """Return how far probabilities lie above their thresholds, in logits, shape (n, 3)."""
    thresholds = [logit(heads[label].threshold) for label in LABELS]
    result: npt.NDArray[np.float64] = to_logits(probability) - np.array(thresholds)
    return result


def refine(
    model: AccurateModel, texts: Sequence[str], scores: Scores, rows: Ints, *, tells_sources: bool = True
) -> Scores:
    """Score `rows` of the texts anew.

    Parameters
    ----------
    texts
        All cleaned texts that `scores` are of.
    scores
        Of the fast tier: its units, and what it knows of each text, are kept.
    rows
        Ascending. Texts of which the fast tier knows too little (one word alone tells nothing), and those
        that are too long to be one piece of feedback, keep what it says of them.
    tells_sources
        Whether the model has learnt where expectations come from: both tiers learn of the same documents.

    Returns
    -------
    Scores of all texts.
    """
    sizes = np.diff(scores.first)
    # Exactly 0 is the probability of a text of which too little is known.
    told = sizes.astype(np.bool_) & (scores.probability > 0).any(axis=1)
    rows = np.array(
        [row for row in rows if told[row] and len(texts[row]) <= classify.TOO_LONG], dtype=np.int64
    )
    if not len(rows):
        return scores
    own = np.concatenate([np.arange(scores.first[row], scores.first[row + 1]) for row in rows])
    first = np.concatenate([[0], np.cumsum(sizes[rows])])
    units = UnitPlaces(first, scores.start[own], scores.end[own])
    again = scores.again[own]
    logits = logits_of(model.transformer, [texts[row] for row in rows], units, again)
    everything = np.ones(len(rows), dtype=np.bool_)
    new = decide(
        model.heads,
        _without(logits, again),
        readable=everything,
        known=scores.known[rows],
        before=to_logits(scores.probability[rows]),
        tells_sources=tells_sources,
    )
    new = expanded(new, units, again)
    # A document's units lie together in both.
    deciding = new.deciding + (scores.first[rows] - first[:-1])[:, None, None]
    return replace(
        scores,
        probability=_put(scores.probability, rows, new.probability),
        decision=_put(scores.decision, rows, new.decision),
        close=_put(scores.close, rows, new.close),
        source=_put(scores.source, rows, new.source),
        deciding=_put(scores.deciding, rows, deciding),
        refined=_put(scores.refined, rows, True),
        unit_probability=_put(scores.unit_probability, own, new.unit_probability),
        evidence=_put(scores.evidence, own, new.evidence),
        nearby=_put(scores.nearby, own, new.nearby),
    )


def _without(logits: Logits, again: Flags) -> Logits:
    """Leave out the units that repeat earlier ones: a document's parts stay, some perhaps without a unit."""
    if not again.any():
        return logits
    once = ~again
    return replace(
        logits,
        first=firsts_without(again, logits.first),
        start=logits.start[once],
        end=logits.end[once],
        unit=logits.unit[once],
        part_first=firsts_without(again, logits.part_first),
    )


def _put(old: npt.NDArray[Any], rows: Ints, new: Any) -> npt.NDArray[Any]:
    """Return a copy with `rows` replaced."""
    copy = old.copy()
    copy[rows] = new
    return copy


def logits_of(
    transformer: Transformer, texts: Sequence[str], units: Places, again: Flags | None = None
) -> Logits:
    """Return the mean outputs of each unit's and each window's tokens.

    Parameters
    ----------
    transformer
        With 13 outputs per token, in the order of the fast tier's columns.
    texts
        n cleaned texts, each with a unit at least.
    units
        Of the texts.
    again
        Which units repeat earlier ones of their text, shape (u,): they aren't read. A passage that is said
        over and over would otherwise look like none that the model has learnt from.
    """
    encoded, owned = [], []
    for begin, stop, (ids, starts) in zip(
        units.first[:-1], units.first[1:], transformer.encode(texts), strict=True
    ):
        unit = _units_of(units.start[begin:stop], starts)
        read = slice(None) if again is None else ~again[begin:stop][unit]
        encoded.append(ids[read])
        owned.append(unit[read])
    windows = [windows_of(unit) for unit in owned]
    outputs = iter(
        transformer.outputs_of(
            [ids[a:b] for ids, parts in zip(encoded, windows, strict=True) for a, b in parts]
        )
    )
    sizes = np.diff(units.first)
    means, parts, cuts = [], [], []
    for row, (unit, spans) in enumerate(zip(owned, windows, strict=True)):
        own = [next(outputs) for _ in spans]
        means.append(_means(np.concatenate(own), unit, int(sizes[row])))
        parts += [output[:, _DOCUMENT].mean(axis=0, dtype=np.float64) for output in own]
        cuts += [int(units.first[row] + unit[a]) for a, _ in spans]
    return Logits(
        first=units.first,
        start=units.start,
        end=units.end,
        unit=np.concatenate(means),
        part=np.array(parts, dtype=np.float32),
        part_first=np.array([*_ascending(cuts), units.first[-1]], dtype=np.int64),
        part_starts=np.cumsum([0, *map(len, windows)])[:-1],
    )


def windows_of(unit: Ints) -> list[tuple[int, int]]:
    """Cut a document's tokens into windows of at most LONGEST, between units where one ends.

    Parameters
    ----------
    unit
        The unit of each token, ascending, shape (t,).

    Returns
    -------
    (first, end) of each window in order.
    """
    borders = np.flatnonzero(np.diff(unit)) + 1
    aim = len(unit) / max(1, -(-len(unit) // LONGEST))
    found: list[tuple[int, int]] = []
    begin = 0
    while len(unit) - begin > LONGEST:
        possible = borders[(borders > begin) & (borders <= begin + LONGEST)]
        end = int(possible[np.argmin(np.abs(possible - begin - aim))]) if len(possible) else begin + LONGEST
        found.append((begin, end))
        begin = end
    return [*found, (begin, len(unit))]


def _units_of(start: npt.NDArray[np.int32], tokens: npt.NDArray[Any]) -> Ints:
    """Return the unit of each token: the last one that begins at or before it."""
    place = np.searchsorted(start, tokens, side="right") - 1
    return np.clip(place, 0, len(start) - 1).astype(np.int64)


def _means(outputs: Reals, unit: Ints, units: int) -> Reals:
    """Return the mean output of each unit; one without a token (a lone sign) is as unlikely as anything."""
    sums = np.zeros((units, outputs.shape[1]), dtype=np.float64)
    np.add.at(sums, unit, outputs.astype(np.float64))
    sizes = np.bincount(unit, minlength=units)
    sums[sizes == 0] = NO_UNIT
    means: Reals = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    return means


def _ascending(cuts: Sequence[int]) -> Ints:
    """Return where parts begin: a unit that two windows share belongs to the first of them."""
    return np.maximum.accumulate(np.array(cuts, dtype=np.int64))
