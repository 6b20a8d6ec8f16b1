"""A module imports only from lower floors, by the table of docs/architecture.md."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "classifier"

FLOORS = {
    "errors": 0,
    "labels": 0,
    "chars": 0,
    "cues": 0,
    "lexicon": 0,
    "revenue": 0,
    "progress": 0,
    "buffers": 0,
    "startup": 0,
    "schema": 1,
    "settings": 1,
    "metrics": 1,
    "splits": 1,
    "needles": 1,
    "phrases": 1,
    "leaving": 2,
    "hashes": 1,
    "priors": 1,
    "remembered": 1,
    "shipped": 1,
    "composed": 1,
    "amounts": 1,
    "read": 2,
    "clean": 2,
    "redact": 2,
    "language": 2,
    "split": 2,
    "features": 2,
    "vectors": 2,
    "dedupe": 2,
    "labelled": 2,
    "tables": 2,
    "trends": 2,
    "factors": 2,
    "transformer": 2,
    "linkage": 2,
    "newest": 3,
    "kernel": 3,
    "deciding": 3,
    "spanfill": 3,
    "entities": 3,
    "areas": 3,
    "cluster": 3,
    "titles": 3,
    "sentences": 3,
    "static": 3,
    "classify": 4,
    "group": 4,
    "encoders": 4,
    "link": 4,
    "objectives": 4,
    "rank": 4,
    "marketing": 4,
    "accurate": 5,
    "spans": 5,
    "report": 6,
    "models": 6,
    "card": 6,
    "backlogs": 6,
    "present": 6,
    "pipeline": 7,
    "train": 7,
    "evaluate": 7,
    "explain": 7,
    "engines": 8,
    "options": 8,
    "teach": 8,
    "model": 8,
    "run": 9,
    "cli": 10,
}
FRONT_DOOR = {"", "__main__"}
"""`classifier/__init__.py` and `classifier/__main__.py` stand above the house."""

OPEN_NAMES = {"__version__"}
"""What of theirs may be imported from below."""


def imported_names(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name inside the package) for every import of the package, wherever it stands.

    Imports under `if TYPE_CHECKING:` are left out: they never run.
    """
    tree = ast.parse(source)
    asleep = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test).endswith("TYPE_CHECKING")
        for statement in branch.body
        for node in ast.walk(statement)
    }
    here = [PACKAGE, *filter(None, module.split("."))]
    for node in ast.walk(tree):
        if id(node) in asleep:
            continue
        for name in _absolute_names(node, here if is_package else here[:-1]):
            if name == PACKAGE or name.startswith(f"{PACKAGE}."):
                yield node.lineno, name.removeprefix(PACKAGE).removeprefix(".")


