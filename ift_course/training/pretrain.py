"""Pretraining the embedded base model: the world's prose in, a text predictor out."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.training.loop import adamw, text_batches, train

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides the base model; two equal configs give two equal models."""

    seed: int = 0
    tokens: int = 20_000_000
    reading_share: float = 0.55
    vocab_size: int = 2048
    hidden_size: int = 256
    layers: int = 6
    heads: int = 4
    intermediate_size: int = 704
    length: int = 256
    batch_size: int = 16
    learning_rate: float = 3e-3
    warmup: int = 100
    tokenizer_documents: int = 40_000

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return self.tokens // (self.batch_size * self.length)


def build_tokenizer(config: PretrainConfig) -> PreTrainedTokenizerFast:
    """Train the tokenizer on corpus text plus the wordings of the tasks.

    The instructions are there only so that their words do not fall apart into letters; the model
    is never trained on them.
    """
    from ift_course.models.tokenizer import train_tokenizer
    from ift_course.world.corpus import documents
    from ift_course.world.tasks import sample

    corpus = itertools.islice(documents(config.seed + 1), config.tokenizer_documents)
    tasks = sample(config.tokenizer_documents // 20, seed=config.seed + 1, split="train")
    words = (f"user {t.instruction}\n{t.input} assistant {t.response} system" for t in tasks)
    return train_tokenizer(itertools.chain(corpus, words), config.vocab_size)


def new_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """A Llama (Touvron et al. 2023) of the configured size with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(config.seed)
    stop = tokenizer.convert_tokens_to_ids("<|im_end|>")
    llama = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(llama)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, stop]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def corpus_ids(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, str]:
    """The whole corpus as one run of token ids (int16), and the SHA-256 of its text."""
    import numpy as np
    import torch

    from ift_course.world.corpus import documents

    stream = documents(config.seed, config.reading_share)
    digest = hashlib.sha256()
    parts: list[np.ndarray] = []
    count = 0
    while count < config.tokens:
        texts = list(itertools.islice(stream, 5000))
        digest.update("\n\n".join(texts).encode())
        encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
        flat = [i for ids in encoded for i in (*ids, tokenizer.eos_token_id)]
        parts.append(np.asarray(flat, dtype=np.int16))
        count += len(flat)
    return torch.from_numpy(np.concatenate(parts)[: config.tokens]), digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """Where an interrupted run goes on: one file, replaced atomically."""

    path: Path

    def save(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, log: list) -> None:
        import torch

        scratch = self.path.with_suffix(".tmp")
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "log": log}
        torch.save(state, scratch)
        os.replace(scratch, self.path)

    def load(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> list:
        import torch

        if not self.path.exists():
            return []
        state = torch.load(self.path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return state["log"]


@dataclass(frozen=True)
class Pretrained:
    """A finished run: the model, its tokenizer, and what the model card reports."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    log: list[dict[str, float]]
    corpus_sha256: str


def pretrain(
    config: PretrainConfig,
    work: Path,
    *,
    device: str = "cpu",
    checkpoint_every: int = 250,
    on_log: Callable[[dict[str, float]], None] | None = None,
) -> Pretrained:
    """Train the base model; run it again after an interruption and it goes on where it was.

    Args:
        config: what to train.
        work: a folder for the tokenizer and the checkpoint. One folder serves one config.
        device: ``"cpu"`` or ``"cuda"``.
        checkpoint_every: optimizer steps between checkpoints.
        on_log: called every 25 steps with step, tokens, mean loss of the last 25, and seconds.

    Raises:
        CourseError: ``work`` holds a run of another config.
    """
    from ift_course.hardware import bf16_is_fast

    work.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(config, work)
    ids, corpus_sha256 = corpus_ids(config, tokenizer)
    model = new_model(config, tokenizer).to(device)
    optimizer = adamw(model)
    checkpoint = Checkpoint(work / "checkpoint.pt")
    log = checkpoint.load(model, optimizer)
    start = int(log[-1]["step"]) if log else 0
    before = log[-1]["seconds"] if log else 0.0
    began, recent = time.perf_counter(), []

    def on_step(step: int, loss: float) -> None:
        recent.append(loss)
        if step % 25 == 0 or step == config.steps:
            seconds = before + time.perf_counter() - began
            log.append(
                {
                    "step": step,
                    "tokens": step * config.batch_size * config.length,
                    "loss": round(sum(recent) / len(recent), 4),
                    "seconds": round(seconds, 1),
                }
            )
            recent.clear()
            if on_log:
                on_log(log[-1])
        if step % checkpoint_every == 0:
            checkpoint.save(model, optimizer, log)

    train(
        model,
        text_batches(ids, batch_size=config.batch_size, length=config.length, start=start),
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        bf16=bf16_is_fast(),
        optimizer=optimizer,
        start=start,
        on_step=on_step,
    )
    return Pretrained(model.eval(), tokenizer, log, corpus_sha256)


def _tokenizer(config: PretrainConfig, work: Path) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    from ift_course.errors import CourseError

    told = work / "pretrain.json"
    wanted = json.dumps(asdict(config), indent=2)
    if told.exists() and told.read_text() != wanted:
        raise CourseError(
            f"{work} holds the checkpoint of a run with other settings; "
            "delete that folder or pass another --work."
        )
    folder = work / "tokenizer"
    if not told.exists():
        build_tokenizer(config).save_pretrained(folder)
        told.write_text(wanted)
    return PreTrainedTokenizerFast.from_pretrained(folder)
