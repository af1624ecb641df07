"""Pretraining the embedded base model: the world's prose in, a text predictor out."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ift_course.from_scratch.training_loop import adamw, text_batches, train
from ift_course.world.corpus import Mixture

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Phase:
    """A stretch of pretraining with its own mixture of text and its own learning rate.

    Attributes:
        name: What the model card calls it.
        tokens: Tokens of text, each seen once.
        learning_rate: Peak; it rises over the warm-up and then falls linearly to zero.
        mixture: Shares of the kinds of text.
    """

    name: str
    tokens: int
    learning_rate: float
    mixture: Mixture


PROSE = Phase("prose", 5_000_000, 2e-3, Mixture())
# Prose first, then worked tasks in prose (mid-training): passages in which somebody looks up a
# fact, then more of what turned out to be hard to read, in four rounds. With the worked examples
# at the beginning instead, the model never came to tell true claims from false ones.
PHASES = (
    PROSE,
    Phase("lookups", 7_000_000, 2e-3, Mixture(comprehension=0.7)),
    Phase("worked examples", 3_500_000, 1.2e-3, Mixture(0.25, worked_examples=0.5)),
    Phase("varied examples", 4_000_000, 1e-3, Mixture(0.15, varied_examples=0.7)),
    Phase("all kinds", 11_000_000, 1.5e-3, Mixture(0.25, 0.1, 0.2, drills=0.4)),
    Phase("talk", 5_000_000, 1.2e-3, Mixture(0.15, 0.05, 0.1, drills=0.2, talk=0.45)),
)


def phases(tokens: int | None = None) -> tuple[Phase, ...]:
    """The course's phases, or the same in proportion with ``tokens`` in all."""
    scale = 1.0 if tokens is None else tokens / sum(phase.tokens for phase in PHASES)
    return tuple(replace(phase, tokens=round(phase.tokens * scale)) for phase in PHASES)


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides the base model; two equal configs give two equal models."""

    seed: int = 0
    phases: tuple[Phase, ...] = PHASES
    vocab_size: int = 4096
    hidden_size: int = 256
    layers: int = 6
    heads: int = 4
    intermediate_size: int = 704
    length: int = 256
    batch_size: int = 8
    warmup: int = 100
    # "shipped" is the tokenizer of the model in the package; "new" learns one from the corpus and
    # the tasks as they are now, and so changes whenever the wording of a task does.
    tokenizer: str = "shipped"
    tokenizer_documents: int = 40_000

    def steps(self, phase: Phase) -> int:
        """Optimizer steps of a phase."""
        return phase.tokens // (self.batch_size * self.length)

    @property
    def total_steps(self) -> int:
        """Optimizer steps in all."""
        return sum(self.steps(phase) for phase in self.phases)


def build_tokenizer(config: PretrainConfig) -> PreTrainedTokenizerFast:
    """Train the tokenizer on the text of all the course's phases, on tasks and on dialogues.

    Instructions are there only so that their words do not fall apart into letters; the model is
    never trained on them.
    """
    from ift_course.models.tokenizer import train_tokenizer
    from ift_course.world.corpus import documents
    from ift_course.world.dialogues import dialogues
    from ift_course.world.tasks import sample

    share = config.tokenizer_documents // len(PHASES)
    texts = [
        text
        for number, phase in enumerate(PHASES)
        for text in itertools.islice(documents(config.seed + number + 1, phase.mixture), share)
    ]
    tasks = sample(config.tokenizer_documents // 20, seed=config.seed + 1, split="train")
    texts += [f"user\n{t.instruction}\n{t.input}\nassistant\n{t.response}" for t in tasks]
    conversations = dialogues(config.tokenizer_documents // 10, seed=config.seed + 1)
    texts += [text for turns in conversations for turn in turns for text in turn]
    return train_tokenizer(texts, config.vocab_size)


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
        eos_token_id=cast("int", tokenizer.eos_token_id),
        pad_token_id=cast("int", tokenizer.pad_token_id),
    )
    model = LlamaForCausalLM(llama)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, stop]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def corpus_ids(
    seed: int, phase: Phase, tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, str]:
    """A phase's whole text as one run of token ids (int16), and the SHA-256 of the text."""
    import numpy as np
    import torch

    from ift_course.world.corpus import documents

    stream = documents(seed, phase.mixture)
    digest = hashlib.sha256()
    parts: list[np.ndarray] = []
    count = 0
    while count < phase.tokens:
        texts = list(itertools.islice(stream, 5000))
        digest.update("\n\n".join(texts).encode())
        encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
        flat = [i for ids in encoded for i in (*ids, tokenizer.eos_token_id)]
        parts.append(np.asarray(flat, dtype=np.int16))
        count += len(flat)
    return torch.from_numpy(np.concatenate(parts)[: phase.tokens]), digest.hexdigest()


