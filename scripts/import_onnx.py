"""Take the weights of a transformer that `export_onnx.py` wrote back into a torch module.

In: model.onnx in int8. Out: the state of a BertModel and of the linear layer behind it, in float32: what was
rounded stays rounded. So a model that ships can be trained further where its float weights are gone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

Constants = Mapping[str, np.ndarray]

_PARTS = (
    ("qkv.0", "attention.self.query"),
    ("qkv.1", "attention.self.key"),
    ("qkv.2", "attention.self.value"),
    ("out.0", "attention.output.dense"),
    ("up.0", "intermediate.dense"),
    ("down.0", "output.dense"),
)
"""Names in the graph, and in a layer of a BertModel."""


def weights_of(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the state of the encoder, and that of the layer on its tokens; empty without one."""
    graph = onnx.load(str(path)).graph
    known = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    encoder = dict(_embeddings(known)) | dict(_norms(known))
    number = 0
    while f"{number}.qkv.in" in known:
        encoder |= dict(_layer(known, number))
        number += 1
    head = {name: known[f"head.{name}"] for name in ("weight", "bias") if f"head.{name}" in known}
    if head:
        head["weight"] = head["weight"].T
    return _tensors(encoder), _tensors(head)


def _tensors(state: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()}


def _embeddings(known: Constants) -> Iterator[tuple[str, np.ndarray]]:
    yield "embeddings.word_embeddings.weight", known["words"] * known["words.scale"]
    # The one kind of text is part of every position.
    places = known["places"][:, 0]
    yield "embeddings.position_embeddings.weight", places
    yield "embeddings.token_type_embeddings.weight", np.zeros((2, places.shape[1]))


def _norms(known: Constants) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the layer norms: of the embeddings, then two for each layer, in the order of the graph."""
    names = [name.removesuffix(".weight") for name in known if name.startswith("norm.") and "weight" in name]
    for place, name in enumerate(sorted(names, key=lambda one: int(one.split(".")[1]))):
        layer, kind = divmod(place - 1, 2)
        owner = f"encoder.layer.{layer}.{('attention.output', 'output')[kind]}" if place else "embeddings"
        for part in ("weight", "bias"):
            yield f"{owner}.LayerNorm.{part}", known[f"{name}.{part}"]


def _layer(known: Constants, number: int) -> Iterator[tuple[str, np.ndarray]]:
    for name, owner in _PARTS:
        own, kind = f"{number}.{name}", f"{number}.{name.split('.')[0]}"
        weight = known[f"{own}.weight"] * known[f"{own}.scale"]
        if f"{kind}.smooth" in known:
            weight = weight * known[f"{kind}.smooth"][:, None]
        if f"{kind}.float" in known:
            weight[-len(known[f"{kind}.float"]) :] = known[f"{kind}.float"]
        yield f"encoder.layer.{number}.{owner}.weight", weight.T
        yield f"encoder.layer.{number}.{owner}.bias", known[f"{own}.bias"]
