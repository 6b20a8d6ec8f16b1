"""A first pass over all inputs: how common each label is in each source.

In: inputs and a job. Out: what each source shifts. Keeps counts alone; the second pass scores.
"""

from collections.abc import Iterable, Sequence

from classifier import priors
from classifier.labels import LABELS
from classifier.models import LoadedModel
from classifier.pipeline import Part
from classifier.priors import Shift
from classifier.report.lines import Lines

UNREAD = ("no_text", "language")
"""Reasons for review of documents that no label was looked for in."""


def shifts_of(parts: Iterable[Part], model: LoadedModel) -> dict[str, Shift]:
    """Return the shift of each source that has enough documents, from the parts of a whole run.

    Raises
    ------
    ModelError
        If the model doesn't tell how common labels were where it was calibrated.
    """
    shares = model.priors
    census = priors.Census(len(LABELS))
    for part in parts:
        assert not isinstance(part.scored, Lines), "a first pass writes nothing"
        rows = part.scored[~part.scored["review_reason"].isin(UNREAD)]
        census.add(rows["source"].tolist(), rows[[f"{label}_score" for label in LABELS]].to_numpy())
    return census.shifts(shares)


def notes_of(shifts: dict[str, Shift], shares: Sequence[float]) -> list[str]:
    """Return a sentence on each source, for the user."""
    if not shifts:
        return [f"prior shift: no source has {priors.LEAST} documents, nothing was adjusted"]
    return [
        f"prior shift, {source} ({shift.documents:,} documents): "
        + ", ".join(
            f"{label} {share:.0%} (training {prior:.0%})"
            for label, share, prior in zip(LABELS, shift.share, shares, strict=True)
        )
        for source, shift in shifts.items()
    ]
