import click
import pandas as pd
import pytest
from click.testing import CliRunner

from classifier import options
from classifier.errors import OptionError, SettingsError

AT = pd.Timestamp("2026-03-31", tz="UTC")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: classifier.toml is read from there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def choose(*arguments):
    """Return what the options of the reading commands choose."""

    @click.command()
    @options.reading
    @options.configured
    def command(**values):
        chosen.append(options.choose(values))

    chosen = []
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return chosen[0]


def test_without_options_the_defaults():
    chosen = choose()
    assert chosen == options.Chosen(options_defaults(), pipeline_filters(), "")


def options_defaults():
    from classifier.settings import Settings

    return Settings()


def pipeline_filters(**given):
    from classifier.pipeline import Filters

    return Filters(**given)


def test_options_win_over_the_file(folder):
    (folder / "classifier.toml").write_text(
        "[input]\ntext_column = 'note'\nid_column = 'key'\nkeep = ['tags']\nmax_rejected = 1\n"
        "[scoring]\nquotes = 'none'\n[report]\ntitle = 'Kestova'"
    )
    chosen = choose(
        "--text-column",
        "body",
        "--keep",
        "region",
        "--keep",
        "tags",
        "--max-rejected",
        "0",
        "--keep-internal",
        "--quotes",
        "redacted",
    )
    found = chosen.settings
    assert (found.input.text_column, found.input.id_column) == ("body", "key")
    assert found.input.keep == ("tags", "region")
    assert (found.input.max_rejected, found.input.keep_internal) == (0.0, True)
    assert (found.scoring.quotes, found.report.title) == ("redacted", "Kestova")
    assert chosen.config == "classifier.toml"


def test_the_file_alone(folder):
    (folder / "other.toml").write_text("[input]\nkeep_internal = true\n[scoring]\nquotes = 'none'")
    chosen = choose("--config", "other.toml")
    assert chosen.settings.input.keep_internal
    assert chosen.settings.scoring.quotes == "none"
    assert chosen.config == "other.toml"


def test_a_given_file_wins_over_the_one_of_the_folder(folder):
    (folder / "classifier.toml").write_text("[report]\ntitle = 'here'")
    (folder / "other.toml").write_text("[report]\ntitle = 'there'")
    assert choose().settings.report.title == "here"
    assert choose("--config", "other.toml").settings.report.title == "there"
    with pytest.raises(SettingsError, match=r"missing.toml: no such file"):
        choose("--config", "missing.toml")


def test_filters():
    chosen = choose(
        "--since",
        "2026-03-31",
        "--until",
        "2026-04-02",
        "--where",
        "channel=email",
        "--where",
        "plan=a=b",
        "--where",
        "tag=",
    )
    where = {"channel": "email", "plan": "a=b", "tag": ""}
    until = pd.Timestamp("2026-04-02", tz="UTC")
    assert chosen.filters == pipeline_filters(since=AT, until=until, where=where)


def test_the_same_filter_twice_is_one():
    assert choose("--where", "channel=email", "--where", "channel=email").filters.where == {
        "channel": "email"
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--where", "channel"),
            "--where 'channel' is not COLUMN=VALUE; write it like --where channel=email",
        ),
        (("--where", "=email"), "--where '=email' is not COLUMN=VALUE"),
        (
            ("--where", "plan=a", "--where", "plan=b"),
            "--where names 'plan' twice, 'a' and 'b'; a document has one value: leave one out",
        ),
        (("--since", "31.03.2026"), "--since '31.03.2026' is not a date; write it like 2026-03-31"),
        (("--until", "2026-02-31"), "--until '2026-02-31' is not a date; write it like 2026-03-31"),
        (("--since", ""), "--since '' is not a date"),
        (
            ("--since", "2026-04-02", "--until", "2026-04-02"),
            "--since 2026-04-02 is not before --until 2026-04-02: nothing lies between them",
        ),
        (
            ("--keep", "subject"),
            "--keep 'subject': scored rows have a column of that name already; leave it out",
        ),
        (
            ("--keep", "pain_point_score"),
            "--keep 'pain_point_score': scored rows have a column of that name already",
        ),
    ],
)
def test_options_that_are_wrong(arguments, message):
    with pytest.raises(OptionError) as caught:
        choose(*arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "arguments",
    [("--max-rejected", "101"), ("--quotes", "all"), ("--workers", "0")],
)
def test_values_that_click_refuses(arguments):
    @click.command()
    @options.reading
    def command(**values):
        raise AssertionError(values)

    assert CliRunner().invoke(command, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("2026-03-31", AT),
        ("20260331", AT),
        ("2026-03-31T02:00:00+02:00", AT),
        ("2026-03-31T00:00:00Z", AT),
        ("0001-01-01", pd.Timestamp("0001-01-01", tz="UTC", unit=None)),
        ("9999-12-31", pd.Timestamp("9999-12-31", tz="UTC")),
    ],
)
def test_day(text, expected):
    assert options.day(text, "--as-of") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-31", "2026-03-31T23:59:59.999999Z"),
        ("20260331", "2026-03-31T23:59:59.999999Z"),
        ("9999-12-31", "9999-12-31T23:59:59.999999Z"),
        # What has a time, be it midnight, means this moment.
        ("2026-03-31T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("2026-03-31T02:00:00+02:00", "2026-03-31T00:00:00Z"),
    ],
)
def test_a_day_that_ends_a_period_is_part_of_it(text, expected):
    found = options.day(text, "--as-of", end=True)
    assert (found, found.unit) == (pd.Timestamp(expected), "us")


def test_day_has_the_unit_of_the_tables():
    assert options.day("2026-03-31", "--as-of").unit == "us"


@pytest.mark.parametrize(
    ("decorator", "names"),
    [
        (options.modelling, {"--model", "--models", "--tier"}),
        (
            options.reporting,
            {
                "--claims",
                "--capabilities",
                "--accounts",
                "--objectives",
                "--for",
                "--as-of",
                "--bom",
                "--force",
            },
        ),
        (options.answering, {"--format"}),
    ],
)
def test_shared_options_have_help(decorator, names):
    @click.command()
    @decorator
    def command(**values):
        raise AssertionError(values)

    found = {option.opts[0]: option for option in command.params}
    assert set(found) == names
    assert all(option.help for option in found.values())


@pytest.mark.parametrize(
    ("out", "form", "said"),
    [("rows.csv", "jsonl", "--format jsonl doesn't fit"), ("rows.txt", "text", "can't tell the format")],
)
def test_a_name_and_a_format_that_contradict_are_refused(out, form, said):
    with pytest.raises(OptionError, match=said):
        options.check_ending(out, form)


@pytest.mark.parametrize(("out", "form"), [("rows.csv.gz", "csv"), ("-", "jsonl"), ("rows.parquet", "json")])
def test_a_name_and_a_format_that_fit(out, form):
    options.check_ending(out, form)


@pytest.mark.parametrize(
    "words",
    [
        "classifier run tick",
        "classifier score tick",
        "classifier score --out tick",
        "classifier report tick",
        "classifier train tick",
        "classifier evaluate --against tick",
        "classifier explain --model tick",
        "classifier explain --models tick",
    ],
)
def test_names_of_files_are_completed_by_the_shell(words, monkeypatch):
    from classifier.cli import main

    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    completed = CliRunner().invoke(
        main, prog_name="classifier", env={"_CLASSIFIER_COMPLETE": "bash_complete"}, standalone_mode=True
    )
    assert completed.output == "file,tick\n"
