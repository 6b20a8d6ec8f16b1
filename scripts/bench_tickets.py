"""Tickets for the benchmark: sentences of the project's own written texts, shuffled.

In: data/training and data/examples. Out: a CSV file of any length, and labelled texts to train the peers.
The same seed gives the same bytes.
"""

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from classifier import language, split

PROJECT = Path(__file__).resolve().parent.parent
WORDS = 80
"""Of a ticket, about: sentences are added until it has as many."""

QUESTION_SPREAD = 25
"""Words that a real question may have more or less than tickets."""

HEADER = ("id", "created_at", "account", "channel", "subject", "description")
_CHANNELS = ("email", "web", "chat", "phone")
_CONTACTS = (
    "Write to me at lou.ferrante@example.com please.",
    "You reach us on +1 555 010 4471 until five.",
    "See https://help.example.com/a/20871?from=mail for the picture.",
)
_CONTACT_SHARE = 0.04


@dataclass(frozen=True)
class Pool:
    """What tickets are made of."""

    sentences: tuple[str, ...]
    subjects: tuple[str, ...]


def pool() -> Pool:
    """Return the sentences and first lines of all written English texts, each once."""
    texts = [row["text"] for row in written()]
    tickets = json.loads((PROJECT / "data/examples/tickets.json").read_text(encoding="utf-8"))["tickets"]
    texts += [ticket["description"] for ticket in tickets]
    sentences = dict.fromkeys(
        text[start:end]
        for text in texts
        if language.detect_one(text) == "en"
        for start, end in split.units(text)
        if end - start > 20
    )
    subjects = dict.fromkeys(ticket["subject"] for ticket in tickets)
    return Pool(tuple(sentences), tuple(subjects))


def written() -> list[dict[str, object]]:
    """Return the written training documents: `text`, `labels` and more."""
    files = sorted((PROJECT / "data/training").glob("written_*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def rows(count: int, *, seed: int = 7) -> Iterator[tuple[str, ...]]:
    """Yield `count` tickets under HEADER."""
    source = pool()
    draw = random.Random(seed)
    for number in range(1, count + 1):
        words = 0
        parts = []
        while words < WORDS:
            sentence = draw.choice(source.sentences)
            parts.append(sentence)
            words += sentence.count(" ") + 1
        if draw.random() < _CONTACT_SHARE:
            parts.append(draw.choice(_CONTACTS))
        day = draw.randrange(700)
        created = f"2025-{1 + day % 12:02d}-{1 + day % 28:02d}T{day % 24:02d}:{day % 60:02d}:00Z"
        account = f"Account {draw.randrange(20_000)}"
        yield (
            f"T-{number:08d}",
            created,
            account,
            draw.choice(_CHANNELS),
            draw.choice(source.subjects),
            " ".join(parts),
        )


def write_tickets(paths: Sequence[Path], count: int, *, seed: int = 7) -> None:
    """Write `count` tickets as CSV, spread evenly over the files."""
    source = rows(count, seed=seed)
    for number, path in enumerate(paths, 1):
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(islice(source, count // len(paths) if number < len(paths) else None))


def write_questions(path: Path, data_root: Path) -> None:
    """Write real support questions of about as many words as tickets have, that no tier learnt from."""
    from soft_labels import real
    from training_data import training_data

    texts = real(data_root, training_data(data_root)["text"].tolist())
    words = texts.str.split().str.len()
    chosen = texts[(words - WORDS).abs() <= QUESTION_SPREAD]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "description"])
        writer.writerows(text.partition("\n")[::2] for text in chosen)
