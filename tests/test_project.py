"""The project's own promises: set-up, lock files, dependencies, package contents, start-up."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import classifier
from classifier.report import manifest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")

IMPORT_NAMES = {
    "charset-normalizer": "charset_normalizer",
    "lingua-language-detector": "lingua",
    "scikit-learn": "sklearn",
}
"""Distribution -> module, where the names differ by more than a hyphen."""

SHAPES_NOTHING = {
    "click",
    "joblib",
    "markupsafe",
    "matplotlib",
    "orjson",
    "platformdirs",
    "safetensors",
    "threadpoolctl",
    "tqdm",
}
"""Distributions whose version changes no result of a run: they parse, move or draw, or work elsewhere."""


def test_a_run_tells_the_version_of_all_that_may_change_its_results() -> None:
    names = {canonicalize_name(Requirement(one).name) for one in PROJECT["project"]["dependencies"]}
    told = set(manifest.versions())
    assert told == names - SHAPES_NOTHING | {"python", "feedback-classifier"}


HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "sklearn",
    "scipy",
    "numba",
    "onnxruntime",
    "spacy",
    "matplotlib",
    "lingua",
    "jinja2",
    "tokenizers",
)


# Set-up


def run_setup(tmp_path: Path, interpreter: str, goal: str = "demo") -> subprocess.CompletedProcess[str]:
    """Run scripts/setup.sh in an empty project; the only Python is the shell script `interpreter`."""
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "setup.sh"
    script.write_bytes((ROOT / "scripts" / "setup.sh").read_bytes())
    stub = tmp_path / "bin" / "python3"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\n{interpreter}\n", encoding="utf-8")
    stub.chmod(0o755)
    for tool in ("cat", "cksum", "dirname", "env", "rm", "sh"):
        found = next(path for path in (Path("/usr/bin", tool), Path("/bin", tool)) if path.exists())
        (stub.parent / tool).symlink_to(found)
    return subprocess.run(
        ["/bin/sh", str(script), "requirements.lock"],
        env={"PATH": str(stub.parent), "GOAL": goal},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_setup_names_the_python_that_is_too_old_and_how_to_get_a_newer_one(tmp_path: Path) -> None:
    done = run_setup(
        tmp_path, 'case "$1" in --version) echo "Python 3.9.18" ;; *) exit 1 ;; esac', goal="test"
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed; found: Python 3.9.18" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr
    assert "make PYTHON=/path/to/python3 test" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_setup_says_when_venv_or_pip_is_missing(tmp_path: Path) -> None:
    done = run_setup(
        tmp_path,
        'case "$*" in --version) echo "Python 3.12.3" ;; *ensurepip*) exit 1 ;; esac',
    )
    assert done.returncode == 1
    assert "Python 3.12.3" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_setup_installs_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # A stub that makes a .venv of itself and notes what pip is asked for.
    stub = f"""PATH=$PATH:/usr/bin:/bin
echo "$@" >>{log}
case "$*" in
    --version) echo "Python 3.12.3" ;;
    *"-m venv"*) mkdir -p .venv/bin && ln -sf "$0" .venv/bin/python ;;
