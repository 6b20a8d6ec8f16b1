"""Commands called as people and cron call them, for the tests of all of them."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from classifier.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "data" / "examples"
TABLES = [f"--{name}={EXAMPLES / name}.csv" for name in ("claims", "capabilities", "accounts", "objectives")]
INPUTS = [str(EXAMPLES / "tickets.json"), str(EXAMPLES / "sales_notes.csv")]
CONFIG = f"--config={EXAMPLES / 'classifier.toml'}"


def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(one) for one in arguments], input=stdin, catch_exceptions=True)


def process(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "classifier", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return read
