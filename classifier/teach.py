"""Training and evaluation from files: what `train` and `evaluate` do.

In: paths of labelled data. Out: a model's folder, or figures. Never prints.
"""

import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier import card, classify, clean, evaluate, labelled, language, models, pipeline, schema, train
from classifier.labelled import Labelled
from classifier.labels import EXPECTATION_SOURCES, GAP, LABELS, TITLES
from classifier.models import LoadedModel

LANGUAGES: Final = ("en",)
"""What a model that is trained here counts as its languages."""

STRAY: Final = 0.05
"""Share of texts in other languages that says nothing: very short ones are mistaken at times."""


@dataclass(frozen=True)
class Measured:
    """What `evaluate` found: `comparison` where two models were measured, `files` (name -> path) written.

    `warnings` are what the user should know of the data.
    """

    evaluation: evaluate.Evaluation
    comparison: evaluate.Comparison | None
    files: dict[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contender:
    """A model as it is measured; `tier` is None for the best that it has."""

    model: LoadedModel
    tier: str | None = None

    @property
    def name(self) -> str:
        """The model's id and, where one was chosen that the id doesn't tell, its tier."""
        told = self.tier is None or self.model.model_id.endswith(f"-{self.tier}")
        return self.model.model_id if told else f"{self.model.model_id} {self.tier}"

    def predictions(self, texts: pd.Series) -> evaluate.Predictions:
        """Return what the model makes of `texts` as they are, whatever their language.

        Raises
        ------
        ModelError
            If the model hasn't the tier.
        """
        model = models.choose_tier(self.model, self.tier)
        everything = np.ones(len(texts), dtype=np.bool_)
        scores = model.score(texts, classify.score_texts(model.fast, texts), everything)
        return _predictions(scores, model.heads)

    def scored(self, texts: pd.Series) -> evaluate.Predictions:
        """Return what `score` says of cleaned texts: all that an evaluation knows of the model.

        Raises
        ------
        ModelError
            If the model hasn't the tier.
        """
        model = models.choose_tier(self.model, self.tier)
        columns = {"body": texts, "row": np.arange(1, len(texts) + 1)}
        documents = pd.DataFrame(columns).reindex(columns=list(schema.DOCUMENTS))
        scored = pipeline.score(
            schema.conform(documents, schema.DOCUMENTS),
            texts=texts,
            model=model,
            settings=pipeline.ScoreSettings(quotes=False),
        )
        return evaluate.Predictions(
            probabilities=scored[[f"{label}_score" for label in LABELS]].to_numpy(dtype=np.float64),
            decisions=scored[list(LABELS)].to_numpy(dtype=np.bool_),
            spans=_strongest_spans(scored),
            expectation_source=scored["expectation_source"].tolist(),
            review=scored["review"].to_numpy(dtype=np.bool_),
            thresholds=_thresholds(model.heads),
        )


def _strongest_spans(scored: pd.DataFrame) -> list[dict[str, tuple[int, int]]]:
    found: list[dict[str, tuple[int, int]]] = [{} for _ in range(len(scored))]
    for label in LABELS:
        columns = (scored[name].tolist() for name in (label, f"{label}_start", f"{label}_end"))
        for spans, decided, start, end in zip(found, *columns, strict=True):
            if decided:
                spans[label] = (start, end)
    return found


def predictions_of(model: classify.FastModel, texts: pd.Series) -> evaluate.Predictions:
    """Return what the model says of `texts`, as the evaluation wants it."""
    return _predictions(classify.score_texts(model, texts), model.heads)


def _predictions(scores: classify.Scores, heads: Mapping[str, classify.Head]) -> evaluate.Predictions:
    has_gap = scores.decision[:, LABELS.index(GAP)]
    return evaluate.Predictions(
        probabilities=scores.probability.astype(np.float64),
        decisions=scores.decision,
        spans=[_best_spans(scores, row) for row in range(len(scores.decision))],
        expectation_source=[
            EXPECTATION_SOURCES[place] if place >= 0 and gap else ""
            for place, gap in zip(scores.source, has_gap, strict=True)
        ],
        review=np.asarray(scores.close.any(axis=1), dtype=bool),
        thresholds=_thresholds(heads),
    )


def _best_spans(scores: classify.Scores, row: int) -> dict[str, tuple[int, int]]:
    ascending = sorted(classify.spans_of(scores, row), key=lambda span: (span[3], -span[1]))
    return {label: (start, end) for label, start, end, _ in ascending}


def _thresholds(heads: Mapping[str, classify.Head]) -> tuple[float, ...]:
    return tuple(heads[label].threshold for label in LABELS)


def validation(
    documents: pd.DataFrame, trained: train.Trained, *, resamples: int = 2000
) -> evaluate.Evaluation:
    """Return the out-of-fold figures: what the settings of the model were chosen on.

    Evidence and expectation sources aren't part of them.
    """
    rows = len(documents)
    predictions = evaluate.Predictions(
        probabilities=trained.probability,
        decisions=trained.decision,
        spans=[{} for _ in range(rows)],
        expectation_source=[""] * rows,
        review=np.zeros(rows, dtype=bool),
        thresholds=_thresholds(trained.model.heads),
    )
    return evaluate.evaluate(train.canonical(documents), predictions, groups=trained.groups, n_boot=resamples)


def train_files(data: Sequence[Path], out: Path, *, seed: int) -> dict[str, Any]:
    """Train a model from labelled files, save it in `out`, and return the summary.

    It learns from texts as `score` will read them: cleaned, their evidence as it stands there.

    Raises
    ------
    InputError
        If the data can't be read or has too few examples of a label.
    OutputError
        If `out` holds a model or other files already, or can't be written.
    """
    began = time.monotonic()
    models.require_free(out)
    called = models.called(out)
    name, version = called.name, called.version
    given = _as_scored(labelled.read_placed(data))
    documents = given.documents
    settings = train.TrainingSettings(seed=seed)
    trained = train.fit(documents, settings)
    figures = validation(documents, trained).as_dict()
    sources = [
        card.Source(source, "as given", source or "(no source)")
        for source in sorted(set(documents["source"]))
    ]
    text = card.render(
        name=name,
        version=version,
        training=documents,
        sources=sources,
        figures=[
            card.Figures(
                "Validation: cross-validated, grouped by near-duplicates", figures, tells_sources=False
            )
        ],
        limits=_limits(trained.model),
        command="classifier train",
        provenance="Texts and labels are those of the files that it was given.",
    )
    about = {"documents": len(documents), "settings": asdict(settings)}
    model_id = models.save(
        out, trained.model, name=name, version=version, languages=LANGUAGES, about=about, card=text
    )
    if called.versioned:
        models.appoint_first(out)
    keys = ("precision", "recall", "f1", "average_precision")
    return {
        "out": str(out),
        "model_id": model_id,
        "use": models.usable_as(out),
        "current": models.current_of(out),
        "documents": len(documents),
        "tells_sources": trained.model.tells_sources,
        "figures": {
            label: {
                **{key: round(figures["labels"][label][key]["value"], 6) for key in keys},
                "threshold": round(trained.model.heads[label].threshold, 6),
            }
            for label in LABELS
        },
        "macro_f1": round(figures["macro_f1"]["value"], 6),
        "warnings": [*given.warnings(), *_foreign(documents["text"])],
        "seconds": round(time.monotonic() - began, 3),
    }


def _foreign(texts: pd.Series) -> tuple[str, ...]:
    """Return what to tell where more than stray texts are in a language that `score` leaves out."""
    found = language.detect(texts)
    other = found[~language.is_supported(found, LANGUAGES)]
    if len(other) <= STRAY * len(texts):
        return ()
    common = other.value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:3]
    return (
        f"{len(other)} of {len(texts)} text(s) are in other languages ({', '.join(common)}) than the"
        f" model counts as its own ({', '.join(LANGUAGES)}): score gives such texts no label, unless"
        " scoring.languages in classifier.toml names their language",
    )


