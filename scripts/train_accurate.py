"""Fine-tune the accurate tier: MiniLM with one linear layer on every token.

Run: python scripts/train_accurate.py seed --weights FOLDER --seed 0 (and 1, …), then
python scripts/train_accurate.py choose --weights FOLDER build/accurate/seed*.pt
(FOLDER: a Hugging Face folder of sentence-transformers/all-MiniLM-L6-v2.)

The layer gives each token 13 numbers, in the order of the fast tier's: three labels of the document,
three of the unit, seven expectation sources. A document's or a unit's logit is the mean over its tokens,
so one pass over the text labels it, finds its evidence and names what the expectation came from.

Each seed is trained on one thread (two threads that wait for each other are slower than two seeds side
by side: about 50 minutes each for 31,000 documents, read three times). A part of the documents is never
trained on: on it seeds are compared, and calibration and thresholds fitted, with the very int8 model
that ships. Averaged weights of two seeds (Wortsman et al. 2022) were no better there: macro-F1 .841,
each alone .847 and .856. Gold is never read.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import accurate_tier
import click
import numpy as np
import pandas as pd
import student
import torch
import torch.nn.functional as fn
from export_onnx import SOURCE, WEIGHTS_SHA256, export
from tokenizers import Tokenizer
from torch import Tensor, nn
from training_data import held_out, training_data

from classifier import kernel, train
from classifier.accurate import windows_of
from classifier.buffers import Column
from classifier.classify.weights import OUTPUTS
from classifier.labels import LABELS
from classifier.transformer import MODEL, TOKENIZER, Transformer

HIDDEN = 384
CLS, SEP, MASK = 101, 102, 103
TOKENS_PER_BATCH = 3072
EPOCHS = 3
RATE, HEAD_RATE = 1e-4, 1e-3
WARM_UP = 0.06
MASKED = 0.08
"""Share of tokens hidden while training: the model must not lean on single words."""

UNKNOWN_UNIT = 0.15
"""Weight of units of a labelled document that aren't its evidence: most carry the label less, some do."""

RANKED, NAMED = 0.3, 0.2
"""Weights of the two further losses: which unit is the evidence, and where the expectation came from."""

LABELLED = len(LABELS)


@dataclass(frozen=True)
class Window:
    """A part of a document that is read at once: its token ids, and the unit of each token."""

    document: int
    ids: np.ndarray
    unit: np.ndarray
    whole: bool


@dataclass(frozen=True)
class Data:
    """Documents as windows of tokens; labels as in `train.unit_labels`."""

    windows: list[Window]
    units: kernel.Units
    has: np.ndarray
    unit_has: np.ndarray
    unit_source: np.ndarray


def prepare(documents: pd.DataFrame, tokenizer: Tokenizer) -> Data:
    """Tokenize documents and assign tokens to units."""
    units = kernel.split_column(Column.of(documents["text"]))
    has = documents[list(LABELS)].to_numpy(dtype=bool)
    unit_has, unit_source = train.unit_labels(documents, units, has)
    encoded = tokenizer.encode_batch(documents["text"].tolist(), add_special_tokens=False)
    windows = []
    for row, found in enumerate(encoded):
        begin, stop = int(units.first[row]), int(units.first[row + 1])
        if begin == stop:
            continue
        starts = np.array([start for start, _ in found.offsets], dtype=np.int64)
        unit = begin + np.clip(
            np.searchsorted(units.start[begin:stop], starts, side="right") - 1, 0, stop - begin - 1
        )
        ids = np.array(found.ids, dtype=np.int64)
        parts = windows_of(unit)
        windows += [Window(row, ids[a:b], unit[a:b], len(parts) == 1) for a, b in parts]
    return Data(windows, units, has, unit_has, unit_source)


