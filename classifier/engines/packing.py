"""A part as bytes, for the journal, and for the way from a worker.

In: a part. Out: Arrow tables, one behind the other, and back. Never pickles: what lies on a disk must not
be able to run.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.buffers import Column
from classifier.dedupe import Fingerprints
from classifier.hashes import hash_bytes
from classifier.pipeline import PLACE, Part
from classifier.report.lines import COUNTED, Lines

_COUNTS: Final = b"part"
_RECORD: Final = "record"
_SIZE: Final = "size"
_COUNTED: Final = f"counted:{COUNTED[0]}"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class Packed:
    """The bytes of a part, and their hash; and that of its records, where these are not among the bytes."""

    content: pa.Buffer
    sha256: str
    records: str = ""


def pack(part: Part, *, apart: bool = False) -> Packed:
    """Return a part as bytes; `read` takes them back.

    `apart` leaves out the records of a part that has some: whoever writes them keeps them.
    """
    stream = pa.BufferOutputStream()
    write(part, stream, apart=apart)
    content = stream.getvalue()
    records = ""
    if apart and isinstance(part.scored, Lines):
        records = hash_of(part.scored.bytes_of(0, len(part.scored)))
    return Packed(content, hashlib.sha256(content).hexdigest(), records)


def hash_of(records: bytes | memoryview) -> str:
    """Return what tells whether records are the same, byte by byte."""
    return hash_bytes(np.frombuffer(records, dtype=np.uint8))


def write(part: Part, stream: pa.NativeFile, *, apart: bool = False) -> None:
    """Write a part; `apart` as in `pack`."""
    rows = {f"place:{name}": part.places[name].array for name in PLACE}
    prints = part.prints.table()
    rows |= {f"print:{name}": prints[name].array for name in prints.columns}
    if isinstance(part.scored, Lines):
        rows |= {f"counted:{name}": part.scored.counted[:, place] for place, name in enumerate(COUNTED)}
        records = part.scored.records
        rows |= {_SIZE: np.diff(records.offsets)} if apart else {_RECORD: records.array()}
    else:
        own = [name for name in part.scored.columns if name not in PLACE]
        rows |= {f"scored:{name}": part.scored[name].array for name in own}
    counts = {"documents": part.documents, "merged": part.merged, "notes": part.notes}
    for table in (pa.table(rows), *map(_left_out, (part.rejected, part.dropped))):
        arrow = table.replace_schema_metadata({_COUNTS: json.dumps(counts)})
        with pa.ipc.new_stream(stream, arrow.schema, options=_OPTIONS) as writer:
            writer.write_table(arrow)


def _left_out(rows: pd.DataFrame) -> pa.Table:
    """Return rows that were left out as Arrow; mostly there are none, and nothing to convert."""
    return pa.Table.from_pandas(rows, preserve_index=False) if len(rows) else pa.table({})


def read(content: bytes | pa.Buffer, records: bytes | None = None) -> Part:
    """Return the part that `write` wrote; with its records, where these were kept apart."""
    source = pa.BufferReader(content)
    rows, *others = (pa.ipc.open_stream(source).read_all() for _ in range(3))
    counts = json.loads(rows.schema.metadata[_COUNTS])
    places = _group(rows, "place:")
    return Part(
        scored=_scored(rows, places) if _COUNTED not in rows.column_names else _lines(rows, records),
        places=places,
        prints=Fingerprints.from_table(places["document_id"], _group(rows, "print:")),
        rejected=_frame(others[0], schema.REJECTED),
        dropped=_frame(others[1], schema.DROPPED),
        documents=counts["documents"],
        merged=counts["merged"],
        notes=tuple(counts["notes"]),
    )


def _frame(rows: pa.Table, table: schema.Table) -> pd.DataFrame:
    return schema.conform(rows.to_pandas(), table) if rows.num_rows else schema.empty(table)


def _lines(rows: pa.Table, records: bytes | None) -> Lines:
    marks = _group(rows, "counted:").to_numpy(dtype="bool")
    if records is None:
        return Lines(Column.of(rows[_RECORD]), marks)
    offsets = np.concatenate([[0], np.cumsum(rows[_SIZE].to_numpy())]).astype(np.int64)
    return Lines(Column(np.frombuffer(records, dtype=np.uint8), offsets), marks)


def _scored(rows: pa.Table, places: pd.DataFrame) -> pd.DataFrame:
    scored = _group(rows, "scored:")
    kept = [name for name in scored.columns if name not in schema.SCORED]
    shared = {name: places[name] for name in PLACE if name in schema.SCORED}
    return schema.conform(scored.assign(**shared), schema.SCORED, extra=kept)


def _group(rows: pa.Table, prefix: str) -> pd.DataFrame:
    names = [name for name in rows.column_names if name.startswith(prefix)]
    chosen = rows.select(names).rename_columns([name.removeprefix(prefix) for name in names])
    frame: pd.DataFrame = chosen.replace_schema_metadata(None).to_pandas()
    return frame
