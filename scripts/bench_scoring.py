"""Measure scoring against other libraries: one run, the same file, the same machine, in turns.

Run: python scripts/bench_scoring.py --data-root ../shared/data   (adds --million for the longest file)
Writes docs/benchmarks.md and its plots. Each measurement is a process of its own, and so is its peak memory.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bench_tickets
import click
import numpy as np
import pandas as pd
from bench_peers import PEERS, missing

from classifier.labels import LABELS

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs/benchmarks.md"
GROWTH = (1_000, 10_000, 100_000)
MILLION = 1_000_000
END_TO_END = "end"


def _training(data_root: Path | None) -> tuple[list[str], np.ndarray]:
    """Return texts and labels to learn from: what the shipped model learnt from, or the written ones."""
    if data_root is None:
        rows = bench_tickets.written()
        labels = [[label in row["labels"] for label in LABELS] for row in rows]  # type: ignore[operator]
        return [str(row["text"]) for row in rows], np.array(labels)
    from train_default import training_data

    frame = training_data(data_root)
    return frame["text"].tolist(), frame[list(LABELS)].to_numpy(dtype=bool)


def _gold(data_root: Path) -> tuple[list[str], np.ndarray]:
    from classifier import labelled

    frame = labelled.read_labelled([data_root / "gold/dev.jsonl"])
    return frame["text"].tolist(), frame[list(LABELS)].to_numpy(dtype=bool)


def _macro_f1(found: np.ndarray, true: np.ndarray) -> float:
    both = (found & true).sum(axis=0)
    return float(np.mean(2 * both / np.maximum(found.sum(axis=0) + true.sum(axis=0), 1)))


def _measure_peer(name: str, file: Path, data_root: Path | None) -> dict[str, Any]:
    """Time one peer in this process; learning isn't timed."""
    _, _, learn, most = PEERS[name]
    predict = learn(*_training(data_root)) if name != "ours" else learn([], np.zeros((0, len(LABELS))))
    frame = pd.read_csv(file, keep_default_na=False, nrows=most or None)
    texts = (frame["subject"] + "\n" + frame["description"]).tolist()
    predict(texts[:100])
    began = time.perf_counter()
    predict(texts)
    seconds = time.perf_counter() - began
    return _result(
        len(texts),
        sum(len(text.encode()) for text in texts),
        seconds,
        _macro_f1(predict(gold[0]), gold[1]) if (gold := _gold(data_root) if data_root else None) else None,
    )


def _result(count: int, size: int, seconds: float, f1: float | None = None) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rate": count / seconds, "mb": size / seconds / 1e6, "peak": peak, "f1": f1}


def _measure_end_to_end(file: Path, folder: Path) -> dict[str, Any]:
    """Time `classifier score` from CSV to CSV, start-up and all."""
    program = (
        "import json,resource,sys; from classifier.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    )
    program += "print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss), file=sys.stderr)"
    arguments = ["score", str(file), "--out", str(folder / "scored.csv"), "--quiet"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    seconds = time.perf_counter() - began
    count = len(pd.read_csv(folder / "scored.csv", usecols=["document_id"]))
    peak = int(done.stderr.strip().splitlines()[-1]) / 1024
    return {"rate": count / seconds, "mb": file.stat().st_size / seconds / 1e6, "peak": peak, "f1": None}


def _child(name: str, file: Path, data_root: Path | None) -> dict[str, Any]:
    arguments = [sys.executable, str(Path(__file__)), "--one", name, "--file", str(file)]
    if data_root:
        arguments += ["--data-root", str(data_root)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=PROJECT)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _start_up() -> dict[str, float]:
    """Return the best of five wall clock times of two short commands, in seconds."""
    found = {}
    for arguments in (("--help",), ("explain", "It crashes every time I save.")):
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "classifier", *arguments], capture_output=True, check=True, cwd=PROJECT
            )
            times.append(time.perf_counter() - began)
        found[arguments[0]] = min(times)
    return found


def _best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return max(runs, key=lambda run: run["rate"])


def _machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    name = names[0] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}; load {load}"


def _titles() -> dict[str, str]:
    return {
        END_TO_END: "classifier, end to end (CSV to CSV)",
        **{name: peer[0] for name, peer in PEERS.items()},
    }


