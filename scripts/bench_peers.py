"""What the benchmark compares with: each learns from labelled texts and tells labels of others.

In: texts and labels. Out: a mask (texts, labels). A peer whose package isn't installed is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from classifier.labels import LABELS

Predict = Callable[[Sequence[str]], np.ndarray]
THRESHOLD = 0.5


def classify_only(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Score with the shipped model: nothing is learnt here."""
    import pyarrow as pa

    from classifier import classify, models

    model = models.load(models.find("default", places=models.folders(""))).fast
    return lambda column: classify.score_texts(model, pa.array(column, pa.large_string())).decision


def fast_text(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Train fastText with word pairs, one decision per label."""
    import fasttext

    with TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("\n".join(map(_line, texts, labels)), encoding="utf-8")
        model = fasttext.train_supervised(
            str(path), wordNgrams=2, loss="ova", epoch=25, dim=50, thread=2, verbose=0
        )

    def predict(column: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(column), len(LABELS)), dtype=bool)
        told, _ = model.predict([text.replace("\n", " ") for text in column], k=-1, threshold=THRESHOLD)
        for row, names in enumerate(told):
            for name in names:
                if (label := name.removeprefix("__label__")) in LABELS:
                    found[row, LABELS.index(label)] = True
        return found

    return predict


def _line(text: str, labels: np.ndarray) -> str:
    names = [name for name, has in zip(LABELS, labels, strict=True) if has] or ["none"]
    return " ".join(f"__label__{name}" for name in names) + " " + " ".join(text.split())


def tfidf(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Train scikit-learn's TF-IDF of words and pairs with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _linear(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), texts, labels)


def hashing(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Train scikit-learn's HashingVectorizer of words and pairs with logistic regression."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return _linear(HashingVectorizer(ngram_range=(1, 2), n_features=2**20), texts, labels)


def _linear(vectorizer: Any, texts: Sequence[str], labels: np.ndarray) -> Predict:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline

    learner = OneVsRestClassifier(LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000))
    pipeline = make_pipeline(vectorizer, learner).fit(texts, labels)
    return lambda column: pipeline.predict(column).astype(bool)


def spacy_bow(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Train spaCy's bag of words (textcat_multilabel)."""
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    nlp = spacy.blank("en")
    component = nlp.add_pipe("textcat_multilabel")
    for label in LABELS:
        component.add_label(label)
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": dict(zip(LABELS, map(float, row), strict=True))})
        for text, row in zip(texts, labels, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples[:100])
    for _ in range(3):
        for batch in minibatch(examples, size=64):
            nlp.update(batch, sgd=optimizer)
    return lambda column: np.array(
        [[doc.cats[label] >= THRESHOLD for label in LABELS] for doc in nlp.pipe(column, batch_size=256)]
    )


def mini_lm(texts: Sequence[str], labels: np.ndarray) -> Predict:
    """Train logistic regression on sentence embeddings of MiniLM, by torch."""
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    encoder = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    learner = OneVsRestClassifier(LogisticRegression(class_weight="balanced", max_iter=1000))
    learner.fit(encoder.encode(list(texts)), labels)
    return lambda column: learner.predict(encoder.encode(list(column))).astype(bool)


PEERS: Mapping[str, tuple[str, str, Callable[[Sequence[str], np.ndarray], Predict], int]] = {
    "ours": ("classifier, classify only", "classifier", classify_only, 0),
    "fasttext": ("fastText, predict only", "fasttext", fast_text, 0),
    "tfidf": ("scikit-learn TF-IDF(1,2) + LR", "sklearn", tfidf, 20_000),
    "hashing": ("scikit-learn HashingVectorizer(1,2) + LR", "sklearn", hashing, 20_000),
    "spacy": ("spaCy textcat bag of words", "spacy", spacy_bow, 5_000),
    "minilm": ("MiniLM (torch) + LR", "sentence_transformers", mini_lm, 500),
}
"""Name -> title, package, how it learns, and the most texts it is timed on (0: all), for the slow ones."""


def missing() -> list[str]:
    """Return the names of the peers whose package isn't installed."""
    return [name for name, (_, package, _, _) in PEERS.items() if find_spec(package) is None]
