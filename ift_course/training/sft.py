"""Supervised fine-tuning: cross-entropy on the response tokens, on TRL's SFTTrainer.

Ouyang et al., 2022 (InstructGPT), section 3.5; Wang et al., 2023 (Self-Instruct) for the loss on
the response only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course import distributed
from ift_course.data.chat_templates import ensure_chat_template
from ift_course.data.labeling import OnRefused, label_records
from ift_course.data.loss_mask import collate, is_trained
from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.from_scratch.packing import collate_packed, pack
from ift_course.training.adapter import undertrained_tokens
from ift_course.training.limits import check_options
from ift_course.training.options import Method, TrainingKeywords, TrainOptions, accepts
from ift_course.training.packed import refuse_if_rows_mix
from ift_course.training.runner import TrainingResult, fit, make_trainable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
    from typing_extensions import Unpack

DEFAULTS = TrainOptions(epochs=3.0)


@dataclass(frozen=True, kw_only=True)
class SftResult(TrainingResult):
    """A model tuned on demonstrations, and what it cost.

    Attributes:
        tokens_per_second: real tokens, prompts included, padding not.
        packed: sequences that hold all records together; 0 without packing.
    """

    tokens_per_second: float
    packed: int = 0


@accepts(TrainingKeywords, DEFAULTS)
def sft(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    *,
    packing: bool = False,
    chunked_loss: bool = False,
    embedding_learning_rate: float | None = None,
    on_refused: OnRefused | None = None,
    output_dir: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Unpack[TrainingKeywords],
) -> SftResult:
    """Tune `model` on the responses of `records`, in place, and return it with what it cost.

    Logits are computed only where there are labels, for every model whose loss is the same then.
    With "lora" and "qlora" the weights stay as they are, except for the embedding rows of chat
    tokens that the model has never met.

    Args:
        model: a causal language model, with any number type. "qlora" quantizes it here, unless it
            was loaded with `four_bit=True`.
        tokenizer: gets ChatML if it has no chat template.
        records: conversations; every assistant turn and its end-of-turn token is trained, nothing
            else. Longer ones are cut at `max_length` tokens.
        packing: put several short records into one sequence of up to `max_length` tokens, none of
            which sees another: the same loss with less padding. `batch_size` then counts those
            sequences.
        chunked_loss: compute the logits a chunk at a time, and again in the backward pass: the same
            loss for less memory, which pays where vocabulary × tokens is large, on a GPU. Where
            rows of a tied embedding are trained, it takes a copy and a gradient of that matrix.
        embedding_learning_rate: the peak for the embedding and the head, where it should be lower
            than that of the other weights; for the method "full". Adam moves the row of a token
            that no response has as far as any other, and what the token meant gets lost.
        on_refused: is given each record that the chat template cannot write, and the reason; the
            record is then left out. None stops at the first and names its row.
        output_dir: for checkpoints. A run that was killed resumes from the last complete one when
            it is called again, and ends with the same weights as an unbroken run.
        callbacks: of transformers' Trainer.
        options: `seed`, `epochs`, `max_steps`, `learning_rate` (`default_learning_rate` without
            it), `warmup_ratio`, `batch_size`, `gradient_accumulation`, `max_length`, `method`
            ("full", "lora", "qlora"), `adapter`, `optimizer`, `gradient_checkpointing`,
            `progress`, `resume`, `checkpoint_steps` and `checkpoint_seconds`, as
            `training.options.TrainOptions` describes them.

    Raises:
        CourseError: an option is unknown or out of its range, nothing is left to train on, the
            checkpoints belong to a run with other settings, or the disk is full; packed records
            would see each other; a 4-bit model is to be tuned in full, or cannot be trained.
    """
    import torch

    from ift_course.models.quiet import quiet

    chosen = DEFAULTS.updated(sft, options)
    settings: dict[str, Any] = {"packing": True} if packing else {}
    if embedding_learning_rate is not None:
        check_options(embedding_learning_rate=embedding_learning_rate)
        if chosen.uses_adapter:
            raise CourseError('embedding_learning_rate is for method="full": LoRA freezes them.')
        settings["embedding_learning_rate"] = embedding_learning_rate
    torch.manual_seed(chosen.seed)  # new embeddings are drawn at random
    with quiet():
        new_tokens = ensure_chat_template(model, tokenizer)
    prepared = prepare(tokenizer, records, chosen.max_length, on_refused)
    dtype = make_trainable(model, chosen.method)
    if chosen.learning_rate is None:
        rate = default_learning_rate(model.num_parameters(), chosen.method)
        chosen = replace(chosen, learning_rate=rate)
    rows, collator, pad_token_id = prepared.rows, collate, _pad_token_id(tokenizer)
    if packing:
        refuse_if_rows_mix(model, rows, pad_token_id)
        rows, collator = pack(rows, chosen.max_length).rows, collate_packed
    peft_config = None
    if chosen.uses_adapter:
        used = {token for row in prepared.rows for token in row["input_ids"]}
        trained_tokens = {*new_tokens, *undertrained_tokens(model, tokenizer, used)}
        peft_config = chosen.lora.config(model, sorted(trained_tokens))
    with quiet():
        from trl import SFTConfig

        from ift_course.training.labeled_logits import is_exact
        from ift_course.training.trainer import ResponseTrainer

        result, trainer = fit(
            ResponseTrainer,
            SFTConfig,
            model,
            tokenizer,
            rows,
            chosen,
            dtype=dtype,
            config={"dataset_kwargs": {"skip_prepare_dataset": True}},
            settings=settings,
            output_dir=output_dir,
            callbacks=callbacks,
            data_collator=partial(collator, pad_token_id=pad_token_id),
            peft_config=peft_config,
            chunked_loss=chunked_loss,
            embedding_learning_rate=embedding_learning_rate,
            labeled_only=not chunked_loss and is_exact(model, prepared.rows),
        )
    # An estimate with several processes: each counts its own tokens only.
    tokens = trainer.tokens_seen * distributed.world_size()
    own: dict[str, Any] = {
        "tokens_per_second": tokens / result.seconds,
        "packed": len(rows) if packing else 0,
        "dropped": prepared.dropped,
        "truncated": prepared.truncated,
    }
    return SftResult(**vars(result) | own)


@dataclass(frozen=True)
class Prepared:
    """Records as tokens.

    Attributes:
        rows: dicts of input_ids and labels (IGNORE where no loss is taken), each of one length.
        dropped: records without a response token within the limit.
        truncated: records of which a response lost its end.
    """

    rows: list[dict[str, list[int]]]
    dropped: int
    truncated: int


def prepare(
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    max_length: int,
    on_refused: OnRefused | None = None,
) -> Prepared:
    """Tokenize and label the records, cut them at `max_length`, and drop those without a label.

    Args:
        tokenizer: with a chat template.
        records: conversations.
        max_length: in tokens.
        on_refused: is given each record that the chat template cannot write, and the reason.

    Raises:
        CourseError: no record is left, or, without `on_refused`, one cannot be written; the
            sentence names its row.
    """
    rows, n_written, truncated = [], 0, 0
    for ids, labels in label_records(tokenizer, records, on_refused):
        n_written += 1
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
    return Prepared(rows, n_written - len(rows), truncated)


def default_learning_rate(parameters: int, method: Method) -> float:
    """Return a sane peak learning rate for a model of this size: small models want larger steps.

    2e-5 (full) and 2e-4 (LoRA) are what the field uses from a billion parameters on. Below, full
    grows as size^-0.75 up to 1.5e-4 and LoRA as size^-0.5 up to 5e-3.
    """
    scale = math.sqrt(1e9 / min(parameters, 1e9))
    if method == "full":
        return min(2e-5 * scale**1.5, 1.5e-4)
    return min(2e-4 * scale, 5e-3)


def _pad_token_id(tokenizer: PreTrainedTokenizerBase) -> int:
    candidates: list[Any] = [tokenizer.pad_token_id, tokenizer.eos_token_id]
    # It is masked out of attention and loss, so any token serves.
    return next((token for token in candidates if token is not None), 0)
