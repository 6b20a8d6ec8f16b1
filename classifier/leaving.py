"""Who speaks of leaving: the token patterns of `cues`, matched without spaCy.

In: texts and the names of competitors. Out: a mask. Knows of spaCy's patterns what `cues.churn_patterns`
uses, and gives what spaCy's Matcher gives on ordinary text, hundreds of times faster.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.cues import Pattern, churn_patterns

if TYPE_CHECKING:
    from classifier.buffers import Column

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_NEGATIONS: Final = frozenset(("not", "n't", "never", "no", "without", "nobody", "instead"))
_NEGATED_WITHIN: Final = 3  # tokens
_NEGATED_ALREADY: Final = "negated already"

# More than one space, and every line break, is a token of its own: it parts the words of a phrase.
_TOKEN: Final = re.compile(
    r"can(?=not\b)|[^\W_]+?(?=n't\b)|n't\b|'[^\W_]+|[^\W_]+|[^\w\s]|_"
    # White space beyond one space between words is a token of its own, however long.
    r"|\A\s+|(?<=\S )\s+|(?<=\S)[^\S ]\s*",
    re.IGNORECASE,
)


def tokens_of(text: str) -> list[str]:
    """Return the words and signs of a text, contractions apart, as spaCy's English tokenizer cuts them.

    Examples
    --------
    >>> tokens_of("We can't renew, Acme's cheaper")
    ['We', 'ca', "n't", 'renew', ',', 'Acme', "'s", 'cheaper']
    """
    return _TOKEN.findall(text.replace("’", "'"))


def speak_of_leaving(texts: Any, competitors: Sequence[str], rows: Rows | None = None) -> Flags:
    """Say which texts match a pattern of leaving that no word before it takes back.

    Parameters
    ----------
    texts
        A column of strings: a list, a pandas Series or an Arrow array.
    competitors
        All spellings of their names.
    rows
        Places of the texts to look at, in order; all by default. The others are not marked.

    Returns
    -------
    Mask of shape (len(texts),).
    """
    from classifier.buffers import Column

    column = Column.of(texts)
    finder = _finder(tuple(sorted(competitors)))
    found, unsure = finder.find(column, np.arange(len(column)) if rows is None else rows)
    for row in np.flatnonzero(unsure).tolist():
        found[row] = finder.leaves(column[row])
    return found


class _Finder:
    """Patterns by the word that they begin with, and quick looks at a column that all of them pass."""

    def __init__(self, competitors: Sequence[str]) -> None:
        from classifier.needles import Needles
        from classifier.phrases import Phrases

        kinds = churn_patterns([tokens_of(name) for name in competitors])
        self._starts: dict[str, list[tuple[Steps, bool]]] = {}
        for kind, patterns in kinds.items():
            for pattern in patterns:
                steps = tuple(map(_step, pattern))
                for word in _words(pattern[0]):
                    self._starts.setdefault(word, []).append((steps, kind == _NEGATED_ALREADY))
        named = {kind: list(filter(_is_phrase, patterns)) for kind, patterns in kinds.items()}
        phrases = [pattern for patterns in named.values() for pattern in patterns]
        self._phrases = Phrases(
            (
                (variant, kind == _NEGATED_ALREADY)
                for kind, patterns in named.items()
                for pattern in patterns
                for variant in _variants(pattern)
            ),
            _NEGATIONS,
            within=_NEGATED_WITHIN,
        )
        names = [name.lower().replace("'", mark) for name in competitors for mark in "'’"]
        self._names = Needles(names) if names else None
        together = [pattern for pattern in phrases if not any("IS_ALPHA" in token for token in pattern)]
        self._needles = Needles(text for pattern in together for text in _spelled(pattern))
        # Of a pattern with any words in between: what stands at its ends.
        apart = [pattern for pattern in phrases if pattern not in together]
        ends = [
            ([f"{word} " for word in _words(p[0])], [f" {word}" for word in _words(p[-1])]) for p in apart
        ]
        self._apart = [(Needles(first), Needles(last)) for first, last in ends]
        self._firsts = Needles(word for first, _ in ends for word in first)

    def find(self, column: "Column", rows: Rows) -> tuple[Flags, Flags]:
        """Mark those of the rows that match for sure, and those that must be read word by word."""
        from classifier.phrases import HOLDS, UNREAD

        found, unsure = np.zeros((2, len(column)), dtype=np.bool_)
        likely = np.flatnonzero(self._likely(column, rows))
        told = self._phrases.find(column, likely)
        found[likely], unsure[likely] = told == HOLDS, told == UNREAD
        # Names are looked for as they are written, letter by letter.
        if self._names is not None:
            unsure |= self._names.find(column, rows) & ~found
        return found, unsure

    def _likely(self, column: "Column", rows: Rows) -> Flags:
        """Mark those of the rows that hold what a phrase can't do without, in any case."""
        found = self._needles.find(column, rows)
        begun = np.flatnonzero(self._firsts.find(column, rows) & ~found)
        for first, last in self._apart:
            found |= last.find(column, np.flatnonzero(first.find(column, begun)))
        return found

    def leaves(self, text: str) -> bool:
        tokens = tokens_of(text)
        lower = [token.lower() for token in tokens]
        for place, word in enumerate(lower):
            for steps, negated_already in self._starts.get(word, ()):
                if _fits(tokens, lower, place, steps) and (
                    negated_already
                    or not _NEGATIONS.intersection(lower[max(0, place - _NEGATED_WITHIN) : place])
                ):
                    return True
        return False


