"""The docs tell the truth: commands run, outputs match, and nothing of the program is left unmentioned."""

import difflib
import doctest
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner

from classifier import schema
from classifier.cli import main
from classifier.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
EXAMPLES = "data/examples"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    """Import a script by its path: scripts are no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


docs = script("write_docs")
README = docs.commands(read(ROOT / "README.md"))
RUN = list({command.line: command for command in README if command.runs}.values())


# README


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = docs.workplace(tmp_path_factory.mktemp("readme"))
    return folder


@pytest.fixture(scope="module")
def told(workplace: Path) -> Mapping[str, subprocess.CompletedProcess[str]]:
    """What every command of the README printed, run in their order in one copy of the examples."""
    done: dict[str, subprocess.CompletedProcess[str]] = docs.results([one.line for one in RUN], workplace)
    return done


@pytest.mark.parametrize("command", RUN, ids=lambda one: one.line)
def test_readme_command_runs_and_prints_what_the_readme_says(
    command: Any, told: Mapping[str, subprocess.CompletedProcess[str]]
) -> None:
    done = told[command.line]
    assert done.returncode == 0, done.stdout
    if command.output:
        assert likeness(command.output, docs.told(done.stdout)) >= ALIKE, f"make docs\n{done.stdout}"


ALIKE = 0.8
"""Part of the lines that must be the same: sums of floats, and so a theme, may differ between processors."""


def likeness(shown: str, printed: str) -> float:
    """Return the part of the lines that two outputs share, numbers aside."""
    lines = [re.sub(r"\d[\d,.]*", "0", text).splitlines() for text in (shown, printed)]
    return difflib.SequenceMatcher(None, *lines, autojunk=False).ratio()


def test_likeness_can_fail() -> None:
    assert likeness("a 1\nb", "a 2\nb") == 1
    assert likeness("a\nb\nc\nd", "a\nx\ny\nd") < ALIKE


def test_readme_python_runs() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", read(ROOT / "README.md"), flags=re.M | re.S)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["scored"]["expectation_gap"].tolist() == [True]


def test_outputs_in_the_readme_are_renewed_where_they_stand() -> None:
    page = "a\n```console\n$ x \\\n  --y\nold\n$ z\n```\n```sh\nx\n```\n"
    renewed = docs.readme(page, {"x --y": "new\nlines (1.5 s)\n", "z": "other\n"})
    assert renewed == ("a\n```console\n$ x \\\n  --y\nnew\nlines (... s)\n$ z\nother\n```\n```sh\nx\n```\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_of_the_docs_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    named = re.findall(r"(?:^|`|\$ )make ([a-z][a-z-]*)", read(page), flags=re.MULTILINE)
    assert set(named) <= targets


def test_the_readme_shows_the_demo_and_what_it_prints() -> None:
    assert any(command.line == "make demo" and command.output for command in README)


def test_the_readme_has_the_figures_of_the_model_card() -> None:
    table = docs.quality(docs.default_card())
    assert len(table.splitlines()) > 2
    assert all(row.count("|") == 7 for row in table.splitlines())
    assert table in read(ROOT / "README.md"), "make docs"


# Pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", read(linked), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}, target


def click_commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from click_commands(child, f"{path} {name}".strip())


CLI = dict(click_commands(main))


def options(command: click.Command) -> set[str]:
    return {"--help"} | {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)}


def calls(page: Path) -> Iterator[list[str]]:
    """Yield the words of every `classifier ...` in the page's blocks and inline code."""
    text = read(page).replace("\\\n", " ")
    for words in re.findall(
        r"(?:bin/|-m |^|[`$( ])classifier ((?:\w[\w ]* )?--?[a-z][^`\n]*|[a-z][^`\n]*)", text, re.M
    ):
        yield re.split(r" (?:[|>]|2>|\|\||&&|;)", words)[0].split()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "cli.md"], ids=lambda page: page.name
)
def test_commands_in_the_docs_use_options_that_exist(page: Path) -> None:
    for words in calls(page):
        named = [name for name in (" ".join(words[:2]), words[0]) if name in CLI]
        if not named and not words[0].startswith("-"):
            continue
        command = CLI[named[0]] if named else main
        used = {re.split(r"[=.,;:)]", word)[0] for word in words if word.startswith("--")}
        assert used <= options(command) | options(main), words


@pytest.mark.parametrize("name", sorted(CLI), ids=lambda name: name or "classifier")
def test_every_command_and_option_explains_itself(name: str) -> None:
    command = CLI[name]
    assert command.help
    silent = [one.name for one in command.params if isinstance(one, click.Option) and not one.help]
    assert silent == []


