"""Texts -> numbers for each of their tokens, from a transformer in ONNX: no torch at run time.

In: texts, in any order. Out: one row of the model's outputs per token, with the token's place in its
text. Never lets one text's result depend on another's: they run on one thread each, alone or, if the
model keeps them apart, with texts of the same length.
"""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from classifier.errors import ModelError

MODEL: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"
INPUT: Final = "input_ids"
OUTPUT: Final = "output"

LONGEST: Final = 256
_TOKENIZED_AT_ONCE: Final = 2_000
_TOGETHER: Final = 400
"""Tokens of texts of one length that run together: fewer calls and reading of weights, yet all that's
between two layers stays in a processor's cache. Texts of 20 tokens take a seventh less time, of 110 a
twentieth."""

T = TypeVar("T")
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tokens:
    """What a model says of the tokens of one text, in order.

    The tokens that the tokenizer adds at both ends ([CLS], [SEP]) are rows too, for a mean over a text
    counts them; they have no width, so `end > start` selects the tokens of the text itself. `start` and
    `end` both ascend.
    """

    output: npt.NDArray[np.float32]  # (tokens, outputs of the model)
    start: npt.NDArray[np.int32]  # code points in the text
    end: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Transformer:
    """A transformer and its tokenizer, loaded."""

    session: Any  # onnxruntime.InferenceSession
    tokenizer: Any  # tokenizers.Tokenizer
    outputs: int
    positions: int  # the most tokens that the model can take
    workers: int
    together: int = 0  # tokens of several texts that may run together; 0: each text alone

    @classmethod
    def load(cls, folder: Path, *, workers: int = 0) -> "Transformer":
        """Load model.onnx and tokenizer.json from a folder.

        Parameters
        ----------
        folder
            Written by `scripts/export_onnx.py`.
        workers
            Texts that run at the same time, each on one thread; 0: one per processor. Changes no bit of a
            result.

        Raises
        ------
        ModelError
            If a file is missing, damaged, or holds another kind of model.
        """
        for name in (MODEL, TOKENIZER):
            if not (folder / name).is_file():
                raise ModelError(f"{folder / name} is missing; fetch the model again")
        session = _session(folder / MODEL)
        outputs, positions = _shape(session, folder / MODEL)
        # Models before this mark round all that runs together by one scale.
        apart = session.get_modelmeta().custom_metadata_map.get("texts") == "apart"
        return cls(
            session,
            load_tokenizer(folder / TOKENIZER),
            outputs,
            positions,
            workers or _processors(),
            _TOGETHER if apart else 0,
        )

    def run(self, texts: Sequence[str], *, longest: int = LONGEST) -> list[Tokens]:
        """Return the tokens of each text, in the order of the texts.

        Parameters
        ----------
        texts
            Whole, or in windows that the caller has cut.
        longest
            Tokens that are read of a text, those at both ends included; the rest of it is left out.

        Raises
        ------
        ModelError
            If `longest` is more than the model can take.
        """
        return self.each(texts, lambda tokens: tokens, longest=longest)

    def each(self, texts: Sequence[str], read: Callable[[Tokens], T], *, longest: int = LONGEST) -> list[T]:
        """Return what `read` makes of each text's tokens: nothing else of them is kept in memory.

        Parameters
        ----------
        texts, longest
            As for `run`.
        read
            Is called on several threads.
        """
        if longest > self.positions:
            raise ModelError(
                f"the model takes {self.positions} tokens at most, not {longest}; give shorter windows"
            )
        results: list[T] = []
        with ThreadPoolExecutor(self.workers) as pool:
            for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
                results += self._part(texts[start : start + _TOKENIZED_AT_ONCE], read, longest, pool)
        return results

    def encode(self, texts: Sequence[str]) -> list[tuple[Ids, Ids]]:
        """Return of each text the ids and the first code points of its tokens, without added ones."""
        encodings = self.tokenizer.encode_batch([_valid(text) for text in texts], add_special_tokens=False)
        return [
            (
                np.array(one.ids, dtype=np.int64),
                np.array([start for start, _ in one.offsets], dtype=np.int64),
            )
            for one in encodings
        ]

    def outputs_of(self, windows: Sequence[Ids]) -> list[npt.NDArray[np.float32]]:
        """Return the outputs of each window's tokens, shape (t, outputs).

        Parameters
        ----------
        windows
            Ids as `encode` returns them, fewer than `positions` less the two that are added.
        """
        begin, end = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        whole = [np.concatenate([[begin], ids, [end]]) for ids in windows]
        with ThreadPoolExecutor(self.workers) as pool:
            return self._outputs(whole, lambda _, output: output[1:-1], pool)

    def _part(
        self, texts: Sequence[str], read: Callable[[Tokens], T], longest: int, pool: ThreadPoolExecutor
    ) -> list[T]:
        encodings = self.tokenizer.encode_batch([_valid(text) for text in texts])
        added = [np.array(one.special_tokens_mask, dtype=bool) for one in encodings]
        kept = [_kept(mask, longest) for mask in added]
        ids = [np.array(one.ids, dtype=np.int64)[own] for one, own in zip(encodings, kept, strict=True)]

        def tokens(place: int, output: npt.NDArray[np.float32]) -> T:
            return read(_placed(output, encodings[place].offsets, added[place], kept[place]))

        return self._outputs(ids, tokens, pool)

    def _outputs(
        self,
        texts: Sequence[Ids],
        read: Callable[[int, npt.NDArray[np.float32]], T],
        pool: ThreadPoolExecutor,
    ) -> list[T]:
        """Return what `read` makes of each text's place and outputs, in the order of the texts."""

        def run(places: Sequence[int]) -> list[T]:
            (outputs,) = self.session.run([OUTPUT], {INPUT: np.stack([texts[place] for place in places])})
            return [read(place, output) for place, output in zip(places, outputs, strict=True)]

        batches = _alike([len(ids) for ids in texts], self.together)
        found: dict[int, T] = {}
        for places, made in zip(batches, pool.map(run, batches), strict=True):
            found.update(zip(places, made, strict=True))
        return [found[place] for place in range(len(texts))]


