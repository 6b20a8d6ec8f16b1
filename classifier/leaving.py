"""Who speaks of leaving: the token patterns of `cues`, matched without spaCy.

In: texts and the names of competitors. Out: a mask. Knows of spaCy's patterns what `cues.churn_patterns`
uses, and gives what spaCy's Matcher gives on ordinary text, hundreds of times faster.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from classifier.cues import Pattern, churn_patterns

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


def speak_of_leaving(texts: Any, competitors: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say which texts match a pattern of leaving that no word before it takes back.

    Parameters
    ----------
    texts
        A column of strings: a list, a pandas Series or an Arrow array.
    competitors
        All spellings of their names.

    Returns
    -------
    Mask of shape (len(texts),).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    given = isinstance(texts, pa.Array | pa.ChunkedArray)
    column = texts if given else pa.array(texts, pa.large_string(), from_pandas=True)
    finder = _finder(tuple(sorted(competitors)))
    likely = pc.match_substring_regex(column, finder.cue).fill_null(False)
    found = np.array(likely.to_numpy(zero_copy_only=False), dtype=np.bool_)
    for row in np.flatnonzero(found):
        found[row] = finder.leaves(column[int(row)].as_py())
    return found


class _Finder:
    """Patterns by the word that they begin with; `cue` is a quick test that all of them pass."""

    def __init__(self, competitors: Sequence[str]) -> None:
        kinds = churn_patterns([tokens_of(name) for name in competitors])
        self._starts: dict[str, list[tuple[Pattern, bool]]] = {}
        for kind, patterns in kinds.items():
            for pattern in patterns:
                for word in _words(pattern[0]):
                    self._starts.setdefault(word, []).append((pattern, kind == _NEGATED_ALREADY))
        phrases = [pattern for patterns in kinds.values() for pattern in patterns if _is_phrase(pattern)]
        cues = [*dict.fromkeys(map(_cue, phrases)), *map(_literal, competitors)]
        self.cue = "(?i)" + "|".join(cues)

    def leaves(self, text: str) -> bool:
        tokens = tokens_of(text)
        lower = [token.lower() for token in tokens]
        for place, word in enumerate(lower):
            for pattern, negated_already in self._starts.get(word, ()):
                if _fits(tokens, lower, place, pattern) and (
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


def _fits(tokens: Sequence[str], lower: Sequence[str], place: int, pattern: Pattern) -> bool:
    """Tell whether a pattern matches from `place` on."""
    if not pattern:
        return True
    first, rest = pattern[0], pattern[1:]
    least, most = _COUNTS[first.get("OP", "")]
    for count in range(most + 1):
        if count >= least and _fits(tokens, lower, place + count, rest):
            return True
        here = place + count
        if here >= len(tokens) or not _is(first, tokens[here], lower[here]):
            return False
    return False


_COUNTS: Final = {"": (1, 1), "?": (0, 1), "{0,2}": (0, 2), "{0,5}": (0, 5)}


def _is(token: Mapping[str, Any], text: str, lower: str) -> bool:
    if "LOWER" in token:
        return lower in _words(token)
    if "ORTH" in token:
        return bool(text == token["ORTH"])
    if "TEXT" in token:
        return text not in token["TEXT"]["NOT_IN"]
    return text.isalpha()


def _is_phrase(pattern: Pattern) -> bool:
    """Tell whether a pattern holds no name: names are looked for as they are written."""
    return not any("ORTH" in token or isinstance(token.get("LOWER"), str) for token in pattern)


def _cue(pattern: Pattern) -> str:
    """Return an expression for RE2 that matches wherever the pattern does, and at few other places."""
    gaps = ["", *[" ?"] * (len(pattern) - 1)]
    return "".join(
        f"(?:{gap}{_loose(token)}){token.get('OP', '')}" for gap, token in zip(gaps, pattern, strict=True)
    )


def _loose(token: Mapping[str, Any]) -> str:
    return r"\pL+" if "IS_ALPHA" in token else "(?:" + "|".join(map(_literal, _words(token))) + ")"


def _literal(text: str) -> str:
    return re.escape(text).replace("'", "['’]")
