"""Measure grouping into themes: time and memory by size, quality by encoder, what a sample costs, a peer.

In: scored rows of a large corpus, and public sets with intents or clusters of their own. Out: figures, which
`themes_page.py` keeps and shows. Never keeps a text. Each size is a process of its own, and so is its peak
memory.

Usage: python scripts/bench_themes.py --data-root FOLDER --scored SCORED.parquet --work FOLDER
       [--only scale --only quality --only sample --only bertopic] [--size N ...] [--bertopic PYTHON]
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from themes_page import SETS, Figures, record

from classifier import cluster, sentences
from classifier.encoders import choose
from classifier.entities import evidence_of
from classifier.group import group
from classifier.sentences import SentenceEncoder
from classifier.settings import Settings, parse
from classifier.vectors import content_key, fit_tfidf

PEER: Final = Path(__file__).with_name("bench_bertopic.py")
SIZES: Final = (1_000, 10_000, 100_000)
ENCODERS: Final = ("words", "static", "sentences")
PEER_SIZE: Final = 20_000


# What is measured


def spans_of(scored: Path, work: Path) -> pd.DataFrame:
    """Return the labelled spans of scored rows, ordered by content; they are kept in the work folder."""
    kept = work / f"spans-{hashlib.sha256(scored.read_bytes()).hexdigest()[:16]}.parquet"
    if kept.exists():
        return pd.read_parquet(kept)
    evidence = evidence_of(pd.read_parquet(scored))
    evidence = evidence[evidence["label"] != ""]
    keys = [content_key(*pair) for pair in zip(evidence["document_id"], evidence["quote"], strict=True)]
    evidence = evidence.iloc[np.argsort(np.array(keys), kind="stable")].reset_index(drop=True)
    evidence.to_parquet(kept)
    return evidence


def multiplied(spans: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return `size` spans: the given ones, then copies as of other documents that leave out some words."""
    parts = [spans.iloc[:size]]
    for copy in range(1, -(-size // len(spans))):
        part = spans.iloc[: size - copy * len(spans)]
        words = part["quote"].str.split()
        thinned = [
            " ".join(word for place, word in enumerate(said) if (place + copy) % (copy + 4)) for said in words
        ]
        parts.append(part.assign(document_id=part["document_id"] + f"-{copy}", quote=thinned))
    return pd.concat(parts, ignore_index=True)


def measure_size(path: Path, wanted: str) -> Figures:
    """Group the spans of a file in this process: fit, encode, group, name."""
    spans = pd.read_parquet(path)
    started = _peak_mb()
    clock = _Clock()
    settings = _settings(wanted)
    texts = [*spans["quote"], *spans["subject"]]
    comparison = choose(
        texts, len(spans), wanted=wanted, words=fit_tfidf(texts), sentences=lambda: sentences.load()
    )
    del texts
    found = group(spans, settings, encoder=comparison.encoder)
    sizes = found.themes["mentions"]
    return {
        **clock.figures(),
        "peak_mb": _peak_mb(),
        "before_mb": started,
        "vectors": comparison.name,
        "compared": found.compared,
        "themes": len(found.themes),
        "themes_of_5": int((sizes >= 5).sum()),
        "warnings": list(found.warnings),
    }


def agreement_figures(gold: Sequence[Any], groups: Sequence[Any]) -> Figures:
    """Return B-cubed figures and the adjusted Rand index of groups, all rows counted.

    Examples
    --------
    >>> found = agreement_figures(["a", "a", "b", "b"], [0, 0, 0, 1])
    >>> round(found["precision"], 3), found["recall"], found["groups"], found["alone"]
    (0.667, 0.75, 2, 0.25)
    """
    from sklearn.metrics import adjusted_rand_score

    rows = pd.DataFrame(
        {"gold": pd.factorize(np.asarray(gold))[0], "own": pd.factorize(np.asarray(groups))[0]}
    )
    together = rows.groupby(["own", "gold"])["own"].transform("size")
    own, right = (rows.groupby(name)[name].transform("size") for name in ("own", "gold"))
    precision, recall = float((together / own).mean()), float((together / right).mean())
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "ari": float(adjusted_rand_score(rows["gold"], rows["own"])),
        "groups": int(rows["own"].nunique()),
        "alone": float((own == 1).mean()),
    }


def labelled_set(data_root: Path, name: str) -> pd.DataFrame:
    """Return text and label of a public set, each text once, in an order that content decides."""
    table = pd.read_parquet(data_root / "public" / f"{name}.parquet", columns=["text", "label"])
    table = table[table["label"] != "oos"].drop_duplicates("text")
    return table.iloc[np.argsort([content_key(text) for text in table["text"]], kind="stable")]


def measure_quality(table: pd.DataFrame, wanted: str, meaning: SentenceEncoder) -> Figures:
    """Group a public set's texts by one encoder."""
    texts = table["text"].tolist()
    clock = _Clock()
    comparison = choose(texts, len(texts), wanted=wanted, words=fit_tfidf(texts), sentences=lambda: meaning)
    found = cluster.group_rows(comparison.encoder.encode(texts))
    return {**agreement_figures(table["label"], found.groups), **clock.figures(), "texts": len(texts)}


def measure_sample(rows: Any, whole: Any, part: int, gold: Sequence[Any] | None) -> Figures:
    """Compare the groups of all rows with those of a sample to which the others are assigned."""
    exact, cluster.EXACT_UP_TO = cluster.EXACT_UP_TO, len(rows) // part  # type: ignore[misc]
    try:
        sampled = cluster.group_rows(rows)
    finally:
        cluster.EXACT_UP_TO = exact  # type: ignore[misc]
    figures: Figures = {
        "rows": len(rows),
        "compared": sampled.compared,
        "told": sampled.agreement,
        "against_whole": agreement_figures(whole, sampled.groups),
    }
    if gold is not None:
        figures["whole"] = agreement_figures(gold, whole)
        figures["sampled"] = agreement_figures(gold, sampled.groups)
    return figures


def measure_peer(
    texts: Sequence[str], meaning: SentenceEncoder, python: str, work: Path
) -> tuple[Figures, Any]:
    """Run BERTopic on texts and our vectors of them."""
    pd.DataFrame({"text": list(texts)}).to_parquet(work / "texts.parquet")
    np.save(work / "vectors.npy", meaning.encode(texts))
    arguments = [
        python,
        str(PEER),
        *(str(work / name) for name in ("texts.parquet", "vectors.npy", "topics.npy")),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1]), np.load(work / "topics.npy")


