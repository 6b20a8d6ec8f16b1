"""What a document costs a worker, and what it costs the process that takes the parts in.

In: an export and, if another than `fast`, a tier. Out: the block `figures` of docs/scale.md, but for the
price. Workers write the rows' records and pack their parts. One thread, in processor seconds; other programs
on the machine still make them more, for caches and cores are shared.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow

from classifier import engines, pipeline, read, report, run
from classifier.dedupe import Register
from classifier.engines.work import compute, compute_done, pieces
from classifier.options import choose


def seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and the processor seconds it took."""
    began = time.process_time()
    return work(), time.process_time() - began


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Return the figures of one export, in the units of docs/scale.md."""
    pyarrow.set_cpu_count(1)
    tier = sys.argv[2] if len(sys.argv) > 2 else "fast"
    model = run.load_model("default", tier=tier)
    job = replace(run.job_of(choose({}), model, engines.PART_ROWS), lines=True)
    (source,), _ = read.find_inputs([str(path)])
    # Compiled code and tables are loaded with the first rows.
    compute(next(pieces(next(read.read_files([source], job.reading)), 50)), job, model)
    batches, reading = seconds(lambda: list(read.read_files([source], job.reading)))
    batch = [piece for one in batches for piece in pieces(one, job.part_rows)]
    done, scoring = seconds(lambda: [compute_done(piece, job, model) for piece in batch])
    tally, seen = pipeline.Tally(), Register()
    scored, settling = seconds(lambda: [pipeline.settle(one.part, seen=seen, tally=tally) for one in done])

    def keep() -> int:
        with engines.opened(folder / "parts", "parts") as journal:
            journal.start(lambda: engines.identity_of(job, [source], {}), resume=False)
            for number, one in enumerate(done):
                journal.add((0, number), one.part, one.packed)
            journal.sync()
            return sum(file.stat().st_size for file in journal.folder.glob("*.arrow"))

    def write() -> int:
        with report.scored_writer(folder / "scored.csv") as writer:
            for rows in scored:
                writer.write(rows)
        return 0

    kept, keeping = seconds(keep)
    _, writing = seconds(write)
    count = tally.read
    return {
        "documents_per_core_second": count / (reading + scoring),
        "documents_taken_in_per_second": count / (settling + keeping + writing),
        "bytes_in": path.stat().st_size / count,
        "bytes_kept": kept / count,
        "bytes_out": (folder / "scored.csv").stat().st_size / count,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for key, figure in measure(Path(sys.argv[1]), Path(name)).items():
            sys.stdout.write(f"{key} = {figure:.0f}\n")
