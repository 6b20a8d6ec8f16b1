"""Write docs/cli.md from the program's own --help: `make docs`.

In: classifier.cli. Out: docs/cli.md. Never edits a page that people write.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from classifier.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
WIDTH = 100
HEAD = """# Commands

Written by `make docs` from the program's own `--help`; a test fails when it is behind.
"""


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Yield (name, help text) of a command and, below a group, of all its commands."""
    context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            yield from helps(command.commands[child], f"{name} {child}")


def page() -> str:
    """Return docs/cli.md as it should be."""
    parts = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in helps(main, "classifier")]
    return HEAD + "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