def test_the_page_of_commands_is_current() -> None:
    assert read(DOCS / "cli.md") == docs.cli_page(), "make docs"


def test_the_tables_of_costs_are_those_of_the_figures_beside_them() -> None:
    costs, page = script("scale_costs"), read(DOCS / "scale.md")
    assert costs.renewed(page) == page, "python scripts/scale_costs.py"
    given = {**costs.figures(page), "documents_per_core_second": 1e4 / 3.6, "price": 0.05, "bytes_in": 500}
    assert "| 1 G | 500.0 GB | 100.0 | $5.00 | 2 days | 6.2 h | 47 min |" in costs.workers(given)


# Settings


def defaults(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, default) of every setting; a section of free names is one setting."""
    for one in fields(value):
        default = getattr(value, one.name)
        if is_dataclass(default):
            yield from defaults(default, f"{prefix}{one.name}.")
        elif isinstance(default, Mapping) and default:
            yield from ((f"{prefix}{one.name}.{key}", item) for key, item in default.items())
        else:
            yield f"{prefix}{one.name}", list(default) if isinstance(default, tuple) else default


def sections(page: Path) -> dict[str, str]:
    """Return {heading of second order: text below it}."""
    parts = re.split(r"^## (.+)$", read(page), flags=re.MULTILINE)
    return {heading.strip("[]` "): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_settings_page_holds_every_setting_with_its_default() -> None:
    documented: dict[str, Any] = {}
    for section, text in sections(DOCS / "settings.md").items():
        rows = re.findall(r"^\| `([\w.]+)` \| `(.+?)` \|", text, flags=re.MULTILINE)
        documented |= {f"{section}.{key}": json.loads(default) for key, default in rows}
        free = re.search(r"Default: `(.+?)`\.", text)
        if free:
            documented[section] = json.loads(free[1])
    assert documented == dict(defaults(Settings()))


# Tables

OUTPUTS = {
    "scored.parquet": schema.SCORED,
    "product_backlog.csv": schema.PRODUCT_BACKLOG,
    "marketing_backlog.csv": schema.MARKETING_BACKLOG,
    "claims_at_risk.csv": schema.CLAIMS_AT_RISK,
    "themes.csv": schema.THEMES,
    "evidence.csv": schema.EVIDENCE,
    "influence.csv": schema.INFLUENCE,
    "rejected.csv": schema.REJECTED,
    "duplicates.csv": schema.DUPLICATES,
    "dropped.csv": schema.DROPPED,
}


def column_rows(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `(\w+)` \| (.+) \|$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_page_lists_the_columns_in_order(name: str) -> None:
    listed = [column for column, _ in column_rows(sections(DOCS / "outputs.md")[name])]
    assert listed == list(OUTPUTS[name])


INPUTS = {
    "claims.csv": schema.CLAIMS,
    "capabilities.csv": schema.CAPABILITIES,
    "accounts.csv": schema.ACCOUNTS,
    "objectives.csv": schema.OBJECTIVES,
}


@pytest.mark.parametrize("name", INPUTS)
def test_input_page_lists_the_columns_of_the_side_tables(name: str) -> None:
    listed = [column for column, _ in column_rows(sections(DOCS / "input.md")[name])]
    assert listed == list(INPUTS[name])


# The demo company, read back as a user would


def call(*words: object, code: int = 0) -> str:
    """Run the program in this process; return what it prints on stdout."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture(scope="module")
def demo(workplace: Path, told: Mapping[str, subprocess.CompletedProcess[str]]) -> Path:
    """The folder that `make demo` writes."""
    assert told["make demo"].returncode == 0, told["make demo"].stdout
    return workplace / "demo-report"


def test_outputs_page_names_every_file(demo: Path) -> None:
    rows = re.findall(r"^\| \[`([\w.]+)`\]", read(DOCS / "outputs.md"), flags=re.MULTILINE)
    assert sorted(rows) == sorted(path.name for path in demo.iterdir())


NOT_IN_THE_DEMO = {"url"}
"""Columns that the invented exports leave empty."""

TOO_FEW_IN_THE_DEMO = {"claims_at_risk.csv": {"trend"}}
"""Columns that nothing in the demo is frequent enough for."""


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name.endswith(".csv")])
def test_a_column_is_empty_where_the_docs_say_so_and_only_there(name: str, demo: Path) -> None:
    import pandas as pd

    table = pd.read_csv(demo / name, dtype="str", keep_default_na=False)
    said = {
        c for c, meaning in column_rows(sections(DOCS / "outputs.md")[name]) if "*empty for now*" in meaning
    }
    assert [column for column in said if (table[column] != "").any()] == []
    if len(table) > 20:
        silent = {column for column in table.columns if (table[column] == "").all()}
        assert silent - said <= NOT_IN_THE_DEMO | TOO_FEW_IN_THE_DEMO.get(name, set())


