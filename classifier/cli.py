"""The command line: parse, call, print; the only place that turns errors into exit codes.

In: arguments. Out: results on stdout or in files, messages on stderr. Never computes anything.
"""

import errno
import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from classifier import __version__
from classifier.errors import FeedbackError, OptionError, OutputError
from classifier.options import (
    TIERS,
    answering,
    check_ending,
    choose,
    complete_path,
    configured,
    day,
    modelling,
    reading,
    reporting,
)
from classifier.startup import loading, without_blas

# Arrow's own allocator keeps some 50 MB for itself that other parts of this process could use. Read when
# Arrow is loaded, and no faster for it here.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

EXIT_USER = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class _Group(click.Group):
    """A group whose errors of the family FeedbackError end in one message and exit code 1, or 2 for usage."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with _ended_like_ctrl_c():
                return super().main(*args, **kwargs)
        except FeedbackError as error:
            _fail(error)
        except BrokenPipeError:
            # The reader of our output went away (`| head`): that's no fault.
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _fail(OutputError("standard output can't be written: no space left; free some and run again"))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            told = "interrupted; nothing was written under its final name"
            if ctx.invoked_subcommand in ("run", "score"):
                told += "; run the same command with --resume to go on from there"
            click.echo(told, err=True)
            ctx.exit(EXIT_INTERRUPTED)


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let systemd, containers and a closed terminal end the program as Ctrl-C does: tidied up, resumable."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    found = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    # What the caller has set stays, such as nohup's; and only a main thread may set anything.
    numbers = [one for one in found if one is not None and signal.getsignal(one) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _fail(error: FeedbackError) -> NoReturn:
    if _wants_json(sys.argv):
        body = {"error": {"type": type(error).__name__, "message": str(error)}}
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
    else:
        click.echo(f"Error: {error}", err=True)
    sys.exit(EXIT_USAGE if isinstance(error, OptionError) else EXIT_USER)


def _wants_json(arguments: list[str]) -> bool:
    return "--format=json" in arguments or any(
        pair == ("--format", "json") for pair in itertools.pairwise(arguments)
    )


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="classifier")
def main() -> None:
    """Turn customer feedback into work.

    Reads exports of support tickets and sales notes, finds pain points, feature requests and
    expectation gaps, groups them into themes, ranks them, and writes the product and the marketing
    backlog.

    Start with: classifier run tickets.json notes.csv --out report
    """


def _say(form: str, body: dict[str, Any], text: Callable[[], str], *, quiet: bool = False) -> None:
    """Print a result: JSON always, text unless --quiet."""
    if form == "json":
        click.echo(json.dumps(body, ensure_ascii=False, indent=2))
    elif not quiet:
        click.echo(text())


def _tell(outcome: Any, *, quiet: bool) -> None:
    """Print notes and warnings to stderr."""
    if quiet:
        return
    for note in outcome.notes:
        click.echo(note, err=True)
    _warn(outcome.warnings, quiet=quiet)


def _warn(warnings: Sequence[str], *, quiet: bool) -> None:
    for warning in () if quiet else warnings:
        click.echo(f"Warning: {warning}", err=True)


def _tell_of_compiling(*, quiet: bool) -> None:
    """Say why every start is as slow as the first, before it is."""
    from classifier.buffers import is_kept

    if not quiet and not is_kept():
        click.echo(
            "compiled code can't be kept (neither beside the program nor in the user's cache), so each start "
            "takes as long as the first; set NUMBA_CACHE_DIR to a folder that may be written to",
            err=True,
        )


def _watching(values: dict[str, Any]) -> Any:
    from classifier.engines import Engine
    from classifier.run import Watching

    if values.get("scheduler") and values["engine"] != "dask":
        raise OptionError(f"--scheduler {values['scheduler']} needs --engine dask; add it")
    engine = Engine(values.get("engine", "local"), values.get("workers"), values.get("scheduler", ""))
    return Watching(False if values["quiet"] else values["progress"], engine, values.get("resume", False))


def _choice(values: dict[str, Any]) -> Any:
    from classifier.run import References, ReportChoice

    names = ("claims", "capabilities", "accounts", "objectives")
    return ReportChoice(
        references=References(**{name: values[name] for name in names}),
        department=values["department"],
        as_of=day(values["as_of"], "--as-of", end=True),
        bom=values["bom"],
        force=values["force"],
    )


def _model(values: dict[str, Any]) -> Any:
    from classifier.run import load_model

    return load_model(values["model"], folder=values["models"], tier=values["tier"])


@main.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", shell_complete=complete_path)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder to write.")
@reading
@modelling
@reporting
@configured
@answering
def run(inputs: tuple[str, ...], out: Path, form: str, **values: Any) -> None:
    """Do the main job: score exports, then write both backlogs and the report.

    INPUT is a file, a glob in quotes, or - for standard input; kinds may be mixed.
    """
    with loading():
        from classifier import present
        from classifier import run as commands

    _tell_of_compiling(quiet=values["quiet"] or form == "json")
    chosen = choose(values)
    outcome = commands.run(
        inputs, out, model=_model(values), chosen=chosen, choice=_choice(values), watching=_watching(values)
    )
    _tell(outcome, quiet=values["quiet"] or form == "json")
    _say(
        form,
        present.outcome_json("run", outcome),
        lambda: present.outcome_text(outcome),
        quiet=values["quiet"],
    )


@main.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", shell_complete=complete_path)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    shell_complete=complete_path,
    help="File to write: .csv .jsonl (also .gz .zst) .parquet; - is stdout.",
)
@reading
@modelling
@configured
@click.option("--bom", is_flag=True, help="Begin a CSV file with a byte order mark, for Excel.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "jsonl"]),
    default="text",
    help="How the summary is printed (text, json), or how rows are with --out - (csv, jsonl).",
)
def score(inputs: tuple[str, ...], out: str, form: str, bom: bool, **values: Any) -> None:
    """Score exports into one file, streaming, in input order."""
    with loading():
        from classifier import present
        from classifier import run as commands

        without_blas()
    check_ending(out, form)
    _tell_of_compiling(quiet=values["quiet"] or form == "json")
    chosen = choose(values)
    rows_form = form if form in ("csv", "jsonl") else "csv" if out == "-" else ""
    outcome = commands.score(
        inputs,
        out,
        model=_model(values),
        chosen=chosen,
        form=rows_form,
        bom=bom,
        watching=_watching(values),
    )
    _tell(outcome, quiet=values["quiet"] or form == "json")
    if out == "-":
        return
    _say(
        form,
        present.outcome_json("score", outcome),
        lambda: present.outcome_text(outcome),
        quiet=values["quiet"],
    )


@main.command()
@click.argument("scored", nargs=-1, required=True, metavar="SCORED...", shell_complete=complete_path)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder to write.")
@click.option("--quotes", type=click.Choice(["redacted", "none"]), default=None, help="Quotes to write.")
@reporting
@configured
@answering
def report(scored: tuple[str, ...], out: Path, form: str, **values: Any) -> None:
    """Make themes, rankings, links and the report from scored files."""
    from classifier import present
    from classifier import run as commands

    chosen = choose(values)
    outcome = commands.make_report(
        scored, out, chosen=chosen, choice=_choice(values), watching=_watching(values)
    )
    _tell(outcome, quiet=values["quiet"] or form == "json")
    _say(
        form,
        present.outcome_json("report", outcome),
        lambda: present.outcome_text(outcome),
        quiet=values["quiet"],
    )


@main.command()
@click.argument("text")
@modelling
@answering
def explain(text: str, form: str, **values: Any) -> None:
    """Show labels, probabilities, evidence and the n-grams that weighed most, for one TEXT (- is stdin)."""
    from classifier import chars, clean, models, present
    from classifier.explain import explanation_of
    from classifier.language import detect_one

    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    # Bytes of an argument that are no UTF-8 arrive as halves of surrogate pairs, which can't be printed.
    text = chars.without_halves(text)
    model = models.load(models.find(values["model"], places=models.folders(values["models"])))
    model = models.choose_tier(model, values["tier"])
    cleaned = clean.clean(text)
    explanation = explanation_of(cleaned, model, language=detect_one(cleaned))
    _say(form, {"command": "explain", **explanation}, lambda: present.explanation_text(explanation))


@main.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder of the new model."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the folds.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@answering
def train(data: tuple[Path, ...], out: Path, seed: int, quiet: bool, form: str) -> None:
    """Train a model from labelled CSV, JSONL or Parquet files.

    Columns: text, labels (JSON list or ;-separated); also id, evidence, expectation_source, group,
    source. DIR is best NAME/VERSION inside the folder of models: --model NAME means the first version then,
    until NAME/CURRENT names another. Without a VERSION, the model is called by its folder.
    """
    from classifier import teach

    trained = teach.train_files(data, out, seed=seed)
    _warn(trained["warnings"], quiet=quiet or form == "json")
    _say(form, {"command": "train", **trained}, lambda: teach.trained_text(trained), quiet=quiet)


@main.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA...")
@modelling
@click.option(
    "--against",
    default=None,
    metavar="NAME_OR_PATH",
    shell_complete=complete_path,
    help="Another model to compare with: each difference (this minus that) with its interval.",
)
@click.option(
    "--against-tier",
    type=click.Choice(TIERS),
    default=None,
    help="Tier to compare with; of the same model where --against is left out.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder for JSON, Markdown and plots.",
)
@click.option(
    "--resamples", type=click.IntRange(1), default=2000, show_default=True, help="Bootstrap resamples."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the resamples.")
@answering
def evaluate(
    data: tuple[Path, ...],
    against: str | None,
    against_tier: str | None,
    out: Path | None,
    resamples: int,
    seed: int,
    form: str,
    **values: Any,
) -> None:
    """Measure a model on labelled files: precision, recall, F1, AP, calibration, with intervals."""
    from classifier import teach
    from classifier.evaluate import render_table

    model = _model(values)
    other = None
    if against is not None or against_tier:
        name = values["model"] if against is None else against
        chosen = {**values, "model": name, "tier": against_tier}
        other = teach.Contender(_model(chosen), against_tier)
    measured = teach.evaluate_files(
        data,
        teach.Contender(model, values["tier"]),
        out,
        against=other,
        resamples=resamples,
        seed=seed,
    )
    tables = [f"model {model.model_id}, tier {model.tier}\n\n{render_table(measured.evaluation)}"]
    tables += [render_table(measured.comparison)] if measured.comparison else []
    body = {
        "command": "evaluate",
        "model_id": model.model_id,
        **measured.evaluation.as_dict(),
        "comparison": measured.comparison.as_dict() if measured.comparison else None,
        "warnings": list(measured.warnings),
        "files": measured.files,
    }
    _warn(measured.warnings, quiet=form == "json")
    _say(form, body, lambda: "\n\n".join(tables))


@main.command()
@answering
def sources(form: str) -> None:
    """List the input sources and formats, and the columns that are read."""
    from dataclasses import asdict

    from classifier import present, read

    known = [asdict(one) for one in read.describe_sources()]
    formats = [asdict(one) for one in read.describe_formats()]
    body = {"command": "sources", "sources": known, "formats": formats}
    _say(form, body, lambda: present.sources_text(known, formats))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@answering
def verify(folder: Path, form: str) -> None:
    """Check that the folder of a run still matches its run.json; exit 1 where it doesn't."""
    from classifier import report as reports

    mismatches = reports.verify(folder)
    body = {
        "command": "verify",
        "folder": str(folder),
        "ok": not mismatches,
        "mismatches": [{"file": one.file, "kind": one.kind, "problem": one.detail} for one in mismatches],
    }
    _say(form, body, lambda: "\n".join(map(str, mismatches)) or f"{folder}: matches its run.json")
    if mismatches:
        sys.exit(EXIT_USER)


@main.command()
@click.argument("first", type=click.Path(path_type=Path), metavar="DIR1")
@click.argument("second", type=click.Path(path_type=Path), metavar="DIR2")
@answering
def diff(first: Path, second: Path, form: str) -> None:
    """Show what changed from the run in DIR1 to the run in DIR2."""
    from classifier import report as reports

    found = reports.diff(first, second)
    _say(form, {"command": "diff", **found.as_dict()}, lambda: reports.render_text(found))
