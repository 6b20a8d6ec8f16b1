"""Write a transformer of the BERT family as int8 ONNX for `classifier/transformer.py`.

In: a folder with the weights of sentence-transformers/all-MiniLM-L6-v2, or (as a function) any torch
module made of one BertModel and at most one linear layer for each token. Out: a folder with model.onnx,
tokenizer.json and model.json. Nothing of torch, transformers or onnx is needed to run what is written.

Usage: python scripts/export_onnx.py --weights FOLDER --out models/encoder/1 [--measure]
Needs torch, transformers, onnx and onnxruntime; the same weights and texts give the same bytes.
"""

import argparse
import hashlib
import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

PROJECT = Path(__file__).resolve().parents[1]
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SOURCE = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
MOST_BYTES = 25_000_000

MICROSOFT = "com.microsoft"
OPSET, MICROSOFT_OPSET, IR_VERSION = 18, 1, 9

# Chosen on 300 texts of data/training that nothing was calibrated on: mean and lowest cosine of sentence
# vectors to those of the float model. As below .9992/.998; each text's own scale instead of a fixed one
# .9992/.998, and no text could share a run with another; fixed scales that cut nothing off .9990/.997;
# nothing smoothed .996/.990; no channel in float .996/.991, 8 of them .9992/.998, 32 of them no better.
SMOOTHING = 0.7
"""Part of an activation's range that moves into the weights (SmoothQuant, Xiao et al., 2022)."""
FLOAT_CHANNELS = 16
"""So many inputs of the second feed-forward layer, those of the widest range, stay float (LLM.int8,
Dettmers et al., 2022)."""
CUTS = np.linspace(0.35, 1.0, 14)
"""Parts of an input's range that are tried: what lies beyond is cut off, what lies within gets finer."""

