"""The real model of the lessons' panels, with the field's own code: load it, tune it, ask it.

Everything here is transformers, PEFT and TRL, so that it can be copied into a script of one's own.

The course adds two things to TRL's trainer, because the embedding rows of Gemma's turn tokens were
never trained and have to be, and they are rows of the output matrix, too. `ResponseTrainer`
computes the loss through the model's own forward; TRL 1.16 multiplies with the output matrix
itself, which fails where PEFT trains rows of it. `row_by_row` spares PEFT a copy of the whole
embedding in each step. Neither changes a number (tests/parity/test_labeled_logits.py).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from ift_course.evaluation.generate import Completion
from ift_course.models.load import base_folder
from ift_course.models.quiet import quiet
from ift_course.panels.real_part import OnStep, ignore
from ift_course.profile import Profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig

TURN_TOKENS = ("<start_of_turn>", "<end_of_turn>")


@dataclass(frozen=True)
class Recipe:
    """How the base is tuned: LoRA (Hu et al., 2021) on all linear layers.

    Attributes:
        rank: Of the adapters.
        alpha: What the adapters add is scaled by alpha / rank.
        learning_rate: The peak; it rises for `warmup` of the steps and falls as a cosine.
        epochs: How often each example is seen.
        batch_size: Examples of a step.
        warmup: Share of the steps.
        max_length: Tokens at which an example is cut.
        max_new_tokens: The limit for an answer.
    """

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 4e-4
    epochs: int = 4
    batch_size: int = 4
    warmup: float = 0.05
    max_length: int = 256
    max_new_tokens: int = 128

    @property
    def settings(self) -> dict[str, Any]:
        """The recipe as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Tuned:
    """A tuned model, the loss of each step, and the seconds that the training took."""

    model: PreTrainedModel
    losses: list[float]
    seconds: float


def open_base(profile: Profile) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the base in float32, and give its tokenizer the chat template of its family.

    Raises:
        CourseError: It is not installed; the sentence says how to install it.
    """
    folder = base_folder(profile)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ift_course.data.native_templates import GEMMA

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer.chat_template = GEMMA
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer


def tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Mapping[str, Any]],
    seed: int,
    recipe: Recipe,
    on_step: OnStep = ignore,
) -> Tuned:
    """Tune the base on conversations, with the loss on the assistant's words alone.

    Args:
        model: The base.
        tokenizer: Its tokenizer, with a chat template that marks what the assistant says.
        rows: Examples with "messages".
        seed: Of the adapters' start and the order of the examples.
        recipe: The settings.
        on_step: Is called with "training", the steps taken, and all steps.

    Returns:
        The model with the adapters merged into its weights.
    """
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import set_seed

    from ift_course.training.trainable_rows import row_by_row
    from ift_course.training.trainer import ResponseTrainer, restore_forward

    set_seed(seed)
    with tempfile.TemporaryDirectory() as folder, quiet():
        trainer = ResponseTrainer(
            model=model,
            processing_class=tokenizer,
            train_dataset=Dataset.from_list([{"messages": row["messages"]} for row in rows]),
            args=sft_config(recipe, len(rows), seed, folder, assistant_only_loss=True),
            peft_config=LoraConfig(
                task_type="CAUSAL_LM",
                r=recipe.rank,
                lora_alpha=recipe.alpha,
                target_modules="all-linear",
                # Rows of the embedding that pretraining has never touched.
                trainable_token_indices={"embed_tokens": turn_ids(tokenizer)},
            ),
            callbacks=[steps_callback(on_step)],
            labeled_only=True,  # 262,144 logits for each token of a question would be thrown away
        )
        adapted: Any = trainer.model
        started = time.perf_counter()
        with row_by_row(adapted):
            trainer.train()
        seconds = time.perf_counter() - started
        restore_forward(adapted)
        tuned = adapted.merge_and_unload()
    losses = [round(entry["loss"], 4) for entry in trainer.state.log_history if "loss" in entry]
    return Tuned(tuned.eval(), losses, seconds)


def sft_config(recipe: Recipe, n_rows: int, seed: int, folder: str, **options: Any) -> SFTConfig:
    """Return TRL's settings for a recipe.

    Args:
        recipe: Of the training.
        n_rows: Examples of the training set.
        seed: Of the order of the examples.
        folder: For what the trainer writes.
        options: Further arguments of `SFTConfig`.
    """
    import torch
    from trl import SFTConfig

    from ift_course.hardware import bf16_is_fast

    n_steps = recipe.epochs * -(-n_rows // recipe.batch_size)
    return SFTConfig(
        output_dir=folder,
        seed=seed,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=int(recipe.warmup * n_steps),
        max_length=recipe.max_length,
        bf16=bf16_is_fast(),
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **options,
    )


def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    batch_size: int = 64,
    on_step: OnStep = ignore,
) -> list[Completion]:
    """Continue prompts greedily until the end of a turn or of the text.

    Where the CPU is fast in bfloat16, the model's weights are rounded to it, which makes answering
    two to three times as fast.

    Args:
        model: The base or a tuned model; afterwards it is good for answers only.
        tokenizer: Its tokenizer, which pads on the left.
        prompts: Token ids.
        max_new_tokens: The limit for each answer.
        batch_size: Answers generated together.
        on_step: Is called with "answers", those that are there, and all.

    Returns:
        The answers in the order of the prompts; special tokens in them stay visible.
    """
    import torch

    from ift_course.data.eval_mode import evaluating
    from ift_course.hardware import bf16_is_fast

    if bf16_is_fast() and model.dtype == torch.float32:
        cast("Any", model).to(torch.bfloat16)
    stops = [cast("int", tokenizer.eos_token_id), turn_ids(tokenizer)[1]]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # little padding
    answers: dict[int, Completion] = {}
    for start in range(0, len(order), batch_size):
        on_step("answers", start, len(order))
        indices = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [prompts[i] for i in indices]}, return_tensors="pt")
        with evaluating(model), quiet():
            output: Any = cast("Any", model).generate(
                **batch.to(model.device),
                max_new_tokens=max_new_tokens,
                do_sample=False,
                eos_token_id=stops,
                pad_token_id=tokenizer.pad_token_id,
            )
        for i, ids in zip(indices, output[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            end = next((position for position, id_ in enumerate(ids) if id_ in stops), None)
            text = cast("str", tokenizer.decode(ids[:end]))
            answers[i] = Completion(text.strip(), end is not None)
    on_step("answers", len(order), len(order))
    return [answers[i] for i in range(len(prompts))]


def plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The ids of a text as pretraining has met texts: without any template."""
    return cast("list[int]", tokenizer(text)["input_ids"])


def chat_ids(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Mapping[str, Any]]
) -> list[int]:
    """The ids of a conversation in the chat template, up to where the assistant begins."""
    encoding: Any = tokenizer.apply_chat_template(
        [dict(message) for message in messages], add_generation_prompt=True, return_dict=True
    )
    return encoding["input_ids"]


def turn_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids of the tokens that open and close a turn."""
    return [cast("int", tokenizer.convert_tokens_to_ids(token)) for token in TURN_TOKENS]


def steps_callback(on_step: OnStep) -> Any:
    """A callback of the trainer that reports its steps."""
    from transformers import TrainerCallback

    class Steps(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            on_step("training", state.global_step, state.max_steps)

    return Steps()