def _limits(model: classify.FastModel) -> tuple[str, ...]:
    measured = "Measured on its own training data by cross-validation only."
    if model.tells_sources:
        return (measured,)
    return (measured, "Doesn't tell where expectations come from: no text that it learnt from did.")


def trained_text(trained: dict[str, Any]) -> str:
    """Return the summary of `train` as text."""
    lines = [
        f"Trained on {trained['documents']:,} documents",
        "Figures: cross-validated, grouped by near-duplicates",
        f"  {'':<17}precision  recall    F1",
    ]
    for label, one in trained["figures"].items():
        lines.append(f"  {TITLES[label]:<17}{one['precision']:>9.2f}{one['recall']:>8.2f}{one['f1']:>6.2f}")
    if not trained["tells_sources"]:
        lines.append("No text says where an expectation came from: expectation_source stays empty")
    lines += ["", f"Model {trained['model_id']}: {trained['out']}  ({trained['seconds']:.0f} s)"]
    lines.append(f"Use it with --model {shlex.quote(trained['use'])}")
    out, current = Path(trained["out"]), trained["current"]
    if current not in ("", out.resolve().name):
        lines.append(
            f"--model {out.resolve().parent.name} means version {current}, as {out.parent / models.CURRENT} "
            f"says: write {out.resolve().name} into it to change that"
        )
    return "\n".join(lines)


