"""Supervised fine-tuning: cross-entropy on the response tokens, on TRL's SFTTrainer.

Ouyang et al., 2022 (InstructGPT), section 3.5; Wang et al., 2023 (Self-Instruct) for the loss on
the response only.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ift_course import ranks
from ift_course.data.chat_templates import ensure_chat_template, stop_at_end_of_turn
from ift_course.data.labeling import OnRefused, label_records
from ift_course.data.loss_mask import collate, is_trained
from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.from_scratch.packing import collate_packed, pack
from ift_course.training.adapter import Adapter, adapted_layers, not_adapted, undertrained_tokens
from ift_course.training.checkpoints import going_on, step_of
from ift_course.training.options import DEFAULT_OPTIMIZER, check_options
from ift_course.training.packed import refuse_if_rows_mix

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Method = Literal["full", "lora", "qlora"]


@dataclass(frozen=True)
class SftResult:
    """A tuned model and what it cost. With "lora" and "qlora" the model is a PeftModel."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    losses: list[float]  # mean loss of the response tokens at every step, resumed steps included
    steps: int
    seconds: float  # of this call; a resumed run counts only what it did itself
    tokens_per_second: float  # real tokens, prompts included, padding not
    peak_mb: float  # highest memory of the process so far, or of the GPU
    dropped: int = 0  # records without a response token within max_length
    truncated: int = 0  # records whose end was cut off
    resumed_from: int = 0  # the step of the checkpoint it went on from
    adapted: dict[str, int] = field(default_factory=dict)  # layers with LoRA, by their last name
    not_adapted: list[str] = field(default_factory=list)  # matrices that are no linear layers
    packed: int = 0  # sequences that hold all records together; 0 without packing


