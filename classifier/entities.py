"""Scored documents -> one row per span, with competitors, signs of leaving and impact.

In: table SCORED, whose quotes are redacted already. Out: the first columns of table EVIDENCE and
those that later stages read. Never sees the raw text, except where `score` hands it to `find_competitors`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classifier import schema
from classifier.cues import impact_patterns
from classifier.labels import GAP
from classifier.leaving import speak_of_leaving

Competitors = Mapping[str, Sequence[str]]

CARRIED: Final = (
    "source",
    "channel",
    "account",
    "created_at",
    "url",
    "subject",
    "segment",
    "amount",
    "stage",
)
"""Columns of a document that travel with each of its spans, beside the kept ones."""

NEAR: Final = ("near_claim", "near_capability")
"""Columns of evidence, not of its file: what a span is likely about, if not surely enough for a link."""

CAPABILITY_SCORE: Final = "capability_score"
"""Another such column: the probability that the capability is the one asked for."""

_NUMBER_CUE: Final = (
    r"(?i)[0-9]|\b(half|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|twenty|thirty|fifty"
    r"|hundred|thousand|couple|several|a (minute|hour|day|week|month|night|weekend))"
)

_UNIT_CUE: Final = (
    r"(?i)\p{Sc}|(^|[^a-z])(h([^a-z]|$)|min|hour|hr|day|week|month|night|evening|morning|afternoon|stunden|tage"
    r"|heures|jours|horas|días|uur|dagen|eur|usd|gbp|chf|dollar|pound|quid|fte|headcount|people|staff"
    r"|dispatchers|technicians|employees)"
)
"""Each amount of `cues.impact_patterns` names one of these: what doesn't isn't read word by word."""


def evidence_of(scored: pd.DataFrame, competitors: Competitors | None = None) -> pd.DataFrame:
    """Take the spans out of scored documents.

    Parameters
    ----------
    scored
        Table SCORED, kept columns after it. A span of `spans` may also carry `competitors` (names) and
        `churn_risk` (true), found in the raw text while scoring.
    competitors
        Name -> further spellings; also looked for in quote and subject.

    Returns
    -------
    One row per span, documents and spans in their order, index from 0: table EVIDENCE, what later
    stages fill left empty, then subject, segment, amount, stage, the kept columns, CAPABILITY_SCORE and NEAR.
    Empty for no spans.

    Raises
    ------
    SchemaError
        If `scored` lacks a column of SCORED.
    """
    kept = [name for name in scored.columns if name not in schema.SCORED]
    scored = schema.conform(scored, schema.SCORED, extra=kept)
    spans = _spans(scored["spans"])
    documents = scored.loc[spans.pop("document"), ["document_id", "expectation_source", *CARRIED, *kept]]
    rows = pd.concat([spans, documents.reset_index(drop=True)], axis=1)
    rows["expectation_source"] = rows["expectation_source"].where(rows["label"] == GAP, "")
    said = rows["subject"] + "\n" + rows["quote"]
    found = find_competitors(rows["quote"], competitors or {})
    rows["competitor"] = [
        _union(first, second) for first, second in zip(rows["competitor"], found, strict=True)
    ]
    rows["churn_risk"] |= find_churn(said, competitors or {})
    rows["impact"] = find_impact(rows["quote"])
    filled = {name: _blank(dtype, len(rows)) for name, dtype in schema.EVIDENCE.items() if name not in rows}
    extra = [name for name in ("subject", "segment", "stage") if name not in kept]
    amounts = rows["amount"].to_numpy()
    evidence = schema.conform(rows.assign(**filled), schema.EVIDENCE, extra=[*extra, *kept])
    near = dict.fromkeys(NEAR, _blank(schema.STR, len(rows)))
    return evidence.assign(amount=amounts, **{CAPABILITY_SCORE: 0.0}, **near)


def _spans(column: pd.Series) -> pd.DataFrame:
    """Return one row per span: document (position in `column`), label, start, end, score, quote…."""
    import orjson

    rows = [
        (
            position,
            span["label"],
            span["start"],
            span["end"],
            span["score"],
            span["quote"],
            ";".join(span.get("competitors", ())),
            bool(span.get("churn_risk", False)),
        )
        for position, text in enumerate(column)
        if text
        for span in orjson.loads(text)
    ]
    names = ["document", "label", "start", "end", "score", "quote", "competitor", "churn_risk"]
    types = ["int64", "str", "int64", "int64", "float64", "str", "str", "bool"]
    return pd.DataFrame(rows, columns=names).astype(dict(zip(names, types, strict=True)))


def _union(first: str, second: str) -> str:
    return ";".join(dict.fromkeys(name for name in (*first.split(";"), *second.split(";")) if name))


def _blank(dtype: str, size: int) -> pd.Series:
    if dtype == schema.STR:
        return pd.Series([""] * size, dtype="str")
    return pd.Series([np.nan] * size, dtype="float64")


def document_texts(evidence: pd.DataFrame, column: str = "") -> pd.DataFrame:
    """Return what is known of each document with spans: `text` (subject and quotes) and `tags`.

    Parameters
    ----------
    evidence
        Rows of `evidence_of`, any order; the order of a document's spans is taken from `start`.
    column
        Column whose tags are read; without one, `tags` is empty.

    Returns
    -------
    One row per document, index `document_id`, sorted.
    """
    codes, names = pd.factorize(evidence["document_id"], sort=True)
    labels = pd.factorize(evidence["label"], sort=True)[0]
    order = np.lexsort([labels, evidence["start"].to_numpy(), codes])
    codes = codes[order]
    quotes = evidence["quote"].iloc[order]
    once = ~pd.DataFrame({"document": codes, "quote": pd.factorize(quotes)[0]}).duplicated().to_numpy()
    said = quotes[once].to_list()
    bounds = [*_starts(codes[once]), len(said)]
    first = order[_starts(codes)]
    subjects = evidence["subject"].iloc[first]
    text = [
        " . ".join([subject, *said[start:end]])
        for subject, (start, end) in zip(subjects, pairwise(bounds), strict=True)
    ]
    tags = [_tags(value) for value in evidence[column].iloc[first]] if column else ""
    return pd.DataFrame({"text": text, "tags": tags}, index=names.rename("document_id")).astype("str")


def _starts(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each run of equal codes begins; codes are 0 or more."""
    return np.flatnonzero(np.diff(codes, prepend=-1))


