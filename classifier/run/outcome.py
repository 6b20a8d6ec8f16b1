"""What a command did, and how long it took.

In: counts and times. Out: what a summary tells. Never prints.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from classifier.report import Results


@dataclass(frozen=True)
class Outcome:
    """What a command did, for its summary.

    `rows` as in run.json; `labels` documents per label; `results` where a report was made; `files`
    name -> path.
    """

    out: str
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    review: int
    model_id: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    results: Results | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Clock:
    """Seconds per stage, and how many processes scored."""

    began: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    stages: dict[str, float] = field(default_factory=dict)
    workers: int = 1
    resumed: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        began = time.monotonic()
        yield
        self.stages[name] = round(time.monotonic() - began, 3)

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began
