"""Files of a former run that somebody has written into since.

In: the folder of a run. Out: copies of them beside it, before a new run replaces them. Never changes the
folder itself.
"""

import shutil
from itertools import count
from pathlib import Path

from classifier.errors import InputError, OutputError
from classifier.report import manifest
from classifier.report.files import sha256


def keep_edited(out: Path) -> tuple[str, ...]:
    """Copy what is not as its run wrote it, such as a backlog with somebody's notes, into OUT.edited.

    Returns
    -------
    A warning that names the copies; nothing where all is as it was written.

    Raises
    ------
    OutputError
        If they can't be copied.
    """
    try:
        written = manifest.read(out)["result"]["outputs"]
        # Plain names only: a manifest that somebody edited must not lead to files outside the folder.
        own = sorted(name for name in written if Path(name).name == name)
        changed = [name for name in own if (out / name).is_file() and sha256(out / name) != written[name]]
    except (InputError, OSError):
        # No former run, or one of whose files nobody can tell what they were.
        return ()
    if not changed:
        return ()
    names = ", ".join(changed)
    whole = out.resolve()
    places = (whole.with_name(f"{whole.name}.edited{'' if n == 1 else f'-{n}'}") for n in count(1))
    place = next(one for one in places if not one.exists())
    try:
        place.mkdir()
        for name in changed:
            shutil.copy2(out / name, place / name)
    except OSError as error:
        raise OutputError(
            f"{out}: {names} changed since written by the former run, and can't be kept as {place}: "
            f"{error.strerror}; move what you want to keep, and delete the rest of the folder"
        ) from error
    return (f"{out}: changed since the former run wrote it, and kept in {place}: {names}",)
