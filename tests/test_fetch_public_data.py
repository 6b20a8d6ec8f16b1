"""Public texts come whole or not at all: from a server of our own, and from a mirror."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import fetch_public_data as fetch
import pandas as pd
import pytest
from click.testing import CliRunner
from trained import ROOT

MIRROR = ROOT.parent / "shared" / "data"
TRAIN = b"text,category\nWhere is my card?,card_arrival\nIt was declined,declined_card\n"
TEST = b"text,category\nHow do I top up?,top_up\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[str]:
    """Serve a folder with two files of Banking77's shape; yield its address."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "train.csv").write_bytes(TRAIN)
    (folder / "test.csv").write_bytes(TEST)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def sources(tmp_path: Path, home: str, *, second: bytes = TEST, test: str = "test.csv") -> Path:
    path = tmp_path / "sources.toml"
    path.write_text(
        f"""
[source.bank]
file = "public/bank.parquet"
sha256 = "{digest(b"as it was used")}"
rows = 3
licence = "CC BY 4.0"
home = "{home}"
convert = "banking77"
remote = [
    {{ url = "{home}/train.csv", sha256 = "{digest(TRAIN)}" }},
    {{ url = "{home}/{test}", sha256 = "{digest(second)}" }},
]

[source.gone]
file = "public/gone.parquet"
sha256 = "{digest(b"gone")}"
rows = 1
licence = "MIT"
home = "https://gone.example"
unfetchable = "its link expired; use --mirror with a copy"
"""
    )
    return path


def run(*arguments: object):
    return CliRunner().invoke(fetch.main, [str(argument) for argument in arguments])


def test_home_files_become_the_table_that_training_reads(home, tmp_path):
    done = run("--out", tmp_path / "data", "--sources", sources(tmp_path, home), "--only", "bank")
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(tmp_path / "data/public/bank.parquet")
    assert table["text"].tolist() == ["Where is my card?", "It was declined", "How do I top up?"]
    assert table["id"].tolist() == [0, 1, 2]
    assert table["split"].tolist() == ["train", "train", "test"]
    assert sorted(path.name for path in (tmp_path / "data/public").iterdir()) == ["bank.parquet"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"second": b"another"}, ["test.csv: another file", "use --mirror"]),
        ({"test": "absent.csv"}, ["absent.csv: File not found", "check the connection"]),
    ],
)
def test_another_file_or_none_leaves_nothing(home, tmp_path, change, told):
    path = sources(tmp_path, home, **change)
    done = run("--out", tmp_path / "data", "--sources", path, "--only", "bank")
    assert done.exit_code == 1
    assert all(one in done.output for one in told)
    assert not (tmp_path / "data").exists()


def test_what_home_does_not_give_is_told_after_the_rest_was_fetched(home, tmp_path):
    done = run("--out", tmp_path / "data", "--sources", sources(tmp_path, home))
    assert done.exit_code == 1
    assert "1 of 2 not fetched" in done.output
    assert "its link expired; use --mirror with a copy" in done.output
    assert (tmp_path / "data/public/bank.parquet").is_file()


def test_a_mirror_is_checked_and_copied(tmp_path):
    mirror, out = tmp_path / "mirror", tmp_path / "out"
    (mirror / "public").mkdir(parents=True)
    (mirror / "public/bank.parquet").write_bytes(b"as it was used")
    path = sources(tmp_path, "https://bank.example")
    assert run("--mirror", mirror, "--sources", path, "--only", "bank").exit_code == 0
    assert run("--mirror", mirror, "--out", out, "--sources", path, "--only", "bank").exit_code == 0
    assert (out / "public/bank.parquet").read_bytes() == b"as it was used"
    (mirror / "public/bank.parquet").write_bytes(b"changed")
    done = run("--mirror", mirror, "--sources", path)
    assert done.exit_code == 1
    assert "get the mirror anew" in done.output
    assert "gone.parquet: no such file" in done.output


def test_usage():
    assert "name a folder to write" in run().output
    assert run("--out", "x", "--only", "nothing").exit_code == 2


def test_every_source_can_be_had_or_says_why_not():
    known = fetch.read_sources()
    assert len(known) == 8
    for source in known:
        assert bool(source.remotes) != bool(source.unfetchable), source.name
        for remote in source.remotes:
            assert remote.url.startswith("https://")
            assert len(remote.sha256) == 64


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the public files are not part of the project")
def test_the_mirror_at_hand_is_whole():
    done = run("--mirror", MIRROR)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("name", "url", "content", "texts"),
    [
        ("clinc150", "data_full.json", b'{"val": [["a", "x"]], "train": [["b", "y"]]}', ["a", "b"]),
        (
            "minibar",
            "Garmin%20Connect.en.csv",
            b"data,problem_report,feature_request,irrelevant\nfine,0,0,1\n",
            ["fine"],
        ),
        ("bitext", "data/dev/x.csv", b"utterance,intent\nhelp me,contact\n", ["help me"]),
    ],
)
def test_conversions(name, url, content, texts):
    table = fetch.CONVERSIONS[name]([content], [f"https://home.example/{url}"])
    assert table["text"].tolist() == texts
    assert table["id"].tolist() == list(range(len(texts)))
    if name == "minibar":
        assert table.loc[0, ["app", "lang"]].tolist() == ["Garmin Connect", "en"]