class Net(nn.Module):
    """The encoder and the layer on its tokens."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        from transformers import AutoModel

        # Dropout inside the encoder costs a third of the time on a CPU; hidden tokens do its work.
        self.encoder = AutoModel.from_pretrained(
            weights,
            add_pooling_layer=False,
            attn_implementation="eager",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        # Words that the training texts lack stay where they are, beside those that move with the layers.
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(HIDDEN, OUTPUTS)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the outputs of each token, shape (batch, tokens, 13)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        result: Tensor = self.head(self.dropout(hidden))
        return result


@dataclass(frozen=True)
class Batch:
    """Windows padded to one length; `segment` numbers the units of the batch, -1 where no token is."""

    windows: Sequence[Window]
    ids: Tensor
    attention: Tensor
    segment: Tensor
    units: np.ndarray
    row: Tensor


def collate(windows: Sequence[Window]) -> Batch:
    """Pad windows to a batch."""
    length = max(len(window.ids) for window in windows) + 2
    ids = torch.zeros(len(windows), length, dtype=torch.long)
    attention = torch.zeros_like(ids)
    segment = torch.full_like(ids, -1)
    units, rows, count = [], [], 0
    for row, window in enumerate(windows):
        size = len(window.ids)
        ids[row, 0], ids[row, size + 1] = CLS, SEP
        ids[row, 1 : size + 1] = torch.from_numpy(window.ids)
        attention[row, : size + 2] = 1
        own, place = np.unique(window.unit, return_inverse=True)
        segment[row, 1 : size + 1] = torch.from_numpy(place) + count
        units.append(own)
        rows += [row] * len(own)
        count += len(own)
    return Batch(windows, ids, attention, segment, np.concatenate(units), torch.tensor(rows))


def pooled(outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the mean outputs of each window, shape (w, 13), and of each unit, shape (u, 13)."""
    there = batch.segment >= 0
    tokens, unit = outputs[there], batch.segment[there]
    units = torch.zeros(len(batch.units), OUTPUTS).index_add(0, unit, tokens)
    sizes = torch.zeros(len(batch.units)).index_add(0, unit, torch.ones(len(unit)))
    mask = there.unsqueeze(-1).float()
    return (outputs * mask).sum(1) / mask.sum(1), units / sizes.unsqueeze(-1)


def loss_of(data: Data, batch: Batch, outputs: Tensor) -> Tensor:
    """Return the sum of the four losses."""
    window, unit = pooled(outputs, batch)
    unit_has = torch.from_numpy(data.unit_has[batch.units].astype(np.int64))
    carries = (unit_has == 1).float()
    inside = torch.zeros(len(batch.windows), LABELLED).index_add(0, batch.row, carries) > 0
    truth = torch.from_numpy(data.has[[one.document for one in batch.windows]]).float()
    part = torch.tensor([not one.whole for one in batch.windows]).unsqueeze(1)
    # A part of a labelled document has the label for sure only where its evidence lies in it.
    known = torch.where(part & (truth > 0) & ~inside, 0.0, 1.0)
    documents = fn.binary_cross_entropy_with_logits(window[:, :LABELLED], truth, known, reduction="sum")
    weight = torch.where(unit_has == -1, UNKNOWN_UNIT, 1.0)
    logits = unit[:, LABELLED : 2 * LABELLED]
    units = fn.binary_cross_entropy_with_logits(logits, carries, weight, reduction="sum")
    source = torch.from_numpy(data.unit_source[batch.units])
    named = source >= 0
    names = fn.cross_entropy(unit[named][:, 2 * LABELLED :], source[named]) if named.any() else 0.0
    ranked = _ranking(logits, carries, inside, batch.row)
    return documents / known.sum() + units / weight.sum() + RANKED * ranked + NAMED * names


def _ranking(logits: Tensor, carries: Tensor, inside: Tensor, row: Tensor) -> Tensor:
    """Return how little of a softmax over its units each labelled window gives to its evidence."""
    rows = len(inside)
    several = torch.bincount(row, minlength=rows) > 1
    total = logits.new_zeros(())
    for place in range(LABELLED):
        wanted = inside[:, place] & several
        if not wanted.any():
            continue
        own = logits[:, place]
        highest = torch.full((rows,), -1e9).scatter_reduce(0, row, own.detach(), "amax")
        odds = (own - highest[row]).exp()
        everything = torch.zeros(rows).index_add(0, row, odds)
        evidence = torch.zeros(rows).index_add(0, row, odds * carries[:, place])
        share = evidence[wanted].clamp(min=1e-9) / everything[wanted]
        total = total - share.log().mean()
    return total / LABELLED


