"""Measure how well the language of a text is told, on public texts whose language is known.

In: the folder of public data. Out: the part `language` of docs/quality/results.json and what the page
shows of it. The locale of a forum is taken for the language of its posts: some are in another one.

Run: python scripts/evaluate_language.py --data-root ../shared/data
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pandas as pd
import quality_page
from training_data import public_file

from classifier import clean, language

SETS: Final = {
    "minibar_health_apps": "lang",
    "sumo_firefox_questions": "locale",
    "sumo_thunderbird_questions": "locale",
}
"""Set -> the column that names the language."""

MOST: Final = 2_000
"""Texts of a set and language: those with the lowest hash."""

FEWEST: Final = 200
WORDS: Final = ((1, 3), (4, 8), (9, 20), (21, 10_000))


def samples(data_root: Path) -> Iterator[tuple[str, str, pd.Series]]:
    """Yield set, language and texts."""
    for name, column in SETS.items():
        table = pd.read_parquet(public_file(data_root, name), columns=["text", column])
        table = table[table["text"].fillna("").str.strip() != ""].drop_duplicates("text")
        for locale, own in table.groupby(table[column].astype(str).str.slice(0, 2)):
            if len(own) >= FEWEST:
                digests = own["text"].map(lambda text: hashlib.sha256(text.encode()).hexdigest())
                texts = own["text"].loc[digests.sort_values().index[:MOST]].reset_index(drop=True)
                yield name, str(locale), clean.clean_column(texts.astype("str"))


def measured(name: str, locale: str, texts: pd.Series) -> Iterator[dict[str, Any]]:
    """Yield a row per range of lengths: the share told rightly, not told, and told wrongly."""
    told = language.detect(texts)
    words = texts.str.split().str.len()
    for least, most in WORDS:
        own = told[words.between(least, most)]
        if len(own) < FEWEST // 4:
            continue
        yield {
            "set": name,
            "language": locale,
            "words": f"{least} to {most}" if most < WORDS[-1][1] else f"{least} or more",
            "texts": len(own),
            "right": float((own == locale).mean()),
            "untold": float((own == "").mean()),
            "wrong": float(((own != locale) & (own != "")).mean()),
            "as_english": float((own == "en").mean()),
        }


@click.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
def main(data_root: Path) -> None:
    """Measure, and renew the figures in docs/quality.md."""
    rows = [row for sample in samples(data_root) for row in measured(*sample)]
    for path in quality_page.record("language", rows):
        click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
