"""How common labels are in a run: the estimate, and what is done with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trained
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import models, pipeline, priors, schema
from classifier.cli import main
from classifier.errors import ModelError
from classifier.labels import LABELS
from classifier.priors import LEAST, Census


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def calibrated(share: float, prior: float, documents: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of documents, `share` of them true, and probabilities calibrated where `prior` are."""
    generator = np.random.default_rng(seed)
    has = generator.random(documents) < share
    # Two normal distributions two apart: the logit of the likelihood ratio is linear in x.
    x = generator.normal(np.where(has, 1.0, -1.0))
    return has, 1 / (1 + np.exp(-(2 * x + np.log(prior / (1 - prior)))))


def census_of(probability: np.ndarray, source: str = "tickets") -> Census:
    census = Census(1)
    census.add([source] * len(probability), probability[:, None])
    return census


@pytest.mark.parametrize(("share", "prior"), [(0.05, 0.3), (0.6, 0.3), (0.3, 0.3), (0.9, 0.5)])
def test_the_share_is_found(share, prior):
    _, probability = calibrated(share, prior, 20_000)
    shift = census_of(probability).shifts([prior])["tickets"]
    assert shift.documents == 20_000
    assert shift.share[0] == pytest.approx(share, abs=0.015)
    odds = [one / (1 - one) for one in (shift.share[0], prior)]
    assert shift.logit[0] == pytest.approx(np.log(odds[0] / odds[1]))


def test_shifted_probabilities_are_calibrated_again():
    has, probability = calibrated(0.05, 0.4, 50_000)
    shift = census_of(probability).shifts([0.4])["tickets"].logit[0]
    shifted = 1 / (1 + (1 - probability) / probability * np.exp(-shift))
    assert probability.mean() > 0.15
    assert shifted.mean() == pytest.approx(has.mean(), abs=0.005)


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 600), max_size=6), seed=st.integers(0, 1000))
def test_neither_order_nor_batches_count(cuts, seed):
    _, probability = calibrated(0.2, 0.4, 600)
    generator = np.random.default_rng(seed)
    other = Census(1)
    for part in np.split(generator.permutation(probability), sorted(cuts)):
        other.add(["tickets"] * len(part), part[:, None])
    assert other.shifts([0.4]) == census_of(probability).shifts([0.4])


def test_sources_are_told_apart_and_small_ones_left_alone():
    census = census_of(calibrated(0.05, 0.3, 5_000)[1])
    many = calibrated(0.7, 0.3, 5_000, seed=1)[1]
    census.add(["notes"] * len(many), many[:, None])
    few = calibrated(0.7, 0.3, LEAST - 1, seed=2)[1]
    census.add(["survey"] * len(few), few[:, None])
    found = census.shifts([0.3])
    assert list(found) == ["notes", "tickets"]
    assert found["notes"].logit[0] > 1 > -1 > found["tickets"].logit[0]


@pytest.mark.parametrize("value", [0.0, 1e-6, 1.0])
def test_extremes_give_finite_shifts(value):
    shift = census_of(np.full(1_000, value)).shifts([0.3])["tickets"]
    assert np.isfinite(shift.logit[0])
    assert 0 < shift.share[0] < 1


def test_nothing_read_shifts_nothing():
    assert Census(3).shifts([0.5] * 3) == {}


def test_what_was_found_is_told():
    shift = priors.Shift(500, (0.1, 0.2, 0.3), (-1.0, 0.0, 1.0))
    told = priors.told({"zendesk": shift}, [0.2] * 3, LABELS)
    assert told["zendesk"]["documents"] == 500
    assert told["zendesk"][LABELS[2]] == {"trained_share": 0.2, "estimated_share": 0.3, "logit_shift": 1.0}
    assert json.loads(json.dumps(told)) == told


# In a run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("models") / "tiny" / "1")


def of_few_requests(folder: Path) -> Path:
    """Write documents of which hardly any asks for a feature, under two channels."""
    documents = trained.all_documents()
    wish = documents["feature_request"].to_numpy()
    few = documents[~wish | (np.arange(len(documents)) % 12 == 0)]
    table = pd.DataFrame({"id": [f"d{at}" for at in range(len(few))], "text": few["text"].to_numpy()})
    path = folder / "feedback.csv"
    table.to_csv(path, index=False)
    return path


def test_a_run_tells_what_it_found_and_decides_by_it(tiny, tmp_path):
    table = of_few_requests(tmp_path)
    common = ("run", table, "--model", tiny, "--no-progress", "--out")
    assert call(*common, tmp_path / "plain").exit_code == 0
    done = call(*common, tmp_path / "shifted", "--prior-shift")
    assert done.exit_code == 0, done.stderr
    assert "prior shift, table (" in done.stderr
    told = json.loads((tmp_path / "shifted" / "run.json").read_text())["result"]["settings"]["scoring"]
    wish = told["prior_shifts"]["table"]["feature_request"]
    assert wish["estimated_share"] < wish["trained_share"]
    assert wish["logit_shift"] < -0.5
    plain, shifted = (
        pd.read_parquet(tmp_path / name / "scored.parquet")["feature_request_score"]
        for name in ("plain", "shifted")
    )
    inner = (plain > 0) & (plain < 1)
    assert (shifted[inner] < plain[inner]).all()
    kept = json.loads((tmp_path / "plain" / "run.json").read_text())["result"]["settings"]["scoring"]
    assert (kept["prior_shift"], kept["prior_shifts"]) == (False, {})


def test_rows_alone_and_engines_change_nothing(tiny, tmp_path):
    table = of_few_requests(tmp_path)
    common = ("score", table, "--model", tiny, "--quiet", "--prior-shift", "--out")
    assert call(*common, tmp_path / "one.csv").exit_code == 0
    assert call(*common, tmp_path / "two.csv", "--workers", "2").exit_code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_each_source_is_scored_by_its_own_shift(tiny):
    texts = trained.documents()["text"].iloc[:40].reset_index(drop=True)
    given = pd.DataFrame({"source": ["a", "b"] * 20, "body": texts, "row": range(40)})
    documents = schema.conform(given.reindex(columns=list(schema.DOCUMENTS)), schema.DOCUMENTS)
    model = models.load(tiny)
    shifts = {"a": (2.0,) * 3}

    def scored(part: pd.DataFrame, shifts: dict[str, tuple[float, ...]]) -> pd.DataFrame:
        part = part.reset_index(drop=True)
        rows = pipeline.score(
            part, texts=part["body"], model=model, settings=pipeline.ScoreSettings(shifts=shifts)
        )
        return rows[["source", *(f"{label}_score" for label in LABELS)]]

    both = scored(documents, shifts)
    assert both["source"].tolist() == documents["source"].tolist()
    for name, own in (("a", shifts), ("b", {})):
        alone = scored(documents[documents["source"] == name], own)
        assert both[both["source"] == name].reset_index(drop=True).equals(alone)


def test_a_model_that_tells_no_shares_is_refused(tiny):
    model = models.load(tiny)
    old = {label: replace(head, prior=0.0) for label, head in model.fast.heads.items()}
    with pytest.raises(ModelError, match="doesn't say how common labels were"):
        _ = replace(model, fast=replace(model.fast, heads=old)).priors
