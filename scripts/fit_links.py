"""Fit what `classifier/link.py` links by: the weights of a pair's features, and from where on it is a link.

In: companies with gold links and areas, as users have them. Out: weights, and how good links are at each
`least`, each company judged by a rule that was fitted on the other; and how good the rule is on the invented
companies that the sentence encoder learnt nothing from. These have no areas, and near misses that share words
with a promise on purpose: rules fitted on them, too, make little of areas and words, and are worse where
companies have both. Changes nothing: a person copies what it prints.

Usage: python scripts/fit_links.py --data-root FOLDER [--scored FOLDER] [--words]
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from evaluate_themes import Company, companies, invented, scored_from_gold
from sklearn.linear_model import LogisticRegression

from classifier import link, sentences
from classifier.entities import evidence_of
from classifier.link import Pairs, Rule
from classifier.sentences import SentenceEncoder

PENALTY = 0.3
LEAST = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
FOLDS = 5
SOURCES = tuple(link.CLAIM_RULE.sources)


@dataclass(frozen=True)
class Known:
    """The pairs of one company, the place of each span's right text (-1: none), and which pairs may be."""

    pairs: Pairs
    right: npt.NDArray[np.int64]
    possible: npt.NDArray[np.bool_]


def known(
    company: Company, kind: str, encoder: SentenceEncoder | None, scored: pd.DataFrame | None = None
) -> Known:
    """Return the pairs of a company's gaps with claims, or of its requests with capabilities.

    The spans are those of `scored`, by default the gold ones.
    """
    given = scored_from_gold(company) if scored is None else scored
    evidence = evidence_of(given, company.settings.competitors)
    claims, capabilities = company.tables["claims"], company.tables["capabilities"]
    pairs = (
        link.claim_pairs(evidence, claims, company.settings, capabilities=capabilities, sentences=encoder)
        if kind == "claim"
        else link.capability_pairs(evidence, capabilities, company.settings, sentences=encoder)
    )
    assert pairs is not None
    gold = company.gold.set_index("document_id")[f"{kind}_id"].reindex(pairs.rows["document_id"]).fillna("")
    right = np.array([pairs.ids.index(one) if one in pairs.ids else -1 for one in gold])
    possible = np.ones(pairs.features.shape[:2], dtype=bool)
    if kind == "claim":
        possible &= ~link.not_yet_published(pairs.rows, claims)
    return Known(pairs, right, possible)


def fit(found: Sequence[Known], kind: str, least: float) -> Rule:
    """Fit the weights of all pairs; the features on one scale, so that the penalty treats them alike."""
    rows, outputs = [], []
    for one in found:
        features = one.pairs.features
        if kind == "claim":
            given = one.pairs.rows["expectation_source"].to_numpy()[:, None] == np.array(SOURCES)
            wide = np.repeat(given[:, None, :].astype(float), features.shape[1], axis=1)
            features = np.concatenate([features, wide], axis=2)
        rows.append(features[one.possible])
        outputs.append((one.right[:, None] == np.arange(len(one.pairs.ids)))[one.possible])
    inputs = np.concatenate(rows)
    count = found[0].pairs.features.shape[2]
    scale = np.where(np.arange(inputs.shape[1]) < count, inputs.std(axis=0), 1.0)
    scale[scale == 0] = 1.0
    fitted = LogisticRegression(C=PENALTY, max_iter=1000).fit(inputs / scale, np.concatenate(outputs))
    weights = (fitted.coef_[0] / scale).round(2).tolist()
    return Rule(
        weights=tuple(weights[:count]),
        bias=round(float(fitted.intercept_[0]), 2),
        sources=dict(zip(SOURCES, weights[count:], strict=True)) if kind == "claim" else {},
        least=least,
        by_label=False,
    )


def judged(one: Known, rule: Rule) -> npt.NDArray[np.int64]:
    """Return how many links are made, are right, should be, and how often the text liked best is right."""
    logits = link.logits_of(one.pairs, rule)
    logits[~one.possible] = -np.inf
    best, probability, _ = link.best_of(one.pairs, logits)
    made = link.decided(one.pairs.rows, best, probability, rule)
    names = np.array([*one.pairs.ids, ""], dtype=object)
    right, linked = best == names[one.right], one.right >= 0
    return np.array([made.sum(), (made & right).sum(), linked.sum(), (right & linked).sum()])


def cross_fitted(found: Sequence[Known], kind: str) -> list[str]:
    """Return a line for each `least`, every company judged by a rule that was fitted on others."""
    folds = min(FOLDS, len(found))
    counts = {least: np.zeros(4, dtype=np.int64) for least in LEAST}
    for fold in range(folds):
        rule = fit([one for place, one in enumerate(found) if place % folds != fold], kind, 0.0)
        for least in LEAST:
            counts[least] += _counts(found[fold::folds], replace(rule, least=least))
    return [_line(least, count) for least, count in counts.items()]


def _counts(found: Sequence[Known], rule: Rule) -> npt.NDArray[np.int64]:
    return np.sum([judged(one, rule) for one in found], axis=0, dtype=np.int64)


def _line(least: float, counts: npt.NDArray[np.int64]) -> str:
    made, right, there, best = counts.tolist()
    precision, recall = right / max(made, 1), right / there
    told = f"precision {precision:.3f}, recall {recall:.3f}"
    for name, weight in (("F1", 1.0), ("F0.5", 0.25)):
        f = (1 + weight) * precision * recall / max(weight * precision + recall, 1e-9)
        told += f", {name} {f:.3f}"
    return f"  least {least:.2f}: {told}; the best is right {best / there:.3f}"


def main() -> None:
    """Print the fitted weights, and how good they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, required=True, help="folder with companies/NAME/gold.csv")
    parser.add_argument("--scored", type=Path, help="folder of NAME.parquet: the spans that a model finds")
    parser.add_argument("--words", action="store_true", help="without sentence vectors")
    chosen = parser.parse_args()
    encoder = None if chosen.words else sentences.load()
    examples = Path(__file__).parents[1] / "data" / "examples"
    natural = list(companies(chosen.data_root / "companies", examples))
    for kind in ("claim", "capability"):
        tuned = [known(one, kind, encoder) for one in natural]
        rule = fit(tuned, kind, 0.0)
        print(f"{kind}: {rule}", *cross_fitted(tuned, kind), sep="\n")
        _print("invented companies", rule, [known(one, kind, encoder) for one in invented()])
        if chosen.scored:
            given = {one.name: pd.read_parquet(chosen.scored / f"{one.name}.parquet") for one in natural}
            found = [known(one, kind, encoder, given[one.name]) for one in natural]
            _print("spans that the model finds, by the rule fitted on the gold ones", rule, found)


def _print(what: str, rule: Rule, found: Sequence[Known]) -> None:
    print(f" {what}: {len(found)}")
    for least in LEAST:
        print(_line(least, _counts(found, replace(rule, least=least))))


if __name__ == "__main__":
    main()
