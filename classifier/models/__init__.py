"""Models on disk: folders that hold numbers and JSON, and can run no code.

In: a name or a path. Out: a checked, loaded model. Never unpickles anything; never loads a file whose
sha256 isn't the one that model.json names.
"""

from classifier.models.finding import called, current_of, find, folders, usable_as
from classifier.models.layout import CARD, CURRENT, DESCRIPTION, WEIGHTS
from classifier.models.loaded import LoadedModel, choose_tier
from classifier.models.reading import load
from classifier.models.writing import AccurateFiles, appoint_first, require_free, rounded, save

__all__ = [
    "CARD",
    "CURRENT",
    "DESCRIPTION",
    "WEIGHTS",
    "AccurateFiles",
    "LoadedModel",
    "appoint_first",
    "called",
    "choose_tier",
    "current_of",
    "find",
    "folders",
    "load",
    "require_free",
    "rounded",
    "save",
    "usable_as",
]
