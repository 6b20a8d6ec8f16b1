"""Labels, themes and backlogs from customer feedback: the public names.

In: `classifier.load(...)`. Out: a Model. Never imports a heavy library before a name is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.model import Model, load

__version__ = "0.1.0"

__all__ = ["Model", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from classifier import model

    return getattr(model, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
