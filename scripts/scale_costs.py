"""What scoring costs, from a few measured figures: renews the tables of docs/scale.md.

In: the figures that stand in the page's own block `figures`. Out: the same page, its tables computed anew.
Never measures anything itself; the page says how that is done.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
DOCUMENTS = {"10 M": 1e7, "1 G": 1e9, "100 G": 1e11}
CORES = (2, 16, 128)

_FIGURES = re.compile(r"^```figures\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_TABLE = "(<!-- {name} -->\n).*?(<!-- /{name} -->)"


def figures(page: str) -> dict[str, float]:
    """Return the measured figures of a page: name -> number."""
    found = _FIGURES.search(page)
    if found is None:
        raise SystemExit("no block of figures")
    pairs = (line.split("#")[0].split("=") for line in found[1].splitlines() if "=" in line)
    return {name.strip(): float(number) for name, number in pairs}


def workers(given: Mapping[str, float]) -> str:
    """Return the table of what the workers cost: they read, clean and score."""
    lines = [
        "| documents | read | core-hours | price | " + " | ".join(f"{n} cores" for n in CORES) + " |",
        "|---|---|---|---|" + "---|" * len(CORES),
    ]
    for name, documents in DOCUMENTS.items():
        hours = documents / given["documents_per_core_second"] / 3600
        cells = [
            name,
            size(documents * given["bytes_in"]),
            f"{hours:,.1f}",
            f"${hours * given['price']:,.2f}",
        ]
        cells += [duration(hours / cores) for cores in CORES]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def client(given: Mapping[str, float]) -> str:
    """Return the table of what the one process must do that takes the parts in."""
    lines = ["| documents | time | memory for duplicates | parts on disk | output |", "|---|---|---|---|---|"]
    for name, documents in DOCUMENTS.items():
        hours = documents / given["documents_taken_in_per_second"] / 3600
        sizes = (given[key] * documents for key in ("bytes_remembered", "bytes_kept", "bytes_out"))
        lines.append(f"| {name} | {duration(hours)} | {' | '.join(map(size, sizes))} |")
    return "\n".join(lines) + "\n"


def duration(hours: float) -> str:
    """Return hours as people say them."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.0f} days"


def size(count: float) -> str:
    """Return bytes as people say them."""
    for unit, one in (("TB", 1e12), ("GB", 1e9)):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count / 1e6:,.0f} MB"


def renewed(page: str) -> str:
    """Return the page with both tables as its figures have them."""
    given = figures(page)
    for name, table in (("workers", workers(given)), ("client", client(given))):
        pattern = re.compile(_TABLE.format(name=name), flags=re.DOTALL)
        page = pattern.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} renewed\n")
