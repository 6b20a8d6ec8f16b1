"""The parts that `export_onnx.py` builds a transformer's graph from: attention, and linear layers in int8.

In: weights, and what comes into a layer on some texts. Out: nodes in a graph. A row's numbers come from
that row alone: scales are fixed here, none is found while the graph runs.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

MICROSOFT = "com.microsoft"

# Chosen on 300 texts of data/training that nothing was calibrated on: mean and lowest cosine of sentence
# vectors to those of the float model. As below .9992/.998; each text's own scale instead of a fixed one
# .9992/.998, and no text could share a run with another; fixed scales that cut nothing off .9990/.997;
# nothing smoothed .996/.990; no channel in float .996/.991, 8 of them .9992/.998, 32 of them no better.
# (Measured on graphs on the way here, which differ from this one in more than what is named.)
SMOOTHING = 0.7
"""Part of an activation's range that moves into the weights (SmoothQuant, Xiao et al., 2022)."""
FLOAT_CHANNELS = 16
"""So many inputs of the second feed-forward layer, those of the widest range, stay float (LLM.int8,
Dettmers et al., 2022)."""
CUTS = np.linspace(0.35, 1.0, 14)
"""Parts of an input's range that are tried: what lies beyond is cut off, what lies within gets finer."""

Array = np.ndarray


@dataclass
class Graph:
    """An ONNX graph that grows node by node."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, value: Array) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node of one output and return its name."""
        name = f"{len(self.nodes)}.{kind}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name


@dataclass(frozen=True)
class Linear:
    """A linear layer, and what comes into it on the calibration texts."""

    weight: Array  # (inputs, outputs)
    bias: Array
    seen: Array  # (tokens, inputs)

    @property
    def ranges(self) -> Array:
        """The largest absolute value of each input, shape (inputs,)."""
        return np.abs(self.seen).max(axis=0)


def attention(graph: Graph, parts: Sequence[str], width: int) -> str:
    """Add what each head reads; rows have the shape (tokens, texts, width of all heads).

    The graph's constants `heads` and `whole` say how rows are cut into heads and joined again. Tokens come
    first because FusedMatMul then reads heads where they lie; MultiHeadAttention copies them, and takes an
    eighth longer.
    """
    query, key, value = (graph.add("Reshape", part, "heads") for part in parts)
    likeness = graph.add(
        "FusedMatMul", query, key, domain=MICROSOFT, alpha=width**-0.5, transBatchA=1, transBatchB=1, transB=1
    )
    shares = graph.add("Softmax", likeness, axis=-1)
    read = graph.add("FusedMatMul", shares, value, domain=MICROSOFT, transBatchB=1)
    return graph.add("Reshape", graph.add("Transpose", read, perm=[1, 0, 2]), "whole")


def widest_last(first: Linear, second: Linear) -> tuple[Linear, Linear]:
    """Put what lies between two layers into another order: the channels of the widest range last."""
    order = np.argsort(second.ranges, kind="stable")
    return (
        Linear(first.weight[:, order], first.bias[order], first.seen),
        Linear(second.weight[order], second.bias, second.seen[:, order]),
    )


def float_linear(graph: Graph, rows: str, layer: Linear, name: str) -> str:
    """Add a layer as it is."""
    product = graph.add("MatMul", rows, graph.constant(f"{name}.weight", layer.weight))
    return graph.add("Add", product, graph.constant(f"{name}.bias", layer.bias))


def float_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
    """Add layers of the same input as they are."""
    return [float_linear(graph, rows, layer, f"{name}.{i}") for i, layer in enumerate(layers)]


def int8_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
    """Layers of the same input, which is rounded once, by a fixed scale; their weights by one per output."""
    seen = layers[0].seen
    scale, zero = _scale(seen, np.concatenate([layer.weight for layer in layers], axis=1))
    mean = _rounded(seen, scale, zero).mean(axis=0)
    fixed = [graph.constant(f"{name}.in", scale), graph.constant(f"{name}.in.zero", zero)]
    rounded = graph.add("QuantizeLinear", rows, *fixed)
    found = []
    for number, layer in enumerate(layers):
        scales = (np.maximum(np.abs(layer.weight).max(axis=0), 1e-12) / 127).astype(np.float32)
        weight = np.rint(layer.weight / scales).astype(np.int8)
        # What rounding adds to every text is taken off.
        added = mean @ (weight * scales) - seen.mean(axis=0) @ layer.weight
        constants = {
            # Zero points are all zero; told and told apart, onnxruntime can turn weights into uint8.
            "weight": weight,
            "scale": scales,
            "zero": np.array(0, dtype=np.int8),
            "bias": layer.bias - added,
        }
        own = {key: graph.constant(f"{name}.{number}.{key}", value) for key, value in constants.items()}
        inputs = rounded, own["weight"], fixed[0], own["scale"], fixed[1], own["zero"], own["bias"]
        found.append(graph.add("MatMulIntegerToFloat", *inputs, domain=MICROSOFT))
    return found


def _scale(seen: Array, weight: Array) -> tuple[Array, Array]:
    """Return the scale and the zero point in 0…255 that change products with the weights least."""
    share = (weight**2).sum(axis=1)
    some = seen[:: max(1, len(seen) // 1000)]
    low, high = min(float(seen.min()), 0.0), float(seen.max())
    tried = []
    for below, above in itertools.product(CUTS, CUTS):
        scale = np.array((above * high - below * low) / 255, dtype=np.float32)
        zero = np.array(np.rint(-below * low / scale), dtype=np.uint8)
        fault = (_rounded(some, scale, zero) - some) ** 2
        tried.append((float((fault @ share).sum()), scale, zero))
    return min(tried, key=lambda one: one[0])[1:]


def _rounded(rows: Array, scale: Array, zero: Array) -> Array:
    """Return rows as they are after they were rounded to 0…255."""
    middle = np.float32(zero)
    return (np.clip(np.rint(rows / scale) + middle, 0, 255) - middle) * scale


def smooth_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
    """Make inputs of wide range smaller and their weights larger first."""
    widest = np.max([np.abs(layer.weight).max(axis=1) for layer in layers], axis=0)
    factors = np.maximum(layers[0].ranges, 1e-3) ** SMOOTHING / np.maximum(widest, 1e-4) ** (1 - SMOOTHING)
    factors = factors.astype(np.float32)
    smaller = graph.add("Mul", rows, graph.constant(f"{name}.smooth", 1 / factors))
    smoothed = [Linear(layer.weight * factors[:, None], layer.bias, layer.seen / factors) for layer in layers]
    return int8_linears(graph, smaller, smoothed, name)


def mixed_linear(graph: Graph, rows: str, layer: Linear, name: str) -> str:
    """Multiply the last inputs, those of the widest range, in float; in int8 they weigh nothing."""
    inputs = len(layer.weight)
    narrow = inputs - FLOAT_CHANNELS
    places = [
        graph.constant(f"{name}.{key}", np.array([value]))
        for key, value in (("narrow", narrow), ("inputs", inputs), ("axis", 2))
    ]
    wide = graph.add("Slice", rows, *places)
    apart = graph.add("MatMul", wide, graph.constant(f"{name}.float", layer.weight[narrow:]))
    weight, seen = layer.weight.copy(), layer.seen.copy()
    weight[narrow:], seen[:, narrow:] = 0, 0
    return graph.add("Add", *int8_linears(graph, rows, [Linear(weight, layer.bias, seen)], name), apart)
