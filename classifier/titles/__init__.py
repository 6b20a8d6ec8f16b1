"""Texts of themes -> one short, readable title per theme.

In: quotes and subjects by theme. Out: what a theme says and others don't, as somebody wrote it. Never a
placeholder, and never a name that only a person's document could explain.
"""

from classifier.titles.naming import LONGEST_TITLE, titles

__all__ = ["LONGEST_TITLE", "titles"]
