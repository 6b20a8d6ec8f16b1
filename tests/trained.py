"""A small model that several test files share: fitted once per process on a part of our own texts."""

from functools import cache
from pathlib import Path

import pandas as pd

from classifier import features, labelled, models, train
from classifier.classify import FastModel
from classifier.features import FeatureSettings

ROOT = Path(__file__).parents[1]
WRITTEN = sorted((ROOT / "data" / "training").glob("written_*.jsonl"))
SETTINGS = train.TrainingSettings(
    features=FeatureSettings(bits=16, words=2, char_min=3, char_max=4, per_known=True),
    folds=3,
    min_documents=2,
)


@cache
def all_documents() -> pd.DataFrame:
    return labelled.read_labelled(WRITTEN[:1])


def documents() -> pd.DataFrame:
    """Every second document of one file: enough of each label for three folds."""
    return all_documents().iloc[::2].reset_index(drop=True)


@cache
def trained() -> train.Trained:
    return train.fit(documents(), SETTINGS)


@cache
def model() -> FastModel:
    """Return the small model with the weights that a saved one has."""
    return models.rounded(trained().model)


def save(folder: Path) -> Path:
    """Save the small model as `folder`; return the folder."""
    models.save(
        folder,
        trained().model,
        name="tiny",
        version=folder.name,
        languages=("en",),
        about={"documents": len(documents())},
        card="# Card\n",
    )
    return folder


def unknown_word() -> str:
    """Return a word that the small model doesn't know, not even by a collision of hashes."""
    words = ("zj", "qx", "vq", "xk", "jq")
    fast = model()
    return next(
        word
        for word in words
        if not any(fast.index[ngram.bucket] for ngram in features.ngrams(word, fast.features))
    )
