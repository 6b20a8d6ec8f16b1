"""Write what the docs say of the program by asking the program: `make docs`.

In: classifier.cli, README.md, the demo company, the model card. Out: docs/cli.md from --help; in
README.md, what each `console` command prints, and how good the model is; by two other scripts, the
counts in data/README.md and the figures in docs/quality.md. Never edits anything else.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import datasheet
import quality_page

from classifier.cli import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"
EXAMPLES = "data/examples"
WIDTH = 100
HEAD = """# Commands

Written by `make docs` from the program's own `--help`; a test fails when it is behind.

Tab completes commands, options and files after `eval "$(_CLASSIFIER_COMPLETE=bash_source classifier)"`
in `~/.bashrc`, or the same with `zsh_source` in `~/.zshrc`; in fish it is
`_CLASSIFIER_COMPLETE=fish_source classifier | source`.
"""

SET_UP = ("git", "cd", ".", "source", "pip", "make")
"""Commands that change the machine or the checkout: not run, but for `make demo`."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_QUALITY = re.compile(r"(<!-- quality -->\n).*?(<!-- /quality -->)", flags=re.DOTALL)
_SECONDS = re.compile(r"\(\d+(?:\.\d+)? s\b")


@dataclass(frozen=True)
class Command:
    """One command of a page and, in a `console` block, what the page says that it prints."""

    line: str
    output: str = ""

    @property
    def runs(self) -> bool:
        """Whether it can be run in a copy of the examples."""
        return self.line == "make demo" or self.line.split()[0] not in SET_UP


def commands(page: str) -> list[Command]:
    """Return the commands of a page's `sh` and `console` blocks, continued lines joined."""
    found: list[Command] = []
    for language, block in _BLOCK.findall(page):
        text = block.replace("\\\n", " ")
        if language == "sh":
            found += [Command(line) for line in text.splitlines() if line and not line.startswith("#")]
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                line, _, output = part.partition("\n")
                found.append(Command(line, output.strip()))
    return [Command(" ".join(one.line.split()), one.output) for one in found]


def workplace(folder: Path) -> Path:
    """Make `folder` look like a checkout after `make demo`, with this interpreter behind .venv/bin."""
    shutil.copytree(ROOT / EXAMPLES, folder / EXAMPLES)
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name, call in (("classifier", "-m classifier"), ("python", "")):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {call} "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
    return folder


def results(lines: Iterable[str], folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run each command once, in order, in a `workplace`; its messages stand among its output."""
    tools = folder / ".venv" / "bin"
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": str(WIDTH),
    }
    return {
        line: subprocess.run(
            ["bash", "-c", _demo() if line == "make demo" else line],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        for line in dict.fromkeys(lines)
    }


def _demo() -> str:
    """Return the command that `make demo` runs when everything is installed."""
    dry = subprocess.run(["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = re.findall(r"^\S*classifier run .*", dry.stdout.replace("\\\n", " "), flags=re.MULTILINE)
    return " ".join(line.split())


def told(output: str) -> str:
    """Return an output with `...` for what differs from run to run."""
    return _SECONDS.sub("(... s", output).strip()


def readme(page: str, outputs: Mapping[str, str]) -> str:
    """Return the page with the table of quality and the outputs of its `console` commands renewed."""

    def renewed(block: re.Match[str]) -> str:
        if block[1] != "console":
            return block[0]
        parts = re.split(r"^(?=\$ )", block[2], flags=re.MULTILINE)[1:]
        return "```console\n" + "".join(map(_with_output, parts)) + "```"

    def _with_output(part: str) -> str:
        shown = re.match(r"\$ (?:.*\\\n)*.*\n", part)
        (command,) = commands(f"```console\n{part}```")
        return f"{shown[0] if shown else part}{told(outputs[command.line])}\n"

    page = _QUALITY.sub(lambda found: found[1] + quality(default_card()) + found[2], page)
    return _BLOCK.sub(renewed, page)


def quality(card: str) -> str:
    """Return the F1 of each label on each held-out set, from a model card."""
    rows = ["| held-out texts | documents | macro-F1 | pain point | feature request | expectation gap |"]
    rows.append("|---|---|---|---|---|---|")
    for title, text in re.findall(r"^### ([^\n]+?) \(gold/\w+\)\n(.*?)(?=^#|\Z)", card, flags=re.M | re.S):
        documents, macro = re.findall(r"^([\d,]+) documents, macro-F1 (\S+ \(\S+\))", text, flags=re.M)[0]
        labels = re.findall(r"^\|[^|]+\|[^|]+\|[^|]+\| (\d+ \(\S+\)) \|", text, flags=re.M)
        rows.append(f"| {' | '.join([title, documents, macro, *labels])} |")
    return "\n".join(rows) + "\n"


def default_card() -> str:
    """Return the card of the model that ships."""
    folder = ROOT / "models" / "default"
    version = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    return (folder / version / "card.md").read_text(encoding="utf-8")


def helps(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (path, help text) of a command and, below a group, of all its commands."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            yield from helps(command.commands[child], child, context)


def cli_page() -> str:
    """Return docs/cli.md as it should be."""
    parts = [f"\n## {path}\n\n```text\n{text}\n```\n" for path, text in helps(main, "classifier")]
    return HEAD + "".join(parts)


def write() -> None:
    """Renew all pages."""
    PAGE.write_text(cli_page(), encoding="utf-8")
    datasheet.renew()
    quality_page.renew()
    page = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        lines = [command.line for command in commands(page) if command.runs]
        done = results(lines, workplace(Path(folder)))
    failed = [line for line, result in done.items() if result.returncode]
    if failed:
        raise SystemExit("failed: " + "; ".join(failed) + "\n" + done[failed[0]].stdout)
    README.write_text(readme(page, {line: result.stdout for line, result in done.items()}), encoding="utf-8")


if __name__ == "__main__":
    write()
