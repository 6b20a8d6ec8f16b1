"""Fine-tune the accurate tier: MiniLM with one linear layer on every token.

Run: python scripts/train_accurate.py seed --weights FOLDER --seed 0 (and 1, …), then
python scripts/train_accurate.py choose --weights FOLDER build/accurate/*.pt
(FOLDER: a Hugging Face folder of sentence-transformers/all-MiniLM-L6-v2.)

The layer gives each token 13 numbers, in the order of the fast tier's: three labels of the document,
three of the unit, seven expectation sources. A document's or a unit's logit is the mean over its tokens,
so one pass over the text labels it, finds its evidence and names what the expectation came from.

Documents that are labelled while a seed is trained are read in a further epoch, with some of the others:
python scripts/train_accurate.py further --weights FOLDER --later close,random build/accurate/seed0.pt
So are they from the int8 weights that ship, where the float ones are gone:
python scripts/train_accurate.py further --weights FOLDER --later themes,texts --most 10000 --others 24000
    models/default/7/accurate

How a tier decides that never saw a text's kind of source is told by trainings without such kinds:
python scripts/train_accurate.py without --weights FOLDER --row 0 (and 1), then scripts/unknown_sources.py

A step of the 4,221 that 48,652 documents and 19,780 short soft ones take, read three times, is .54 s by two
threads and .90 s by one on a Xeon that multiplies bfloat16 in tiles (AMX), .7 s and 1.1 to 1.5 s elsewhere,
if nothing else runs; where glibc allocates, MALLOC_MMAP_MAX_=0 and MALLOC_TRIM_THRESHOLD_=8000000000 spare up
to a fifth of it. A part of the documents is never trained on: on it seeds are compared, and calibration and
thresholds fitted, with the very int8 model that ships. Averaged weights of two seeds (Wortsman et al. 2022)
were no better there: macro-F1 .841, each alone .847 and .856. Gold is never read.
"""

import hashlib
import shutil
import time
from pathlib import Path

import accurate_tier
import click
import numpy as np
import pandas as pd
import soft_labels
import student
import torch
import torch.nn.functional as fn
from accurate_data import MASK, NONE, Batch, Data, batches, collate, prepare, short
from export_onnx import SOURCE, WEIGHTS_SHA256, export
from import_onnx import weights_of
from tokenizers import Tokenizer
from torch import Tensor, nn
from training_data import held_out, ids_of, training_data

from classifier import train
from classifier.classify.weights import OUTPUTS
from classifier.labels import LABELS
from classifier.transformer import MODEL, TOKENIZER, Transformer

HIDDEN = 384
EPOCHS = 3
EPOCHS_WITHOUT = 2
"""Of those that only tell how sources are decided that nothing was learnt from."""

RATE, HEAD_RATE = 1e-4, 1e-3
WARM_UP = 0.06
MASKED = 0.08
"""Share of tokens hidden while training: the model must not lean on single words."""

RANKED, NAMED = 0.3, 0.2
"""Weights of the two further losses: which unit is the evidence, and where the expectation came from."""

FURTHER_RATE, OTHERS = 3e-5, 8_000
"""Of an epoch over documents that came later, and how many others are read again with them."""

LABELLED = len(LABELS)


def lean_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float,
    **_: object,
) -> tuple[Tensor, None]:
    """Return what each token attends to, in the numbers that came in.

    The one of transformers adds its mask as float32, which makes all that follows twice as wide.
    """
    scores = torch.matmul(query * scaling, key.transpose(2, 3))
    # There is none where all texts of a batch are of one length.
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    found = torch.matmul(torch.softmax(scores, -1), value)
    return found.transpose(1, 2).contiguous(), None


