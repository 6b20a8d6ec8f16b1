"""Measure scoring against other libraries: one run, the same file, the same machine, in turns.

Run: python scripts/bench_scoring.py --data-root ../shared/data   (--help tells of the parts)
Every figure is kept in docs/benchmarks/results.json as soon as its part is measured; docs/benchmarks.md is
written from there: parts can be measured again without the others. Each measurement is a process of its own.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import bench_page
import click
from bench_peers import PEERS, TORCH, missing

PROJECT: Final = Path(__file__).resolve().parent.parent
MEASURE: Final = str(PROJECT / "scripts" / "bench_measure.py")
GROWTH: Final = (1_000, 10_000, 100_000)
MILLION: Final = 1_000_000
SCORED: Final = {"fast": 100_000, "cascade": 10_000, "accurate": 400}
"""Tier -> rows that `classifier score` is timed on; the slow ones are on fewer."""

FILES: Final = 8
"""Over how many files the rows lie that several workers score."""

SENTENCE: Final = "It crashes every time I save."

Result = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """What one run of the benchmark has: a folder for its files, and how much it shall do."""

    work: Path
    data_root: Path | None
    rows: int
    repeat: int
    million: bool

    def tickets(self, rows: int, files: int = 1) -> list[Path]:
        """Return files of so many tickets, written once."""
        paths = [self.work / f"tickets-{rows}-{number}-of-{files}.csv" for number in range(1, files + 1)]
        if not all(path.exists() for path in paths):
            measured("tickets", *map(str, paths), "--rows", str(rows))
        return paths

    def questions(self) -> Path | None:
        """Return a file of real support questions, written once; None without the public texts."""
        path = self.work / "questions.csv"
        if self.data_root is not None and not path.exists():
            measured("questions", str(path), "--data-root", str(self.data_root))
        return path if path.exists() else None

    def learn(self) -> dict[str, float]:
        """Let every peer learn what it hasn't yet; return the seconds of each, as far as known."""
        known = self.work / "learnt.json"
        took: dict[str, float] = json.loads(known.read_text()) if known.exists() else {}
        if not (self.work / "training.parquet").exists():
            given = ["--data-root", str(self.data_root)] if self.data_root else []
            measured("texts", "--work", str(self.work), *given)
        for name, peer in present().items():
            if peer.learn is not None and not (self.work / name).exists():
                took[name] = told(measured("learn", "--work", str(self.work), name).out)["seconds"]
                say(f"{peer.title}: learnt in {took[name]:.0f} s")
                known.write_text(json.dumps(took))
        return took

    def predict(
        self, name: str, *, file: Path | None = None, cores: int = 0, quality: bool = False
    ) -> Result:
        """Time the decisions of a peer, of tickets or of what `file` holds."""
        file = file or self.tickets(self.rows)[0]
        options = ["--cores", str(cores), "--quality" if quality else "--no-quality"]
        found = told(measured("predict", "--work", str(self.work), name, str(file), *options).out)
        return {**found, "rate": found["rows"] / found["seconds"]}

    def score(self, inputs: Sequence[Path], rows: int, *options: str) -> Result:
        """Time `classifier score` from CSV to CSV, start-up and all."""
        out = self.work / "scored.csv"
        begun = [sys.executable, "-m", "classifier", "score", *map(str, inputs), "--out", str(out)]
        done = process([*begun, "--quiet", *options])
        size = sum(path.stat().st_size for path in inputs)
        return {**done.figures(), "rows": rows, "bytes": size, "rate": rows / done.seconds, "macro_f1": None}


@dataclass(frozen=True)
class Done:
    """A process that ended: what it printed, and what it took."""

    out: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    total_mb: float

    def figures(self) -> Result:
        """Return all but what it printed; `total_mb` is that of all its processes at one time."""
        return {name: getattr(self, name) for name in ("seconds", "cpu_seconds", "peak_mb", "total_mb")}