def measure_own(path: Path, vectors: Path, out: Path) -> Figures:
    """Group the texts of a file in this process, their sentence vectors given, as the peer is measured."""
    texts = pd.read_parquet(path)["text"].tolist()
    known = dict(zip(texts, np.load(vectors), strict=True))
    meaning = SentenceEncoder("given", sentences.load().transformer, known)
    clock = _Clock()
    comparison = choose(
        texts, len(texts), wanted="sentences", words=fit_tfidf(texts), sentences=lambda: meaning
    )
    np.save(out, cluster.group_rows(comparison.encoder.encode(texts)).groups)
    return {**clock.figures(), "peak_mb": _peak_mb()}


class _Clock:
    def __init__(self) -> None:
        self.began, self.processor = time.perf_counter(), time.process_time()

    def figures(self) -> Figures:
        return {
            "seconds": time.perf_counter() - self.began,
            "processor_seconds": time.process_time() - self.processor,
        }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _settings(wanted: str) -> Settings:
    return parse({"themes": {"encoder": wanted}}, origin="benchmark")


def _kept(work: Path, name: str, texts: Sequence[str]) -> SentenceEncoder:
    """Return a sentence model that knows the texts; what it said of them is kept in the work folder."""
    path = work / f"meaning-{name}-{content_key(*texts)}.npy"
    loaded = sentences.load()
    if not path.exists():
        np.save(path, loaded.encode(texts))
    return SentenceEncoder(loaded.model_id, loaded.transformer, dict(zip(texts, np.load(path), strict=True)))


