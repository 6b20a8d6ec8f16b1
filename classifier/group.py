"""Spans -> themes: what is said alike is counted together, under one title.

In: the evidence of a whole corpus. Out: the same rows with theme_id and area, and one row per theme.
Never puts spans that fit nothing into a bucket: they stay small themes of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
import pandas as pd

from classifier import schema
from classifier.areas import Areas, document_weights, known_areas, shares
from classifier.cluster import Grouping, group_rows
from classifier.entities import NEAR, document_texts
from classifier.errors import SettingsError
from classifier.labels import TITLES
from classifier.settings import Settings
from classifier.titles import titles
from classifier.vectors import (
    CHUNK,
    Encoder,
    Floats,
    content_key,
    fit_tfidf,
    stems,
    stop_words,
    unit_rows,
    words,
)

# How much each voice counts in a span's vector, one quote being 1. Chosen on two invented companies,
# where no change of a single one by a quarter moved the mean B-cubed F1 by more than .02.
CONTEXT: Final = 1.0
"""The other spans of the same document."""
SUBJECT: Final = 0.7
COLUMN: Final = 1.0
"""The tags of the area column."""
AREA: Final = 0.4
LINK: Final = 0.45
"""The claim and the capability that the span's document is likely about."""

_AREA_SHARE: Final = 0.2
"""A theme is filed under an area when that area holds at least this part of what points anywhere."""

_TELLING_WORDS: Final = 6
"""A quote of fewer words, a bare subject line as a rule, stands for its theme only so much."""

_READ: Final = (
    "document_id",
    "label",
    "start",
    "quote",
    "subject",
    "account",
    "created_at",
    *NEAR,
)
"""Columns of a span that themes are made of: of a large corpus, no other is copied about."""

_SAME_SENTENCES_UP_TO: Final = 4_000
"""Spans up to which equal sentences join their groups: in a large corpus stock phrases would chain themes."""


@dataclass(frozen=True)
class Grouped:
    """Spans with their themes, and how these were found."""

    evidence: pd.DataFrame  # EVIDENCE, theme_id, area and centrality filled
    themes: pd.DataFrame  # THEMES
    compared: int = 0  # spans that were compared pair by pair
    warnings: tuple[str, ...] = ()


def group(
    evidence: pd.DataFrame,
    settings: Settings,
    *,
    claims: pd.DataFrame | None = None,
    capabilities: pd.DataFrame | None = None,
    encoder: Encoder | None = None,
) -> Grouped:
    """Group spans into themes, areas first: a span's product area is part of what it resembles.

    Parameters
    ----------
    evidence
        Rows of `entities.evidence_of`, with the claims and capabilities that they are likely about
        (a shared one is a strong sign of a shared theme); any order. Spans without a label
        (competitor mentions) stay without theme.
    settings
        Areas with their phrases, the area column, and `themes.similarity` (0: chosen from the data).
    claims, capabilities
        Tables CLAIMS and CAPABILITIES: their areas and words name areas and may stand in titles.
    encoder
        Turns texts into vectors; by default TF-IDF fitted on these texts.

    Returns
    -------
    The evidence in its order, with `theme_id`, `area` and `centrality` (likeness to the theme, at most
    1) filled; and table THEMES ordered by theme_id. Ids are given in order of first date, then of
    the exemplar's hash. Both are empty where there are no labelled spans.

    Raises
    ------
    SettingsError
        If the area column is not among the columns of the evidence.
    """
    column = settings.themes.area_column
    if column and column not in evidence.columns:
        raise SettingsError(
            f"themes.area_column: {column!r} is not a column of the scored rows; "
            f"score again with --keep {column}, or leave the setting out"
        )
    evidence = evidence.assign(theme_id="", area="", centrality=0.0)
    spans = evidence.loc[evidence["label"] != "", [*_READ, *([column] if column else [])]]
    if spans.empty:
        return Grouped(evidence, schema.empty(schema.THEMES))
    documents = document_texts(spans, column)
    spans = spans[[*_READ]].assign(tags=documents["tags"].reindex(spans["document_id"]).to_numpy())
    spans = _canonical(spans)
    claims = schema.empty(schema.CLAIMS) if claims is None else claims
    capabilities = schema.empty(schema.CAPABILITIES) if capabilities is None else capabilities
    references = sorted({*claims["claim"], *capabilities["capability"]} - {""})
    encoder = encoder or fit_tfidf([*spans["quote"], *spans["subject"], *spans["tags"], *references])
    areas = known_areas(settings.areas, capabilities, spans["tags"])
    by_document = document_weights(documents, areas)
    weights = by_document.reindex(spans["document_id"]).to_numpy()
    del documents, by_document
    rows = _rows(spans, weights, encoder)
    found = group_rows(rows, similarity=settings.themes.similarity)
    spans["group"] = _same_sentences(found.groups, spans["quote"])
    spans["group"] = _without_words(spans["group"], rows, spans["label"])
    spans["centrality"] = _centrality(rows, spans["group"].to_numpy(), spans["quote"])
    del rows
    spans["area"] = _pooled_areas(spans, areas, weights)
    del weights
    quoting = settings.scoring.quotes != "none"
    spans, themes = _themes(spans, _quotable(settings, references), encoder, quoting=quoting)
    for name in ("theme_id", "area", "centrality"):
        evidence.loc[spans["index"], name] = spans[name].to_numpy()
    return Grouped(evidence, themes, found.compared, _warnings(found))


