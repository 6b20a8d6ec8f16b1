"""One measurement of the benchmark, in a process of its own: so is its peak of memory.

In: what to do, as `bench_scoring` calls it. Out: a line of JSON on standard output. Measures nothing that
a caller could not repeat by hand: `python scripts/bench_measure.py --help`.
"""

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

BEGAN = "BENCH_BEGAN"
"""Environment variable: when this process was started, in seconds since 1970."""


@click.group()
def main() -> None:
    """Do one step of scripts/bench_scoring.py."""


_work = click.option("--work", type=click.Path(path_type=Path), required=True, help="Where peers are kept.")


@main.command()
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--rows", type=int, required=True)
def tickets(paths: tuple[Path, ...], rows: int) -> None:
    """Write tickets, spread over the files PATHS."""
    import bench_tickets

    bench_tickets.write_tickets(paths, rows)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), required=True)
def questions(path: Path, data_root: Path) -> None:
    """Write real support questions to PATH."""
    import bench_tickets

    bench_tickets.write_questions(path, data_root)


@main.command()
@_work
@click.option("--data-root", type=click.Path(path_type=Path, exists=True))
def texts(work: Path, data_root: Path | None) -> None:
    """Keep the texts to learn from and those to measure on."""
    import bench_tickets
    import pandas as pd

    from classifier import labelled
    from classifier.labels import LABELS

    columns = ["text", *LABELS]
    if data_root is None:
        rows = bench_tickets.written()
        frame = pd.DataFrame(
            [[row["text"], *(label in row["labels"] for label in LABELS)] for row in rows],  # type: ignore[operator]
            columns=columns,
        )
    else:
        from training_data import training_data

        frame = training_data(data_root)
        labelled.read_labelled([data_root / "gold/dev.jsonl"])[columns].to_parquet(work / "gold.parquet")
    frame[columns].to_parquet(work / "training.parquet")
    click.echo(json.dumps({"training": len(frame), "gold": data_root is not None}))


@main.command()
@_work
@click.argument("name")
def learn(work: Path, name: str) -> None:
    """Train a peer and keep it."""
    from bench_peers import PEERS

    began = time.perf_counter()
    frame, labels = _labelled(work / "training.parquet")
    folder = work / "unfinished" / name
    folder.mkdir(parents=True, exist_ok=True)
    train = PEERS[name].learn
    assert train is not None
    train(frame, labels, folder)
    folder.rename(work / name)
    click.echo(json.dumps({"seconds": time.perf_counter() - began}))


@main.command()
@_work
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--rows", type=int, default=0, help="At most so many texts (0: as many as this peer is timed on)."
)
@click.option("--cores", type=int, default=0, help="Use so many processor cores (0: all).")
@click.option("--quality/--no-quality", default=True)
def predict(work: Path, name: str, file: Path, rows: int, cores: int, quality: bool) -> None:
    """Time a peer's decisions, from texts in memory to a mask; loading comes before."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from bench_peers import PEERS, asked

    peer = PEERS[name]
    decide = peer.load(work / name)
    decide(["It crashes every time I save."])
    start = time.time() - float(os.environ.get(BEGAN, "nan"))
    found = _tickets(file, min(rows or peer.most, peer.most))
    decide(found[:200])
    took, used = time.perf_counter(), time.process_time()
    decide(found)
    took, used = time.perf_counter() - took, time.process_time() - used
    size = sum(len(text.encode()) for text in found)
    peak = _peak()
    body: dict[str, Any] = {
        "rows": len(found),
        "seconds": took,
        "cpu_seconds": used,
        "bytes": size,
        "peak_mb": peak,
        "start_seconds": start,
        "macro_f1": None,
    }
    gold = work / "gold.parquet"
    if name == "cascade":
        body["asked"] = {"these tickets": asked(found)}
        if gold.is_file():
            body["asked"]["gold/dev"] = asked(_labelled(gold)[0])
    if quality and gold.is_file():
        measured, true = _labelled(gold)
        body["macro_f1"] = macro_f1(decide(measured), true)
    click.echo(json.dumps(body))


@main.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), required=True)
def weights(data_root: Path) -> None:
    """Measure the fast tier with its weights in fewer bits."""
    import bench_weights

    click.echo(json.dumps(bench_weights.measure(data_root)))


@main.command()
@click.option("--workers", type=int, required=True)
def cluster(workers: int) -> None:
    """Start a Dask cluster on this machine; tell its address, and end when standard input ends."""
    import distributed

    own = distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    click.echo(own.scheduler_address)
    sys.stdout.flush()
    sys.stdin.read()
    own.close()


def macro_f1(found: Any, true: Any) -> float:
    """Return the mean F1 of the labels; masks of shape (texts, labels)."""
    import numpy as np

    both = (found & true).sum(axis=0)
    return float(np.mean(2 * both / np.maximum(found.sum(axis=0) + true.sum(axis=0), 1)))


def _labelled(path: Path) -> tuple[list[str], Any]:
    import pandas as pd

    from classifier.labels import LABELS

    frame = pd.read_parquet(path)
    return frame["text"].tolist(), frame[list(LABELS)].to_numpy(dtype=bool)


def _tickets(file: Path, rows: int) -> list[str]:
    import csv

    with file.open(encoding="utf-8", newline="") as stream:
        return [
            f"{row['subject']}\n{row['description']}"
            for _, row in zip(range(rows), csv.DictReader(stream), strict=False)
        ]


def _peak() -> float:
    """Return the most memory that this process had, in MB: not that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
