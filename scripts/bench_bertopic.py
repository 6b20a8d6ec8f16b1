"""Group texts with BERTopic, given their vectors: the peer of `bench_themes.py`.

In: a Parquet file with a column `text`, and the vectors of its rows as .npy. Out: topics as .npy, figures on
stdout. Imports nothing of this project, for it runs in an environment of its own, with bertopic.

Usage: python bench_bertopic.py texts.parquet vectors.npy topics.npy
"""

import json
import resource
import sys
import time

import numpy as np
import pandas as pd


def main() -> None:
    """Fit BERTopic as its documentation does, with the random state of UMAP fixed."""
    from bertopic import BERTopic
    from umap import UMAP

    texts, vectors, out = sys.argv[1:]
    said = pd.read_parquet(texts)["text"].tolist()
    rows = np.load(vectors)
    began, processor = time.perf_counter(), time.process_time()
    reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=42)
    topics, _ = BERTopic(embedding_model=None, umap_model=reducer).fit_transform(said, rows)
    figures = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    np.save(out, np.array(topics))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
