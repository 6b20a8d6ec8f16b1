"""Measure grouping into themes: time and memory by size, quality by encoder, what a sample costs, a peer.

In: scored rows of a large corpus, and public sets with intents or clusters of their own. Out:
docs/benchmarks/themes.json, and the block `<!-- figures: themes -->` of docs/benchmarks.md, if there is one.
Never keeps a text. Each size is a process of its own, and so is its peak memory.

Usage: python scripts/bench_themes.py --data-root FOLDER --scored SCORED.parquet --work FOLDER
       [--only scale --only quality --only sample --only bertopic] [--size N ...] [--bertopic PYTHON]
"""

import argparse
import hashlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier import cluster, sentences
from classifier.encoders import choose
from classifier.entities import evidence_of
from classifier.group import group
from classifier.sentences import SentenceEncoder
from classifier.settings import Settings, parse
from classifier.vectors import content_key, fit_tfidf

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
RESULTS: Final = ROOT / "docs" / "benchmarks" / "themes.json"
PEER: Final = Path(__file__).with_name("bench_bertopic.py")

SIZES: Final = (1_000, 10_000, 100_000)
ENCODERS: Final = ("words", "static", "sentences")
SETS: Final = {
    "minibar_clusters": "app reviews, clusters by hand (Mini-BAR)",
    "banking77": "questions to a bank, intents (Banking77)",
    "clinc150": "questions to an assistant, intents (CLINC150)",
    "bitext_support": "questions to a shop, intents (Bitext)",
}
"""On the last two, weights of the static vectors were chosen; the first two only measure them."""
PEER_SIZE: Final = 20_000
Figures = dict[str, Any]


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


# What is shown


def section(results: Mapping[str, Any]) -> str:
    """Return the Markdown of all parts that were measured."""
    shown = [
        SHOWN[name](results[name]["figures"], results[name]["measured"]) for name in SHOWN if name in results
    ]
    return "\n".join(shown)


def _shown_scale(figures: Figures, measured: str) -> str:
    head = [
        "sentences",
        "compared by",
        "seconds",
        "processor seconds",
        "peak memory, MB",
        "themes",
        "of 5 and more",
    ]
    rows = [
        [
            f"{int(size):,}",
            re.sub(r"-[0-9a-f]{10}", "", one["vectors"]).replace(";", ", "),
            *(
                f"{one[name]:,.0f}"
                for name in ("seconds", "processor_seconds", "peak_mb", "themes", "themes_of_5")
            ),
        ]
        for size, one in sorted(figures.items(), key=lambda pair: int(pair[0]))
    ]
    notes = [f"- {int(size):,}: {note}." for size, one in figures.items() for note in one["warnings"]]
    return "\n".join(
        [
            "### Time and memory",
            "",
            "Labelled sentences of real support questions, beyond their number copies that leave out words; "
            "from their texts to themes with titles (without reading and ranking), each size in a process of "
            f"its own. {measured}",
            "",
            _table(head, rows),
            *([*notes, ""] if notes else []),
        ]
    )


def _shown_quality(figures: Figures, measured: str) -> str:
    head = ["texts", "number", "compared by", "B-cubed precision", "recall", "F1", "ARI", "groups", "alone"]
    rows = [
        [SETS[name], f"{one['texts']:,}", wanted, *_agreement_cells(one)]
        for name in SETS
        if name in figures
        for wanted, one in figures[name].items()
    ]
    text = (
        "The sentences alone, without subject, tags or areas; `words` are TF-IDF, `static` and `sentences` "
        "count .7 beside them. *Alone*: the part of texts that share a group with none. How static vectors "
        f"are weighed was chosen on the last two sets. {measured}"
    )
    return "\n".join(["### Quality by what is compared", "", text, "", _table(head, rows)])


def _shown_sample(figures: Figures, measured: str) -> str:
    names = {"intents": "the three sets of intents together", "corpus": "sentences of real support questions"}
    head = [
        "texts",
        "number",
        "compared",
        "F1 against all compared",
        "told by the run",
        "F1 against intents, of all",
    ]
    rows = [
        [
            names[name],
            f"{one['rows']:,}",
            f"{one['compared']:,}",
            _number(one["against_whole"]["f1"]),
            _number(one["told"]),
            f"{_number(one['sampled']['f1'])}, {_number(one['whole']['f1'])}" if "whole" in one else "–",
        ]
        for name, parts in figures.items()
        for one in parts.values()
    ]
    text = (
        "The same texts grouped twice: all compared pair by pair, and only a part of them, the others "
        "assigned. The B-cubed F1 of one against the other says how far the themes differ, that against "
        f"intents which are the better ones. {measured}"
    )
    return "\n".join(["### What a sample changes", "", text, "", _table(head, rows)])


def _shown_bertopic(figures: Figures, measured: str) -> str:
    names = {"corpus": "sentences of real support questions", **SETS}
    head = ["texts", "", "seconds", "processor seconds", "peak memory, MB", "groups", "in none"]
    head += ["B-cubed F1", "ARI"]
    rows = []
    for name, pair in figures.items():
        for who, one in pair.items():
            cells = [f"{one[key]:,.0f}" for key in ("seconds", "processor_seconds", "peak_mb", "groups")]
            f1, ari = (_number(one["quality"][key]) if "quality" in one else "–" for key in ("f1", "ari"))
            if "outliers_apart" in one:
                f1 += f" ({_number(one['outliers_apart']['f1'])})"
                ari += f" ({_number(one['outliers_apart']['ari'])})"
            title = "BERTopic" if who == "bertopic" else "classifier"
            rows.append(
                [f"{names[name]}, {one['texts']:,}", title, *cells, f"{one['outliers']:.0%}", f1, ari]
            )
    text = (
        "The same sentence vectors (all-MiniLM-L6-v2, made beforehand, not in the times) for both. BERTopic "
        "with its defaults: UMAP to 5 dimensions (random state fixed), HDBSCAN, at least ten texts to a "
        f"topic; in brackets with each outlier as a group of its own instead of all as one. {measured}"
    )
    return "\n".join(["### BERTopic", "", text, "", _table(head, rows)])


SHOWN: Final[dict[str, Callable[[Figures, str], str]]] = {
    "scale": _shown_scale,
    "quality": _shown_quality,
    "sample": _shown_sample,
    "bertopic": _shown_bertopic,
}

_MARKED: Final = re.compile(r"(<!-- figures: themes -->\n).*?(<!-- /figures -->)", flags=re.DOTALL)


def rendered(page: str, results: Mapping[str, Any]) -> str:
    """Return the page with its block of themes made from `results`."""
    return _MARKED.sub(lambda found: f"{found[1]}{section(results)}\n{found[2]}", page)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _agreement_cells(one: Figures) -> list[str]:
    figures = [_number(one[name]) for name in ("precision", "recall", "f1", "ari")]
    return [*figures, f"{one['groups']:,}", f"{one['alone']:.1%}"]


def _number(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def _measured() -> str:
    names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    name = names[0] if names else platform.machine()
    return f"{datetime.now(UTC):%Y-%m-%d}, {name}, {os.cpu_count()} cores, load {load:.1f} at the end."


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def record(part: str, figures: Figures) -> None:
    """Keep figures beside those of other parts, and renew the page where there is one."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    former = results.get(part, {}).get("figures", {})
    results[part] = {"measured": _measured(), "figures": {**former, **_rounded(figures)}}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if PAGE.is_file():
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


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