def _tags(value: str) -> str:
    return " ; ".join(column_values(value))


def column_values(value: str) -> list[str]:
    """Split a value of the area column into tags.

    Examples
    --------
    >>> column_values('["sales", "new-home"]'), column_values("quick books; billing")
    (['sales', 'new-home'], ['quick books', 'billing'])
    """
    plain = value.strip("[] ").replace(",", ";").replace("|", ";")
    return [tag for part in plain.split(";") if (tag := part.strip(" \"'"))]


def find_competitors(texts: pd.Series, competitors: Competitors) -> pd.Series:
    """Name the competitors that each text mentions, ";"-joined, in order of first mention.

    A spelling counts as a whole word; its case counts too, unless it is given in lower case.
    Texts without a mention, and all texts where no competitors are given, are "".

    Examples
    --------
    >>> list(find_competitors(pd.Series(["Acme's cheaper", "the acme of"]), {"Acme": ["acme inc"]}))
    ['Acme', '']
    """
    found = pd.Series("", index=texts.index, dtype="str")
    names = {
        spelling: name for name, others in competitors.items() for spelling in (name, *others) if spelling
    }
    if not names or texts.empty:
        return found
    pattern = re.compile("|".join(f"(?P<c{i}>{_whole_word(text)})" for i, text in enumerate(names)))
    owners = list(names.values())
    likely = _matching(texts, "|".join(_cased(text) for text in names))

    def mentions(text: str) -> str:
        groups = (match.lastgroup or "" for match in pattern.finditer(text))
        return ";".join(dict.fromkeys(owners[int(group[1:])] for group in groups))

    named = [mentions(text) if hit else "" for text, hit in zip(texts, likely, strict=True)]
    return pd.Series(named, index=texts.index, dtype="str")


def _cased(spelling: str) -> str:
    return f"(?i:{re.escape(spelling)})" if spelling.islower() else re.escape(spelling)