@lru_cache(maxsize=4)
def _finder(competitors: tuple[str, ...]) -> _Finder:
    return _Finder(competitors)


def _words(token: Mapping[str, Any]) -> list[str]:
    """Return the words in lower case that a token of a pattern stands for."""
    spelled = token["LOWER"] if "LOWER" in token else token["ORTH"].lower()
    return [spelled] if isinstance(spelled, str) else spelled["IN"]


class _Step(NamedTuple):
    """A token of a pattern, laid out to be looked at fast: how often it may stand, and what may.

    `lower` are words in lower case, `text` the token as it is written; without both, any of letters alone,
    or none of `but`.
    """

    least: int
    most: int
    lower: frozenset[str] = frozenset()
    text: str = ""
    but: tuple[str, ...] = ()

    def takes(self, text: str, lower: str) -> bool:
        if self.lower:
            return lower in self.lower
        if self.text:
            return text == self.text
        return text not in self.but if self.but else text.isalpha()


Steps = tuple[_Step, ...]

_COUNTS: Final = {"": (1, 1), "?": (0, 1), "{0,2}": (0, 2), "{0,5}": (0, 5)}


def _step(token: Mapping[str, Any]) -> _Step:
    counts = _COUNTS[token.get("OP", "")]
    if "LOWER" in token:
        return _Step(*counts, lower=frozenset(_words(token)))
    if "ORTH" in token:
        return _Step(*counts, text=token["ORTH"])
    return _Step(*counts, but=tuple(token["TEXT"]["NOT_IN"]) if "TEXT" in token else ())


def _fits(tokens: Sequence[str], lower: Sequence[str], place: int, steps: Steps) -> bool:
    """Tell whether a pattern matches from `place` on."""
    for number, step in enumerate(steps):
        if step.most > 1 or not step.least:
            return _fits_any(tokens, lower, place, steps[number:])
        if place >= len(tokens) or not step.takes(tokens[place], lower[place]):
            return False
        place += 1
    return True


def _fits_any(tokens: Sequence[str], lower: Sequence[str], place: int, steps: Steps) -> bool:
    """Do as `_fits` where the first token may be missing, or stand several times."""
    first, rest = steps[0], steps[1:]
    for here in range(place, place + first.most + 1):
        if here >= place + first.least and _fits(tokens, lower, here, rest):
            return True
        if here >= len(tokens) or not first.takes(tokens[here], lower[here]):
            return False
    return False


def _is_phrase(pattern: Pattern) -> bool:
    """Tell whether a pattern holds no name: names are looked for as they are written."""
    return not any("ORTH" in token or isinstance(token.get("LOWER"), str) for token in pattern)


def _variants(pattern: Pattern) -> Iterator[list[frozenset[str]]]:
    """Yield a phrase with each number of words where it may have several, as sets of words."""
    counts = [range(step.least, step.most + 1) for step in map(_step, pattern)]
    for chosen in product(*counts):
        yield [
            step.lower for step, count in zip(map(_step, pattern), chosen, strict=True) for _ in range(count)
        ]


def _spelled(pattern: Pattern) -> list[str]:
    """Return all that the end of a phrase may look like in a text, in lower case.

    Between tokens of a text stands a space or nothing; between two words, only "can" and "not" touch.
    """
    found = [""]
    for token in reversed(pattern):
        words = _words(token) + ([""] if token.get("OP") == "?" else [])
        longer = [text for word in words for after in found for text in _joined(word, after)]
        if len(longer) > _MOST_SPELLED:
            break
        found = longer
    return [text.replace("'", mark) for text in found for mark in "'’"]


_MOST_SPELLED: Final = 100
"""Of one phrase: more would say little more, and take long to lay out."""


def _joined(before: str, word: str) -> list[str]:
    if not before or not word:
        return [before + word]
    apart = f"{before} {word}"
    return [apart] if before[-1].isalpha() and word.isalpha() and word != "not" else [apart, before + word]
