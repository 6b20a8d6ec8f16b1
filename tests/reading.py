"""Reads whole inputs for the tests of `classifier.read`."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.read import ReadOptions, read_batches


@dataclass(frozen=True)
class Result:
    documents: pd.DataFrame
    rejected: pd.DataFrame
    dropped: pd.DataFrame
    merged: int
    notes: tuple[str, ...]

    def column(self, name: str) -> list:
        return self.documents[name].tolist()

    @property
    def said(self) -> str:
        return "\n".join(self.notes)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return list(zip(self.rejected["row"].tolist(), self.rejected["reason"].tolist(), strict=True))


def read(*inputs: str | Path, **options) -> Result:
    """Read all batches as one, checking what must hold of each."""
    chosen = ReadOptions(**options)
    batches = list(read_batches([str(each) for each in inputs], chosen))
    wanted = [*schema.DOCUMENTS, *(f"keep:{name}" for name in chosen.keep)]
    for batch in batches:
        assert list(batch.documents.columns) == wanted
        assert list(batch.rejected.columns) == list(schema.REJECTED)
        assert list(batch.dropped.columns) == list(schema.DROPPED)
        assert len(batch.documents) <= chosen.batch_rows
    documents = pd.concat([batch.documents for batch in batches], ignore_index=True)
    types = {name: str(dtype) for name, dtype in documents.dtypes.items()}
    assert types == {**schema.DOCUMENTS, **dict.fromkeys(wanted[len(schema.DOCUMENTS) :], "str")}
    return Result(
        documents,
        pd.concat([batch.rejected for batch in batches], ignore_index=True),
        pd.concat([batch.dropped for batch in batches], ignore_index=True),
        sum(batch.merged for batch in batches),
        tuple(note for batch in batches for note in batch.notes),
    )


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


PACKERS = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


def workbook(path: Path, sheets: dict[str, Iterable[Iterable[object]]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path