def _whole_word(spelling: str) -> str:
    return rf"(?<!\w){_cased(spelling)}(?!\w)"


def _matching(texts: pd.Series, pattern: str) -> np.ndarray:
    """Say which texts hold the pattern, one compiled pass over all of them."""
    column = pa.array(texts, type=pa.large_string(), from_pandas=True)
    hits = pc.match_substring_regex(column, pattern=pattern).fill_null(False)
    return np.array(hits.to_numpy(zero_copy_only=False), dtype=bool)


def find_churn(
    texts: pd.Series,
    competitors: Competitors | None = None,
    *,
    among: npt.NDArray[np.int64] | None = None,
) -> pd.Series:
    """Say which texts speak of leaving: cancelling, not renewing, switching, talks with a competitor.

    "We won't cancel" and "we came from Acme" are no signs of leaving; "we won't renew" is one. `among` are
    the places of the texts to look at, in order; all by default.
    """
    spellings = sorted({s for name, others in (competitors or {}).items() for s in (name, *others) if s})
    return pd.Series(speak_of_leaving(texts, spellings, among), index=texts.index, dtype="bool")


def find_impact(quotes: pd.Series) -> pd.Series:
    """Return the first amount of money, time or people that each quote says is lost or spent, else "".

    Examples
    --------
    >>> list(find_impact(pd.Series(["It costs us three hours a week.", "Open till 5."])))
    ['three hours a week', '']
    """
    likely = _matching(quotes, _NUMBER_CUE) & _matching(quotes, _UNIT_CUE)
    found = np.full(len(quotes), "", dtype=object)
    if likely.any():
        nlp, matcher = _impact_matcher()
        found[likely] = [_amount(doc, matcher) for doc in nlp.pipe(quotes[likely])]
    return pd.Series(found, index=quotes.index, dtype="str")


@lru_cache(maxsize=1)
def _impact_matcher() -> tuple[Any, Any]:
    from spacy.matcher import Matcher

    nlp = _tokenizer()
    matcher = Matcher(nlp.vocab)
    for name, patterns in impact_patterns().items():
        matcher.add(name, patterns, greedy="LONGEST")
    return nlp, matcher


def _amount(doc: Any, matcher: Any) -> str:
    """Return the strongest amount: a rate before money before a bare duration near a word of loss."""
    matches = [(doc.vocab.strings[name], start, end) for name, start, end in matcher(doc)]
    lost = any(name == "loss" for name, _, _ in matches)
    order = (
        {"rate": 0, "money": 1, "staff": 2, "duration": 3} if lost else {"rate": 0, "money": 1, "staff": 2}
    )
    amounts = sorted((order[name], start, end) for name, start, end in matches if name in order)
    if not amounts:
        return ""
    _, start, end = amounts[0]
    if doc[end - 1].lower_ == "h" and end < len(doc) and re.fullmatch(r"\d\d", doc[end].text):
        end += 1  # 2 h 05
    return str(doc[_widened(doc, start) : end].text)


def _widened(doc: Any, start: int) -> int:
    """Return where an amount begins: "half an hour", "3-4 pounds", "11 460 EUR", "a few hundred pounds"."""
    while start and _belongs(doc, start):
        start -= 1
    return start


def _belongs(doc: Any, start: int) -> bool:
    before, first = doc[start - 1], doc[start]
    if before.is_digit and first.is_digit:
        return len(first) == _GROUPED and len(before) <= _GROUPED
    if before.lower_ in _UP_TO:
        return start > 1 and doc[start - 2].like_num and first.like_num
    if first.lower_ in _UP_TO:
        return bool(before.like_num)
    return before.lower_ in _LESS_OR_MORE or (first.lower_ in _LESS_OR_MORE and before.lower_ == "a")


_GROUPED: Final = 3
"""Digits that stand together where a space parts thousands."""

_UP_TO: Final = ("-", "–", "to", "or")
"""What stands between the two ends of a range."""

_LESS_OR_MORE: Final = ("half", "few", "quarter")


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    import spacy

    nlp = spacy.blank("en")
    # The limit guards parsers, whose memory grows with the text; a tokenizer has no such need.
    nlp.max_length = 10**9
    return nlp
