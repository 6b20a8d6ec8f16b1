"""The figures of docs/benchmarks.md: kept in docs/benchmarks/results.json, shown between markers of the page.

In: what bench_scoring measured. Out: the JSON, the page's tables, the plots. Never measures; what stands
outside of the markers is written by people, and markers that this script doesn't know are left as they are.
"""

import io
import json
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench_peers import PEERS, TORCH
from page_tables import markdown_table

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "benchmarks.md"
FOLDER: Final = PROJECT / "docs" / "benchmarks"
RESULTS: Final = FOLDER / "results.json"

NOTHING: Final = "–"
Figures = Mapping[str, Any]

_MARKED: Final = re.compile(r"(<!-- figures: (\S+) -->\n).*?(<!-- /figures -->)", flags=re.DOTALL)
_SCORED: Final = "score "
_OURS: Final = ("fast", "fast-cores", "cascade", "accurate")
_BASE: Final = "fasttext"


def record(part: str, figures: Figures) -> None:
    """Keep the figures of a part; those of other parts stay."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded({**load(), part: figures}), indent=1, sort_keys=True, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def load() -> dict[str, Any]:
    """Return all figures that were kept; empty where none were."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    return found


EXTENSIONS: Final = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI"}
"""Of processors of one name some have them and some don't; int8 products take twice the time without VNNI."""


