"""A run that was interrupted goes on, and ends with the very bytes of one that wasn't."""

import errno
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import moving
import pandas as pd
import pytest
from click.testing import CliRunner
from moving import inputs, model, score

from classifier import engines, pipeline, read, run, schema
from classifier.cli import main
from classifier.engines import identity, journal, packing, work
from classifier.errors import OutputError, SettingsError

ROOT = Path(__file__).parents[1]
NAMES = ("out.csv", "out.jsonl", "out.jsonl.gz", "out.csv.zst", "out.parquet")


class Killed(BaseException):
    """Stands for kill -9: nobody catches it."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def whole(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What runs write that nothing interrupts, by the name of the file."""
    folder = tmp_path_factory.mktemp("whole")
    for name in NAMES:
        score(names, folder / name)
    return {name: (folder / name).read_bytes() for name in NAMES}


def interrupt(monkeypatch: pytest.MonkeyPatch, at: int, fault: Callable[[], BaseException] = Killed) -> None:
    """Let the `at`-th part (from 0) of a run fail, and every part before it reach the disk at once."""
    counter, part_of = itertools.count(), pipeline.part_of
    monkeypatch.setattr(journal, "SYNC_SECONDS", 0.0)

    def failing(*args: Any, **chosen: Any) -> pipeline.Part:
        if next(counter) == at:
            raise fault()
        return part_of(*args, **chosen)

    monkeypatch.setattr(pipeline, "part_of", failing)


