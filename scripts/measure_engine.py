"""What a document costs a worker, and what it costs the process that takes the parts in.

In: an export and, if another than `fast`, a tier. Out: the block `figures` of docs/scale.md, but for the
price. One thread, in processor seconds; other programs on the machine still make them more, for caches and
cores are shared.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow

from classifier import engines, pipeline, read, report, run
from classifier.dedupe import Register
from classifier.engines.work import compute, pieces
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
    job = run._job(choose({}), model, engines.PART_ROWS)
    (source,), _ = read.find_inputs([str(path)])
    # Compiled code and tables are loaded with the first rows.
    compute(next(pieces(next(read.read_files([source], job.reading)), 50)), job, model)
    batches, reading = seconds(lambda: list(read.read_files([source], job.reading)))
    batch = [piece for one in batches for piece in pieces(one, job.part_rows)]
    parts, scoring = seconds(lambda: [compute(piece, job, model) for piece in batch])
    tally, seen = pipeline.Tally(), Register()
    scored, settling = seconds(lambda: [pipeline.settle(part, seen=seen, tally=tally) for part in parts])

    def keep() -> int:
        with engines.opened(folder / "parts", "parts") as journal:
            journal.start(lambda: engines.identity_of(job, [source], {}), resume=False)
            for number, part in enumerate(parts):
                journal.add((0, number), part)
            journal.sync()
            return sum(file.stat().st_size for file in journal.folder.glob("*.arrow"))

    def write() -> int:
        with report.scored_writer(folder / "scored.csv") as writer:
            for frame in scored:
                writer.write(frame)
        return 0

    kept, keeping = seconds(keep)
    _, writing = seconds(write)
    rows = tally.read
    return {
        "documents_per_core_second": rows / (reading + scoring),
        "documents_taken_in_per_second": rows / (settling + keeping + writing),
        "bytes_in": path.stat().st_size / rows,
        "bytes_kept": kept / rows,
        "bytes_out": (folder / "scored.csv").stat().st_size / rows,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for key, figure in measure(Path(sys.argv[1]), Path(name)).items():
            sys.stdout.write(f"{key} = {figure:.0f}\n")
