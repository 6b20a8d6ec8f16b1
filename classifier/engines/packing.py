"""A part as bytes, for the journal.

In: a part. Out: Arrow tables, one behind the other, and back. Never pickles: what lies on a disk must not
be able to run.
"""

import json
from typing import BinaryIO, Final

import pandas as pd
import pyarrow as pa

from classifier import schema
from classifier.dedupe import Fingerprints
from classifier.pipeline import PLACE, Part

_COUNTS: Final = b"part"
_SCORED_PLACE: Final = tuple(name for name in PLACE if name in schema.SCORED)
_OWN_PLACE: Final = tuple(name for name in PLACE if name not in schema.SCORED)
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def write(part: Part, stream: BinaryIO) -> None:
    """Write a part."""
    rows = {f"scored:{name}": part.scored[name] for name in part.scored.columns}
    rows |= {f"place:{name}": part.places[name] for name in _OWN_PLACE}
    prints = part.prints.table()
    rows |= {f"print:{name}": prints[name].set_axis(part.scored.index) for name in prints.columns}
    counts = {"documents": part.documents, "merged": part.merged, "notes": part.notes}
    tables = [pd.DataFrame(rows, index=part.scored.index), part.rejected, part.dropped]
    for table in tables:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        arrow = arrow.replace_schema_metadata({_COUNTS: json.dumps(counts)})
        with pa.ipc.new_stream(stream, arrow.schema, options=_OPTIONS) as writer:
            writer.write_table(arrow)


def read(content: bytes) -> Part:
    """Return the part that `write` wrote."""
    source = pa.BufferReader(content)
    tables = [pa.ipc.open_stream(source).read_all() for _ in range(3)]
    counts = json.loads(tables[0].schema.metadata[_COUNTS])
    rows, rejected, dropped = (table.to_pandas() for table in tables)
    scored = _group(rows, "scored:")
    places = _group(rows, "place:").assign(**{name: scored[name] for name in _SCORED_PLACE})
    kept = [name for name in scored.columns if name not in schema.SCORED]
    return Part(
        scored=schema.conform(scored, schema.SCORED, extra=kept),
        places=places[list(PLACE)],
        prints=Fingerprints.from_table(scored["document_id"], _group(rows, "print:")),
        rejected=schema.conform(rejected, schema.REJECTED),
        dropped=schema.conform(dropped, schema.DROPPED),
        documents=counts["documents"],
        merged=counts["merged"],
        notes=tuple(counts["notes"]),
    )


def _group(rows: pd.DataFrame, prefix: str) -> pd.DataFrame:
    names = [name for name in rows.columns if name.startswith(prefix)]
    return rows[names].rename(columns=lambda name: name.removeprefix(prefix))