def _warnings(found: Grouping) -> tuple[str, ...]:
    """Say so where not all pairs were compared, and how much that changes."""
    spans = len(found.groups)
    if found.compared == spans:
        return ()
    return (
        f"themes were found among {found.compared:,} of {spans:,} sentences, chosen by content; the others "
        "joined the nearest theme. Tried on some thousands of them, themes from a sample of this share agree "
        f"with those of all to {found.agreement:.2f} (B-cubed F1; 1: the same themes; docs/scale.md)",
    )


def _canonical(spans: pd.DataFrame) -> pd.DataFrame:
    """Return the spans in an order that depends on their content alone, their index kept as a column.

    Column `key` numbers their contents in that order.
    """
    parts = zip(spans["quote"], spans["subject"], spans["label"], spans["document_id"], strict=True)
    # Of one length, and in ASCII: bytes order them as text would, in a quarter of the memory.
    keys = np.array([content_key(*part).encode() for part in parts], dtype=np.bytes_)
    order = np.lexsort((spans["start"].to_numpy(), keys))
    numbers = np.concatenate([[0], np.cumsum(keys[order[1:]] != keys[order[:-1]])])
    return spans.assign(index=spans.index).iloc[order].assign(key=numbers).reset_index(drop=True)


def _rows(spans: pd.DataFrame, weights: Floats, encoder: Encoder) -> Floats:
    """Join all voices of a span into one vector."""
    links = _links(spans)
    width = encoder.encode(list(spans["quote"].iloc[:1])).shape[1]
    # One matrix of the whole corpus, filled part by part: at a million spans each copy is half a gigabyte.
    rows = np.zeros((len(spans), width + weights.shape[1] + links.shape[1]), dtype=np.float32)
    for places, made in _encoded(spans["quote"], encoder):
        rows[places, :width] = made
    _add_context(rows[:, :width], spans["document_id"])
    for column, weight in (("subject", SUBJECT), ("tags", COLUMN)):
        if spans[column].any():
            for places, made in _encoded(spans[column], encoder):
                rows[places, :width] += weight * made
    for part in _parts(len(rows)):
        # Squared: what a document is mostly about counts more than what it touches.
        areas = unit_rows(shares(weights[part]) ** 2)
        voices = [unit_rows(rows[part, :width]), AREA * areas, LINK * links[part]]
        rows[part] = unit_rows(np.hstack(voices))
    return rows


def _parts(size: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, size, CHUNK)]


