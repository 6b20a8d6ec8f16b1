"""Models on disk: folders that hold numbers and JSON, and can run no code.

In: a name or a path. Out: a checked, loaded model. Never unpickles anything; never loads a file whose
sha256 isn't the one that model.json names.
"""

from classifier.models.finding import find, folders
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
    "choose_tier",
    "find",
    "folders",
    "load",
    "require_free",
    "rounded",
    "save",
]
