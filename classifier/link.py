"""Spans -> the claim they contradict, the capability they ask for.

In: grouped evidence and the tables beside the feedback. Out: the same rows with ids, scores and
candidates. Abstains where nothing fits: most expectations were never a public claim.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.areas import document_weights, known_areas, shares
from classifier.entities import CAPABILITY_SCORE, NEAR, document_texts
from classifier.labels import GAP, REQUEST
from classifier.lexicon import CHANNEL_WORDS
from classifier.settings import Settings
from classifier.vectors import Encoder, fit_tfidf, stems, unit_rows

Reals = npt.NDArray[np.float64]

CONTRADICTS: Final = "contradicts"
CANDIDATES: Final = 3

FEATURES: Final = ("quote", "document", "place", "number", "area")
"""Likeness of the quote and of its document to the text, by words; whether the document names the place
where the claim stands; shared numbers; agreement of product areas."""

MEANING: Final = ("quote_meaning", "document_meaning", "margin")
"""The same likenesses by sentence vectors, and by how much their mean exceeds that of the next best text."""

LIKELY: Final = 0.2
"""Probability from which on spans of one claim or capability are held together in themes, where a slip blames
nobody."""


@dataclass(frozen=True)
class Rule:
    """When a span is about a text: log-odds of all pairs, and from which probability on a link is made."""

    weights: tuple[float, ...]  # in the order of FEATURES, or of FEATURES and MEANING
    bias: float
    sources: Mapping[str, float]  # expectation source -> log-odds that the expectation was a public claim
    least: float
    by_label: bool  # whether `least` is compared with the probability of the pair times that of the label


# Logistic regression over all (span, text) pairs of two invented companies, with their gold labels;
# `scripts/fit_links.py` prints the weights: to be fitted anew for another encoder. A wrong link blames a
# campaign, so that precision counts twice: with sentence vectors `least` is where F0.5 is best on the spans
# that the model finds in texts of both (precision .89 and recall .48 of claims, .80 and .52 of capabilities).
# Without, F1 was flat from .05 to .2.
CLAIM_RULE: Final = Rule(
    weights=(14.3, 1.53, 1.81, 3.7, 2.0, 2.46, 1.93, 9.28),
    bias=-5.76,
    sources={
        "advertised": 0.95,
        "sold": 0.52,
        "documented": -0.22,
        "paid": 0.18,
        "told": -0.57,
        "before": -0.67,
        "norm": -0.25,
    },
    least=0.4,
    by_label=False,
)
CAPABILITY_RULE: Final = Rule(
    weights=(-4.95, 10.85, 0.0, 2.05, 1.3, 1.39, 6.73, 10.6),
    bias=-4.93,
    sources={},
    least=0.4,
    by_label=False,
)
CLAIM_RULE_BY_WORDS: Final = Rule(
    weights=(18.41, 8.55, 1.95, 2.87, 2.67),
    bias=-6.62,
    sources={
        "advertised": 0.96,
        "sold": 0.53,
        "documented": -0.17,
        "paid": 0.06,
        "told": -0.48,
        "before": -0.61,
        "norm": -0.3,
    },
    least=0.2,
    by_label=True,
)
CAPABILITY_RULE_BY_WORDS: Final = Rule(
    weights=(5.11, 22.21, 0.0, 1.29, 1.65), bias=-5.39, sources={}, least=0.1, by_label=True
)

_MONTH: Final = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER: Final = re.compile(
    rf"(?i)\b{_MONTH}\s\d{{1,2}}\b|(\d++(?:[.,]\d++)*+)(?!(?:st|nd|rd|th)\b|\s{_MONTH}\b)"
)
"""A number of a text, in group 1; days of a month and ordinals are none: every promise has its date."""


@dataclass(frozen=True)
class Pairs:
    """The features of each span with each text, and what they are features of."""

    rows: pd.DataFrame  # the spans, indexed as in the evidence
    ids: tuple[str, ...]
    features: (
        Reals  # (spans, texts, features), in the order of FEATURES, then of MEANING if there are sentences
    )


def link_claims(
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    settings: Settings,
    *,
    capabilities: pd.DataFrame,
    encoder: Encoder | None = None,
    sentences: Encoder | None = None,
) -> pd.DataFrame:
    """Say which public claim each expectation gap contradicts.

    Other labels get no claim. A claim counts only for documents that are not older than it.

    Parameters
    ----------
    evidence
        Rows of `entities.evidence_of`.
    claims, capabilities
        Tables CLAIMS and CAPABILITIES; the latter only names areas.
    encoder
        Compares by words; by default TF-IDF fitted on these texts.
    sentences
        Compares by meaning; without it, words decide alone.

    Returns
    -------
    The evidence with `claim_id`, `claim_stance` ("contradicts"), `claim_score` (probability of the pair
    times that of the label), `claim_candidates` (up to three ids, best first, ";"-joined; also where no link
    is made) and `near_claim` (the best id where it is likely enough for themes).
    Without claims or gaps, unchanged.
    """
    pairs = claim_pairs(
        evidence, claims, settings, capabilities=capabilities, encoder=encoder, sentences=sentences
    )
    if pairs is None:
        return evidence
    rule = CLAIM_RULE if sentences else CLAIM_RULE_BY_WORDS
    logits = logits_of(pairs, rule)
    logits[not_yet_published(pairs.rows, claims)] = -np.inf
    best, probability, candidates = best_of(pairs, logits)
    linked = decided(pairs.rows, best, probability, rule)
    evidence = evidence.copy()
    index = pairs.rows.index
    evidence.loc[index, "claim_candidates"] = candidates
    _mark_near(evidence, index, NEAR[0], best, probability)
    evidence.loc[index[linked], "claim_id"] = best[linked]
    evidence.loc[index[linked], "claim_stance"] = CONTRADICTS
    evidence.loc[index[linked], "claim_score"] = np.round(probability * pairs.rows["score"].to_numpy(), 6)[
        linked
    ]
    return evidence


def link_capabilities(
    evidence: pd.DataFrame,
    capabilities: pd.DataFrame,
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    sentences: Encoder | None = None,
) -> pd.DataFrame:
    """Say which capability each feature request asks for, and whether it is there.

    Returns
    -------
    The evidence with `capability_id` and `capability_status`, both "" where none fits, and for other
    labels, with `capability_score` (probability of the pair) and with `near_capability` (the best id where
    it is likely enough for themes). Without capabilities or requests, unchanged.
    """
    pairs = capability_pairs(evidence, capabilities, settings, encoder=encoder, sentences=sentences)
    if pairs is None:
        return evidence
    rule = CAPABILITY_RULE if sentences else CAPABILITY_RULE_BY_WORDS
    best, probability, _ = best_of(pairs, logits_of(pairs, rule))
    linked = decided(pairs.rows, best, probability, rule)
    status = capabilities.drop_duplicates("capability_id").set_index("capability_id")["status"]
    evidence = evidence.copy()
    _mark_near(evidence, pairs.rows.index, NEAR[1], best, probability)
    evidence.loc[pairs.rows.index[linked], "capability_id"] = best[linked]
    evidence.loc[pairs.rows.index[linked], "capability_status"] = status.reindex(best[linked]).to_numpy()
    evidence.loc[pairs.rows.index[linked], CAPABILITY_SCORE] = probability[linked]
    return evidence


def _mark_near(
    evidence: pd.DataFrame, index: pd.Index, column: str, best: np.ndarray, probability: Reals
) -> None:
    likely = probability >= LIKELY
    evidence.loc[index[likely], column] = best[likely]


def claim_pairs(
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    settings: Settings,
    *,
    capabilities: pd.DataFrame,
    encoder: Encoder | None = None,
    sentences: Encoder | None = None,
) -> Pairs | None:
    """Return the features of all (gap, claim) pairs; None where there are none."""
    rows = evidence[evidence["label"] == GAP]
    if rows.empty or claims.empty:
        return None
    texts = list(claims["claim"] + " . " + claims["campaign"])
    documents = document_texts(evidence[evidence["label"] != ""], settings.themes.area_column)
    said = documents["text"].reindex(rows["document_id"])
    places = [frozenset(stems(CHANNEL_WORDS.get(channel, channel))) for channel in claims["channel"]]
    near = np.array([[bool(place & heard) for place in places] for heard in map(_stem_set, said)])
    features = {
        **_likeness(rows, documents, texts, encoder),
        **_meaning(rows, documents, texts, sentences),
        "place": near,
        "number": _shared_numbers(list(said), list(claims["claim"])),
        "area": _area_agreement(rows, documents, texts, claims["area"], settings, capabilities),
    }
    return Pairs(rows, tuple(claims["claim_id"]), _stacked(features))


def capability_pairs(
    evidence: pd.DataFrame,
    capabilities: pd.DataFrame,
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    sentences: Encoder | None = None,
) -> Pairs | None:
    """Return the features of all (request, capability) pairs; None where there are none."""
    rows = evidence[evidence["label"] == REQUEST]
    if rows.empty or capabilities.empty:
        return None
    texts = list(capabilities["capability"])
    documents = document_texts(evidence[evidence["label"] != ""], settings.themes.area_column)
    said = documents["text"].reindex(rows["document_id"])
    features = {
        **_likeness(rows, documents, texts, encoder),
        **_meaning(rows, documents, texts, sentences),
        "place": np.zeros((len(rows), len(texts))),
        "number": _shared_numbers(list(said), texts),
        "area": _area_agreement(rows, documents, texts, capabilities["product_area"], settings, capabilities),
    }
    return Pairs(rows, tuple(capabilities["capability_id"]), _stacked(features))


def _likeness(
    rows: pd.DataFrame, documents: pd.DataFrame, texts: Sequence[str], encoder: Encoder | None
) -> dict[str, Reals]:
    context = documents["text"] + " . " + documents["tags"]
    encoder = encoder or fit_tfidf([*context, *rows["quote"], *texts])
    targets = encoder.encode(texts)
    whole = encoder.encode(list(context))
    by_span = whole[context.index.get_indexer(pd.Index(rows["document_id"]))]
    return {
        "quote": (encoder.encode(list(rows["quote"])) @ targets.T).astype(np.float64),
        "document": (by_span @ targets.T).astype(np.float64),
    }


def _meaning(
    rows: pd.DataFrame, documents: pd.DataFrame, texts: Sequence[str], sentences: Encoder | None
) -> dict[str, Reals]:
    if sentences is None:
        return {}
    targets = sentences.encode(texts)
    quotes = (sentences.encode(list(rows["quote"])) @ targets.T).astype(np.float64)
    whole = sentences.encode(list(documents["text"]))
    by_span = whole[documents.index.get_indexer(pd.Index(rows["document_id"]))]
    said = (by_span @ targets.T).astype(np.float64)
    return {"quote_meaning": quotes, "document_meaning": said, "margin": _margins((quotes + said) / 2)}


def _margins(likeness: Reals) -> Reals:
    """Return by how much each value exceeds the best other one of its row; 0 where there is no other."""
    if likeness.shape[1] < 2:
        return np.zeros_like(likeness)
    ordered = np.sort(likeness, axis=1)
    return likeness - np.where(likeness == ordered[:, -1:], ordered[:, -2:-1], ordered[:, -1:])


def logits_of(pairs: Pairs, rule: Rule) -> Reals:
    """Return the log-odds that each span is about each text, shape (spans, texts)."""
    sources = pairs.rows["expectation_source"].map(dict(rule.sources)).fillna(0.0).to_numpy(dtype=np.float64)
    return np.asarray(pairs.features @ np.array(rule.weights) + rule.bias + sources[:, None])


def decided(rows: pd.DataFrame, best: np.ndarray, probability: Reals, rule: Rule) -> npt.NDArray[np.bool_]:
    """Say which links are made, given the best text of each span and the probability of the pair."""
    score = rows["score"].to_numpy()
    likely = probability * score if rule.by_label else probability
    return np.asarray((likely >= rule.least) & _strongest(rows["document_id"], best, probability * score))


def _area_agreement(
    rows: pd.DataFrame,
    documents: pd.DataFrame,
    texts: Sequence[str],
    named: pd.Series,
    settings: Settings,
    capabilities: pd.DataFrame,
) -> Reals:
    """Return the cosine of the areas of each span's document and of each text (its own area if named)."""
    areas = known_areas(settings.areas, capabilities, documents["tags"])
    if not areas.names:
        return np.zeros((len(rows), len(texts)))
    theirs = shares(areas.score(list(texts)))
    for row, area in enumerate(named):
        if area in areas.names:
            theirs[row] = np.eye(len(areas.names))[areas.names.index(area)]
    ours = document_weights(documents, areas).reindex(rows["document_id"]).to_numpy()
    return (unit_rows(ours) @ unit_rows(theirs).T).astype(np.float64)