def _page(
    results: dict[str, Any], growth: dict[int, Any], start: dict[str, float], rows: int, repeat: int
) -> str:
    base = results["fasttext"]["rate"] if "fasttext" in results else None
    lines = [
        "# Benchmarks",
        "",
        "Written by `python scripts/bench_scoring.py`; don't edit.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}. The machine was shared with other work while this ran, "
        "so rates are lower than it can do and ratios tell more than rates.",
        "",
        f"{rows:,} tickets of about {bench_tickets.WORDS} words (sentences of the project's written texts, "
        f"shuffled: `scripts/bench_tickets.py`); in turns, best of {repeat}; slow peers on fewer of them.",
        "",
        "| | documents/s | MB/s | × fastText | peak memory, MB | macro-F1 on gold/dev |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, found in results.items():
        ratio = f"{found['rate'] / base:.2f}" if base else "–"
        f1 = f"{found['f1']:.3f}" if found["f1"] is not None else "–"
        title = _titles()[name]
        lines.append(
            f"| {title} | {found['rate']:,.0f} | {found['mb']:.1f} | {ratio} | {found['peak']:,.0f} | {f1} |"
        )
    lines += [f"\nNot installed, so left out: {', '.join(_titles()[name] for name in missing())}."] * bool(
        missing()
    )
    lines += ["", "![Documents per second](benchmarks-rates.svg)", "", "## Growth, end to end", ""]
    lines += ["| rows | documents/s | peak memory, MB |", "|---:|---:|---:|"]
    lines += [f"| {count:,} | {one['rate']:,.0f} | {one['peak']:,.0f} |" for count, one in growth.items()]
    lines += ["", "![Growth](benchmarks-growth.svg)", "", "## Start-up", ""]
    lines += [f"`classifier {command}`: {seconds:.2f} s, best of five." for command, seconds in start.items()]
    return "\n".join(lines) + "\n"


def _plots(results: dict[str, Any], growth: dict[int, Any]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 3.2), layout="constrained")
    axes.barh([_titles()[name] for name in results][::-1], [one["rate"] for one in results.values()][::-1])
    axes.set(xscale="log", xlabel="documents per second")
    figure.savefig(PAGE.with_name("benchmarks-rates.svg"), metadata={"Date": None})
    figure, axes = pyplot.subplots(figsize=(8, 3.2), layout="constrained")
    axes.plot(list(growth), [one["rate"] for one in growth.values()], marker="o")
    axes.set(xscale="log", xlabel="rows", ylabel="documents per second")
    memory = axes.twinx()
    memory.plot(list(growth), [one["peak"] for one in growth.values()], marker="s", color="tab:gray")
    memory.set_ylabel("peak memory, MB (grey)")
    memory.set_ylim(bottom=0)
    figure.savefig(PAGE.with_name("benchmarks-growth.svg"), metadata={"Date": None})


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), help="To learn and measure F1 on.")
@click.option("--rows", default=100_000, show_default=True, help="Tickets of the comparison.")
@click.option("--repeat", default=2, show_default=True, help="Rounds; the best counts.")
@click.option("--million", is_flag=True, help="Also end to end on a million rows.")
@click.option("--one", hidden=True, help="Measure one peer in this process.")
@click.option("--file", type=click.Path(path_type=Path), hidden=True)
def main(
    data_root: Path | None, rows: int, repeat: int, million: bool, one: str | None, file: Path | None
) -> None:
    """Measure, and write docs/benchmarks.md."""
    if one and file:
        click.echo(json.dumps(_measure_peer(one, file, data_root)))
        return
    for name in missing():
        click.echo(f"{PEERS[name][0]}: not installed, left out", err=True)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tickets = folder / "tickets.csv"
        bench_tickets.write_tickets(tickets, rows)
        runs: dict[str, list[dict[str, Any]]] = {
            name: [] for name in (END_TO_END, *PEERS) if name not in missing()
        }
        _measure_end_to_end(tickets, folder)  # compiles what this machine hasn't yet
        for _ in range(repeat):
            for name, found in runs.items():
                measured = (
                    _measure_end_to_end(tickets, folder)
                    if name == END_TO_END
                    else _child(name, tickets, data_root)
                )
                found.append(measured)
                click.echo(f"{_titles()[name]}: {measured['rate']:,.0f} documents/s", err=True)
        growth = {}
        for count in (*GROWTH, *[MILLION] * million):
            bench_tickets.write_tickets(tickets, count)
            growth[count] = _measure_end_to_end(tickets, folder)
    results = {name: _best(found) for name, found in runs.items()}
    PAGE.write_text(_page(results, growth, _start_up(), rows, repeat), encoding="utf-8")
    _plots(results, growth)
    click.echo(f"written: {PAGE}")


if __name__ == "__main__":
    main()
