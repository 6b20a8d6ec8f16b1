"""How a command works, and what it works with, beside its inputs and settings.

In: what the user gave. Out: frozen dataclasses. Never reads an export.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from classifier import tables
from classifier.engines import Engine


@dataclass(frozen=True)
class Watching:
    """How a command works: what is shown (None: where a terminal watches), by which engine, from where."""

    progress: bool | None = None
    engine: Engine = field(default_factory=Engine)
    resume: bool = False


@dataclass(frozen=True)
class References:
    """Paths of the tables beside the feedback, where given."""

    claims: Path | None = None
    capabilities: Path | None = None
    accounts: Path | None = None
    objectives: Path | None = None

    def given(self) -> dict[str, Path]:
        """Return the paths by the name of the table."""
        return {name: path for name in tables.KINDS if (path := getattr(self, name))}

    def read(self) -> dict[str, pd.DataFrame]:
        """Return the tables that were given, by name."""
        return {name: tables.read_table(path, name) for name, path in self.given().items()}


@dataclass(frozen=True)
class ReportChoice:
    """How a report is made."""

    references: References = field(default_factory=References)
    department: str = ""
    as_of: pd.Timestamp | None = None
    bom: bool = False
    force: bool = False