def _stem_set(text: str) -> frozenset[str]:
    return frozenset(stems(text))


def _shared_numbers(left: Sequence[str], right: Sequence[str]) -> Reals:
    ours, theirs = ([set(_NUMBER.findall(text)) - {""} for text in texts] for texts in (left, right))
    return np.array([[float(bool(a & b)) for b in theirs] for a in ours])


def _stacked(features: dict[str, Reals]) -> Reals:
    names = [name for name in (*FEATURES, *MEANING) if name in features]
    return np.stack([np.asarray(features[name], dtype=np.float64) for name in names], axis=-1)


def not_yet_published(rows: pd.DataFrame, claims: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which claims were not public when a document was written; unknown dates forbid nothing."""
    written = rows["created_at"].to_numpy()[:, None]
    early = claims["published_at"].to_numpy()[None, :] > written
    # Who was promised something complains later: a claim may be held against a company for a year.
    late = (claims["retired_at"] + pd.Timedelta(days=365)).to_numpy()[None, :] < written
    return np.asarray(early | late)


def best_of(pairs: Pairs, logits: Reals) -> tuple[np.ndarray, Reals, list[str]]:
    """Return per span the best id, the probability of this pair, and the ids of the best three."""
    # Rounded and stable: equal texts are ordered by their place in the table.
    order = np.argsort(-np.round(logits, 9), axis=1, kind="stable")[:, :CANDIDATES]
    names = np.array(pairs.ids, dtype=object)
    top = np.take_along_axis(logits, order[:, :1], axis=1)[:, 0]
    possible = np.isfinite(np.take_along_axis(logits, order, axis=1))
    candidates = [";".join(names[row[ok]]) for row, ok in zip(order, possible, strict=True)]
    probability = 1 / (1 + np.exp(-top))
    return names[order[:, 0]], np.round(probability, 6), candidates


def _strongest(documents: pd.Series, best: np.ndarray, probability: Reals) -> npt.NDArray[np.bool_]:
    """Say which spans point where the strongest span of their document does.

    A document is about one promise as a rule: a second, weaker one is more often a slip than a find.
    """
    links = pd.DataFrame({"document": documents.to_numpy(), "id": best, "probability": probability})
    ordered = links.sort_values(["probability", "id"], ascending=[False, True], kind="stable")
    chosen = ordered.drop_duplicates("document").set_index("document")["id"]
    return np.asarray(links["document"].map(chosen) == links["id"])