def _as_scored(given: Labelled) -> Labelled:
    """Return the documents as they are scored: cleaned, and their evidence as it stands there."""
    texts = clean.document_text(given.parts["subject"], given.parts["body"])
    pairs = zip(texts, given.documents["evidence"], strict=True)
    evidence = [_cleaned_evidence(text, spans) for text, spans in pairs]
    return replace(given, documents=given.documents.assign(text=texts, evidence=evidence))


def _cleaned_evidence(text: str, evidence: str) -> str:
    """Return spans as they stand in a cleaned text: they were given as the text was before."""
    spans = json.loads(evidence or "{}")
    found = {label: _as_it_stands(span, text) for label, span in spans.items()}
    return json.dumps(found, ensure_ascii=False)


def _as_it_stands(span: str, text: str) -> str:
    """Return a span as a cleaned text holds it; the span itself where it doesn't."""
    if span in text:
        return span
    # A part of a page shows by itself no sign of being one.
    for said in (span, clean.clean(span), clean.clean(f"<p>{span}</p>")):
        found = re.search(r"\s+".join(map(re.escape, said.split())), text)
        if found and found[0]:
            return found[0]
    return span


def evaluate_files(
    data: Sequence[Path],
    measured: Contender,
    out: Path | None,
    *,
    against: Contender | None = None,
    resamples: int,
    seed: int,
) -> Measured:
    """Measure what `score` would say of labelled files; write an evaluation's files where `out` is given.

    Parameters
    ----------
    against
        Another model, or another tier, to be compared with on the same resamples; differences are
        `measured` minus `against`.

    Raises
    ------
    InputError
        If the data can't be read.
    ModelError
        If a model hasn't its tier.
    OutputError
        If `out` can't be written.
    """
    given = _as_scored(labelled.read_placed(data))
    gold = given.documents
    predictions = measured.scored(gold["text"])
    found = evaluate.evaluate(gold, predictions, n_boot=resamples, seed=seed)
    comparison = None
    if against:
        comparison = evaluate.compare(
            gold,
            against.scored(gold["text"]),
            predictions,
            names=(against.name, measured.name),
            n_boot=resamples,
            seed=seed,
        )
    written = evaluate.write(out, found, comparison) if out else []
    return Measured(found, comparison, {path.name: str(path) for path in written}, given.warnings())