CALIBRATION_TEXTS = 64
LARGEST_FAULT = 1e-3
"""The float graph must say what torch says, to this difference, before it is quantised."""

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
        return self.add_many(kind, *inputs, count=1, domain=domain, **attributes)[0]

    def add_many(self, kind: str, *inputs: str, count: int, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs."""
        names = [f"{len(self.nodes)}.{kind}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names


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


def export(
    model: torch.nn.Module, tokenizer_json: Path, out: Path, *, calibration: Sequence[str] = ()
) -> None:
    """Write model.onnx and tokenizer.json into the folder `out`.

    Parameters
    ----------
    model
        Holds one BertModel, and at most one linear layer beside it, which is applied to each token's
        last hidden state; any dropout is left out.
    tokenizer_json
        Of the tokenizers library.
    calibration
        Texts that show how large activations become; by default some of data/training.

    Raises
    ------
    ValueError
        If the model has another shape, or the file would be larger than 25 MB.
    """
    from tokenizers import Tokenizer

    model = model.eval().float()
    bert, head = _parts(model)
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    encoded = tokenizer.encode_batch(list(calibration or calibration_texts()))
    ids = [encoding.ids for encoding in encoded]
    seen = _seen(bert, ids)
    _check(bert, head, _graph(bert, head, seen, quantised=False), ids[:8])
    written = _graph(bert, head, seen, quantised=True).SerializeToString(deterministic=True)
    if len(written) > MOST_BYTES:
        raise ValueError(f"{len(written):,} bytes are more than {MOST_BYTES:,}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(written)
    (out / "tokenizer.json").write_bytes(tokenizer_json.read_bytes())


def calibration_texts() -> list[str]:
    """Return texts that were written for this project, every so many."""
    return _written()[:: len(_written()) // CALIBRATION_TEXTS]


def _written() -> list[str]:
    paths = sorted((PROJECT / "data/training").glob("written_*.jsonl"))
    return [json.loads(line)["text"] for path in paths for line in path.open(encoding="utf-8")]


def _parts(model: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.Linear | None]:
    berts = [part for part in model.modules() if type(part).__name__ == "BertModel"]
    if len(berts) != 1:
        raise ValueError(f"the model holds {len(berts)} BertModels, expected one")
    inside = set(berts[0].modules())
    heads = [part for part in model.modules() if isinstance(part, torch.nn.Linear) and part not in inside]
    if len(heads) > 1 or berts[0].config.hidden_act != "gelu":
        raise ValueError("expected one linear layer behind the encoder at most, and gelu inside it")
    return berts[0], heads[0] if heads else None


def _layers(bert: torch.nn.Module) -> dict[str, torch.nn.Linear]:
    """Return the linear layers whose inputs are quantised, by name; query stands for key and value."""
    found = {}
    for number, layer in enumerate(bert.encoder.layer):
        found[f"{number}.qkv"] = layer.attention.self.query
        found[f"{number}.out"] = layer.attention.output.dense
        found[f"{number}.up"] = layer.intermediate.dense
        found[f"{number}.down"] = layer.output.dense
    return found


def _seen(bert: torch.nn.Module, ids: Sequence[Sequence[int]]) -> dict[str, Array]:
    """Return what comes into each layer, shape (tokens, inputs)."""
    found: dict[str, list[Array]] = {}

    def watch(name: str) -> Any:
        def note(_: Any, inputs: tuple[torch.Tensor, ...], __: Any) -> None:
            found.setdefault(name, []).append(inputs[0][0].numpy().copy())

        return note

    hooks = [layer.register_forward_hook(watch(name)) for name, layer in _layers(bert).items()]
    with torch.inference_mode():
        for one in ids:
            bert(input_ids=torch.tensor([one]))
    for hook in hooks:
        hook.remove()
    return {name: np.concatenate(rows) for name, rows in found.items()}


def _graph(
    bert: torch.nn.Module, head: torch.nn.Linear | None, seen: Mapping[str, Array], *, quantised: bool
) -> onnx.ModelProto:
    graph = Graph()
    epsilon, hidden = bert.config.layer_norm_eps, bert.config.hidden_size
    graph.constant("heads", np.array([0, -1, hidden // bert.config.num_attention_heads]))
    graph.constant("whole", np.array([0, -1, hidden]))
    rows = _normed(graph, _embedded(graph, bert.embeddings, quantised), bert.embeddings.LayerNorm, epsilon)
    for number, layer in enumerate(bert.encoder.layer):
        rows = _block(graph, rows, layer, number, bert.config, seen, quantised)
    outputs = hidden
    if head is not None:
        rows = _float_linear(graph, rows, _linear(head, np.zeros(0)), "head")
        outputs = head.out_features
    graph.add("Transpose", rows, perm=[1, 0, 2])
    graph.nodes[-1].output[0] = "output"
    shape = ["batch", "tokens"]
    built = helper.make_graph(
        graph.nodes,
        "transformer",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [*shape, outputs])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, MICROSOFT_OPSET)]
    model = helper.make_model(built, opset_imports=opsets, ir_version=IR_VERSION)
    positions = str(bert.config.max_position_embeddings)
    helper.set_model_props(model, {"positions": positions, "texts": "apart"})
    return model


def _embedded(graph: Graph, embeddings: torch.nn.Module, quantised: bool) -> str:
    """Add words, each row of which has its own scale, and positions: shape (tokens, texts, width)."""
    ids = graph.add("Transpose", "input_ids", perm=[1, 0])
    table = _array(embeddings.word_embeddings.weight)
    if quantised:
        scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
        numbers = graph.constant("words", np.rint(table / scales).astype(np.int8))
        scale = graph.add("Gather", graph.constant("words.scale", scales), ids)
        found = graph.add("Cast", graph.add("Gather", numbers, ids), to=TensorProto.FLOAT)
        words = graph.add("Mul", found, scale)
    else:
        words = graph.add("Gather", graph.constant("words", table), ids)
    # There is one kind of text only, so that its embedding is part of every position's.
    places = (
        _array(embeddings.position_embeddings.weight) + _array(embeddings.token_type_embeddings.weight)[:1]
    )
    first, axis = graph.constant("first", np.array([0])), graph.constant("axis", np.array([0]))
    count = graph.add("Shape", "input_ids", start=1, end=2)
    here = graph.add("Slice", graph.constant("places", places[:, None]), first, count, axis)
    return graph.add("Add", words, here)


def _block(
    graph: Graph,
    rows: str,
    layer: torch.nn.Module,
    number: int,
    config: Any,
    seen: Mapping[str, Array],
    quantised: bool,
) -> str:
    """Add one layer: attention, then feed-forward."""
    epsilon = config.layer_norm_eps
    own, names = layer.attention.self, {kind: f"{number}.{kind}" for kind in ("qkv", "out", "up", "down")}
    three = [_linear(one, seen[names["qkv"]]) for one in (own.query, own.key, own.value)]
    out = _linear(layer.attention.output.dense, seen[names["out"]])
    up = _linear(layer.intermediate.dense, seen[names["up"]])
    up, down = _widest_last(up, _linear(layer.output.dense, seen[names["down"]]))
    plain, smooth, mixed = (
        (_int8_linears, _smooth_linears, _mixed_linear)
        if quantised
        else (_float_linears, _float_linears, _float_linear)
    )
    parts = smooth(graph, rows, three, names["qkv"])
    read = _attention(graph, parts, config.hidden_size // config.num_attention_heads)
    # Add and LayerNormalization apart: the fused operator takes six times as long as both.
    attended = graph.add("Add", *plain(graph, read, [out], names["out"]), rows)
    rows = _normed(graph, attended, layer.attention.output.LayerNorm, epsilon)
    # Made of tanh it's off by less than 1e-3, which int8 doesn't see, and takes three quarters of the time.
    gelu = "FastGelu" if quantised else "Gelu"
    inner = graph.add(gelu, *smooth(graph, rows, [up], names["up"]), domain=MICROSOFT)
    written = graph.add("Add", mixed(graph, inner, down, names["down"]), rows)
    return _normed(graph, written, layer.output.LayerNorm, epsilon)


def _attention(graph: Graph, parts: Sequence[str], width: int) -> str:
    """Add what each head reads; rows have the shape (tokens, texts, width).

    Tokens come first because FusedMatMul then reads heads where they lie; MultiHeadAttention copies them,
    and takes an eighth longer.
    """
    query, key, value = (graph.add("Reshape", part, "heads") for part in parts)
    likeness = graph.add(
        "FusedMatMul", query, key, domain=MICROSOFT, alpha=width**-0.5, transBatchA=1, transBatchB=1, transB=1
    )
    shares = graph.add("Softmax", likeness, axis=-1)
    read = graph.add("FusedMatMul", shares, value, domain=MICROSOFT, transBatchB=1)
    return graph.add("Reshape", graph.add("Transpose", read, perm=[1, 0, 2]), "whole")


def _normed(graph: Graph, rows: str, norm: torch.nn.LayerNorm, epsilon: float) -> str:
    name = f"norm.{len(graph.nodes)}"
    weight = graph.constant(f"{name}.weight", _array(norm.weight))
    bias = graph.constant(f"{name}.bias", _array(norm.bias))
    return graph.add("LayerNormalization", rows, weight, bias, epsilon=epsilon)


def _linear(layer: torch.nn.Linear, seen: Array) -> Linear:
    return Linear(_array(layer.weight).T, _array(layer.bias), seen)


def _widest_last(first: Linear, second: Linear) -> tuple[Linear, Linear]:
    """Put what lies between two layers into another order: the channels of the widest range last."""
    order = np.argsort(second.ranges, kind="stable")
    return (
        Linear(first.weight[:, order], first.bias[order], first.seen),
        Linear(second.weight[order], second.bias, second.seen[:, order]),
    )


def _float_linear(graph: Graph, rows: str, layer: Linear, name: str) -> str:
    product = graph.add("MatMul", rows, graph.constant(f"{name}.weight", layer.weight))
    return graph.add("Add", product, graph.constant(f"{name}.bias", layer.bias))


def _float_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
    return [_float_linear(graph, rows, layer, f"{name}.{i}") for i, layer in enumerate(layers)]


def _int8_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
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


def _smooth_linears(graph: Graph, rows: str, layers: Sequence[Linear], name: str) -> list[str]:
    """Make inputs of wide range smaller and their weights larger first."""
    widest = np.max([np.abs(layer.weight).max(axis=1) for layer in layers], axis=0)
    factors = np.maximum(layers[0].ranges, 1e-3) ** SMOOTHING / np.maximum(widest, 1e-4) ** (1 - SMOOTHING)
    factors = factors.astype(np.float32)
    smaller = graph.add("Mul", rows, graph.constant(f"{name}.smooth", 1 / factors))
    smoothed = [Linear(layer.weight * factors[:, None], layer.bias, layer.seen / factors) for layer in layers]
    return _int8_linears(graph, smaller, smoothed, name)


def _mixed_linear(graph: Graph, rows: str, layer: Linear, name: str) -> str:
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
    return graph.add("Add", *_int8_linears(graph, rows, [Linear(weight, layer.bias, seen)], name), apart)


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().numpy().astype(np.float32)


def _check(
    bert: torch.nn.Module, head: torch.nn.Linear | None, model: onnx.ModelProto, ids: Sequence[Sequence[int]]
) -> None:
    """Refuse a graph that computes something else than the torch model."""
    import onnxruntime as ort

    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for one in ids:
        with torch.inference_mode():
            hidden = bert(input_ids=torch.tensor([one])).last_hidden_state
            expected = (head(hidden) if head is not None else hidden).numpy()
        (found,) = session.run(None, {"input_ids": np.array([one])})
        fault = float(np.abs(found - expected).max())
        if fault > LARGEST_FAULT:
            raise ValueError(f"the exported graph differs from the model by {fault:.4f}")


def _describe(out: Path) -> None:
    """Write model.json: what the folder holds and where it comes from."""
    body = {
        "name": out.parent.name,
        "version": out.name,
        "about": "Sentence vectors for themes and links: mean over all tokens, scaled to length 1.",
        "source": SOURCE,
        "source_sha256": WEIGHTS_SHA256,
        "licence": "Apache-2.0",
        "changes": "weights and embeddings rounded to int8 (scripts/export_onnx.py); pooler left out",
        "files": {name: _sha256(out / name) for name in ("model.onnx", "tokenizer.json")},
    }
    (out / "model.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def measure(bert: torch.nn.Module, folder: Path, texts: Sequence[str], *, threads: int) -> str:
    """Return a sentence on likeness to the float model and on speed, in one process, each alone."""
    sys.path.insert(0, str(PROJECT))
    from classifier.transformer import Transformer

    transformer = Transformer.load(folder, workers=threads)
    torch.set_num_threads(threads)
    encoded = [
        encoding.ids[:255] + encoding.ids[-1:] if len(encoding.ids) > 256 else encoding.ids
        for encoding in transformer.tokenizer.encode_batch(list(texts))
    ]
    rates: dict[str, list[float]] = {"torch": [], "onnx": []}
    for _ in range(2):
        began, spent = time.perf_counter(), time.process_time()
        reference = _torch_means(bert, encoded)
        rates["torch"].append(len(texts) / (time.perf_counter() - began))
        cpu_torch = time.process_time() - spent
        began, spent = time.perf_counter(), time.process_time()
        found = np.array(transformer.each(texts, lambda tokens: tokens.output.mean(axis=0)))
        rates["onnx"].append(len(texts) / (time.perf_counter() - began))
        cpu_onnx = time.process_time() - spent
    cosines = (_unit(found) * _unit(reference)).sum(axis=1)
    return (
        f"{len(texts)} texts of {np.mean([len(ids) for ids in encoded]):.0f} tokens: "
        f"cosine {cosines.mean():.4f} (lowest {cosines.min():.4f}); documents/s on {threads} threads: "
        f"torch {max(rates['torch']):.0f}, onnx {max(rates['onnx']):.0f}; "
        f"processor time: {cpu_torch / cpu_onnx:.1f} times less"
    )


def _unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _torch_means(bert: torch.nn.Module, encoded: Sequence[Sequence[int]]) -> Array:
    """Return sentence vectors in batches of 32 of like length, as sentence-transformers makes them."""
    order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i]))
    means = np.zeros((len(encoded), bert.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        size = len(encoded[batch[0]])
        ids = torch.tensor([[*encoded[i], *[0] * (size - len(encoded[i]))] for i in batch])
        mask = torch.tensor([[1] * len(encoded[i]) + [0] * (size - len(encoded[i])) for i in batch])
        with torch.inference_mode():
            hidden = bert(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
        means[batch] = (hidden.sum(1) / mask.sum(1, keepdim=True)).numpy()
    return means


def main() -> None:
    """Export the general sentence encoder, and measure it if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=PROJECT / "models/encoder/1")
    parser.add_argument("--measure", type=int, default=0, metavar="N", help="compare on N texts")
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    found = _sha256(chosen.weights / "model.safetensors")
    if found != WEIGHTS_SHA256:
        parser.error(f"{chosen.weights}: sha256 {found[:12]}…, expected {WEIGHTS_SHA256[:12]}… ({SOURCE})")
    from transformers import AutoModel

    bert = AutoModel.from_pretrained(chosen.weights, add_pooling_layer=False, local_files_only=True)
    export(bert, chosen.weights / "tokenizer.json", chosen.out)
    _describe(chosen.out)
    if chosen.measure:
        texts = _written()
        texts = texts[1 :: max(1, len(texts) // chosen.measure)][: chosen.measure]
        print(measure(bert.eval(), chosen.out, texts, threads=chosen.threads))


if __name__ == "__main__":
    main()