def interrupted(names: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, *, at: int) -> Path:
    """Return the CSV file that a run was writing when it was killed."""
    out = folder / "out.csv"
    with monkeypatch.context() as patch:
        interrupt(patch, at)
        with pytest.raises(Killed):
            score(names, out)
    return out


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "rejected.csv")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_killed_anywhere_ends_in_the_same_bytes(
    name: str, names: list[str], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder, snapshot = tmp_path / name, tmp_path / f".{name}.parts", tmp_path / "snapshot"

    def killed() -> BaseException:
        # What lies on the disk at this moment is all that kill -9 leaves.
        shutil.copytree(folder, snapshot)
        return Killed()

    for done in (2, 3, 4, 5, 6):
        with monkeypatch.context() as patch:
            interrupt(patch, 2 if done == 2 else 1, killed)
            with pytest.raises(Killed):
                score(names, out, resume=done > 2)
        shutil.rmtree(folder)
        snapshot.rename(folder)
        # The line that was being written, and the rows, which nobody had asked the disk to keep.
        with (folder / "journal.jsonl").open("ab") as stream:
            stream.write(b'{"input": 0, "pa')
        with (folder / "unfinished-rows").open("ab") as stream:
            stream.write(b"half a row that is longer than what follows\n" * 1000)
        assert not out.exists()
    outcome = score(names, out, resume=True)
    assert out.read_bytes() == whole[name]
    assert kept(tmp_path) == [name]
    assert any("resumed; 6 part(s)" in note for note in outcome.notes)


def test_parts_that_were_finished_are_not_computed_again(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = interrupted(names, tmp_path, monkeypatch, at=7)
    computed: list[int] = []
    part_of, batches_of = pipeline.part_of, read._batches_of
    opened: list[str] = []

    def counting(batch: read.ReadBatch, **chosen: Any) -> pipeline.Part:
        computed.append(len(batch.documents))
        return part_of(batch, **chosen)

    def reading(file: read.Input, *rest: Any) -> Iterator[read.ReadBatch]:
        opened.append(Path(file.name).name)
        yield from batches_of(file, *rest)

    monkeypatch.setattr(pipeline, "part_of", counting)
    monkeypatch.setattr(read, "_batches_of", reading)
    score(names, out, resume=True)
    # The first file is done as a whole, so it isn't even read; of the second, one part was done.
    assert opened == ["second.csv"]
    assert sum(computed) == 22 - 8


def test_a_damaged_part_is_computed_again(
    names: list[str], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = interrupted(names, tmp_path, monkeypatch, at=8)
    damaged = sorted((tmp_path / ".out.csv.parts").glob("*.arrow"))
    assert len(damaged) > 7
    damaged[1].write_bytes(b"not Arrow")
    damaged[7].unlink()
    score(names, out, resume=True)
    assert out.read_bytes() == whole["out.csv"]


@pytest.mark.parametrize("damage", ["gone", "cut", "empty", "changed", "zeroed"])
def test_rows_that_aren_t_as_they_were_written_are_computed_again(
    damage: str, names: list[str], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = interrupted(names, tmp_path, monkeypatch, at=8)
    rows = tmp_path / ".out.csv.parts" / "unfinished-rows"
    content = rows.read_bytes()
    assert whole["out.csv"].startswith(content)
    middle = len(content) // 2
    if damage == "gone":
        rows.unlink()
    elif damage == "zeroed":
        rows.write_bytes(content[:middle] + bytes(100) + content[middle + 100 :])
    else:
        other = bytes([content[middle] ^ 1])
        changed = {
            "cut": content[:middle],
            "empty": b"",
            "changed": content[:middle] + other + content[middle + 1 :],
        }
        rows.write_bytes(changed[damage])
    outcome = score(names, out, resume=True)
    assert out.read_bytes() == whole["out.csv"]
    assert kept(tmp_path) == ["out.csv"]
    assert any("resumed; 8 part(s)" in note for note in outcome.notes)


def test_rows_are_on_the_disk_once(names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(names[:1], tmp_path, monkeypatch, at=4)
    written = (tmp_path / ".out.csv.parts/journal.jsonl").read_text().splitlines()[1:]
    ranges = [json.loads(line)["rows"] for line in written]
    assert len(ranges) == 4
    rows = (tmp_path / ".out.csv.parts/unfinished-rows").read_bytes()
    assert ranges[0][0] == rows.index(b"\n") + 1
    assert [start + size for start, size, _ in ranges[:-1]] == [start for start, _, _ in ranges[1:]]
    assert ranges[-1][0] + ranges[-1][1] == len(rows)


def test_parts_of_rejected_rows_alone_do_not_wait_in_memory(tmp_path: Path) -> None:
    job = run.job_of(moving.choose({}), model(), moving.PART_ROWS)
    rejected = pd.DataFrame({"file": "a.csv", "row": [1], "document_id": "", "reason": "damaged"})
    batch = replace(read.empty_batch((), job.reading), rejected=schema.conform(rejected, schema.REJECTED))
    part = work.compute(batch, job, model())
    with engines.opened(tmp_path / "parts", "out.csv") as kept_parts:
        kept_parts.start(dict, resume=False)
        for place in range(3):
            kept_parts.add((0, place), part)
        assert len(list((tmp_path / "parts").glob("*.arrow"))) == 3


def test_a_run_of_one_part_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = moving.write(tmp_path, "t.csv", 3)
    with monkeypatch.context() as patch:
        interrupt(patch, 0)
        with pytest.raises(Killed):
            score([str(table)], tmp_path / "out.csv")
    assert kept(tmp_path) == ["t.csv"]
    outcome = score([str(table)], tmp_path / "out.csv", resume=True)
    assert any("no interrupted run to resume" in note for note in outcome.notes)


@pytest.mark.parametrize("full", ["parts", "journal"])
def test_a_full_disk_is_told_and_the_run_goes_on(
    full: str, names: list[str], whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(journal, "SYNC_SECONDS", 0.0)
        patch.setattr(*fault(full, after=9))
        with pytest.raises(OutputError, match=r"the disk is full.*--resume"):
            score(names, out)
    assert not out.exists()
    score(names, out, resume=True)
    assert out.read_bytes() == whole["out.csv"]


def fault(where: str, *, after: int) -> tuple[Any, str, Callable[..., Any]]:
    """Return what to patch so that the disk is full after some calls."""
    owner, name = (Path, "write_bytes") if where == "parts" else (journal, "_sync")
    works, counter = getattr(owner, name), itertools.count()

    def full(*args: Any) -> Any:
        if next(counter) >= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return works(*args)

    return owner, name, full


def test_another_run_is_not_resumed(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    own = [str(shutil.copy(name, tmp_path)) for name in names]
    with monkeypatch.context() as patch:
        interrupt(patch, 4)
        with pytest.raises(Killed):
            score(own, out)
    with pytest.raises(SettingsError, match=r"settings or options \(input.keep, scoring.keep\)"):
        score(own, out, resume=True, keep=())
    with pytest.raises(SettingsError, match="the list of inputs"):
        score(own[:1], out, resume=True)
    with pytest.raises(SettingsError, match="part_rows"):
        score(own, out, resume=True, part_rows=9)
    with Path(own[1]).open("a") as file:
        file.write("99,2026-01-01,x,y,changed,t1\n")
    with pytest.raises(SettingsError, match=r"the content of \S*second.csv"):
        score(own, out, resume=True)
    outcome = score(own, out)
    assert any("thrown away" in note for note in outcome.notes)
    assert not (tmp_path / ".out.csv.parts").exists()


def test_what_differs_is_named() -> None:
    old: identity.Identity = {"versions": {"numpy": "1"}, "model_id": "a", "settings": {}, "inputs": []}
    new = {**old, "versions": {"numpy": "2"}, "model_id": "b"}
    assert identity.differences(old, new) == ["the version of numpy (1, now 2)", "the model (a, now b)"]
    assert identity.differences(old, dict(old)) == []


def test_a_journal_of_another_version_is_not_resumed(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        interrupt(patch, 4)
        patch.setattr(journal, "FORMAT", 0)
        with pytest.raises(Killed):
            score(names, out)
    with pytest.raises(SettingsError, match="the version of this program"):
        score(names, out, resume=True)


def test_two_runs_of_one_output_don_t_meet(names: list[str], tmp_path: Path) -> None:
    folder = tmp_path / ".out.csv.parts"
    folder.mkdir()
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another run is writing it"):
            score(names, tmp_path / "out.csv")
    score(names, tmp_path / "out.csv")


def test_ctrl_c_exits_130_and_tells_how_to_go_on(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["run", *names, "--models", str(moving.MODELS), "--no-progress"]
    small = replace(engines.Engine(), part_rows=moving.PART_ROWS)
    monkeypatch.setattr(engines, "Engine", lambda *given: replace(small, kind=given[0]))
    undisturbed = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "whole")])
    assert undisturbed.exit_code == 0, undisturbed.output
    with monkeypatch.context() as patch:
        interrupt(patch, 8, KeyboardInterrupt)
        stopped = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert stopped.exit_code == 130
    assert "--resume" in stopped.stderr
    assert kept(tmp_path / "out") == [".classifier-parts"]
    resumed = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out"), "--resume"])
    assert resumed.exit_code == 0, resumed.output
    made = [json.loads((tmp_path / name / "run.json").read_text()) for name in ("whole", "out")]
    assert made[0]["result"] == made[1]["result"]
    assert [one["execution"]["resumed_parts"] for one in made] == [0, 8]
    assert not (tmp_path / "out" / ".classifier-parts").exists()


STOPPED = """
import itertools, os, signal, sys
from dataclasses import replace
import moving
from classifier import cli, engines, pipeline
from classifier.engines import journal

number, ignored = signal.Signals[sys.argv[1]], sys.argv[2] == "ignored"
# Whoever runs the tests below nohup hands down that a signal is ignored.
signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
journal.SYNC_SECONDS = 0.0
small = replace(engines.Engine(), part_rows=moving.PART_ROWS)
engines.Engine = lambda *given: replace(small, kind=given[0])
part_of, counter = pipeline.part_of, itertools.count()


def stopping(*args, **chosen):
    if next(counter) == 8:
        os.kill(os.getpid(), number)
    return part_of(*args, **chosen)


pipeline.part_of = stopping
cli.main(["run", *sys.argv[3:], "--models", str(moving.MODELS), "--no-progress"])
"""


@pytest.mark.parametrize(
    ("name", "caller", "code"),
    [("SIGTERM", "", 130), ("SIGHUP", "", 130), ("SIGHUP", "ignored", 0)],
    ids=["systemd", "closed terminal", "nohup"],
)
def test_signals_that_ask_to_end_are_ctrl_c(
    name: str, caller: str, code: int, names: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    moving.model()
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, name, caller, *names, "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("interrupted; nothing was written" in done.stderr) == (code == 130)
    if code:
        assert kept(out) == [".classifier-parts"]
    else:
        assert (out / "run.json").exists()


def test_standard_output_can_t_be_resumed(names: list[str]) -> None:
    result = CliRunner().invoke(
        main, ["score", names[0], "--out", "-", "--resume", "--models", str(moving.MODELS)]
    )
    assert result.exit_code == 2
    assert "--resume needs --out with a file" in result.stderr


def test_a_part_comes_back_as_it_was(names: list[str]) -> None:
    chosen = moving.choose({"keep": ("tag",)})
    job = run.job_of(chosen, model(), 100)
    (source,), _ = read.find_inputs(names[:1])
    for batch in read.read_files([source], job.reading):
        part = work.compute(batch, job, model())
        stream = BytesIO()
        packing.write(part, stream)
        back = packing.read(stream.getvalue())
        for name in ("scored", "places", "rejected", "dropped"):
            pd.testing.assert_frame_equal(getattr(back, name), getattr(part, name))
        pd.testing.assert_frame_equal(back.prints.table(), part.prints.table())
        assert (back.documents, back.merged, back.notes) == (part.documents, part.merged, part.notes)


def test_long_names_get_a_folder_of_their_own(tmp_path: Path) -> None:
    first, second = (engines.folder_beside(tmp_path / f"{'x' * 200}{end}.csv") for end in "ab")
    assert first != second
    assert len(first.name) < 255


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from classifier.engines import journal
import moving

names, out, times = sys.argv[1:2], Path(sys.argv[2]), int(sys.argv[3])
whole = out.with_name(f"whole{out.suffix}")
journal.SYNC_SECONDS = 0.0
moving.model()
# Once before it is timed: what must be compiled first would let every child run much too long.
moving.score(names, whole, part_rows=2)
began = time.monotonic()
moving.score(names, whole, part_rows=2)
usual = time.monotonic() - began
draw, killed = random.Random(5), 0
while killed < times:
    workers = draw.choice([1, None])  # None: threads, where there are several cores
    child = os.fork()
    if not child:
        moving.score(names, out, resume=True, part_rows=2, workers=workers)
        os._exit(0)
    time.sleep(draw.random() * usual / 2)
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] == signal.SIGKILL:
        killed += 1
    else:
        assert out.read_bytes() == whole.read_bytes()
        out.unlink()
moving.score(names, out, resume=True, part_rows=2)
assert out.read_bytes() == whole.read_bytes()
print(killed)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_kill_9_at_random_moments(ending: str, names: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLER, names[1], str(tmp_path / f"out.{ending}"), "20"],
        cwd=ROOT,
        # A fork has none of its parent's threads; this layer knows that.
        env={
            **os.environ,
            "NUMBA_THREADING_LAYER": "workqueue",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "20"
    assert kept(tmp_path) == [f"out.{ending}", f"whole.{ending}"]
