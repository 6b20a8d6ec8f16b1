"""What a fast model is: weights of hashed n-grams, and how each label is decided by them.

In: arrays and numbers. Out: frozen dataclasses. Never reads a text.
"""

import mmap
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from classifier.classify.scores import Reals
from classifier.features import FeatureSettings
from classifier.labels import EXPECTATION_SOURCES, LABELS

if TYPE_CHECKING:
    from classifier.kernel import Lookup


OUTPUTS: Final = 2 * len(LABELS) + len(EXPECTATION_SOURCES)
"""Columns of the weights: document logit per label, unit logit per label, source logits."""

NEVER_SEEN: Final = -10.0
"""Bias of an expectation source that training had no example of."""

STACKED: Final = ("document", "best_unit", "second_unit", "all_units", "log_units")
"""What the final logit of a label is a weighted sum of."""


@dataclass(frozen=True)
class Head:
    """How one label is decided.

    `stack` weighs STACKED, then comes the intercept; `threshold` and `unit_threshold` are
    probabilities; a document within `margin` of the threshold (difference of logits) is too close to
    call; `prior` is the share of documents with the label where all this was fitted, 0 where a model of old
    doesn't tell. `blend` weighs the stack's logit and that of a tier before this one, then comes an
    intercept; it is empty where a tier decides alone.
    """

    stack: tuple[float, ...]
    threshold: float
    unit_scale: float
    unit_shift: float
    unit_threshold: float
    margin: float
    prior: float = 0.0
    blend: tuple[float, ...] = ()

    def shifted(self, logit: float) -> "Head":
        """Return the head for documents among which the label is more common by `logit` (of its odds).

        Units follow: a sentence carries a label more often where documents do. So does the tier before this
        one, which brings a part of it into a blend.
        """
        own = logit * (1.0 - self.blend[1]) / self.blend[0] if self.blend else logit
        return replace(
            self,
            stack=(*self.stack[:-1], self.stack[-1] + own),
            unit_shift=self.unit_shift + logit,
        )


@dataclass(frozen=True)
class FastModel:
    """Weights of hashed n-grams for documents, units and expectation sources."""

    features: FeatureSettings
    index: npt.NDArray[np.int32]
    weights: Reals
    bias: tuple[float, ...]
    heads: Mapping[str, Head]

    @property
    def tells_sources(self) -> bool:
        """Whether it has learnt where expectations come from: without an example, no source is likelier."""
        return any(bias != NEVER_SEEN for bias in self.bias[2 * len(LABELS) :])

    def with_heads(self, heads: Mapping[str, Head]) -> "FastModel":
        """Return a model that decides otherwise; both share the weights as the kernel takes them."""
        other = replace(self, heads=heads)
        vars(other)["lookup"] = self.lookup
        return other

    @cached_property
    def lookup(self) -> "Lookup":
        """Index and weights as the kernel takes them."""
        from classifier.kernel import Lookup

        made = Lookup.of(self.index, self.weights)
        _let_go(self.index)
        _let_go(self.weights)
        return made


def _let_go(array: npt.NDArray[Any]) -> None:
    """Give back the memory of an array that is a part of a file; who reads it again finds it there."""
    file: Any = array.base
    # Nothing but what lies in a file comes back.
    if isinstance(file, np.memmap) and file.mode == "r" and sys.platform != "win32":
        whole: Any = file.base
        whole.madvise(mmap.MADV_DONTNEED)
