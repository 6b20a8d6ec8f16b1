"""The engine dask: two real worker processes, one of them killed; inputs at s3:// addresses."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moving
import pandas as pd
import pytest
from click.testing import CliRunner
from moving import inputs, model, score

from classifier import engines, pipeline, read, run
from classifier.cli import main
from classifier.dedupe import Register
from classifier.engines import NoJournal, work
from classifier.errors import EngineError, InputError

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")

# tornado and distributed leave sockets to the garbage collector when a cluster ends in the middle of work.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def bucket(names: list[str]) -> Iterator[str]:
    """An S3 server on this machine, with both inputs in a bucket."""
    pytest.importorskip("s3fs", reason="the extra [s3] is not installed")
    server_of = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = server_of.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        import s3fs

        files = s3fs.S3FileSystem()
        files.mkdir("feedback")
        for name in names:
            files.put(name, f"feedback/2026/{Path(name).name}")
        yield "s3://feedback/2026"
        server.stop()


@pytest.fixture(scope="module")
def cluster(bucket: str) -> Iterator[Any]:
    """Two workers, which know the S3 server by their environment."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    ) as own:
        yield own


def with_scheduler(cluster: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "dask", "scheduler": cluster.scheduler_address, **more}


def test_two_workers_give_the_same_bytes_even_where_one_is_killed(names: list[str], cluster: Any) -> None:
    job = run.job_of(moving.choose({"keep": ("tag",)}), model(), moving.PART_ROWS)
    runner = engines.start(engines.Engine(**with_scheduler(cluster)), job, model(), [])
    sources, notes = read.find_inputs(names)
    found: list[list[pd.DataFrame]] = [[], []]
    for frames, mover in zip(found, (runner, engines.start(engines.Engine(), job, model(), [])), strict=True):
        seen, tally = Register(), pipeline.Tally()
        for part in engines.parts(sources, notes, job=job, runner=mover, journal=NoJournal()):
            frames.append(pipeline.settle(part, seen=seen, tally=tally))
            if mover is runner and len(frames) == 1:
                with distributed.Client(cluster) as client:
                    workers = client.run(os.getpid)
                assert len(workers) == 2
                os.kill(min(workers.values()), signal.SIGKILL)
    runner.close()
    pd.testing.assert_frame_equal(*(pd.concat(frames, ignore_index=True) for frames in found))


def test_files_are_read_by_the_workers_that_see_them(
    names: list[str], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(names, tmp_path / "local.csv")

    def untouched(*given: Any) -> Iterator[read.ReadBatch]:
        raise AssertionError("read by this process")
        yield

    monkeypatch.setattr(read, "_batches_of", untouched)
    score(names, tmp_path / "dask.csv", **with_scheduler(cluster))
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_addresses_are_read_by_any_engine(bucket: str, cluster: Any, tmp_path: Path) -> None:
    outcomes = [
        score([f"{bucket}/*.csv"], tmp_path / "local.csv"),
        score([f"{bucket}/*.csv"], tmp_path / "dask.csv", **with_scheduler(cluster)),
    ]
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    assert [outcome.rows["read"] for outcome in outcomes] == [65, 65]
    rejected = pd.read_csv(tmp_path / "rejected.csv")
    assert rejected["file"].tolist() == ["first.csv", "second.csv"]


def test_a_run_over_addresses_is_the_same_with_any_engine(bucket: str, cluster: Any, tmp_path: Path) -> None:
    made = []
    for name, engine in (
        ("local", []),
        ("dask", ["--engine", "dask", "--scheduler", cluster.scheduler_address]),
    ):
        out = tmp_path / name
        arguments = ["run", f"{bucket}/first.csv", *engine, "--models", str(moving.MODELS), "--out", str(out)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, (result.output, result.exc_info)
        made.append(json.loads((out / "run.json").read_text()))
    assert made[0]["result"] == made[1]["result"]
    assert made[1]["result"]["inputs"][0]["name"] == "first.csv"
    assert [one["execution"]["engine"] for one in made] == ["local", "dask"]
    assert made[1]["execution"]["workers"] == 2
    assert made[1]["execution"]["paths"] == [f"{bucket}/first.csv"]


def test_without_a_scheduler_a_cluster_starts_for_the_run(names: list[str], tmp_path: Path) -> None:
    score(names, tmp_path / "local.csv")
    outcome = score(names, tmp_path / "dask.csv", kind="dask", workers=1)
    assert outcome.rows["duplicates"] == 2
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("*.parquet", "matches no file"),
        ("missing.csv", "no such file"),
        ("", "is a folder"),
    ],
)
def test_an_address_without_a_file_is_told(name: str, told: str, bucket: str) -> None:
    with pytest.raises(InputError, match=told):
        read.find_inputs([f"{bucket}/{name}".rstrip("/")])


def test_an_address_of_an_unknown_kind_is_told() -> None:
    with pytest.raises(InputError, match="not known"):
        read.find_inputs(["carrier-pigeon://loft/t.csv"])


def test_a_file_that_only_this_machine_sees_is_sent_to_the_workers(
    names: list[str], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifier.engines import cluster as module

    score(names, tmp_path / "local.csv")
    # Too large to be read by one worker goes the same way.
    monkeypatch.setattr(module, "WHOLE_BYTES", 0)
    score(names, tmp_path / "dask.csv", **with_scheduler(cluster))
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_what_stops_a_worker_is_told_as_it_is(tmp_path: Path, cluster: Any) -> None:
    tables = [tmp_path / "t.csv", tmp_path / "u.csv"]  # one for each worker, or they would be cut here
    for table in tables:
        table.write_text("id,text\n1,It crashes.\n", encoding="utf-8")
    job = run.job_of(moving.choose({}), model(), 5)
    gone = engines.Job(
        work.ModelPlace("nowhere", "default", model().version, "default-1-other", "fast"),
        job.settings,
        job.filters,
        job.reading,
        5,
    )
    sources = [read.Input(str(table), table) for table in tables]
    runner = engines.start(engines.Engine(**with_scheduler(cluster)), gone, model(), sources)
    with pytest.raises(Exception, match="default-1-other"):
        runner.result(runner.submit_file(sources[0]))
    runner.close()


def test_no_scheduler_at_the_address_is_told(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifier.engines import cluster as module

    monkeypatch.setattr(module, "_CONNECT_SECONDS", 1)
    with pytest.raises(EngineError, match=r"scheduler at tcp://127.0.0.1:9 can't be reached"):
        score(names, tmp_path / "out.csv", kind="dask", scheduler="tcp://127.0.0.1:9")
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_that_goes_away_is_told_and_the_run_goes_on_without_it(
    names: list[str], bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifier.engines import cluster as module

    monkeypatch.setattr(module, "WHOLE_BYTES", 0)
    score(names, tmp_path / "local.csv")
    own = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs=50
    )
    settle, settled = pipeline.settle, []

    def settling(part: pipeline.Part, **chosen: Any) -> pd.DataFrame:
        settled.append(1)
        if len(settled) == 6:
            own.close()
        return settle(part, **chosen)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "settle", settling)
        with pytest.raises(EngineError, match=r"has gone away.*--resume"):
            score(names, tmp_path / "out.csv", **with_scheduler(own))
    assert not (tmp_path / "out.csv").exists()
    outcome = score(names, tmp_path / "out.csv", resume=True)
    assert any("resumed" in note for note in outcome.notes)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
