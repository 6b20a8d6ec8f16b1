"""The benchmark's page and its steps on tiny figures: nothing is timed here."""

import re
import subprocess
import sys

import bench_measure
import bench_page
import bench_peers
import bench_scoring
import bench_tickets
import bench_weights
import numpy as np
import pytest
from trained import ROOT

MEASURED = {"date": "2026-01-02", "processor": "abacus", "cores": 2, "python": "3.11.7", "load": 0.25}


def way(rate: float, f1: float | None = None, **more: float) -> dict[str, object]:
    shared = {
        "rows": 100,
        "seconds": 100 / rate,
        "cpu_seconds": 100 / rate,
        "bytes": 50_000,
        "peak_mb": 300.0,
    }
    return {**shared, "total_mb": 400.0, "rate": rate, "rates": [rate], "macro_f1": f1, **more}


RESULTS = {
    "peers": {
        "measured": MEASURED,
        "rows": 100,
        "repeat": 2,
        "learnt": {"fasttext": 12.0},
        "missing": ["torch"],
        "ways": {
            "score fast": way(60_000.0),
            "fast": way(120_000.0, 0.75),
            "fasttext": way(15_000.0, 0.5, start_seconds=0.4),
        },
    },
    "tiers": {
        "measured": MEASURED,
        "repeat": 2,
        "cores": [1],
        "ways": {
            "torch on 1": way(10.0),
            "accurate on 1": way(40.0),
            "cascade on 1": {**way(300.0), "asked": {"these tickets": 0.125}},
        },
    },
    "growth": {"measured": MEASURED, "tier": "fast", "rows": {"1000": way(500.0), "100000": way(50_000.0)}},
    "workers": {
        "measured": MEASURED,
        "rows": 200,
        "files": 8,
        "repeat": 2,
        "ways": {"local 1": way(10.0), "local 2": way(18.0), "dask 1": way(10.0), "dask 2": way(17.0)},
    },
    "weights": {
        "measured": MEASURED,
        "texts": 20_000,
        "ngrams": 3_000_000,
        "kinds": {
            "float16": {
                "mb": 12.28,
                "macro_f1": {"dev": 0.8, "dev_written": 0.7, "dev_unseen": 0.6},
                "changed": 0.0012,
                "ns_per_ngram": 9.0,
            }
        },
    },
    "start": {
        "measured": MEASURED,
        **{name: {"best": 0.2, "runs": [0.3, 0.2]} for name in ("--help", "explain", "score")},
    },
}
PAGE = "".join(
    f"## {part}\n\n<!-- figures: {part} -->\nold\n<!-- /figures -->\n" for part in (*RESULTS, "themes")
)


def test_the_page_shows_what_was_measured():
    page = bench_page.rendered(PAGE, RESULTS)
    assert "| fastText, predict only | 100 | 15,000 | 7.50 | 1.00 | 67 | 300 | 0.4 | 0.500 |" in page
    assert "| `classifier score --tier fast`, CSV to CSV | 100 | 60,000 | 30.00 | 4.00 |" in page
    assert "Not installed, so left out: MiniLM (torch, frozen) + LR, learnt from some 4,000 texts." in page
    assert "| 1 | 10.0 | 40.0 | 300.0 | 4.00 | 7.50 |" in page
    assert "The cascade asks the accurate tier about 12.5 % of these tickets." in page
    assert "| 100,000 | 0.0 | 50,000 |" in page
    assert "| Dask (`--scheduler`), warm | 10 | 17 | 1.70 |" in page
    assert "| float16 | 12.3 | 9.0 | 0.8000 | 0.7000 | 0.6000 | 0.12 % |" in page
    assert "| `classifier --help` | 0.20 | 0.30, 0.20 |" in page
    assert page.count("2026-01-02, abacus, 2 cores, Python 3.11.7; load at the beginning 0.2.") == 6
    assert bench_page.rendered(page, RESULTS) == page


def test_what_was_not_measured_is_told_and_what_others_write_stays():
    page = bench_page.rendered(PAGE, {})
    assert page.count("Not measured yet.") == 6
    assert "<!-- figures: themes -->\nold\n" in page


def test_without_torch_the_tiers_are_still_compared():
    ways = {name: one for name, one in RESULTS["tiers"]["ways"].items() if not name.startswith("torch")}
    page = bench_page.rendered(PAGE, {"tiers": {**RESULTS["tiers"], "ways": ways}})
    assert "| 1 | – | 40.0 | 300.0 | – | 7.50 |" in page


