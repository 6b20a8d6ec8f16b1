"""Splitting and hashing, compiled: whole columns of text.

In: an Arrow column of strings. Out: units with their places, their n-gram buckets, or the sums of
their weights. Never holds a Python object per document; never differs from the references.
"""

from classifier.kernel.ngrams import bucket_column
from classifier.kernel.sums import Lookup, weigh_column
from classifier.kernel.units import Units, split_column

__all__ = ["Lookup", "Units", "bucket_column", "split_column", "weigh_column"]