def _absolute_names(node: ast.AST, package: list[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *filter(None, [node.module])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {
        "import_module",
        "__import__",
    }:
        return [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
    return []


def violations(sources: Mapping[str, str]) -> list[str]:
    """Return what breaks the rule, in order of module and line.

    `sources` is {dotted module name inside the package: source}; a package's `__init__.py` goes by the
    package's name.
    """
    packages = {name.rpartition(".")[0] for name in sources} | {""}
    found: list[str] = []
    inside: dict[str, set[str]] = {}
    for module, source in sorted(sources.items()):
        if module in FRONT_DOOR:
            continue
        for line, target in imported_names(source, module, is_package=module in packages):
            if target in OPEN_NAMES:
                continue
            fault = _fault(module, target)
            if fault:
                found.append(f"{module}:{line} {fault}")
            elif target.split(".")[0] == module.split(".")[0]:
                inside.setdefault(module, set()).add(_owner(target, sources))
    return found + [f"import cycle: {' -> '.join(cycle)}" for cycle in _cycles(inside)]


def _fault(module: str, target: str) -> str:
    """Say what is wrong with an import of `target` in `module`; empty if nothing is."""
    own, other = module.split(".")[0], target.split(".")[0]
    if own not in FLOORS:
        return "stands on no floor"
    if other not in FLOORS:
        return f"imports {other or PACKAGE}, which stands on no floor"
    if own == other and "." in f"{module}{target}":
        return ""
    if FLOORS[own] < FLOORS[other]:
        return f"imports upward: {own} ({FLOORS[own]}) -> {other} ({FLOORS[other]})"
    if FLOORS[own] == FLOORS[other]:
        return f"imports sideways: {own} -> {other} (both {FLOORS[own]})"
    return ""


def _owner(target: str, sources: Mapping[str, str]) -> str:
    """Return the module that holds the name `target`: read.formats.READERS -> read.formats."""
    while target and target not in sources:
        target = target.rpartition(".")[0]
    return target


def _cycles(edges: Mapping[str, set[str]]) -> Iterator[list[str]]:
    for start in sorted(edges):
        path = _path(start, start, edges, seen=set())
        # Each cycle once: from its first module in alphabetical order.
        if path and start == min(path):
            yield [start, *path]


def _path(here: str, goal: str, edges: Mapping[str, set[str]], seen: set[str]) -> list[str]:
    for step in sorted(edges.get(here, ())):
        if step == goal:
            return [goal]
        if step not in seen:
            seen.add(step)
            rest = _path(step, goal, edges, seen)
            if rest:
                return [step, *rest]
    return []


def package_sources() -> dict[str, str]:
    folder = ROOT / PACKAGE
    sources = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return sources


def test_every_import_goes_down() -> None:
    assert violations(package_sources()) == []


def test_every_module_stands_on_a_floor() -> None:
    homeless = {name.split(".")[0] for name in package_sources()} - FLOORS.keys() - FRONT_DOOR
    assert not homeless, f"give {sorted(homeless)} a floor here and in docs/architecture.md"


def test_the_table_is_the_one_in_the_docs() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", text, flags=re.MULTILINE)
    documented = {
        name.rstrip("/"): int(floor) for floor, names in rows for name in re.findall(r"`([^`]+)`", names)
    }
    assert documented == FLOORS


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param({"rank": "from classifier.clean import clean"}, [], id="down"),
        pytest.param({"cli": "from classifier import __version__"}, [], id="version"),
        pytest.param(
            {"rank": "import typing\nif typing.TYPE_CHECKING:\n    from classifier.cli import main"},
            [],
            id="for the type checker alone",
        ),
        pytest.param(
            {"clean": "from classifier.rank import rank"},
            ["clean:1 imports upward: clean (2) -> rank (4)"],
            id="upward",
        ),
        pytest.param(
            {"clean": "import json\nimport classifier.split as s"},
            ["clean:2 imports sideways: clean -> split (both 2)"],
            id="sideways",
        ),
        pytest.param(
            {"split": "def f():\n    from classifier import pipeline"},
            ["split:2 imports upward: split (2) -> pipeline (7)"],
            id="inside a function",
        ),
        pytest.param(
            {"split": "from importlib import import_module\nimport_module('classifier.cli')"},
            ["split:2 imports upward: split (2) -> cli (10)"],
            id="by name",
        ),
        pytest.param(
            {"read": "", "read.formats": "from ..rank import rank"},
            ["read.formats:1 imports upward: read (2) -> rank (4)"],
            id="relative",
        ),
        pytest.param(
            {
                "read": "from .formats import x",
                "read.formats": "from classifier.read.text import y",
                "read.text": "",
            },
            [],
            id="inside a package",
        ),
        pytest.param(
            {
                "read": "",
                "read.a": "from classifier.read.b import x",
                "read.b": "def f():\n    from . import a",
            },
            ["import cycle: read.a -> read.b -> read.a"],
            id="both directions inside a package",
        ),
        pytest.param(
            {"helpers": "import classifier.errors"}, ["helpers:1 stands on no floor"], id="homeless"
        ),
        pytest.param(
            {"rank": "from classifier import load"},
            ["rank:1 imports load, which stands on no floor"],
            id="through the front door",
        ),
    ],
)
def test_the_check_can_fail(sources: dict[str, str], expected: list[str]) -> None:
    assert violations(sources) == expected
