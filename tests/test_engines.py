"""Whatever moves the batches, the bytes are the same, and what goes wrong is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import moving
import pandas as pd
import psutil
import pytest
from click.testing import CliRunner
from moving import inputs, model, score

from classifier import engines, pipeline, read, run, schema
from classifier.cli import main
from classifier.dedupe import Register
from classifier.engines import NoJournal, processes, work
from classifier.engines.processes import InProcess, Processes
from classifier.engines.threads import Threads
from classifier.errors import EngineError, ModelError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def whole(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The scored rows of one part per input."""
    return scored(names, InProcess(job(10_000), model()), 10_000)


def job(part_rows: int = moving.PART_ROWS) -> engines.Job:
    return run.job_of(moving.choose({"keep": ("tag",)}), model(), part_rows)


def scored(names: list[str], runner: Any, part_rows: int = moving.PART_ROWS, after_first: Any = None) -> Any:
    """Return all scored rows; `after_first` is called when the first part is there."""
    sources, notes = read.find_inputs(names)
    seen, tally, found = Register(), pipeline.Tally(), []
    for part in engines.parts(sources, notes, job=job(part_rows), runner=runner, journal=NoJournal()):
        found.append(pipeline.settle(part, seen=seen, tally=tally))
        if len(found) == 1 and after_first:
            after_first()
    return pd.concat(found, ignore_index=True)


@pytest.mark.parametrize("part_rows", [3, 41])
def test_the_size_of_parts_changes_nothing(part_rows: int, names: list[str], whole: pd.DataFrame) -> None:
    found = scored(names, InProcess(job(part_rows), model()), part_rows)
    pd.testing.assert_frame_equal(found, whole)


def test_threads_change_nothing(names: list[str], whole: pd.DataFrame) -> None:
    runner = Threads(job(), model(), 3)
    try:
        pd.testing.assert_frame_equal(scored(names, runner), whole)
    finally:
        runner.close()