def _encoded(texts: pd.Series, encoder: Encoder) -> Iterator[tuple[np.ndarray, Floats]]:
    """Yield places of texts and their rows, some thousands at a time; each different text is encoded once."""
    codes, different = pd.factorize(texts, sort=True)
    order = np.argsort(codes, kind="stable")
    for part in _parts(len(different)):
        rows = encoder.encode(list(different[part]))
        first, end = np.searchsorted(codes, (part.start, part.stop), sorter=order)
        for some in _parts(end - first):
            places = order[first:end][some]
            yield places, rows[codes[places] - part.start]


def _links(spans: pd.DataFrame) -> Floats:
    """Return one column per id, set for all spans of the documents that are likely about it."""
    documents = pd.factorize(spans["document_id"])[0]
    linked = spans[[*NEAR]]
    names = sorted({name for column in linked for name in linked[column].unique()} - {""})
    found = np.zeros((documents.max() + 1, len(names)), dtype=np.float32)
    for column in linked:
        ids = pd.Index(names).get_indexer(linked[column])
        found[documents[ids >= 0], ids[ids >= 0]] = 1
    return unit_rows(found)[documents]


def _add_context(quotes: Floats, documents: pd.Series) -> None:
    """Add what else the document of each quote says to its row, in place."""
    codes = pd.factorize(documents)[0]
    sums = np.zeros((codes.max() + 1, quotes.shape[1]), dtype=np.float32)
    np.add.at(sums, codes, quotes)
    means = unit_rows(sums)
    for part in _parts(len(quotes)):
        quotes[part] += CONTEXT * means[codes[part]]


def _same_sentences(groups: np.ndarray, quotes: pd.Series) -> np.ndarray:
    """Join the groups that hold the very same sentence, whatever stands around it in its documents."""
    if len(groups) > _SAME_SENTENCES_UP_TO:
        return groups
    said = [" ".join(words(quote)) for quote in quotes]
    parent = np.arange(groups.max() + 1) if len(groups) else groups
    first: dict[str, int] = {}
    for text, own in zip(said, groups, strict=True):
        if text.count(" ") < _TELLING_WORDS - 1:
            continue
        other = first.setdefault(text, int(own))
        parent[parent == parent[own]] = parent[other]
    return np.asarray(parent[groups])


def _without_words(groups: pd.Series, rows: Floats, labels: pd.Series) -> pd.Series:
    """Give spans that hold nothing to compare (`--quotes none`) one group per label."""
    speaks = np.asarray(rows.any(axis=1))
    return groups.where(speaks, groups.max() + 1 + pd.factorize(labels, sort=True)[0])


def _centrality(rows: Floats, groups: np.ndarray, quotes: pd.Series) -> np.ndarray:
    """Return how well each span stands for its group: likeness to its mean, less for a few bare words."""
    sums = np.zeros((groups.max() + 1, rows.shape[1]), dtype=np.float32)
    np.add.at(sums, groups, rows)
    means = unit_rows(sums)
    likeness = np.empty(len(rows))
    for part in _parts(len(rows)):
        likeness[part] = np.einsum("ij,ij->i", rows[part], means[groups[part]])
    spoken = (quotes.str.count(r"\s+") + 1).to_numpy(dtype=np.float64)
    return np.round(likeness * np.minimum(spoken, _TELLING_WORDS) / _TELLING_WORDS, 6)


def _pooled_areas(spans: pd.DataFrame, areas: Areas, weights: Floats) -> pd.Series:
    """Name each group's area: what its documents point to together; "" where they point nowhere."""
    if not areas.names:
        return pd.Series("", index=spans.index)
    once = ~spans.duplicated(["group", "document_id"]).to_numpy()
    pooled = pd.DataFrame(shares(weights)[once]).groupby(spans["group"].to_numpy()[once]).mean()
    names = np.array([*areas.names, ""], dtype=object)
    best = np.where(pooled.max(axis=1) >= _AREA_SHARE, pooled.to_numpy().argmax(axis=1), len(areas.names))
    return spans["group"].map(pd.Series(names[best], index=pooled.index))


def _quotable(settings: Settings, references: Sequence[str]) -> list[str]:
    """Return the texts whose names may stand in titles."""
    phrases = [phrase for listed in settings.areas.values() for phrase in listed]
    aliases = [alias for listed in settings.competitors.values() for alias in listed]
    return [*settings.areas, *phrases, *settings.competitors, *aliases, *references]


