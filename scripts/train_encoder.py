"""Fine-tune the sentence encoder: a customer's words beside the promise that they hold against a company.

Run: python scripts/train_encoder.py --weights FOLDER --out models/encoder/2
(FOLDER: a Hugging Face folder of sentence-transformers/all-MiniLM-L6-v2.)

In: data/training/companies.jsonl, without the companies that are held out. For each span, the text that it is
about must be liked best among all of its company, and better than nothing where it is about none
(InfoNCE, van den Oord et al. 2018, with the company's other texts as negatives). Beside it, sentences of the
written training texts must keep the likenesses that the general model gives them, so that themes are found
as before. Needs torch and transformers; some twenty minutes on two cores. Gold is never read.
"""

import time
from pathlib import Path

import click
import companies
import numpy as np
import torch
import torch.nn.functional as fn
from companies import Asked
from export_onnx import WEIGHTS_SHA256, describe, export, sha256_of, written_texts
from tokenizers import Tokenizer
from torch import Tensor, nn

from classifier.sentences import LONGEST
from classifier.split import units
from classifier.transformer import TOKENIZER

EPOCHS = 3
RATE, NOTHING_RATE = 4e-5, 1e-2
WARM_UP = 0.1
SHARPNESS = 20.0
"""What cosines are multiplied with before the softmax."""

NOTHING = 0.4
"""Likeness to no text, at the beginning."""

KEPT, KEPT_WEIGHT = 48, 30.0
"""Sentences a step whose likenesses shall stay, and the weight of what they moved by, squared."""

AT_ONCE = 48


class Encoder(nn.Module):
    """Texts to unit rows: the mean over a text's tokens."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        from transformers import AutoModel

        self.bert = AutoModel.from_pretrained(weights, add_pooling_layer=False, local_files_only=True)
        # Words that the companies don't use stay where they are, beside those that move with the layers.
        self.bert.embeddings.word_embeddings.weight.requires_grad = False
        self.tokenizer = Tokenizer.from_file(str(weights / TOKENIZER))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()

    def forward(self, texts: list[str]) -> Tensor:
        """Return one row a text, shape (n, width)."""
        encoded = self.tokenizer.encode_batch(texts)
        mask = torch.tensor([one.attention_mask for one in encoded])
        ids = torch.tensor([one.ids for one in encoded])
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state * mask.unsqueeze(-1)
        return fn.normalize(hidden.sum(1) / mask.sum(1, keepdim=True), dim=1)

    def rows(self, texts: list[str]) -> dict[str, Tensor]:
        """Return text -> its row; texts of like length are read together."""
        ordered = sorted(set(texts), key=lambda text: (len(text), text))
        found = [self(ordered[begin : begin + AT_ONCE]) for begin in range(0, len(ordered), AT_ONCE)]
        return dict(zip(ordered, torch.cat(found), strict=True))


def loss_of(found: Asked, rows: dict[str, Tensor], nothing: Tensor) -> Tensor:
    """Return how far the right texts are from being liked best, by quotes alone and with their documents."""
    texts, quotes, documents = (
        torch.stack([rows[one] for one in many]) for many in (found.texts, found.quotes, found.documents)
    )
    right = torch.tensor(found.right)
    total = nothing.new_zeros(())
    for said in (quotes, (quotes + documents) / 2):
        likeness = torch.cat([said @ texts.T, nothing.expand(len(said), 1)], dim=1)
        total = total + fn.cross_entropy(SHARPNESS * likeness, right)
    return total


def sentences() -> list[str]:
    """Return the sentences of the written training texts, each once."""
    found = (text[start:end] for text in written_texts() for start, end in units(text) if end - start > 20)
    return sorted(dict.fromkeys(found))


def fit(encoder: Encoder, learnt: list[list[Asked]], kept: list[str], seed: int) -> None:
    """Train on the companies of `learnt`, one a step; `kept` sentences shall stay as like as they are."""
    draw = np.random.default_rng(seed)
    nothing = [nn.Parameter(torch.tensor(NOTHING)) for _ in learnt[0]]
    body = [one for one in encoder.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": nothing, "lr": NOTHING_RATE}], weight_decay=0.01
    )
    plan = [int(place) for _ in range(EPOCHS) for place in draw.permutation(len(learnt))]
    anchors = [[kept[place] for place in draw.choice(len(kept), KEPT, replace=False)] for _ in plan]
    with torch.inference_mode():
        before = [torch.stack(list(encoder.eval().rows(some).values())) for some in anchors]
    warm = WARM_UP * len(plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (len(plan) - step) / (len(plan) - warm))
    )
    encoder.train()
    began = time.monotonic()
    for step, (place, some, known) in enumerate(zip(plan, anchors, before, strict=True), start=1):
        texts = [
            text for one in learnt[place] for many in (one.texts, one.quotes, one.documents) for text in many
        ]
        rows = encoder.rows(texts)
        loss = sum(loss_of(one, rows, least) for one, least in zip(learnt[place], nothing, strict=True))
        now = torch.stack(list(encoder.rows(some).values()))
        moved = ((now @ now.T - known @ known.T) ** 2).mean()
        (loss + KEPT_WEIGHT * moved).backward()
        nn.utils.clip_grad_norm_(body, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 10 == 0:
            seconds = time.monotonic() - began
            click.echo(
                f"step {step} of {len(plan)}: loss {float(loss):.2f}, moved {moved:.4f}, {seconds:.0f} s"
            )
    click.echo(f"likeness of nothing: {[round(float(one), 2) for one in nothing]}")
    encoder.eval()


@click.command()
@click.option("--weights", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", type=int, default=2, show_default=True)
def main(weights: Path, out: Path, seed: int, threads: int) -> None:
    """Fine-tune the encoder and write it as int8 ONNX."""
    if sha256_of(weights / "model.safetensors") != WEIGHTS_SHA256:
        raise click.ClickException(f"{weights}: not the weights that training begins with")
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    learnt = [list(companies.asked(one)) for one in companies.companies() if not one["held_out"]]
    click.echo(f"{len(learnt)} companies")
    encoder = Encoder(weights)
    fit(encoder, learnt, sentences(), seed)
    out.mkdir(parents=True, exist_ok=True)
    export(encoder.bert, weights / TOKENIZER, out)
    describe(out, tuned=True)


if __name__ == "__main__":
    main()
