"""What makes two runs the same, so that one may go on where the other stopped.

In: the job and the inputs. Out: a description as JSON, and what differs between two of them. Never holds
text of a document.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from classifier import read
from classifier.engines.work import Job
from classifier.read import Input

Identity = dict[str, Any]


def identity_of(job: Job, inputs: Sequence[Input], versions: Mapping[str, str]) -> Identity:
    """Describe a run: versions of the programs, model, settings, inputs.

    Raises
    ------
    InputError
        If an input can't be read.
    """
    shaping = {
        "input": asdict(job.reading),
        "scoring": asdict(job.settings),
        "filters": asdict(job.filters),
        "part_rows": job.part_rows,
    }
    identity = {
        "versions": dict(versions),
        "model_id": job.model.model_id,
        "settings": dict(_flat(shaping)),
        "inputs": [{"name": source.name, **_mark(source)} for source in inputs],
    }
    # As it will be when it is read back.
    plain: Identity = json.loads(json.dumps(identity, default=str))
    return plain


def differences(old: Identity, new: Identity) -> list[str]:
    """Return what two descriptions differ in, as phrases for the user; none: the same run."""
    before, now = old["versions"], new["versions"]
    found = [
        f"the version of {name} ({before.get(name, 'none')}, now {now.get(name, 'none')})"
        for name in _differing(before, now)
    ]
    if old["model_id"] != new["model_id"]:
        found.append(f"the model ({old['model_id']}, now {new['model_id']})")
    settings = _differing(old["settings"], new["settings"])
    if settings:
        found.append(f"settings or options ({', '.join(settings)})")
    names = [[source["name"] for source in one["inputs"]] for one in (old, new)]
    if names[0] != names[1]:
        found.append("the list of inputs")
    else:
        pairs = zip(old["inputs"], new["inputs"], strict=True)
        changed = [ours["name"] for theirs, ours in pairs if theirs != ours]
        if changed:
            found.append(f"the content of {', '.join(changed)}")
    return found


def _mark(source: Input) -> dict[str, Any]:
    if source.address:
        return read.mark_of(source.address)
    return {"size": source.path.stat().st_size, "sha256": read.sha256_of(source.path)}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    nothing = object()
    return [name for name in {**old, **new} if old.get(name, nothing) != new.get(name, nothing)]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, value
