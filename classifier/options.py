"""The options that several commands share, and what they mean together.

In: click's parameters. Out: decorators and one frozen dataclass. Never reads an input; imports
nothing heavy, for `classifier --help` must answer at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from classifier.errors import InputError, OptionError, OutputError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from classifier.pipeline import Filters
    from classifier.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

CONFIG: Final = "classifier.toml"

TIERS: Final = ("fast", "cascade", "accurate")
"""What `--tier` takes; a model may have fewer."""


def complete_path(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Let the shell complete names of files and folders: click leaves names that it doesn't check alone."""
    return [CompletionItem(begun, type="file")]


_INPUT = (
    ("--source", "NAME", "Who wrote the export (auto: by its content); see `classifier sources`."),
    ("--text-column", "NAME", "Column that holds the text."),
    ("--subject-column", "NAME", "Column that holds the subject or title."),
    ("--id-column", "NAME", "Column that names each document."),
    ("--date-column", "NAME", "Column that says when it was written."),
    ("--account-column", "NAME", "Column that names the customer's account."),
    ("--amount-column", "NAME", "Column that holds the amount of a deal; counts while its stage is open."),
    ("--encoding", "NAME", "Text encoding, such as cp1252 (otherwise found out)."),
    ("--delimiter", "CHAR", "Delimiter of delimited text: , ; tab | (otherwise found out)."),
    ("--sheet", "NAME", "Sheet of a workbook (otherwise the first that isn't empty)."),
    ("--date-format", "FORMAT", "Format of dates, such as %d/%m/%Y (otherwise found out)."),
)


def _decorate(function: F, decorators: "tuple[Callable[[F], F], ...]") -> F:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


_MOVING = (
    click.option(
        "--engine",
        type=click.Choice(["local", "dask"]),
        default="local",
        help="Where rows are scored: on this machine, or on a Dask cluster.",
    ),
    click.option(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="Dask scheduler, such as tcp://host:8786 (default: a cluster on this machine).",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        default=None,
        help="Processes that score (default: threads of one; by inputs and cores).",
    ),
    click.option("--resume", is_flag=True, help="Go on where an interrupted run of this output stopped."),
)
"""How batches are moved; none of it changes a byte of the results."""


def reading(function: F) -> F:
    """Add the options of the commands that read exports."""
    texts = tuple(
        click.option(name, metavar=metavar, default=None, help=text) for name, metavar, text in _INPUT
    )
    return _decorate(
        function,
        (
            *texts,
            click.option(
                "--keep", metavar="COLUMN", multiple=True, help="Keep this input column (repeatable)."
            ),
            click.option("--keep-internal", is_flag=True, default=None, help="Read internal notes too."),
            click.option(
                "--max-rejected",
                type=click.FloatRange(0, 100),
                default=None,
                metavar="PERCENT",
                help="Stop where more rows than this can't be read (default 5).",
            ),
            click.option("--since", metavar="DATE", default=None, help="Only documents from this day on."),
            click.option("--until", metavar="DATE", default=None, help="Only documents before this day."),
            click.option(
                "--where",
                metavar="COLUMN=VALUE",
                multiple=True,
                help="Only documents with this value (repeatable).",
            ),
            click.option(
                "--quotes", type=click.Choice(["redacted", "none"]), default=None, help="Quotes to write."
            ),
            click.option(
                "--prior-shift/--no-prior-shift",
                default=None,
                help="First find how common each label is in each source, and decide by that "
                "(reads the input twice).",
            ),
            *_MOVING,
        ),
    )


def modelling(function: F) -> F:
    """Add the options that choose a model."""
    return _decorate(
        function,
        (
            click.option(
                "--model",
                default="default",
                metavar="NAME_OR_PATH",
                help="Model to use.",
                shell_complete=complete_path,
            ),
            click.option(
                "--models",
                default="",
                metavar="DIR",
                help="Folder that models are looked for in.",
                shell_complete=complete_path,
            ),
            click.option(
                "--tier",
                type=click.Choice(TIERS),
                default=None,
                help="Tier of the model (default: the best it has).",
            ),
        ),
    )


def configured(function: F) -> F:
    """Add --config and the switches of every command that works through many rows."""
    return _decorate(
        function,
        (
            click.option(
                "--config",
                type=click.Path(path_type=Path),
                default=None,
                metavar="FILE",
                help=f"Settings (default: {CONFIG} in this folder, if there).",
            ),
            click.option(
                "--no-store", is_flag=True, help="Keep no history (there is no store yet: always so)."
            ),
            click.option(
                "--progress/--no-progress", default=None, help="Show progress (default: on a terminal)."
            ),
            click.option("--quiet", is_flag=True, help="Print errors only."),
        ),
    )