class Net(nn.Module):
    """The encoder and the layer on its tokens."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        from transformers import AttentionInterface, AutoModel
        from transformers.masking_utils import AttentionMaskInterface, eager_mask

        AttentionInterface.register("lean", lean_attention)
        AttentionMaskInterface.register("lean", eager_mask)
        # Dropout inside the encoder costs a third of the time on a CPU; hidden tokens do its work.
        self.encoder = AutoModel.from_pretrained(
            weights,
            add_pooling_layer=False,
            attn_implementation="lean",
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
    evidence = torch.from_numpy(data.evidence[batch.units])
    inside = torch.zeros(len(batch.windows), LABELLED).index_add(0, batch.row, evidence) > 0
    rows = [one.document for one in batch.windows]
    share, trusted = torch.from_numpy(data.share[rows]), torch.from_numpy(data.weight[rows])
    part = torch.tensor([not one.whole for one in batch.windows]).unsqueeze(1)
    # A part of a labelled document has the label for sure only where its evidence lies in it.
    known = torch.where(part & (share == 1) & ~inside, 0.0, trusted.unsqueeze(1))
    documents = fn.binary_cross_entropy_with_logits(window[:, :LABELLED], share, known, reduction="sum")
    unit_share = torch.from_numpy(data.unit_share[batch.units])
    weight = torch.from_numpy(data.unit_weight[batch.units])
    logits = unit[:, LABELLED : 2 * LABELLED]
    units = fn.binary_cross_entropy_with_logits(logits, unit_share, weight, reduction="sum")
    source = torch.from_numpy(data.unit_source[batch.units])
    named = source >= 0
    names = fn.cross_entropy(unit[named][:, 2 * LABELLED :], source[named]) if named.any() else 0.0
    ranked = _ranking(logits, evidence, inside, batch.row)
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


def fit(data: Data, net: Net, seed: int, epochs: int, rates: tuple[float, float] = (RATE, HEAD_RATE)) -> Net:
    """Train one seed, at these rates for the encoder and for the layer on it."""
    generator = np.random.default_rng(seed)
    body = [one for one in net.encoder.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rates[0]}, {"params": list(net.head.parameters()), "lr": rates[1]}],
        weight_decay=0.01,
        fused=True,
    )
    plan = [batch for _ in range(epochs) for batch in batches(data.windows, generator)]
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
@click.option("--threads", type=int, default=2, show_default=True)
def seed(data_root: Path, weights: Path, out: Path, seed: int, threads: int) -> None:
    """Train one seed and save its weights."""
    documents = _learnt_from(data_root, weights)
    torch.set_num_threads(threads)
    data = prepare(documents, short(soft_labels.read(data_root)), tokenizer_of(weights))
    torch.manual_seed(seed)
    net = fit(data, Net(weights), seed, EPOCHS)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), out / f"seed{seed}.pt")


@main.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), default="build/accurate", show_default=True)
@click.option("--row", type=click.IntRange(0, len(student.LEFT_OUT) - 1), required=True)
def without(data_root: Path, weights: Path, out: Path, row: int) -> None:
    """Train without the sources of a row of LEFT_OUT, and write int8 ONNX to OUT/without<row>."""
    documents = _learnt_from(data_root, weights)
    left = np.concatenate(student.LEFT_OUT[row])
    documents = documents[~documents["source"].isin(left)].reset_index(drop=True)
    torch.manual_seed(0)
    net = fit(prepare(documents, NONE, tokenizer_of(weights)), Net(weights), 0, EPOCHS_WITHOUT)
    export(net, weights / TOKENIZER, out / f"without{row}")


@main.command()
@click.option("--data-root", type=click.Path(path_type=Path, exists=True), default="../shared/data")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), default="build/accurate", show_default=True)
@click.option("--later", required=True, help="Rounds that came later: close,random; or themes,texts.")
@click.option("--most", type=int, help="So many of each round at most, drawn at random.")
@click.option("--others", type=int, default=OTHERS, show_default=True)
@click.option("--rate", type=float, default=FURTHER_RATE, show_default=True, help="Of the encoder.")
@click.option("--threads", type=int, default=2, show_default=True)
@click.argument("given", type=click.Path(path_type=Path, exists=True))
def further(
    data_root: Path,
    weights: Path,
    out: Path,
    later: str,
    most: int | None,
    others: int,
    rate: float,
    threads: int,
    given: Path,
) -> None:
    """Train GIVEN for an epoch over later documents and some others; save it as OUT/further.pt.

    GIVEN is a seed that was saved, or the folder of an accurate tier as it ships, in int8.
    """
    rounds = later.split(",")
    documents = _learnt_from(data_root, weights)
    torch.set_num_threads(threads)
    later_ids = [documents["id"].isin(ids_of([one])).to_numpy() for one in rounds]
    draw = np.random.default_rng(0)
    again = draw.choice(np.flatnonzero(~np.any(later_ids, axis=0)), others, replace=False)
    drawn = [draw.permutation(np.flatnonzero(own))[:most] for own in later_ids]
    first = np.unique(np.concatenate(drawn))
    chosen = documents.iloc[np.sort([*first, *again])].reset_index(drop=True)
    click.echo(f"{len(first)} later documents and {len(again)} others")
    torch.manual_seed(0)
    net = fit(prepare(chosen, NONE, tokenizer_of(weights)), _given(weights, given), 0, 1, (rate, 10 * rate))
    out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), out / "further.pt")


def _given(weights: Path, given: Path) -> Net:
    """Return a net with the weights that were saved, or those of an accurate tier."""
    net = Net(weights)
    if given.is_dir():
        encoder, head = weights_of(given / MODEL)
        net.encoder.load_state_dict(encoder)
        net.head.load_state_dict(head)
    else:
        net.load_state_dict(torch.load(given, weights_only=True))
    return net


def _learnt_from(data_root: Path, weights: Path) -> pd.DataFrame:
    """Return the documents that are trained on, once the weights are known to be the right ones."""
    if hashlib.sha256((weights / "model.safetensors").read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise click.ClickException(f"{weights}: not the weights of {SOURCE}")
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    documents = train.canonical(training_data(data_root))
    return documents[~held_out(documents)].reset_index(drop=True)


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
