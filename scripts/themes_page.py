"""The figures of themes: kept in docs/benchmarks/themes.json, shown in a block of docs/benchmarks.md.

In: what bench_themes measured. Out: the JSON, and the block `<!-- figures: themes -->` of the page, if there
is one. Never measures.
"""

import json
import os
import platform
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from page_tables import markdown_table

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
RESULTS: Final = ROOT / "docs" / "benchmarks" / "themes.json"

SETS: Final = {
    "minibar_clusters": "app reviews, clusters by hand (Mini-BAR)",
    "banking77": "questions to a bank, intents (Banking77)",
    "clinc150": "questions to an assistant, intents (CLINC150)",
    "bitext_support": "questions to a shop, intents (Bitext)",
}
"""On the last two, weights of the static vectors were chosen; the first two only measure them."""

Figures = dict[str, Any]


def record(part: str, figures: Figures) -> None:
    """Keep figures beside those of other parts, and renew the page where there is one."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    former = results.get(part, {}).get("figures", {})
    results[part] = {"measured": _measured(), "figures": {**former, **_rounded(figures)}}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if PAGE.is_file():
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def rendered(page: str, results: Mapping[str, Any]) -> str:
    """Return the page with its block of themes made from `results`."""
    return _MARKED.sub(lambda found: f"{found[1]}{section(results)}\n{found[2]}", page)


_MARKED: Final = re.compile(r"(<!-- figures: themes -->\n).*?(<!-- /figures -->)", flags=re.DOTALL)


def section(results: Mapping[str, Any]) -> str:
    """Return the Markdown of all parts that were measured."""
    shown = [
        SHOWN[name](results[name]["figures"], results[name]["measured"]) for name in SHOWN if name in results
    ]
    return "\n".join(shown)


def _shown_scale(figures: Figures, measured: str) -> str:
    head = [
        "sentences",
        "compared by",
        "seconds",
        "processor seconds",
        "peak memory, MB",
        "themes",
        "of 5 and more",
    ]
    rows = [
        [
            f"{int(size):,}",
            re.sub(r"-[0-9a-f]{10}", "", one["vectors"]).replace(";", ", "),
            *(
                f"{one[name]:,.0f}"
                for name in ("seconds", "processor_seconds", "peak_mb", "themes", "themes_of_5")
            ),
        ]
        for size, one in sorted(figures.items(), key=lambda pair: int(pair[0]))
    ]
    notes = [f"- {int(size):,}: {note}." for size, one in figures.items() for note in one["warnings"]]
    return "\n".join(
        [
            "### Time and memory",
            "",
            "Labelled sentences of real support questions, beyond their number copies that leave out words; "
            "from their texts to themes with titles (without reading and ranking), each size in a process of "
            f"its own. {measured}",
            "",
            markdown_table(head, rows),
            *([*notes, ""] if notes else []),
        ]
    )


def _shown_quality(figures: Figures, measured: str) -> str:
    head = ["texts", "number", "compared by", "B-cubed precision", "recall", "F1", "ARI", "groups", "alone"]
    rows = [
        [SETS[name], f"{one['texts']:,}", wanted, *_agreement_cells(one)]
        for name in SETS
        if name in figures
        for wanted, one in figures[name].items()
    ]
    text = (
        "The sentences alone, without subject, tags or areas; `words` are TF-IDF, `static` and `sentences` "
        "count .7 beside them. *Alone*: the part of texts that share a group with none. How static vectors "
        f"are weighed was chosen on the last two sets. {measured}"
    )
    return "\n".join(["### Quality by what is compared", "", text, "", markdown_table(head, rows)])


def _shown_sample(figures: Figures, measured: str) -> str:
    names = {"intents": "the three sets of intents together", "corpus": "sentences of real support questions"}
    head = [
        "texts",
        "number",
        "compared",
        "F1 against all compared",
        "told by the run",
        "F1 against intents, of all",
    ]
    rows = [
        [
            names[name],
            f"{one['rows']:,}",
            f"{one['compared']:,}",
            _number(one["against_whole"]["f1"]),
            _number(one["told"]),
            f"{_number(one['sampled']['f1'])}, {_number(one['whole']['f1'])}" if "whole" in one else "–",
        ]
        for name, parts in figures.items()
        for one in parts.values()
    ]
    text = (
        "The same texts grouped twice: all compared pair by pair, and only a part of them, the others "
        "assigned. The B-cubed F1 of one against the other says how far the themes differ, that against "
        f"intents which are the better ones. {measured}"
    )
    return "\n".join(["### What a sample changes", "", text, "", markdown_table(head, rows)])


def _shown_bertopic(figures: Figures, measured: str) -> str:
    names = {"corpus": "sentences of real support questions", **SETS}
    head = ["texts", "", "seconds", "processor seconds", "peak memory, MB", "groups", "in none"]
    head += ["B-cubed F1", "ARI"]
    rows = []
    for name, pair in figures.items():
        for who, one in pair.items():
            cells = [f"{one[key]:,.0f}" for key in ("seconds", "processor_seconds", "peak_mb", "groups")]
            f1, ari = (_number(one["quality"][key]) if "quality" in one else "–" for key in ("f1", "ari"))
            if "outliers_apart" in one:
                f1 += f" ({_number(one['outliers_apart']['f1'])})"
                ari += f" ({_number(one['outliers_apart']['ari'])})"
            title = "BERTopic" if who == "bertopic" else "classifier"
            rows.append(
                [f"{names[name]}, {one['texts']:,}", title, *cells, f"{one['outliers']:.0%}", f1, ari]
            )
    text = (
        "The same sentence vectors (all-MiniLM-L6-v2, made beforehand, not in the times) for both. BERTopic "
        "with its defaults: UMAP to 5 dimensions (random state fixed), HDBSCAN, at least ten texts to a "
        f"topic; in brackets with each outlier as a group of its own instead of all as one. {measured}"
    )
    return "\n".join(["### BERTopic", "", text, "", markdown_table(head, rows)])


SHOWN: Final[dict[str, Callable[[Figures, str], str]]] = {
    "scale": _shown_scale,
    "quality": _shown_quality,
    "sample": _shown_sample,
    "bertopic": _shown_bertopic,
}


def _agreement_cells(one: Figures) -> list[str]:
    figures = [_number(one[name]) for name in ("precision", "recall", "f1", "ari")]
    return [*figures, f"{one['groups']:,}", f"{one['alone']:.1%}"]


def _number(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def _measured() -> str:
    names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    name = names[0] if names else platform.machine()
    return f"{datetime.now(UTC):%Y-%m-%d}, {name}, {os.cpu_count()} cores, load {load:.1f} at the end."


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value