esac"""
    for lock in LOCKS:
        (tmp_path / lock).write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    assert run_setup(tmp_path, stub).returncode == 0
    first = log.read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.lock" in first
    again = [
        subprocess.run(
            ["/bin/sh", str(tmp_path / "scripts" / "setup.sh"), lock],
            env={"PATH": str(tmp_path / "bin")},
            capture_output=True,
            text=True,
            check=True,
        )
        for lock in ("requirements.lock", "requirements-dev.lock", "requirements.lock")
    ]
    installs = re.findall(r"--require-hashes -r (\S+)", log.read_text(encoding="utf-8"))
    # The runtime lock once, then the larger one; after that both are there.
    assert installs == ["requirements.lock", "requirements-dev.lock"]
    assert [bool(done.stderr) for done in again] == [False, True, False]
    assert log.read_text(encoding="utf-8").count("-m venv") == 1


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_make_alone_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    listed = set(re.findall(r"^  make (\S+)", make(), flags=re.MULTILINE))
    assert listed == set(phony.split()) - {"runtime", "dev"}


def test_the_demo_reads_files_that_are_there() -> None:
    inputs = re.findall(r"data/examples/\S+", make("--dry-run", "demo"))
    assert len(inputs) >= 7
    assert [name for name in inputs if not (ROOT / name).is_file()] == []


# Lock files


def pins(lock: str) -> dict[str, Version]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {
        canonicalize_name(name): Version(v)
        for name, v in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", text, re.M)
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_hashed_and_names_no_server(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text
    blocks = re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def requirements(group: str) -> list[Requirement]:
    found = []
    for entry in PROJECT["dependency-groups"][group]:
        found += requirements(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


def test_the_locks_hold_what_the_project_file_asks_for() -> None:
    runtime = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    for lock, wanted in (
        ("requirements.lock", runtime + requirements("build")),
        ("requirements-dev.lock", runtime + requirements("dev")),
    ):
        pinned = pins(lock)
        unmet = [
            str(one)
            for one in wanted
            if canonicalize_name(one.name) not in pinned
            or not one.specifier.contains(pinned[canonicalize_name(one.name)])
        ]
        assert unmet == [], f"{lock} is behind pyproject.toml: make lock"


def test_the_larger_lock_agrees_with_the_smaller() -> None:
    runtime, dev = (pins(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in runtime} == runtime


# Dependencies


def third_party_imports() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "classifier").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).split(".")[0])
    return names - sys.stdlib_module_names - {"classifier"}


LOADED_BY_OTHERS = {"s3fs"}
"""What another package loads by its name: fsspec, for an address."""


def test_every_import_is_declared_and_every_dependency_imported() -> None:
    extras = [text for texts in PROJECT["project"]["optional-dependencies"].values() for text in texts]
    declared = {Requirement(text).name for text in PROJECT["project"]["dependencies"] + extras}
    declared -= LOADED_BY_OTHERS
    assert {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in declared} == third_party_imports()


# What is shipped


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """Names inside the wheel and inside the source archive."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    (archive,) = out.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as zipped, tarfile.open(archive) as tar:
        return set(zipped.namelist()), {name.partition("/")[2] for name in tar.getnames()}


def test_the_wheel_holds_the_package_its_templates_and_both_models(
    built: tuple[set[str], set[str]],
) -> None:
    wheel, _ = built
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "classifier").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    model = {
        f"classifier/_models/{path.relative_to(ROOT / 'models').as_posix()}"
        for name in ("default", "encoder", "static")
        for path in (ROOT / "models" / name).rglob("*")
        if path.is_file()
    }
    assert any(name.endswith("card.md") for name in model)
    assert {name for name in wheel if ".dist-info/" not in name} == package | model


def test_the_source_archive_can_build_test_and_run_the_demo(built: tuple[set[str], set[str]]) -> None:
    _, archive = built
    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "data/examples/tickets.json",
        "pyproject.toml",
        "requirements-dev.lock",
        "requirements.lock",
        "scripts/setup.sh",
        "tests/test_project.py",
    } <= archive
    assert not [name for name in archive if name.startswith((".venv", "demo-report"))]


def test_the_version_is_written_down_once_and_has_a_changelog_entry() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(classifier.__version__)}\]", changelog, flags=re.MULTILINE)


# The front door


def run_python(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_public_names_are_there_and_listed() -> None:
    for name in classifier.__all__:
        assert getattr(classifier, name) is not None
        assert name in dir(classifier)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'classifier' has no attribute 'fit_transform'"):
        classifier.fit_transform  # noqa: B018


def test_the_front_door_is_lazy() -> None:
    program = (
        "import sys, classifier; print(*(name for name in sys.modules if name.startswith('classifier.')))"
    )
    assert run_python("-c", program) == ""


@pytest.mark.parametrize("module", ["classifier", "classifier.cli"])
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    program = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    assert run_python("-c", program) == ""


def test_python_dash_m_is_the_same_program() -> None:
    assert classifier.__version__ in run_python("-m", "classifier", "--version")