def test_parts_are_kept_beside_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_page, "FOLDER", tmp_path / "benchmarks")
    monkeypatch.setattr(bench_page, "RESULTS", tmp_path / "benchmarks" / "results.json")
    monkeypatch.setattr(bench_page, "PAGE", tmp_path / "benchmarks.md")
    (tmp_path / "benchmarks.md").write_text(PAGE)
    for part, figures in RESULTS.items():
        bench_page.record(part, figures)
    assert set(bench_page.load()) == set(RESULTS)
    assert bench_page.load()["start"] == RESULTS["start"]
    written = bench_page.renew()
    assert [path.name for path in written] == ["benchmarks.md", "rates.svg", "growth.svg"]
    pictures = [path.read_bytes() for path in written[1:]]
    assert all(picture.startswith(b"<?xml") for picture in pictures)
    bench_page.renew()
    assert [path.read_bytes() for path in written[1:]] == pictures


def test_the_shipped_page_says_what_its_figures_say():
    page = bench_page.PAGE.read_text(encoding="utf-8")
    assert bench_page.rendered(page, bench_page.load()) == page, "run scripts/bench_scoring.py --page-only"
    assert set(re.findall(r"<!-- figures: (\S+) -->", page)) >= set(bench_page.SECTIONS)
    assert set(bench_page.SECTIONS) == set(bench_scoring.PARTS)


def test_ways_are_measured_in_turns_and_the_fastest_run_counts():
    order, rates = [], iter([10.0, 1.0, 12.0, 3.0])

    def measure(name):
        def one(number):
            order.append((number, name))
            return way(next(rates), 0.5 if number == 0 else None)

        return one

    found = bench_scoring.in_turns({name: measure(name) for name in "ab"}, 2)
    assert order == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    assert {name: (one["rate"], one["rates"], one["macro_f1"]) for name, one in found.items()} == {
        "a": (12.0, [10.0, 12.0], 0.5),
        "b": (3.0, [1.0, 3.0], 0.5),
    }


def test_a_process_tells_what_it_took():
    code = "import sys, time; block = bytes(60 << 20); time.sleep(0.3); print('x'); print('{\"a\": 1}')"
    done = bench_scoring.process([sys.executable, "-c", code])
    assert bench_scoring.told(done.out) == {"a": 1}
    assert done.peak_mb > 60
    with pytest.raises(bench_scoring.click.ClickException, match="exit code 3"):
        bench_scoring.process([sys.executable, "-c", "raise SystemExit(3)"])


def test_tickets_are_the_same_in_one_file_and_in_many(tmp_path, monkeypatch):
    some = bench_tickets.written()[:200]
    monkeypatch.setattr(bench_tickets, "written", lambda: some)
    bench_tickets.write_tickets([tmp_path / "one.csv"], 11)
    parts = [tmp_path / f"{number}.csv" for number in range(3)]
    bench_tickets.write_tickets(parts, 11)
    lines = [path.read_text().splitlines()[1:] for path in parts]
    assert [len(part) for part in lines] == [3, 3, 5]
    assert [line for part in lines for line in part] == (tmp_path / "one.csv").read_text().splitlines()[1:]


def test_macro_f1():
    true = np.array([[True, False, True], [True, False, False]])
    found = np.array([[True, False, False], [True, False, False]])
    assert bench_measure.macro_f1(found, true) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", ["tfidf", "fast"])
def test_a_peer_learns_is_kept_and_decides(name, tmp_path):
    peer = bench_peers.PEERS[name]
    texts = ["it crashes all day", "please add a calendar", "a lovely day at sea"] * 4
    labels = np.array([[True, False, False], [False, True, False], [False, False, True]] * 4)
    if peer.learn:
        peer.learn(texts, labels, tmp_path)
    found = peer.load(tmp_path)(texts)
    assert found.shape == labels.shape
    assert found.dtype == bool
    if peer.learn:
        assert (found == labels).all()


def test_weights_in_fewer_bits_stand_for_nearly_the_same():
    weights = np.array([[0, 0], [1.27, -12.7], [-0.4, 3.3]], dtype=np.float32)
    found = bench_weights.kinds(weights)
    assert [kept.dtype.name for kept, _ in found.values()] == ["float32", "float16", "int8"]
    assert [kept.nbytes for kept, _ in found.values()] == [24, 12, 6]
    for _, restored in found.values():
        assert np.abs(restored - weights).max() <= 0.05
        assert (restored[0] == 0).all()


def test_the_steps_can_be_called():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bench_measure.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(step in done.stdout for step in ("tickets", "texts", "learn", "predict", "cluster"))