def sft(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    records: Sequence[Record],
    *,
    seed: int,
    epochs: float = 3.0,
    learning_rate: float | None = None,
    batch_size: int = 16,
    gradient_accumulation: int = 1,
    max_length: int = 512,
    method: Method = "full",
    adapter: Adapter | None = None,
    max_steps: int = -1,
    gradient_checkpointing: bool = False,
    optimizer: str = DEFAULT_OPTIMIZER,
    packing: bool = False,
    chunked_loss: bool = False,
    on_refused: OnRefused | None = None,
    output_dir: str | Path | None = None,
    resume: bool = True,
    progress: bool = True,
    checkpoint_steps: int = 200,
    checkpoint_seconds: float = 60.0,
) -> SftResult:
    """Tune `model` on the responses of `records`, in place, and return it with what it cost.

    Args:
        records: conversations; every assistant turn and its end-of-turn token is trained, nothing
            else. Longer ones are cut at `max_length` tokens.
        learning_rate: peak; None chooses by model size and method (`default_learning_rate`).
            It rises over the first 5 % of the steps and falls as a cosine.
        batch_size: records per forward pass; `gradient_accumulation` passes make one step.
        method: "full" changes every weight; "lora" trains `adapter`, or else `Adapter()`, and
            leaves the weights as they are (Hu et al., 2021), but for the rows of chat tokens that
            the model has never met; "qlora" does so on weights of 4 bits
            (Dettmers et al., 2023), quantizing the model here unless it was loaded with
            `four_bit=True`.
        max_steps: stop after so many steps; -1 leaves it to `epochs`.
        optimizer: a name of transformers' `OptimizerNames`, as "paged_adamw_8bit" on a GPU.
        packing: put several short records into one sequence of up to `max_length` tokens, none of
            which sees another: the same loss with less padding. `batch_size` then counts those
            sequences.
        chunked_loss: compute the logits in chunks, and again in the backward pass: the same loss
            for less memory, which pays where vocabulary × tokens is large, on a GPU.
        on_refused: is given each record that the chat template cannot write, and why; the record is
            left out then. None stops at the first and names its row.
        output_dir: keep checkpoints here, every `checkpoint_steps` steps and `checkpoint_seconds`
            seconds. With `resume`, a run that was killed goes on from the last whole one and ends
            with the same weights as an unbroken run.

    Raises:
        CourseError: a setting is out of its range (`options.LIMITS`), nothing is left to train
            on, the checkpoints belong to a run with other settings, or the disk is full; packed
            records would see each other; a 4-bit model is to be tuned in full, or cannot be
            trained (`patch_bitsandbytes`).
    """
    import torch

    from ift_course.models.quiet import quiet

    adapter = adapter or Adapter()
    check_options(
        seed=seed, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size,
        gradient_accumulation=gradient_accumulation, max_length=max_length, max_steps=max_steps,
        rank=adapter.rank, alpha=adapter.alpha, dropout=adapter.dropout, optimizer=optimizer,
    )  # fmt: skip
    torch.manual_seed(seed)  # new embeddings are drawn at random
    with quiet():
        new_tokens = ensure_chat_template(model, tokenizer)
    prepared = prepare(tokenizer, records, max_length, on_refused)
    dtype = next(model.parameters()).dtype
    _make_ready(model, method)
    if learning_rate is None:
        learning_rate = default_learning_rate(model.num_parameters(), method)
    rows, collator = prepared.rows, collate
    if packing:
        refuse_if_rows_mix(model, rows, _pad(tokenizer))
        rows, collator = pack(rows, max_length).rows, collate_packed
    with quiet():
        from trl import SFTConfig

        from ift_course.models.quantize import float_adapters
        from ift_course.training.arguments import arguments, precision, steps_of
        from ift_course.training.trainer import ResponseTrainer, run

        per_step = batch_size * gradient_accumulation * ranks.count()
        args = arguments(
            SFTConfig,
            steps=steps_of(len(rows), per_step, epochs, max_steps),
            output_dir=str(output_dir or "."),  # nothing is written without output_dir
            seed=seed,
            data_seed=seed,
            num_train_epochs=epochs,
            max_steps=max_steps,
            learning_rate=learning_rate,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=gradient_accumulation,
            gradient_checkpointing=gradient_checkpointing,
            optim=optimizer,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        settings = {
            "method": method, "seed": seed, "epochs": epochs, "max_steps": max_steps,
            "learning_rate": learning_rate, "batch_size": batch_size,
            "gradient_accumulation": gradient_accumulation, "max_length": max_length,
            "precision": precision(), "optimizer": optimizer, "processes": ranks.count(),
        }  # fmt: skip
        peft_config = None
        if method != "full":
            peft_config = _peft_config(adapter, model, tokenizer, prepared.rows, new_tokens)
            settings["adapter"] = asdict(adapter) | {"targets": adapter.resolve(model)}
        if packing:
            settings["packing"] = True
        checkpoint, keeping = going_on(
            output_dir, settings, rows, model, resume=resume,
            every_steps=checkpoint_steps, every_seconds=checkpoint_seconds,
        )  # fmt: skip
        trainer = ResponseTrainer(
            model=model,
            args=args,
            train_dataset=_dataset(rows),
            data_collator=partial(collator, pad_token_id=_pad(tokenizer)),
            processing_class=tokenizer,
            peft_config=peft_config,
            callbacks=keeping,
            chunked_loss=chunked_loss,
        )
        float_adapters(trainer.model)
        adapted = adapted_layers(trainer.model) if method != "full" else {}
        left_out = not_adapted(trainer.model) if adapted and not adapter.targets else []
        seconds = run(trainer, checkpoint, output_dir=output_dir, progress=progress)
        tuned = trainer.model.to(dtype) if method == "full" else trainer.model
        stop_at_end_of_turn(tuned, tokenizer)  # the trainer has put the tokenizer's eos there
    return SftResult(
        model=tuned.eval(),
        tokenizer=tokenizer,
        losses=[entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
        steps=trainer.state.global_step,
        seconds=seconds,
        tokens_per_second=trainer.tokens_seen * ranks.count() / seconds,  # about: of this process
        peak_mb=peak_mb(),
        dropped=prepared.dropped,
        truncated=prepared.truncated,
        resumed_from=step_of(checkpoint),
        adapted=adapted,
        not_adapted=left_out,
        packed=len(rows) if packing else 0,
    )


@dataclass(frozen=True)
class Prepared:
    rows: list[dict[str, list[int]]]  # input_ids and labels (IGNORE where no loss is taken)
    dropped: int
    truncated: int


def prepare(
    tokenizer: "PreTrainedTokenizerBase",
    records: Sequence[Record],
    max_length: int,
    on_refused: OnRefused | None = None,
) -> Prepared:
    """Tokens and labels of the records, cut at `max_length`; those with nothing to learn dropped.

    Args:
        on_refused: is given each record that the chat template cannot write, and why.

    Raises:
        CourseError: no record is left, or, without `on_refused`, one cannot be written; the
            sentence names its row.
    """
    rows, written, truncated = [], 0, 0
    for ids, labels in label_records(tokenizer, records, on_refused):
        written += 1
        cut_off = labels[max_length:]
        del ids[max_length:], labels[max_length:]
        # The first token has nothing before it to be predicted from.
        if is_trained(labels[1:]):
            rows.append({"input_ids": ids, "labels": labels})
            truncated += is_trained(cut_off)
    if not rows:
        raise CourseError(
            f"None of the {len(records)} records has a response within {max_length} tokens; "
            "raise max_length or shorten the prompts."
        )
    return Prepared(rows, written - len(rows), truncated)


def default_learning_rate(parameters: int, method: Method) -> float:
    """A peak learning rate that is sane for a model of this size: small models want larger steps.

    2e-5 (full) and 2e-4 (LoRA) are what the field uses from a billion parameters on. Below, full
    grows as size^-0.75 up to 4e-4 and LoRA as size^-0.5 up to 5e-3.
    """
    scale = math.sqrt(1e9 / min(parameters, 1e9))
    if method == "full":
        return min(2e-5 * scale**1.5, 4e-4)
    return min(2e-4 * scale, 5e-3)


def peak_mb() -> float:
    """Highest memory use of the GPU if there is one, else of this process, in MB of 10^6 bytes."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _make_ready(model: "PreTrainedModel", method: Method) -> None:
    """Give the weights the type in which the method can train them, in place."""
    import torch

    from ift_course.models.quantize import is_four_bit, patch_bitsandbytes, to_four_bit

    if method == "qlora" and not is_four_bit(model):
        to_four_bit(model)
    if is_four_bit(model):
        if method == "full":
            raise CourseError('4-bit weights cannot be tuned; use method="qlora".')
        patch_bitsandbytes(model)
    elif method == "full" and next(model.parameters()).dtype != torch.float32:
        model.float()  # half-precision weights would round most of the updates away


def _peft_config(adapter: Adapter, model, tokenizer, rows, new_tokens: Sequence[int]):
    used = {token for row in rows for token in row["input_ids"]}
    return adapter.config(
        model, sorted({*new_tokens, *undertrained_tokens(model, tokenizer, used)})
    )


def _dataset(rows: list[dict[str, list[int]]]):
    from datasets import Dataset

    return Dataset.from_list(rows)


def _pad(tokenizer: "PreTrainedTokenizerBase") -> int:
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return token
    return 0  # masked out of attention and loss, so any token serves
