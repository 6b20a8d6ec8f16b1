"""Tables as Markdown, for the scripts that write pages."""

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column stands on the left and all others on the right, and a line break.

    Examples
    --------
    >>> print(markdown_table(["label", "F1"], [["pain point", ".93"]]), end="")
    | label | F1 |
    | --- | ---: |
    | pain point | .93 |
    """
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