def machine() -> dict[str, Any]:
    """Describe where and when this is measured, and how busy the machine was with other work."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    has = [name for flag, name in EXTENSIONS.items() if flag in flags]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{names[0] if names else platform.machine()} ({', '.join(has) or 'no AVX2'})",
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def renew() -> list[Path]:
    """Write the page and the plots anew from the kept figures; return what was written."""
    results = load()
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    written = [PAGE]
    for name, (part, draw) in PLOTS.items():
        if part in results:
            (FOLDER / name).write_bytes(_svg(draw, results[part]))
            written.append(FOLDER / name)
    return written


def rendered(page: str, results: Figures) -> str:
    """Return the page with what stands between its markers made from `results`."""

    def section(found: re.Match[str]) -> str:
        part = found[2]
        if part not in SECTIONS:
            return found[0]
        if part not in results:
            return f"{found[1]}Not measured yet.\n{found[3]}"
        body = "\n\n".join([_measured(results[part]["measured"]), SECTIONS[part](results[part])])
        return f"{found[1]}{body}\n{found[3]}"

    return _MARKED.sub(section, page)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return None if value != value else float(f"{value:.5g}")
    return value


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown_table(head, rows).removesuffix("\n")


def _measured(where: Figures) -> str:
    return (
        f"{where['date']}, {where['processor']}, {where['cores']} cores, Python {where['python']}; "
        f"load at the beginning {where['load']:.1f}."
    )


def _title(name: str) -> str:
    if name.startswith(_SCORED):
        return f"`classifier score --tier {name.removeprefix(_SCORED)}`, CSV to CSV"
    return PEERS[name].title


def _peers(part: Figures) -> str:
    ways = part["ways"]
    base = ways[_BASE]["rate"] if _BASE in ways else None
    rows = [
        [
            _title(name),
            f"{one['rows']:,}",
            f"{one['rate']:,.0f}",
            f"{one['bytes'] / one['seconds'] / 1e6:.2f}",
            f"{one['rate'] / base:.2f}" if base else NOTHING,
            f"{1e6 * one['cpu_seconds'] / one['rows']:,.0f}",
            f"{one['peak_mb']:,.0f}",
            f"{one['start_seconds']:.1f}" if one.get("start_seconds") else NOTHING,
            f"{one['macro_f1']:.3f}" if one.get("macro_f1") is not None else NOTHING,
        ]
        for name, one in ways.items()
    ]
    head = [
        "",
        "texts",
        "documents/s",
        "MB/s",
        "× fastText",
        "processor µs each",
        "peak MB",
        "start s",
        "macro-F1",
    ]
    body = [_table(head, rows), f"Best of {part['repeat']} rounds, in turns."]
    took = ", ".join(f"{PEERS[name].title} {seconds:,.0f} s" for name, seconds in part["learnt"].items())
    body += [f"The peers learnt once, beforehand: {took}."] * bool(took)
    left_out = ", ".join(PEERS[name].title for name in part["missing"])
    body += [f"Not installed, so left out: {left_out}."] * bool(left_out)
    return "\n\n".join([*body, "![Documents per second](benchmarks/rates.svg)"])


def _tiers(part: Figures) -> str:
    body = []
    for key, texts in (("ways", "Tickets"), ("questions", "Real support questions of 55 to 105 words")):
        if key in part:
            body += [f"{texts}:", _tier_table(part, part[key])]
    body.append(f"Documents/s, best of {part['repeat']} rounds, in turns.")
    shares = {}
    for key, texts in (("ways", "these tickets"), ("questions", "these questions")):
        asked = part.get(key, {}).get(f"cascade on {part['cores'][-1]}", {}).get("asked", {})
        shares |= {texts if name == "these tickets" else name: share for name, share in asked.items()}
    told = ", ".join(f"{100 * share:.1f} % of {texts}" for texts, share in shares.items())
    body += [f"The cascade asks the accurate tier about {told}."] * bool(told)
    return "\n\n".join(body)


def _tier_table(part: Figures, ways: Figures) -> str:
    rows = []
    for cores in part["cores"]:
        rates = {name: ways.get(f"{name} on {cores}", {}).get("rate") for name in _TIERS}
        torch, accurate, cascade = (rates[name] for name in _TIERS)
        rows.append(
            [
                str(cores),
                *(f"{rate:,.1f}" if rate else NOTHING for rate in (torch, accurate, cascade)),
                f"{accurate / torch:.2f}" if torch else NOTHING,
                f"{cascade / accurate:.2f}",
            ]
        )
    head = ["cores", *(PEERS[name].title for name in _TIERS), "accurate ÷ torch", "cascade ÷ accurate"]
    return _table(head, rows)


_TIERS: Final = (TORCH, "accurate", "cascade")


def _growth(part: Figures) -> str:
    rows = [
        [
            f"{int(count):,}",
            f"{one['seconds']:,.1f}",
            f"{one['rate']:,.0f}",
            f"{one['bytes'] / one['seconds'] / 1e6:.2f}",
            f"{one['cpu_seconds']:,.1f}",
            f"{one['peak_mb']:,.0f}",
            f"{one['total_mb']:,.0f}",
        ]
        for count, one in _by_size(part)
    ]
    head = ["rows", "seconds", "documents/s", "MB/s", "processor seconds", "peak MB", "all processes, MB"]
    return _table(head, rows) + "\n\n![Rate and memory by number of rows](benchmarks/growth.svg)"


def _by_size(part: Figures) -> list[tuple[str, Figures]]:
    return sorted(part["rows"].items(), key=lambda one: int(one[0]))


def _workers(part: Figures) -> str:
    rows = []
    for way, title in (("local", "processes here (`--workers N`)"), ("dask", "Dask (`--scheduler`), warm")):
        one, two = (part["ways"][f"{way} {count}"]["rate"] for count in (1, 2))
        rows.append([title, f"{one:,.0f}", f"{two:,.0f}", f"{two / one:.2f}"])
    table = _table(["", "1 worker, documents/s", "2 workers, documents/s", "ratio"], rows)
    rounds = f"best of {part['repeat']} rounds, in turns"
    return f"{table}\n\n{part['rows']:,} tickets in {part['files']} files, {rounds}."


def _start(part: Figures) -> str:
    titles = {
        "--help": "`classifier --help`",
        "explain": '`classifier explain "…"`',
        "score": "`classifier score`, one row",
    }
    rows = [
        [title, f"{part[name]['best']:.2f}", ", ".join(f"{one:.2f}" for one in part[name]["runs"])]
        for name, title in titles.items()
    ]
    return _table(["", "best, s", "all runs, s"], rows)


def _weights(part: Figures) -> str:
    rows = [
        [
            kind,
            f"{one['mb']:.1f}",
            f"{one['ns_per_ngram']:.1f}",
            *(f"{one['macro_f1'][name]:.4f}" for name in _GOLD),
            f"{100 * one['changed']:.2f} %",
        ]
        for kind, one in part["kinds"].items()
    ]
    head = ["weights", "MB", "ns for an n-gram", *_GOLD, "texts decided otherwise"]
    return (
        f"{_table(head, rows)}\n\nMacro-F1 of the fast tier on the gold sets; decisions and sums on "
        f"{part['texts']:,} texts of a public corpus ({part['ngrams']:,} n-grams)."
    )


_GOLD: Final = ("dev", "dev_written", "dev_unseen")


SECTIONS: Final[dict[str, Callable[[Figures], str]]] = {
    "start": _start,
    "peers": _peers,
    "tiers": _tiers,
    "workers": _workers,
    "growth": _growth,
    "weights": _weights,
}
"""What a marker of the page may name; each is a part of the results."""


def _rates_plot(figure: Any, part: Figures) -> None:
    axes = figure.add_subplot()
    ways = list(part["ways"].items())[::-1]
    rates = [one["rate"] for _, one in ways]
    ours = ["#0072B2" if name.startswith(_SCORED) or name in _OURS else "#999999" for name, _ in ways]
    axes.barh([_title(name).replace("`", "") for name, _ in ways], rates, color=ours)
    for place, rate in enumerate(rates):
        axes.text(rate, place, f" {rate:,.0f}", va="center", fontsize=8)
    axes.set(xscale="log", xlabel="documents per second (logarithmic)")
    axes.set_xlim(right=3 * max(rates))
    axes.tick_params(labelsize=8)


def _growth_plot(figure: Any, part: Figures) -> None:
    sizes = [int(count) for count, _ in _by_size(part)]
    rate, memory = figure.subplots(1, 2)
    rate.plot(sizes, [one["rate"] for _, one in _by_size(part)], marker="o")
    memory.plot(sizes, [one["peak_mb"] for _, one in _by_size(part)], marker="o", label="largest process")
    memory.plot(sizes, [one["total_mb"] for _, one in _by_size(part)], marker="s", label="all processes")
    memory.legend(fontsize=8)
    for axes, title in ((rate, "documents per second"), (memory, "peak memory, MB")):
        axes.set(xscale="log", xlabel="rows", title=title)
        axes.set_ylim(bottom=0)
        axes.grid(color="0.9")


PLOTS: Final[dict[str, tuple[str, Callable[[Any, Figures], None]]]] = {
    "rates.svg": ("peers", _rates_plot),
    "growth.svg": ("growth", _growth_plot),
}
"""File -> part of the results, and what draws it."""


def _svg(draw: Callable[[Any, Figures], None], part: Figures) -> bytes:
    """Return an SVG: the same bytes for the same figures."""
    import matplotlib as mpl
    from matplotlib import style
    from matplotlib.figure import Figure

    stream = io.BytesIO()
    with style.context("default"), mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 4), layout="constrained")
        draw(figure, part)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