@dataclass(frozen=True)
class Pretrained:
    """A finished run: the model, its tokenizer, and what the model card reports.

    ``log`` has an entry every 25 steps; ``corpus_sha256`` one hash for each phase.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    log: list[dict[str, float]]
    corpus_sha256: list[str]


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
        checkpoint_every: optimizer steps between checkpoints; a multiple of 25.
        on_log: called every 25 steps with step, tokens, mean loss of the last 25, and seconds.

    Raises:
        CourseError: ``work`` holds a run of another config.
    """
    import torch

    work.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(config, work)
    model = new_model(config, tokenizer)
    cast("torch.nn.Module", model).to(device)
    log: list[dict[str, float]] = []
    hashes: list[str] = []
    for number in range(len(config.phases)):
        done = work / f"phase-{number}.pt"
        if not done.exists():
            run = _PhaseRun(config, number, work / "checkpoint.pt", checkpoint_every, on_log)
            hashes.append(run.train(model, tokenizer, log))
            # A phase begins with what the one before would have shipped, and that is bf16. Only
            # the weights: model.to(bfloat16) would round the frequencies of RoPE for good.
            for weight in model.parameters():
                weight.data = weight.data.to(torch.bfloat16).to(torch.float32)
            _save({"model": model.state_dict(), "log": log, "hashes": hashes}, done)
            (work / "checkpoint.pt").unlink(missing_ok=True)
        state = torch.load(done, weights_only=True)
        model.load_state_dict(state["model"])
        log, hashes = state["log"], state["hashes"]
    return Pretrained(model.eval(), tokenizer, log, hashes)


@dataclass(frozen=True)
class _PhaseRun:
    """One phase, from its beginning or from its checkpoint."""

    config: PretrainConfig
    number: int
    checkpoint: Path
    checkpoint_every: int
    on_log: Callable[[dict[str, float]], None] | None

    def train(self, model: PreTrainedModel, tokenizer, log: list[dict[str, float]]) -> str:
        """Train ``model`` in place, extend ``log``, and return the hash of the text."""
        from ift_course.hardware import bf16_is_fast

        config, phase = self.config, self.config.phases[self.number]
        ids, corpus_sha256 = corpus_ids(config.seed + 1000 * self.number, phase, tokenizer)
        before = sum(config.steps(earlier) for earlier in config.phases[: self.number])
        optimizer = adamw(model)
        start = self._resume(model, optimizer, log, before)
        seconds_before = log[-1]["seconds"] if log else 0.0
        began, recent = time.perf_counter(), []

        def on_step(step: int, loss: float) -> None:
            recent.append(loss)
            if step % 25 == 0 or step == config.steps(phase):
                entry = {
                    "step": before + step,
                    "tokens": (before + step) * config.batch_size * config.length,
                    "loss": round(sum(recent) / len(recent), 4),
                    "seconds": round(seconds_before + time.perf_counter() - began, 1),
                }
                log.append(entry)
                recent.clear()
                if self.on_log:
                    self.on_log(entry)
            if step % self.checkpoint_every == 0:
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                _save(state | {"log": log, "step": step}, self.checkpoint)

        train(
            model,
            text_batches(ids, batch_size=config.batch_size, length=config.length, start=start),
            steps=config.steps(phase),
            learning_rate=phase.learning_rate,
            warmup=config.warmup,
            bf16=bf16_is_fast(),
            optimizer=optimizer,
            start=start,
            on_step=on_step,
        )
        return corpus_sha256

    def _resume(self, model, optimizer, log: list, before: int) -> int:
        import torch

        if not self.checkpoint.exists():
            return 0
        state = torch.load(self.checkpoint, weights_only=True)
        if state["log"][-1]["step"] != before + state["step"]:
            return 0  # killed between the end of a phase and the removal of its checkpoint
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        log[:] = state["log"]
        return state["step"]


def _save(state: dict, path: Path) -> None:
    """Replace the file atomically, so that a kill leaves the old one or the new one."""
    import torch

    scratch = path.with_suffix(".tmp")
    torch.save(state, scratch)
    os.replace(scratch, path)


def _tokenizer(config: PretrainConfig, work: Path) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    from ift_course.errors import CourseError
    from ift_course.paths import assets_dir

    path = work / "pretrain.json"
    text = json.dumps(asdict(config), indent=2)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise CourseError(
            f"{work} holds the checkpoint of a run with other settings; "
            "delete that folder or pass another --work."
        )
    folder = work / "tokenizer"
    if not path.exists():
        if config.tokenizer == "new":
            build_tokenizer(config).save_pretrained(folder)
        else:
            PreTrainedTokenizerFast.from_pretrained(assets_dir() / "base").save_pretrained(folder)
        path.write_text(text, encoding="utf-8")
    return PreTrainedTokenizerFast.from_pretrained(folder)
