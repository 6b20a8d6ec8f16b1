"""Write a transformer of the BERT family as int8 ONNX for `classifier/transformer.py`.

In: a folder with the weights of sentence-transformers/all-MiniLM-L6-v2, or (as a function) any torch
module made of one BertModel and at most one linear layer for each token. Out: a folder with model.onnx,
tokenizer.json and model.json. Nothing of torch, transformers or onnx is needed to run what is written.

Usage: python scripts/export_onnx.py --weights FOLDER --out build/encoder/1 [--measure N]
Needs torch, transformers, onnx and onnxruntime; the same weights and texts give the same bytes.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from onnx_parts import (
    MICROSOFT,
    Array,
    Graph,
    Linear,
    attention,
    float_linear,
    float_linears,
    int8_linears,
    mixed_linear,
    smooth_linears,
    widest_last,
)

PROJECT = Path(__file__).resolve().parents[1]
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SOURCE = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
MOST_BYTES = 25_000_000

OPSET, MICROSOFT_OPSET, IR_VERSION = 18, 1, 9

CALIBRATION_TEXTS = 64
LARGEST_FAULT = 1e-3
"""The float graph must say what torch says, to this difference, before it is quantised."""


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
    return written_texts()[:: len(written_texts()) // CALIBRATION_TEXTS]


def written_texts() -> list[str]:
    """Return the texts of the written training documents."""
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
        rows = float_linear(graph, rows, _linear(head, np.zeros(0)), "head")
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
    up, down = widest_last(up, _linear(layer.output.dense, seen[names["down"]]))
    plain, smooth, mixed = (
        (int8_linears, smooth_linears, mixed_linear)
        if quantised
        else (float_linears, float_linears, float_linear)
    )
    parts = smooth(graph, rows, three, names["qkv"])
    read = attention(graph, parts, config.hidden_size // config.num_attention_heads)
    # Add and LayerNormalization apart: the fused operator takes six times as long as both.
    attended = graph.add("Add", *plain(graph, read, [out], names["out"]), rows)
    rows = _normed(graph, attended, layer.attention.output.LayerNorm, epsilon)
    # Made of tanh it is off by at most 5e-4, less than int8 rounds, and takes three quarters of the time.
    gelu = "FastGelu" if quantised else "Gelu"
    inner = graph.add(gelu, *smooth(graph, rows, [up], names["up"]), domain=MICROSOFT)
    written = graph.add("Add", mixed(graph, inner, down, names["down"]), rows)
    return _normed(graph, written, layer.output.LayerNorm, epsilon)


def _normed(graph: Graph, rows: str, norm: torch.nn.LayerNorm, epsilon: float) -> str:
    name = f"norm.{len(graph.nodes)}"
    weight = graph.constant(f"{name}.weight", _array(norm.weight))
    bias = graph.constant(f"{name}.bias", _array(norm.bias))
    return graph.add("LayerNormalization", rows, weight, bias, epsilon=epsilon)


def _linear(layer: torch.nn.Linear, seen: Array) -> Linear:
    return Linear(_array(layer.weight).T, _array(layer.bias), seen)


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


def describe(out: Path, *, tuned: bool = False) -> None:
    """Write model.json: what the folder holds and where it comes from."""
    changes = "weights and embeddings rounded to int8 (scripts/export_onnx.py); pooler left out"
    if tuned:
        changes = f"fine-tuned on data/training/companies.jsonl (scripts/train_encoder.py); {changes}"
    body = {
        "name": out.parent.name,
        "version": out.name,
        "about": "Sentence vectors for themes and links: mean over all tokens, scaled to length 1.",
        "source": SOURCE,
        "source_sha256": WEIGHTS_SHA256,
        "licence": "Apache-2.0",
        "changes": changes,
        "files": {name: sha256_of(out / name) for name in ("model.onnx", "tokenizer.json")},
    }
    (out / "model.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
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
    """Export the sentence encoder as it was published, and measure it if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=PROJECT / "build/encoder/1")
    parser.add_argument("--measure", type=int, default=0, metavar="N", help="compare on N texts")
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    found = sha256_of(chosen.weights / "model.safetensors")
    if found != WEIGHTS_SHA256:
        parser.error(f"{chosen.weights}: sha256 {found[:12]}…, expected {WEIGHTS_SHA256[:12]}… ({SOURCE})")
    from transformers import AutoModel

    bert = AutoModel.from_pretrained(chosen.weights, add_pooling_layer=False, local_files_only=True)
    export(bert, chosen.weights / "tokenizer.json", chosen.out)
    describe(chosen.out)
    if chosen.measure:
        texts = written_texts()
        texts = texts[1 :: max(1, len(texts) // chosen.measure)][: chosen.measure]
        print(measure(bert.eval(), chosen.out, texts, threads=chosen.threads))


if __name__ == "__main__":
    main()
