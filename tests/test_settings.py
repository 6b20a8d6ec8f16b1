from dataclasses import dataclass
from pathlib import Path

import pytest

from classifier import settings
from classifier.errors import SettingsError

ROOT = Path(__file__).parents[1]


def parse(text, tmp_path):
    path = tmp_path / "classifier.toml"
    path.write_text(text, encoding="utf-8")
    return settings.load(path)


def test_without_a_file_the_defaults():
    assert settings.load(None) == settings.Settings()


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert parse("", tmp_path) == settings.Settings()


def test_the_example_is_valid():
    found = settings.load(ROOT / "data/examples/classifier.toml")
    assert found.report.currency == "EUR"
    assert found.areas["scheduling"][0] == "dispatch board"


def test_every_kind_of_value(tmp_path):
    found = parse(
        """
        [input]
        text_column = "note"
        keep = ["tags", "region"]
        keep_internal = true
        max_rejected = 10
        [scoring]
        quotes = "none"
        [areas]
        billing = ["invoice", "tax"]
        [departments]
        "Finance & Tax" = ["billing"]
        [competitors]
        Servanto = []
        [themes]
        similarity = 0.4
        [rank]
        recency_half_life_days = 30.5
        [rank.weights]
        reach = 0
        trend = 2.5
        """,
        tmp_path,
    )
    assert found.input == settings.Input(
        text_column="note", keep=("tags", "region"), keep_internal=True, max_rejected=10.0
    )
    assert found.scoring.quotes == "none"
    assert found.areas == {"billing": ("invoice", "tax")}
    assert found.departments == {"Finance & Tax": ("billing",)}
    assert found.competitors == {"Servanto": ()}
    assert found.themes == settings.Themes(similarity=0.4)
    assert found.rank.recency_half_life_days == 30.5
    # Weights that aren't named keep their defaults.
    assert found.rank.weights == {**settings.Rank().weights, "reach": 0.0, "trend": 2.5}


def test_a_byte_order_mark_is_no_fault(tmp_path):
    assert parse("\ufeff[report]\ntitle = 'Kestova'", tmp_path).report.title == "Kestova"


FAULTS = [
    ("[inputs]\nsource = 'zendesk'", "inputs: unknown; did you mean input?"),
    ("[input]\ntext_colum = 'note'", "input.text_colum: unknown; did you mean text_column?"),
    ("[report]\nqqq = 1", "report.qqq: unknown; known: title, currency"),
    ("input = 3", "input: 3 is not a section"),
    ("[input]\ntext_column = 3", "input.text_column: 3 is not text"),
    ("[input]\nkeep = 'tags'", """input.keep: 'tags' is not a list of texts; write it like ["one", "two"]"""),
    ("[input]\nkeep = ['tags', 3]", "input.keep: ['tags', 3] is not a list of texts"),
    ("[input]\nkeep = ['tags', ' ']", "input.keep: one of the texts is empty; leave it out"),
    ("[input]\nkeep_internal = 'yes'", "input.keep_internal: 'yes' is not true or false"),
    ("[input]\nmax_rejected = '5'", "input.max_rejected: '5' is not a number"),
    ("[input]\nmax_rejected = true", "input.max_rejected: True is not a number"),
    ("[input]\nmax_rejected = 101", "input.max_rejected: 101.0 is not a percentage"),
    ("[input]\nmax_rejected = nan", "input.max_rejected: nan is not a number"),
    ("[scoring]\nquotes = 'all'", "scoring.quotes: 'all' is neither redacted nor none"),
    ("areas = ['a']", "areas: ['a'] is not a section of `name = [phrases]`"),
    ("[areas]\nbilling = 'invoice'", "areas.billing: 'invoice' is not a list of texts"),
    ("[areas]\nbilling = ['invoice', '']", "areas.billing: one of the texts is empty"),
    ("[themes]\nsimilarity = 1.1", "themes.similarity: 1.1 is not between 0 and 1"),
    ("[themes]\nencoder = 'tfidf'", "themes.encoder: 'tfidf' is none of auto, sentences, static, words"),
    ("[rank]\nweights = 3", "rank.weights: 3 is not a section of `factor = weight`"),
    ("[rank.weights]\nrevenu = 3", "rank.weights.revenu: unknown factor; did you mean revenue?"),
    ("[rank.weights]\nreach = 'x'", "rank.weights.reach: 'x' is not a number"),
    ("[rank.weights]\nreach = inf", "rank.weights.reach: inf is not a number"),
    ("[rank.weights]\nreach = -1", "rank.weights.reach: -1.0 is below 0"),
    (
        "[rank.weights]\nreach = 0\nmentions = 0\nrevenue = 0\ntrend = 0\nseverity = 0\nrecency = 0",
        "rank.weights: all weights are 0",
    ),
    ("[rank]\nrecency_half_life_days = 0", "rank.recency_half_life_days: 0.0 is not above 0"),
    ("[rank]\nrecency_half_life_days = nan", "rank.recency_half_life_days: nan is not a number"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_faults(text, fault, tmp_path):
    with pytest.raises(SettingsError) as caught:
        parse(text, tmp_path)
    first, *faults = str(caught.value).splitlines()
    assert first == f"{tmp_path / 'classifier.toml'}: 1 setting(s) to mend:"
    assert len(faults) == 1
    assert faults[0].startswith(f"  {fault}")


def test_all_faults_are_reported_at_once(tmp_path):
    with pytest.raises(SettingsError) as caught:
        parse("[input]\nsurce = 'a'\nkeep = 3\n[areas]\nb = 1\n[rank.weights]\nreach = -2", tmp_path)
    assert str(caught.value).splitlines()[1:] == [
        "  input.surce: unknown; did you mean source?",
        """  input.keep: 3 is not a list of texts; write it like ["one", "two"]""",
        """  areas.b: 1 is not a list of texts; write it like ["one", "two"]""",
        "  rank.weights.reach: -2.0 is below 0",
    ]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match=r"no.toml: no such file; leave --config out to use the defaults"):
        settings.load(tmp_path / "no.toml")
    with pytest.raises(SettingsError, match="can't be read"):
        settings.load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe4'")
    with pytest.raises(SettingsError, match=r"latin.toml: can't be read: .*utf-8"):
        settings.load(tmp_path / "latin.toml")
    with pytest.raises(SettingsError, match=r"classifier.toml: not valid TOML: .*line 2"):
        parse("[input]\nkeep = [,]", tmp_path)


def test_a_field_of_a_type_that_toml_lacks_is_a_bug():
    @dataclass(frozen=True)
    class Odd:
        path: Path = Path()

    with pytest.raises(AssertionError, match=r"no conversion for Odd.path"):
        settings._convert(Odd, "path", "x", "path", [])
