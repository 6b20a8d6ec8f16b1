"""Errors that the user can act on.

In: what was found, where, and what to do about it, as one message. Out: an exception whose
text is shown to the user as it is. Never holds text of a document: ids and row numbers only.
"""


class FeedbackError(Exception):
    """The user can act on this; every other exception is a bug and keeps its traceback."""


class InputError(FeedbackError):
    """A file or a row cannot be read."""


class SchemaError(FeedbackError):
    """A table lacks columns or holds the wrong types."""


class SettingsError(FeedbackError):
    """classifier.toml or an option is wrong; the message lists every fault."""


class OptionError(SettingsError):
    """The command line itself is wrong, whatever the files hold: exit code 2."""


class ModelError(FeedbackError):
    """A model is missing, damaged, or made for other labels."""


class OutputError(FeedbackError):
    """A result cannot be written (disk full, no permission, foreign files in the folder)."""


class EngineError(FeedbackError):
    """A worker or a scheduler failed; the message names the rows that it was at."""


class ExtraError(FeedbackError):
    """An option needs packages that are not installed."""


def extra_missing(what: str, extra: str) -> ExtraError:
    """Return the error to raise where `what` (an option, an address) needs the extra `extra`."""
    return ExtraError(
        f"{what} needs packages that are not installed; run: pip install 'feedback-classifier[{extra}]'"
    )