def process(command: Sequence[str]) -> Done:
    """Run a command to its end; its worker processes count, if they end with it."""
    import psutil

    most = 0
    over = threading.Event()

    def watch(process: Any) -> None:
        nonlocal most
        while not over.wait(0.1):
            try:
                family = [process, *process.children(recursive=True)]
                most = max(most, sum(one.memory_info().rss for one in family))
            except psutil.Error:
                continue

    began = time.perf_counter()
    environment = {**os.environ, "BENCH_BEGAN": repr(time.time())}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=PROJECT, env=environment
    ) as running:
        watcher = threading.Thread(target=watch, args=(psutil.Process(running.pid),))
        watcher.start()
        assert running.stdout is not None
        out = running.stdout.read()
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        over.set()
        watcher.join()
    if running.returncode:
        raise click.ClickException(f"exit code {running.returncode}: {' '.join(command)}")
    peak = usage.ru_maxrss / 1024
    return Done(out, seconds, usage.ru_utime + usage.ru_stime, peak, max(peak, most / 2**20))


def measured(*arguments: str) -> Done:
    """Run one step of bench_measure.py."""
    return process([sys.executable, MEASURE, *arguments])


def told(out: str) -> Result:
    """Return the JSON in the last line."""
    found: Result = json.loads(out.strip().splitlines()[-1])
    return found


def present() -> dict[str, Any]:
    """Return the peers that are installed."""
    left_out = missing()
    return {name: peer for name, peer in PEERS.items() if name not in left_out}


def say(text: str) -> None:
    """Tell how far the run is."""
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


def in_turns(ways: Mapping[str, Callable[[int], Result]], repeat: int) -> dict[str, Result]:
    """Measure all ways, then all again; return the fastest run of each, with the rates of all its runs."""
    runs: dict[str, list[Result]] = {name: [] for name in ways}
    for number in range(repeat):
        for name, measure in ways.items():
            found = measure(number)
            runs[name].append(found)
            say(f"{name}: {found['rate']:,.0f} documents/s")
    return {name: {**_best(found), "rates": [run["rate"] for run in found]} for name, found in runs.items()}


def _best(runs: Sequence[Result]) -> Result:
    """Return the fastest run; quality is measured in the first one."""
    return {**max(runs, key=lambda run: run["rate"]), "macro_f1": runs[0]["macro_f1"]}


def peers(bench: Bench) -> Result:
    """Compare: `classifier score` of each tier, and the decisions alone of each peer."""
    learnt = bench.learn()
    rows = {tier: min(count, bench.rows) for tier, count in SCORED.items()}
    files = {tier: bench.tickets(count) for tier, count in rows.items()}
    bench.score(bench.tickets(1_000), 1_000)  # compiles what this machine hasn't yet
    ways: dict[str, Callable[[int], Result]] = {
        f"score {tier}": lambda _, tier=tier: bench.score(files[tier], rows[tier], "--tier", tier)
        for tier in SCORED
    }
    ways |= {name: lambda number, name=name: bench.predict(name, quality=number == 0) for name in present()}
    return {
        "rows": bench.rows,
        "repeat": bench.repeat,
        "learnt": learnt,
        "missing": missing(),
        "ways": in_turns(ways, bench.repeat),
    }


def tiers(bench: Bench) -> Result:
    """Compare the tiers that read with a transformer with MiniLM by torch, on one core and on two."""
    bench.learn()
    names = [name for name in (TORCH, "accurate", "cascade") if name in present()]
    cores = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]

    def measured_on(file: Path | None) -> dict[str, Result]:
        ways: dict[str, Callable[[int], Result]] = {
            f"{name} on {count}": lambda _, name=name, count=count: bench.predict(
                name, file=file, cores=count
            )
            for count in cores
            for name in names
        }
        return in_turns(ways, bench.repeat)

    found = {"cores": cores, "repeat": bench.repeat, "ways": measured_on(None)}
    questions = bench.questions()
    return {**found, "questions": measured_on(questions)} if questions else found


def growth(bench: Bench) -> Result:
    """Score files of growing length with the fast tier, end to end."""
    found = {}
    for rows in (*GROWTH, *[MILLION] * bench.million):
        (file,) = bench.tickets(rows)
        found[str(rows)] = bench.score([file], rows, "--tier", "fast")
        say(f"{rows:,} rows: {found[str(rows)]['rate']:,.0f} documents/s")
        if rows == MILLION:
            file.unlink()
    return {"tier": "fast", "rows": found}


