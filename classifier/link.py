"""Spans -> the claim they contradict, the capability they ask for, the objective they touch.

In: grouped evidence and the tables beside the feedback. Out: the same rows with ids, scores and
candidates. Abstains where nothing fits: most expectations were never a public claim.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.areas import document_weights, known_areas, shares
from classifier.entities import document_texts
from classifier.labels import GAP, REQUEST
from classifier.lexicon import CHANNEL_WORDS
from classifier.settings import Settings
from classifier.vectors import Encoder, fit_tfidf, stem, stems, stop_words, unit_rows, words

Reals = npt.NDArray[np.float64]

CONTRADICTS: Final = "contradicts"
CANDIDATES: Final = 3

FEATURES: Final = ("quote", "document", "place", "number", "area")
"""Likeness of the quote and of its document to the text; whether the document names the place where the
claim stands; shared numbers; agreement of product areas."""

# Logistic regression over all (span, text) pairs of two invented companies, in the order of FEATURES;
# `scripts/evaluate_themes.py --fit-links` prints them: to be fitted anew for another encoder.
CLAIM_WEIGHTS: Final = (18.41, 8.55, 1.95, 2.87, 2.67)
CLAIM_BIAS: Final = -6.62
CLAIM_SOURCE: Final = {
    "advertised": 0.96,
    "sold": 0.53,
    "documented": -0.17,
    "paid": 0.06,
    "told": -0.48,
    "before": -0.61,
    "norm": -0.3,
    "": 0.0,
}
"""Where an expectation came from, as log-odds that it was a public claim."""

CAPABILITY_WEIGHTS: Final = (5.11, 22.21, 0.0, 1.29, 1.65)
CAPABILITY_BIAS: Final = -5.39

CLAIM_LEAST: Final = 0.2
CAPABILITY_LEAST: Final = 0.1
"""Below these probabilities (of the pair, times the span's own) no link is made. F1 of the links was flat
from .05 to .2 on those companies, each scored with weights fitted on the other."""

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Pairs:
    """The features of each span with each text, and what they are features of."""

    rows: pd.DataFrame  # the spans, indexed as in the evidence
    ids: tuple[str, ...]
    features: Reals  # (spans, texts, features), in the order of FEATURES


def link_claims(
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    settings: Settings,
    *,
    capabilities: pd.DataFrame,
    encoder: Encoder | None = None,
) -> pd.DataFrame:
    """Say which public claim each expectation gap contradicts.

    Other labels get no claim. A claim counts only for documents that are not older than it.

    Parameters
    ----------
    evidence
        Rows of `entities.evidence_of`.
    claims, capabilities
        Tables CLAIMS and CAPABILITIES; the latter only names areas.

    Returns
    -------
    The evidence with `claim_id`, `claim_stance` ("contradicts"), `claim_score` (probability in [0, 1])
    and `claim_candidates` (up to three ids, best first, ";"-joined; also where no link is made).
    Without claims or gaps, unchanged.
    """
    pairs = claim_pairs(evidence, claims, settings, capabilities=capabilities, encoder=encoder)
    if pairs is None:
        return evidence
    sources = pairs.rows["expectation_source"].map(CLAIM_SOURCE).fillna(CLAIM_SOURCE[""]).to_numpy()
    logits = pairs.features @ np.array(CLAIM_WEIGHTS) + CLAIM_BIAS + sources[:, None]
    logits[_not_yet_published(pairs.rows, claims)] = -np.inf
    best, probability, candidates = _best(pairs, logits)
    linked = (probability >= CLAIM_LEAST) & _strongest(pairs.rows["document_id"], best, probability)
    evidence = evidence.copy()
    index = pairs.rows.index
    evidence.loc[index, "claim_candidates"] = candidates
    evidence.loc[index[linked], "claim_id"] = best[linked]
    evidence.loc[index[linked], "claim_stance"] = CONTRADICTS
    evidence.loc[index[linked], "claim_score"] = probability[linked]
    return evidence


def link_capabilities(
    evidence: pd.DataFrame,
    capabilities: pd.DataFrame,
    settings: Settings,
    *,
    encoder: Encoder | None = None,
) -> pd.DataFrame:
    """Say which capability each feature request asks for, and whether it is there.

    Returns
    -------
    The evidence with `capability_id` and `capability_status`; both "" where none fits, and for other
    labels. Without capabilities or requests, unchanged.
    """
    pairs = capability_pairs(evidence, capabilities, settings, encoder=encoder)
    if pairs is None:
        return evidence
    best, probability, _ = _best(pairs, pairs.features @ np.array(CAPABILITY_WEIGHTS) + CAPABILITY_BIAS)
    linked = (probability >= CAPABILITY_LEAST) & _strongest(pairs.rows["document_id"], best, probability)
    status = capabilities.drop_duplicates("capability_id").set_index("capability_id")["status"]
    evidence = evidence.copy()
    evidence.loc[pairs.rows.index[linked], "capability_id"] = best[linked]
    evidence.loc[pairs.rows.index[linked], "capability_status"] = status.reindex(best[linked]).to_numpy()
    return evidence


def link_objectives(evidence: pd.DataFrame, objectives: pd.DataFrame) -> pd.DataFrame:
    """Say which objective each theme touches, by the words its documents share with it.

    A keyword counts with the rarer of its words, and once per document; a word of the objective's own
    text half. Each span gets the objective of its theme, spans without theme none.

    Returns
    -------
    The evidence with `objective_id`; "" where no word is shared.
    """
    spans = evidence[evidence["theme_id"] != ""]
    if spans.empty or objectives.empty:
        return evidence
    texts = document_texts(spans)["text"]
    scores = _objective_scores(texts, objectives)
    by_document = pd.DataFrame(scores, index=texts.index)
    themes = spans[["theme_id", "document_id"]].drop_duplicates()
    pooled = by_document.reindex(themes["document_id"]).groupby(themes["theme_id"].to_numpy()).mean()
    names = np.array([*objectives["objective_id"], ""], dtype=object)
    best = np.where(pooled.max(axis=1) > 0, pooled.to_numpy().argmax(axis=1), len(objectives))
    chosen = pd.Series(names[best], index=pooled.index)
    evidence = evidence.copy()
    evidence["objective_id"] = evidence["theme_id"].map(chosen).astype("str").fillna("")
    return evidence


def claim_pairs(
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    settings: Settings,
    *,
    capabilities: pd.DataFrame,
    encoder: Encoder | None = None,
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
    ours = [set(_NUMBER.findall(text)) for text in left]
    theirs = [set(_NUMBER.findall(text)) for text in right]
    return np.array([[float(bool(a & b)) for b in theirs] for a in ours])


def _stacked(features: dict[str, Reals]) -> Reals:
    return np.stack([np.asarray(features[name], dtype=np.float64) for name in FEATURES], axis=-1)


def _not_yet_published(rows: pd.DataFrame, claims: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which claims were not public when a document was written; unknown dates forbid nothing."""
    written = rows["created_at"].to_numpy()[:, None]
    early = claims["published_at"].to_numpy()[None, :] > written
    # Who was promised something complains later: a claim may be held against a company for a year.
    late = (claims["retired_at"] + pd.Timedelta(days=365)).to_numpy()[None, :] < written
    return np.asarray(early | late)


def _best(pairs: Pairs, logits: Reals) -> tuple[np.ndarray, Reals, list[str]]:
    """Return per span the best id, its probability, and the ids of the best three.

    The probability of a link is that of the pair times that of the span's label.
    """
    # Rounded and stable: equal texts are ordered by their place in the table.
    order = np.argsort(-np.round(logits, 9), axis=1, kind="stable")[:, :CANDIDATES]
    names = np.array(pairs.ids, dtype=object)
    top = np.take_along_axis(logits, order[:, :1], axis=1)[:, 0]
    possible = np.isfinite(np.take_along_axis(logits, order, axis=1))
    candidates = [";".join(names[row[ok]]) for row, ok in zip(order, possible, strict=True)]
    probability = pairs.rows["score"].to_numpy() / (1 + np.exp(-top))
    return names[order[:, 0]], np.round(probability, 6), candidates


def _strongest(documents: pd.Series, best: np.ndarray, probability: Reals) -> npt.NDArray[np.bool_]:
    """Say which spans point where the strongest span of their document does.

    A document is about one promise as a rule: a second, weaker one is more often a slip than a find.
    """
    links = pd.DataFrame({"document": documents.to_numpy(), "id": best, "probability": probability})
    ordered = links.sort_values(["probability", "id"], ascending=[False, True], kind="stable")
    chosen = ordered.drop_duplicates("document").set_index("document")["id"]
    return np.asarray(links["document"].map(chosen) == links["id"])


def _objective_scores(texts: pd.Series, objectives: pd.DataFrame) -> Reals:
    phrases: list[dict[tuple[str, ...], float]] = []
    for text, keywords in zip(objectives["objective"], objectives["keywords"], strict=True):
        telling = [stem(word) for word in words(text) if word not in stop_words()]
        own: dict[tuple[str, ...], float] = {(word,): 0.5 for word in telling}
        listed = {tuple(stems(part)): 1.0 for part in keywords.split(";") if stems(part)}
        phrases.append({**own, **listed})
    heard = [" " + " ".join(stems(text)) + " " for text in texts]
    known = {phrase for listed in phrases for phrase in listed}
    found = {
        phrase: np.array([f" {' '.join(phrase)} " in text for text in heard]) for phrase in sorted(known)
    }
    scores = np.zeros((len(heard), len(phrases)))
    for column, listed in enumerate(phrases):
        for phrase, weight in sorted(listed.items()):
            rarity = np.log((1 + len(heard)) / (1 + found[phrase].sum()))
            scores[:, column] += weight * rarity * found[phrase]
    return scores
