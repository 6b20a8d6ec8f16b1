import pytest
import trained

from classifier import card, evaluate, teach
from classifier.labels import LABELS


@pytest.fixture(scope="module")
def evaluation():
    documents = trained.documents().head(80)
    predictions = teach.predictions_of(trained.model(), documents["text"])
    return evaluate.evaluate(documents, predictions, n_boot=20).as_dict()


SOURCES = ("sales_note", "support_written")


def render(evaluation=None, **changes):
    given = {
        "name": "tiny",
        "version": "1",
        "training": trained.documents(),
        "sources": [card.Source(name, "Apache-2.0", f"*written*: {name}") for name in SOURCES],
        "figures": [card.Figures("Held out", evaluation)] if evaluation else [],
        "limits": ("English only.", "Gaps are hard."),
        "command": "make model",
    }
    return card.render(**{**given, **changes})


def rows(text, first):
    """Return the cells of the table rows that begin with `first`."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith(f"| {first} |")
    ]


def test_what_it_learnt_from():
    documents = trained.documents()
    text = render()
    counts = [
        f"{len(documents)}",
        *(str(int(documents[label].sum())) for label in LABELS),
        str(int((~documents[list(LABELS)].any(axis=1)).sum())),
    ]
    assert rows(text, "**all**") == [["**all**", "", *counts]]
    parts = [rows(text, f"*written*: {name}")[0] for name in SOURCES]
    assert [part[1] for part in parts] == ["Apache-2.0", "Apache-2.0"]
    assert [str(sum(int(part[column]) for part in parts)) for column in range(2, 7)] == counts
    assert "Made by `make model`" in text
    assert card.BY_MODELS in text
    assert "- English only.\n- Gaps are hard.\n" in text


def test_a_source_without_documents_has_no_row():
    other = card.Source("reviews", "MIT", "Reviews")
    assert rows(render(sources=[other]), "Reviews") == []


def test_names_that_would_break_the_table():
    odd = card.Source("support_written", "MIT", "a|b\nc")
    assert "| a\\|b c | MIT |" in render(sources=[odd])


def test_who_labelled_is_said_as_it_is():
    text = render(provenance="Labelled by our support team.")
    assert "Labelled by our support team." in text
    assert "language models" not in text


def test_how_good_it_is(evaluation):
    text = render(evaluation)
    f1 = evaluation["labels"]["pain_point"]["f1"]
    found = rows(text, "pain point")[0]
    assert found[3] == f"{100 * f1['value']:.0f} ({100 * f1['low']:.0f}–{100 * f1['high']:.0f})"
    assert found[-1] == str(evaluation["labels"]["pain_point"]["positives"])
    macro = f"{100 * evaluation['macro_f1']['value']:.0f}"
    assert f"### Held out\n\n80 documents, macro-F1 {macro} (" in text
    assert "Expectation source right on" in text
    silent = render(figures=[card.Figures("Held out", evaluation, tells_sources=False)])
    assert "Expectation source right on" not in silent


def test_a_figure_that_could_not_be_computed(evaluation):
    nothing = {"value": None, "low": None, "high": None}
    labels = {
        **evaluation["labels"],
        "pain_point": {**evaluation["labels"]["pain_point"], "precision": nothing},
    }
    missing = {**evaluation, "labels": labels, "expectation_source": {"accuracy": nothing}}
    text = render(missing)
    assert rows(text, "pain point")[0][1] == "–"
    assert "Expectation source right on" not in text
