"""Make models/static/1 from the general sentence model: what it says of each token alone.

In: all-MiniLM-L6-v2 as `export_onnx.py` writes it (which was models/encoder/1). Out: its token vectors on
their main directions, as int8, beside a copy of the tokenizer. Never needs a text: nothing is trained.

models/static/1 was made of an older export, which rounded texts that ran together by one scale. Made anew its
bits differ; likenesses of 20,000 pairs of tokens correlate with those of the one that ships by .998.

Usage: python scripts/export_onnx.py --weights FOLDER --out build/encoder/1
       python scripts/static_vectors.py build/encoder/1   (about a minute)
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from classifier import sentences, static
from classifier.shipped import DESCRIPTION, folder_of
from classifier.transformer import TOKENIZER
from classifier.vectors import Floats, one_thread

DIMENSIONS = 256
AT_ONCE = 2_000


def token_rows(encoder: Path) -> Floats:
    """Return the sentence model's output at each token of its vocabulary, each read alone."""
    transformer = sentences.load(encoder).transformer
    count = transformer.tokenizer.get_vocab_size()
    windows = [np.array([token], dtype=np.int64) for token in range(count)]
    found = [
        row
        for start in range(0, count, AT_ONCE)
        for row in transformer.outputs_of(windows[start : start + AT_ONCE])
    ]
    return np.vstack(found)


def reduced(rows: Floats) -> Floats:
    """Return the rows less their mean, on their main directions, the signs fixed."""
    with one_thread():
        centred = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
        directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :DIMENSIONS]
        largest = np.abs(directions).argmax(axis=0)
        directions *= np.sign(directions[largest, np.arange(DIMENSIONS)])
        found: Floats = (centred @ directions).astype(np.float32)
    return found


def main() -> None:
    """Write the folder."""
    source, folder = Path(sys.argv[1]), folder_of(static.NAME, static.VERSION)
    rows = reduced(token_rows(source))
    scales = np.abs(rows).max(axis=1) / 127
    tokens = np.rint(rows / scales[:, None]).astype(np.int8)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"tokens": tokens, "scales": scales.astype(np.float32)}, folder / static.WEIGHTS)
    shutil.copyfile(source / TOKENIZER, folder / TOKENIZER)
    about = json.loads((source / DESCRIPTION).read_text(encoding="utf-8"))
    described = {
        "name": static.NAME,
        "version": static.VERSION,
        "about": "Token vectors for themes of large corpora: a text is the weighted mean of its tokens.",
        "source": about["source"],
        "made_from": f"{about['name']}/{about['version']}",
        "licence": about["licence"],
        "changes": f"each token alone, {DIMENSIONS} main directions, int8 (scripts/static_vectors.py)",
        "files": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in (static.WEIGHTS, TOKENIZER)
        },
    }
    (folder / DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    Path(folder.parent / "CURRENT").write_text(f"{static.VERSION}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
