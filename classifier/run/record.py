"""What run.json tells of a run.

In: results, inputs, settings, times. Out: run.json. Never holds a text of a customer.
"""

import platform
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from classifier import read
from classifier.errors import InputError
from classifier.options import Chosen
from classifier.report import Results, manifest
from classifier.run.choices import ReportChoice, Watching
from classifier.run.outcome import Clock

State = dict[Path, tuple[int, int]]
"""Path -> size and time of the last change."""


def state_of(paths: Iterable[Path], sources: Sequence[read.Input] = ()) -> State:
    """Return the state of the files that a run is about to read; take it before they are opened.

    Copies change no more, and pipes have none; what is missing is told by those who read it.
    """
    here = [source.path for source in sources if source.is_here and source.copy is None]
    files = [path for path in (*here, *paths) if path.is_file()]
    return {path: _state(path) for path in files}


def check_unchanged(state: State) -> None:
    """Stop where a file isn't what was read: run.json would vouch for other bytes than the results are of.

    Raises
    ------
    InputError
        If a file was replaced, written to or removed since `state_of`.
    """
    for path, before in state.items():
        try:
            same = _state(path) == before
        except OSError:
            same = False
        if not same:
            raise InputError(
                f"{path}: changed while it was read, so that nobody could tell what the results are of; "
                "run again when nothing writes to it"
            )


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def write_manifest(
    folder: Path,
    results: Results,
    paths: Sequence[Path],
    chosen: Chosen,
    choice: ReportChoice,
    watching: Watching,
    clock: Clock,
    sources: Sequence[read.Input] = (),
    shifts: Mapping[str, Any] | None = None,
) -> None:
    """Write run.json into a folder that holds all other files.

    `paths` are files that were read beside `sources`; `shifts` is what `--prior-shift` found.
    """
    settings: dict[str, Any] = asdict(chosen.settings)
    settings["scoring"]["prior_shifts"] = dict(shifts or {})
    settings["filters"] = {
        "since": str(chosen.filters.since or ""),
        "until": str(chosen.filters.until or ""),
        "where": dict(chosen.filters.where),
    }
    settings["report"]["department"] = choice.department
    settings["themes"]["vectors"] = results.vectors
    settings["themes"]["compared"] = results.compared
    built = manifest.build(
        folder,
        rows=results.rows,
        inputs=_inputs(paths, sources),
        model_id=results.model_id,
        settings=settings,
        as_of="" if results.as_of is None else results.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=manifest.versions(),
        execution={
            "started": clock.started,
            "seconds": round(clock.seconds, 3),
            "stages": clock.stages,
            "host": platform.node(),
            "platform": platform.platform(),
            "workers": clock.workers,
            "engine": watching.engine.kind,
            "scheduler": watching.engine.scheduler,
            "resumed_parts": clock.resumed,
            "peak_memory_mb": _peak_memory(),
            "paths": [*(source.address or str(source.path) for source in sources), *map(str, paths)],
            "config": chosen.config,
        },
    )
    manifest.write(folder, built)


def _inputs(paths: Sequence[Path], sources: Sequence[read.Input]) -> list[dict[str, str]]:
    """Return name and sha256 of each input; a copy has a path of chance, so it goes by the input's name."""
    files = [source.path for source in sources if source.is_here and source.copy is None]
    described = manifest.inputs_of([*files, *paths])
    for source in sources:
        if source.copy is not None or not source.is_here:
            # Held by its name here: a copy is gone with the last who holds it.
            copy = read.fetch(source)
            described.append({"name": Path(source.name).name, "sha256": read.sha256_of(copy.path)})
    return sorted(described, key=lambda one: (one["name"], one["sha256"]))


def _peak_memory() -> int:
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # Bytes on macOS, kilobytes elsewhere.
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))