def batches(windows: Sequence[Window], generator: np.random.Generator) -> list[list[Window]]:
    """Return one epoch: windows of like length together, batches in random order."""
    order = generator.permutation(len(windows))
    found: list[list[Window]] = []
    for begin in range(0, len(order), 2048):
        chunk = sorted((windows[place] for place in order[begin : begin + 2048]), key=lambda w: len(w.ids))
        found += list(filled(chunk))
    generator.shuffle(found)  # type: ignore[arg-type]
    return found


def filled(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Yield runs of windows, in ascending length, that fill a batch each."""
    batch: list[Window] = []
    for window in windows:
        if batch and (len(window.ids) + 2) * (len(batch) + 1) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def fit(data: Data, weights: Path, seed: int) -> Net:
    """Train one seed."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    net = Net(weights)
    body = [one for one in net.encoder.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": list(net.head.parameters()), "lr": HEAD_RATE}],
        weight_decay=0.01,
        fused=True,
    )
    plan = [batch for _ in range(EPOCHS) for batch in batches(data.windows, generator)]
    warm = max(1, round(WARM_UP * len(plan)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (len(plan) - step) / (len(plan) - warm))
    )
    net.train()
    began = time.monotonic()
    for step, windows in enumerate(plan, start=1):
        batch = collate(windows)
        hidden = (torch.rand(batch.ids.shape) < MASKED) & (batch.segment >= 0)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = net(torch.where(hidden, MASK, batch.ids), batch.attention)
        loss = loss_of(data, batch, outputs.float())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            seconds = time.monotonic() - began
            click.echo(f"seed {seed}: step {step} of {len(plan)}, loss {loss.item():.3f}, {seconds:.0f} s")
    return net.eval()


@click.group()
def main() -> None:
    """Make the accurate tier."""


@main.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), default="build/accurate", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def seed(data_root: Path, weights: Path, out: Path, seed: int) -> None:
    """Train one seed on one thread and save its weights."""
    if hashlib.sha256((weights / "model.safetensors").read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise click.ClickException(f"{weights}: not the weights of {SOURCE}")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    documents = train.canonical(training_data(data_root))
    inside = ~held_out(documents)
    data = prepare(documents[inside].reset_index(drop=True), tokenizer_of(weights))
    net = fit(data, weights, seed)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), out / f"seed{seed}.pt")


@main.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), default="build/accurate", show_default=True)
@click.argument("seeds", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def choose(data_root: Path, weights: Path, out: Path, seeds: tuple[Path, ...]) -> None:
    """Write each seed as int8 ONNX beside it, and the one with the best held-out macro-F1 into --out."""
    documents = train.canonical(training_data(data_root))
    found = {}
    for path in seeds:
        net = Net(weights)
        net.load_state_dict(torch.load(path, weights_only=True))
        export(net.eval(), weights / TOKENIZER, path.with_suffix(""))
        fitted = accurate_tier.fit(Transformer.load(path.with_suffix("")), documents, student.SETTINGS)
        has = documents[list(LABELS)].to_numpy(dtype=bool)[fitted.rows]
        found[path.with_suffix("")] = accurate_tier.macro_f1(has, fitted.decision)
        click.echo(f"{path.name}: macro-F1 {found[path.with_suffix('')]:.3f} on held-out documents")
    best = max(found, key=lambda folder: found[folder])
    out.mkdir(parents=True, exist_ok=True)
    for name in (MODEL, TOKENIZER):
        shutil.copyfile(best / name, out / name)
    click.echo(f"{out}: {best.name}")


def tokenizer_of(weights: Path) -> Tokenizer:
    """Return the tokenizer of a Hugging Face folder, without cutting or padding."""
    tokenizer = Tokenizer.from_file(str(weights / TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


if __name__ == "__main__":
    main()