def _alike(lengths: Sequence[int], together: int) -> list[list[int]]:
    """Return texts of the same length in batches of so many tokens at most, or of one text.

    The longest come first, so that no worker is left with a long one at the end.
    """
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        last = batches[-1] if batches else []
        if last and lengths[last[0]] == lengths[place] and lengths[place] * (len(last) + 1) <= together:
            last.append(place)
        else:
            batches.append([place])
    return batches


def _placed(output: npt.NDArray[np.float32], places: Any, added: npt.NDArray[np.bool_], kept: Ids) -> Tokens:
    offsets = np.array(places, dtype=np.int32).reshape(-1, 2)[kept]
    # Added tokens say (0, 0) wherever they stand; those behind the text belong to its end.
    behind = int(np.argmin(added))
    offsets[behind:][added[kept][behind:]] = offsets[:, 1].max(initial=0)
    return Tokens(output, offsets[:, 0], offsets[:, 1])


def _valid(text: str) -> str:
    """Return the text with a "?" for half a character (a lone surrogate), which is no text."""
    return text.encode("utf-8", "replace").decode()


def _kept(added: npt.NDArray[np.bool_], longest: int) -> Ids:
    """Return which tokens are read: the first ones, and those that mark the end."""
    places = np.arange(len(added))
    if len(places) <= longest:
        return places
    behind = int(np.argmin(added[::-1]))
    return np.concatenate([places[: longest - behind], places[len(places) - behind :]])


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _may_overflow() -> bool:
    """Whether sums of int8 products overflow on this processor; Linux alone tells."""
    try:
        return _overflows(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


def _overflows(about: str) -> bool:
    """Whether they do on the processor that /proc/cpuinfo tells about: x86 without VNNI."""
    flags = re.search(r"^flags\s*:(.*)$", about, re.MULTILINE)
    return flags is not None and "vnni" not in flags[1]


def _session(path: Path) -> Any:
    # Before the import, which else notes this machine in the user's cache and looks for a host to tell.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if _may_overflow():
        # A slower product that can't; where int8 doesn't overflow anyway it would only take twice the time.
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4  # what it says of a damaged file is in the exception too
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes have no common base but this
        raise ModelError(f"{path} can't be read: {_first_line(error)}; fetch the model again") from error


def _shape(session: Any, path: Path) -> tuple[int, int]:
    """Return the number of outputs per token and of positions."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = [one.name for one in (*inputs, *outputs)]
    if names != [INPUT, OUTPUT] or len(outputs[0].shape) != 3:
        raise ModelError(
            f"{path} takes and gives {', '.join(names)}, expected {INPUT} and {OUTPUT} (a row per token); "
            "export the model with scripts/export_onnx.py"
        )
    positions = session.get_modelmeta().custom_metadata_map.get("positions", "")
    if not positions.isdecimal():
        raise ModelError(
            f"{path} doesn't say how many tokens it takes; export it with scripts/export_onnx.py"
        )
    return int(outputs[0].shape[2]), int(positions)


def load_tokenizer(path: Path) -> Any:
    """Load tokenizer.json: all tokens of a text, and those that mark its ends."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise ModelError(f"{path} can't be read: {_first_line(error)}; fetch the model again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    # A customer who writes "[SEP]" means these five characters.
    tokenizer.encode_special_tokens = True
    return tokenizer


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
