"""Options and fixtures that several test files share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine takes longer for the very same work: a test says what is right, not how fast it comes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

GOLDEN = Path(__file__).parent / "data" / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/data/golden; review the diff before committing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Compare bytes with a committed file of tests/data/golden."""

    def check(name: str, content: bytes) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        expected = path.read_bytes() if path.exists() else b""
        assert content.decode().splitlines() == expected.decode().splitlines(), (
            f"{name} differs; if that is meant: pytest --update-golden, then review the diff"
        )
        assert content == expected

    return check