def test_every_row_is_in_one_piece() -> None:
    frame = pd.DataFrame({"row": range(1, 8)})
    one = pd.DataFrame({"row": [8]})
    batch = read.ReadBatch(frame, one, one, 2, ("note",))
    cut = list(work.pieces(batch, 3))
    assert [piece.documents["row"].tolist() for piece in cut] == [[1, 2, 3], [4, 5, 6], [7]]
    assert [(len(piece.rejected), len(piece.dropped), piece.merged, piece.notes) for piece in cut] == [
        (1, 1, 2, ("note",)), (0, 0, 0, ()), (0, 0, 0, ()),
    ]  # fmt: skip
    empty = read.ReadBatch(frame.iloc[:0], one, one, 0, ())
    assert len(list(work.pieces(empty, 3))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("noticed", [False, True])
def test_worker_processes_change_nothing_even_where_one_is_killed(
    names: list[str], whole: pd.DataFrame, noticed: bool
) -> None:
    """The death is noticed while batches are on their way, or before the next one is handed over."""
    runner = Processes(job(), model(), 2)

    def kill() -> None:
        workers = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
        assert len(workers) == 2
        workers[0].send_signal(signal.SIGKILL)
        while noticed and not runner._pool._broken:  # type: ignore[union-attr]
            time.sleep(0.01)

    try:
        pd.testing.assert_frame_equal(scored(names, runner, after_first=kill), whole)
    finally:
        runner.close(at_once=True)


class Poison:
    """Ends the process that takes it out of its wrapping, as the system does for want of memory."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


@pytest.mark.slow
def test_a_batch_that_kills_its_worker_is_named_by_its_rows() -> None:
    documents = pd.DataFrame({name: [] for name in schema.DOCUMENTS}).reindex(range(3))
    documents = documents.assign(file="tickets.csv", row=[11, 12, 13])
    poisoned = read.ReadBatch(
        documents,
        schema.empty(schema.REJECTED),
        schema.empty(schema.DROPPED),
        0,
        (Poison(),),  # type: ignore[arg-type]
    )
    runner = Processes(job(), model(), 1)
    try:
        pending = [runner.submit(poisoned), runner.submit(poisoned)]
        with pytest.raises(EngineError, match=r"rows 11 to 13 of tickets.csv, and again"):
            runner.result(pending[0])
    finally:
        runner.close(at_once=True)


def test_out_of_memory_is_told_and_can_be_resumed(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_of, done = pipeline.part_of, []

    def limited(*args: Any, **chosen: Any) -> pipeline.Part:
        done.append(1)
        if len(done) == 4:
            raise MemoryError
        return part_of(*args, **chosen)

    monkeypatch.setattr(pipeline, "part_of", limited)
    with pytest.raises(EngineError, match=r"out of memory at rows 25 to 32 of .*first.csv; .*--resume"):
        score(names, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    score(names, tmp_path / "out.csv", resume=True)


def test_one_batch_alone_starts_no_process(names: list[str], whole: pd.DataFrame) -> None:
    runner = Processes(job(10_000), model(), 2)
    found = scored(names[:1], runner, 10_000)
    assert runner._pool is None
    pd.testing.assert_frame_equal(found, whole.iloc[: len(found)])


def test_workers_are_as_asked_or_as_many_as_the_inputs_are_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: 6)
    path = tmp_path / "t.csv"
    path.write_bytes(b"text\n")
    source = read.Input("t.csv", path)
    assert processes.workers_for(None, [source]) == 1
    assert processes.workers_for(3, [source]) == 3
    os.truncate(path, processes.WORTH_BYTES)
    assert processes.workers_for(None, [source]) == 6
    # A few cores are kept busy by threads, whatever the size.
    monkeypatch.setattr(processes, "_cores", lambda: 2)
    assert processes.workers_for(None, [source]) == 1
    assert processes.threads_for(None) == 2
    assert processes.threads_for(1) == 1


def test_a_worker_with_another_model_is_refused(tmp_path: Path) -> None:
    place = engines.ModelPlace.of(model())
    work.loaded.cache_clear()
    with pytest.raises(ModelError, match="install the same model on every machine"):
        work.loaded(engines.ModelPlace(place.folder, place.name, place.version, "default-1-other", "fast"))
    with pytest.raises(ModelError, match="nothing/1"):
        work.loaded(engines.ModelPlace(str(tmp_path), "nothing", "1", "nothing-1-x", "fast"))
    assert work.loaded(place).model_id == place.model_id


def test_a_scheduler_needs_its_engine(names: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["score", names[0], "--out", str(tmp_path / "o.csv"), "--scheduler", "tcp://host:1"]
    )
    assert result.exit_code == 2
    assert "needs --engine dask" in result.stderr


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("distributed", ["{first}", "--engine", "dask"], "dask"),
        ("fsspec", ["s3://bucket/t.csv"], "s3"),
        ("fsspec", ["gs://bucket/t.csv"], "dask"),
    ],
)
def test_a_missing_extra_is_named_with_its_pip_line(
    module: str,
    arguments: list[str],
    extra: str,
    names: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "classifier.engines.cluster", raising=False)
    given = [one.format(first=names[0]) for one in arguments]
    result = CliRunner().invoke(
        main, ["score", *given, "--out", str(tmp_path / "o.csv"), "--models", str(moving.MODELS)]
    )
    assert result.exit_code == 1
    assert f"pip install 'feedback-classifier[{extra}]'" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_address_whose_package_no_extra_brings_names_that_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip line of an extra that is there already would lead nowhere."""
    pytest.importorskip("fsspec", reason="the extra [dask] is not installed")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    arguments = ["score", "gs://bucket/t.csv", "--out", str(tmp_path / "o.csv")]
    result = CliRunner().invoke(main, [*arguments, "--models", str(moving.MODELS)])
    assert result.exit_code == 1
    assert "gs:// needs a package that is not installed: Please install gcsfs" in result.stderr
    assert "pip install" not in result.stderr


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(names: list[str], tmp_path: Path) -> None:
    """Kill -9 must not leave workers behind that wait for ever."""
    program = (
        "import sys, moving\n"
        "if __name__ == '__main__':\n"
        "    moving.score(sys.argv[1:3], sys.argv[3], workers=2, part_rows=1)\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script), *names, str(tmp_path / "out.csv")],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    try:
        workers = wait_for(
            lambda: [
                one
                for one in psutil.Process(parent.pid).children()
                if "spawn_main" in " ".join(one.cmdline())
            ]
        )
        # Not before they watch: in the first moment their parent's end is a broken pipe to them.
        wait_for(
            lambda: (tmp_path / ".out.csv.parts" / "journal.jsonl").exists() or parent.poll() is not None
        )
        assert parent.poll() is None
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not any(one.is_running() for one in workers))


def wait_for(ready: Any, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")