def _themes(
    spans: pd.DataFrame, known: Sequence[str], encoder: Encoder, *, quoting: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the groups their ids and describe each in one row."""
    spans = spans.sort_values(["centrality", "key"], ascending=[False, True], kind="stable")
    central = spans.drop_duplicates("group").set_index("group")
    groups = spans.groupby("group")
    first_seen = groups["created_at"].min().reindex(central.index)
    order = pd.DataFrame({"first_seen": first_seen, "key": central["key"]}).sort_values(
        ["first_seen", "key"], na_position="last", kind="stable"
    )
    ids = pd.Series([f"T-{number:06d}" for number in range(1, len(order) + 1)], index=order.index)
    spans = spans.assign(theme_id=spans["group"].map(ids))
    voices = dict(zip(spans["document_id"], spans["account"], strict=True))
    named = titles(_texts(spans), known=known, voices=voices, encoder=encoder, quoting=quoting)
    central = central.reindex(order.index)
    accounts = spans[spans["account"] != ""].groupby("group")["account"].nunique()
    themes = pd.DataFrame(
        {
            "theme_id": ids,
            "title": [
                named[theme] or _plain_title(row)
                for theme, row in zip(ids, central.itertuples(), strict=True)
            ],
            "area": central["area"],
            "created_at": order["first_seen"],
            "mentions": groups["document_id"].nunique().reindex(order.index),
            "accounts": accounts.reindex(order.index).fillna(0),
            "exemplar": central["quote"],
        }
    ).assign(parent_id="", status="", merged_into="", owner="", decision="", note="")
    return spans, schema.conform(themes, schema.THEMES)


def _texts(spans: pd.DataFrame) -> dict[str, Sequence[tuple[str, str]]]:
    """Return theme -> (document, text), the most central first; a subject only if it names the matter."""
    once = ~_codes(spans, "theme_id", "document_id", "quote").duplicated().to_numpy()
    texts: dict[str, Sequence[tuple[str, str]]] = {}
    for theme, places in spans.groupby("theme_id", sort=True).indices.items():
        quotes = _Quotes(spans, np.asarray(places)[once[places]])
        rows = spans.iloc[places]
        if rows["subject"].any():
            subjects = dict.fromkeys(zip(rows["document_id"], rows["subject"], strict=True))
            said = quotes[:]
            both = _alternating(said, _telling_subjects(said, subjects))
            texts[str(theme)] = [pair for pairs in both for pair in pairs]
        else:
            texts[str(theme)] = quotes
    return texts


def _codes(spans: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return pd.DataFrame({column: pd.factorize(spans[column])[0] for column in columns})


class _Quotes(Sequence[tuple[str, str]]):
    """(document, quote) pairs that are made when they are read: of a large theme, few are."""

    def __init__(self, spans: pd.DataFrame, places: np.ndarray) -> None:
        self._spans, self._places = spans, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        if isinstance(place, int):
            return self[place : place + 1 or None][0]
        rows = self._spans.iloc[self._places[place]]
        return list(zip(rows["document_id"], rows["quote"], strict=True))


def _telling_subjects(
    quotes: Sequence[tuple[str, str]], subjects: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    said = {word for _, quote in quotes for word in stems(quote)} - stop_words()
    return [pair for pair in subjects if not said or said & set(stems(pair[1]))]


def _alternating(
    quotes: list[tuple[str, str]], subjects: list[tuple[str, str]]
) -> list[list[tuple[str, str]]]:
    size = max(len(quotes), len(subjects))
    return [quotes[i : i + 1] + subjects[i : i + 1] for i in range(size)]


def _plain_title(central: object) -> str:
    """Return a title for spans whose words are withheld or unreadable."""
    tags = str(getattr(central, "tags", "")).replace(" ;", ",")
    area = str(getattr(central, "area", ""))
    label = TITLES[str(getattr(central, "label", ""))].capitalize()
    return ", ".join(part for part in (tags or area, label) if part)