def _child(*arguments: object) -> Figures:
    command = [sys.executable, str(Path(__file__)), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return found


# The parts


def scale(chosen: argparse.Namespace, keep: Callable[[Figures], None]) -> None:
    """Measure each size in a process of its own."""
    spans = spans_of(chosen.scored, chosen.work)
    for size in chosen.size or SIZES:
        path = chosen.work / "spans.parquet"
        multiplied(spans, size).to_parquet(path)
        for wanted in ("auto",):
            keep({f"{size}": _child("--one", path, "--wanted", wanted)})


def quality(chosen: argparse.Namespace, keep: Callable[[Figures], None]) -> None:
    """Measure each encoder on each public set."""
    for name in SETS:
        table = labelled_set(chosen.data_root, name)
        meaning = _kept(chosen.work, name, table["text"].tolist())
        keep({name: {wanted: measure_quality(table, wanted, meaning) for wanted in ENCODERS}})


def sample(chosen: argparse.Namespace, keep: Callable[[Figures], None]) -> None:
    """Measure what grouping a sample and assigning the rest changes."""
    intents = pd.concat([labelled_set(chosen.data_root, name) for name in SETS if name != "minibar_clusters"])
    intents = intents.drop_duplicates("text")
    intents = intents.iloc[np.argsort([content_key(text) for text in intents["text"]], kind="stable")]
    spans = spans_of(chosen.scored, chosen.work).drop_duplicates("quote").iloc[:PEER_SIZE]
    for name, texts, gold in (
        ("intents", intents["text"].tolist(), intents["label"].tolist()),
        ("corpus", spans["quote"].tolist(), None),
    ):
        words = fit_tfidf(texts)
        encoder = choose(texts, len(texts), wanted="static", words=words, sentences=sentences.load).encoder
        rows = encoder.encode(texts)
        whole = cluster.group_rows(rows).groups
        keep({name: {str(part): measure_sample(rows, whole, part, gold) for part in (2, 4, 20)}})


def bertopic(chosen: argparse.Namespace, keep: Callable[[Figures], None]) -> None:
    """Measure BERTopic and ours on the same texts and the same sentence vectors."""
    if not chosen.bertopic:
        print("bertopic: left out; --bertopic names a Python that has it", file=sys.stderr)
        return
    spans = spans_of(chosen.scored, chosen.work).drop_duplicates("quote").iloc[:PEER_SIZE]
    for name in ("corpus", "minibar_clusters", "banking77"):
        table = (
            pd.DataFrame({"text": spans["quote"]})
            if name == "corpus"
            else labelled_set(chosen.data_root, name)
        )
        texts = table["text"].tolist()
        meaning = _kept(chosen.work, name, texts)
        theirs, topics = measure_peer(texts, meaning, chosen.bertopic, chosen.work)
        paths = [chosen.work / file for file in ("texts.parquet", "vectors.npy", "groups.npy")]
        ours, groups = _child("--own", *paths), np.load(paths[-1])
        for figures, found in ((theirs, topics), (ours, groups)):
            figures |= {
                "texts": len(texts),
                "outliers": float((found < 0).mean()),
                "groups": len({*found} - {-1}),
            }
        if "label" in table:
            theirs["quality"] = agreement_figures(table["label"], topics)
            # An outlier is in no topic: counted as a group of one, as ours are.
            apart = np.where(topics < 0, len(topics) + np.arange(len(topics)), topics)
            theirs["outliers_apart"] = agreement_figures(table["label"], apart)
            ours["quality"] = agreement_figures(table["label"], groups)
        keep({name: {"ours": ours, "bertopic": theirs}})


PARTS: Final = {"scale": scale, "quality": quality, "sample": sample, "bertopic": bertopic}


def main() -> None:
    """Measure the parts that are wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, help="folder that holds public/")
    parser.add_argument("--scored", type=Path, help="Parquet file written by `classifier score`")
    parser.add_argument("--work", type=Path, help="folder for what is kept between runs")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="a part; by default all")
    parser.add_argument(
        "--size", type=int, action="append", help="labelled sentences; by default 1, 10 and 100 k"
    )
    parser.add_argument("--bertopic", help="a Python with bertopic, umap-learn and hdbscan")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--own", type=Path, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--wanted", default="auto", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one or chosen.own:
        print(json.dumps(measure_size(chosen.one, chosen.wanted) if chosen.one else measure_own(*chosen.own)))
        return
    chosen.work.mkdir(parents=True, exist_ok=True)
    for part in chosen.only or PARTS:
        PARTS[part](chosen, lambda figures, part=part: record(part, figures))  # type: ignore[misc]


if __name__ == "__main__":
    main()