# JSON


def shape(value: Any) -> Any:
    """Return the keys and kinds of a JSON value: what a program can rely on."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def differences(documented: Any, printed: Any, path: str = "") -> list[str]:
    """Return where two shapes part; an empty list, and null, fit everything; `*` is any name."""
    if [] in (documented, printed) or "NoneType" in (documented, printed):
        return []
    if isinstance(documented, dict) and isinstance(printed, dict):
        return _key_differences(documented, printed, path)
    if isinstance(documented, list) and isinstance(printed, list):
        return differences(documented[0], printed[0], f"{path}[]")
    return [] if documented == printed else [f"{path}: documented {documented}, printed {printed}"]


def _key_differences(documented: dict[str, Any], printed: dict[str, Any], path: str) -> list[str]:
    if documented.keys() == {"*"}:
        documented = dict.fromkeys(printed, documented["*"])
    found = [f"{path}.{key}: documented, not printed" for key in sorted(documented.keys() - printed.keys())]
    found += [f"{path}.{key}: printed, not documented" for key in sorted(printed.keys() - documented.keys())]
    for key in documented.keys() & printed.keys():
        found += differences(documented[key], printed[key], f"{path}.{key}")
    return found


def test_differences_can_fail() -> None:
    documented = {"a": 1, "b": {"c": "x"}, "d": [{"e": 1}], "f": [], "g": {"*": 1}}
    printed = {"a": "1", "b": {}, "d": [{"e": 1, "g": 2}], "f": [1], "g": {"x": 1, "y": "z"}}
    assert sorted(differences(shape(documented), shape(printed))) == [
        ".a: documented number, printed str",
        ".b.c: documented, not printed",
        ".d[].g: printed, not documented",
        ".g.y: documented number, printed str",
    ]


def documented_json(name: str) -> Any:
    (text,) = re.findall(r"^```json\n(.*?)^```$", sections(DOCS / "json.md")[name], flags=re.M | re.S)
    return json.loads(text)


JSON = ("--format", "json")
LABELLED = 120
"""So many labelled documents are enough to train and to measure a model, if a poor one."""


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "labelled.jsonl"
    lines = read(ROOT / "data/training/written_a.jsonl").splitlines(keepends=True)
    path.write_text("".join(lines[:LABELLED]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def printed(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What each command prints with --format json."""
    out = tmp_path_factory.mktemp("json")
    notes, again = ROOT / EXAMPLES / "sales_notes.csv", out / "again"
    texts = {
        "run": call("run", notes, "--claims", ROOT / EXAMPLES / "claims.csv", "--out", out / "run", *JSON),
        "score": call("score", notes, "--out", out / "scored.csv", *JSON),
        "report": call("report", out / "scored.csv", "--out", again, *JSON),
        "explain": call("explain", "You promised offline sync. It loses our photos every week!", *JSON),
        "evaluate": call(
            "evaluate",
            labelled,
            *("--resamples", 20),
            *("--against", "default"),
            *("--out", out / "figures"),
            *JSON,
        ),
        "sources": call("sources", *JSON),
        "diff": call("diff", out / "run", again, *JSON),
    }
    (again / "themes.csv").unlink()
    texts["verify"] = call("verify", again, *JSON, code=1)
    return texts


@pytest.mark.parametrize("name", sorted(CLI.keys() - {"", "train"}))
def test_json_page_shows_what_the_command_prints(name: str, printed: Mapping[str, str]) -> None:
    assert name in printed, f"call `{name}` in the fixture `printed`"
    assert differences(shape(documented_json(name)), shape(json.loads(printed[name]))) == []


@pytest.mark.slow
def test_json_page_shows_what_train_prints(labelled: Path, tmp_path: Path) -> None:
    text = call("train", labelled, "--out", tmp_path / "mine" / "1", *JSON)
    assert differences(shape(documented_json("train")), shape(json.loads(text))) == []


def test_errors_are_json_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "classifier", "verify", str(tmp_path / "absent"), "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert differences(shape(documented_json("Errors")), shape(json.loads(done.stderr))) == []


# Docstrings


def modules() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "classifier").rglob("*.py"))
        if ">>>" in read(path)
    ]


@pytest.mark.parametrize("module", modules())
def test_docstring_examples_run(module: str) -> None:
    failures, tried = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert tried
    assert failures == 0