def workers(bench: Bench) -> Result:
    """Score the same rows by one worker and by two: processes here, and a warm Dask cluster."""
    rows = 2 * bench.rows
    files = bench.tickets(rows, FILES)
    few = bench.tickets(1_000 * FILES, FILES)
    ways: dict[str, Callable[[int], Result]] = {
        f"local {count}": lambda _, count=count: bench.score(
            files, rows, "--tier", "fast", "--workers", str(count)
        )
        for count in (1, 2)
    }
    ways |= {
        f"dask {count}": lambda _, count=count: _by_dask(bench, few, files, rows, count) for count in (1, 2)
    }
    return {"rows": rows, "files": FILES, "repeat": bench.repeat, "ways": in_turns(ways, bench.repeat)}


def _by_dask(bench: Bench, few: Sequence[Path], files: Sequence[Path], rows: int, count: int) -> Result:
    with _cluster(count) as address:
        options = ("--tier", "fast", "--engine", "dask", "--scheduler", address)
        bench.score(few, 1_000 * FILES, *options)  # loads model and compiled code on every worker
        return bench.score(files, rows, *options)


@contextmanager
def _cluster(count: int) -> Iterator[str]:
    """Start workers of one thread each, and yield their scheduler's address."""
    command = [sys.executable, MEASURE, "cluster", "--workers", str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as own:
        assert own.stdout is not None
        yield own.stdout.readline().strip()


def start(bench: Bench) -> Result:
    """Time short commands."""
    (row,) = bench.tickets(1)
    score = ("score", str(row), "--out", str(bench.work / "scored.csv"), "--quiet", "--tier", "fast")
    commands = {"--help": ("--help",), "explain": ("explain", SENTENCE), "score": score}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(5):
        for name, arguments in commands.items():
            found[name].append(process([sys.executable, "-m", "classifier", *arguments]).seconds)
    return {name: {"best": min(times), "runs": times} for name, times in found.items()}


def weights(bench: Bench) -> Result:
    """Measure the fast tier with its weights in fewer bits."""
    if bench.data_root is None:
        raise click.UsageError("the part `weights` needs gold texts and a corpus: give --data-root")
    return told(measured("weights", "--data-root", str(bench.data_root)).out)


PARTS: Final[Mapping[str, Callable[[Bench], Result]]] = {
    "start": start,
    "peers": peers,
    "tiers": tiers,
    "workers": workers,
    "growth": growth,
    "weights": weights,
}


@click.command()
@click.option(
    "--data-root",
    type=click.Path(path_type=Path, exists=True),
    help="Labelled texts to learn from, and gold to measure on (else the written texts, no F1).",
)
@click.option("--rows", default=100_000, show_default=True, help="Tickets of the comparison.")
@click.option("--repeat", default=2, show_default=True, help="Rounds; the best counts.")
@click.option("--million", is_flag=True, help="Also end to end on a million rows (525 MB).")
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Measure this part (repeatable).")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Keep tickets and what the peers learnt here, for the next run too.",
)
@click.option("--learn-only", is_flag=True, help="Let the peers learn, and measure nothing; needs --work.")
@click.option("--page-only", is_flag=True, help="Measure nothing; write the page anew.")
def main(
    data_root: Path | None,
    rows: int,
    repeat: int,
    million: bool,
    only: tuple[str, ...],
    work: Path | None,
    learn_only: bool,
    page_only: bool,
) -> None:
    """Measure, keep the figures, and write docs/benchmarks.md."""
    with TemporaryDirectory() as scratch:
        folder = (work or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, data_root, rows, repeat, million)
        for name in missing():
            say(f"{PEERS[name].title}: not installed, left out")
        if learn_only:
            bench.learn()
            return
        parts = [name for name in PARTS if data_root is not None or name != "weights"]
        for name in () if page_only else (only or parts):
            say(f"{name} …")
            bench_page.record(name, {"measured": bench_page.machine(), **PARTS[name](bench)})
    for path in bench_page.renew():
        click.echo(f"written: {path}")


if __name__ == "__main__":
    main()