def reporting(function: F) -> F:
    """Add the options of the commands that write a report."""
    tables = tuple(
        click.option(
            f"--{name}", type=click.Path(path_type=Path), metavar="FILE.csv", default=None, help=text
        )
        for name, text in (
            ("claims", "Public claims, to link expectation gaps to."),
            ("capabilities", "What the product can do, to link requests to."),
            ("accounts", "Accounts with revenue, to weigh themes by."),
            ("objectives", "Objectives, to tie backlog rows to."),
        )
    )
    return _decorate(
        function,
        (
            *tables,
            click.option(
                "--for", "department", metavar="DEPARTMENT", default="", help="Only this department's themes."
            ),
            click.option(
                "--as-of",
                metavar="DATE",
                default=None,
                help="Last day of the report; what is later stays out of it (default: newest document).",
            ),
            click.option("--bom", is_flag=True, help="Begin CSV files with a byte order mark, for Excel."),
            click.option("--force", is_flag=True, help="Write into a folder that holds other files too."),
        ),
    )


def answering(function: F) -> F:
    """Add --format for what is printed."""
    option = click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="How the summary is printed.",
    )
    return option(function)


@dataclass(frozen=True)
class Chosen:
    """What the user chose, after classifier.toml and the command line were joined."""

    settings: "Settings"
    filters: "Filters"
    config: str
    # Columns to keep that only the settings name: an export may lack them.
    may_lack: tuple[str, ...] = ()


def choose(values: Mapping[str, Any]) -> Chosen:
    """Join classifier.toml with the options of the command line, which win.

    Raises
    ------
    OptionError
        If an option is wrong.
    SettingsError
        If the file is.
    """
    from classifier import settings as toml
    from classifier.pipeline import Filters

    path: Path | None = values.get("config")
    if path is None and Path(CONFIG).is_file():
        path = Path(CONFIG)
    settings = toml.load(path)
    named = {
        name: values[name]
        for name in settings.input.__dataclass_fields__
        if values.get(name) not in (None, ()) and name != "keep"
    }
    _check(named)
    _kept(settings.input.keep, "input.keep", SettingsError)
    keep = tuple(dict.fromkeys((*settings.input.keep, *_kept(values.get("keep", ()), "--keep", OptionError))))
    may_lack = tuple(name for name in settings.input.keep if name not in values.get("keep", ()))
    settings = replace(settings, input=replace(settings.input, **named, keep=keep))
    scoring = {name: values[name] for name in ("quotes", "prior_shift") if values.get(name) is not None}
    settings = replace(settings, scoring=replace(settings.scoring, **scoring))
    where = _where(values.get("where", ()))
    since, until = day(values.get("since"), "--since"), day(values.get("until"), "--until")
    if since is not None and until is not None and since >= until:
        raise OptionError(
            f"--since {values['since']} is not before --until {values['until']}: nothing lies between them"
        )
    return Chosen(settings, Filters(since, until, where), str(path or ""), may_lack)


def _check(named: Mapping[str, Any]) -> None:
    """Refuse values of the command line that no input could satisfy."""
    from classifier.read import ReadOptions, check_options, check_source

    own = {name: value for name, value in named.items() if name in ReadOptions.__dataclass_fields__}
    options = ReadOptions(**own)
    try:
        check_options(options)
        check_source(options.source)
    except InputError as error:
        raise OptionError(str(error)) from error


def _kept(names: tuple[str, ...], where: str, error: type[SettingsError]) -> tuple[str, ...]:
    from classifier.schema import SCORED

    own = [name for name in names if name in SCORED]
    if own:
        raise error(f"{where} {own[0]!r}: scored rows have a column of that name already; leave it out")
    return names


def _where(pairs: tuple[str, ...]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for pair in pairs:
        column, equals, value = pair.partition("=")
        if not equals or not column:
            raise OptionError(f"--where {pair!r} is not COLUMN=VALUE; write it like --where channel=email")
        if column == "created_at":
            raise OptionError(f"--where {pair!r}: for dates there are --since and --until")
        if chosen.setdefault(column, value) != value:
            raise OptionError(
                f"--where names {column!r} twice, {chosen[column]!r} and {value!r}; "
                "a document has one value: leave one out"
            )
    return chosen


def check_ending(out: str, form: str) -> None:
    """Refuse a name for scored rows that doesn't tell their format; "-" is standard output.

    Raises
    ------
    OptionError
        If it doesn't end in a known way, or `form`, what --format says, is another format of rows.
    """
    from classifier.report.writers import format_of

    if out == "-":
        return
    try:
        kind, _ = format_of(out)
    except OutputError as error:
        raise OptionError(f"--out {error}") from error
    if form in ("csv", "jsonl") and form != kind:
        raise OptionError(
            f"--format {form} doesn't fit --out {out}: a file's format is told by its name; "
            f"leave --format out, or end the name in .{form}"
        )


def day(text: str | None, option: str, *, end: bool = False) -> "pd.Timestamp | None":
    """Return the date that `text` stands for, UTC; None for None.

    A day without a time is its beginning or, with `end`, its last moment.

    Raises
    ------
    OptionError
        If it isn't an ISO 8601 date.
    """
    if text is None:
        return None
    from datetime import datetime, timedelta

    import pandas as pd

    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise OptionError(f"{option} {text!r} is not a date; write it like 2026-03-31") from None
    stamp = pd.Timestamp(parsed).as_unit("us")
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return stamp + timedelta(days=1, microseconds=-1) if end and _is_day(text) else stamp


def _is_day(text: str) -> bool:
    """Tell whether an ISO 8601 date has no time."""
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
