"""Direct preference optimization on TRL's DPOTrainer (Rafailov et al., 2023)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ift_course import distributed
from ift_course.data.preferences import Pair
from ift_course.data.templates import give_chat_template, stop_at_end_of_turn
from ift_course.training.adapter import Adapter, adapted_layers, not_adapted
from ift_course.training.checkpoints import going_on, step_of
from ift_course.training.options import check_options
from ift_course.training.preference.pairs import prepare_pairs
from ift_course.training.sft import peak_mb

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Method = Literal["full", "lora"]


@dataclass(frozen=True)
class DpoResult:
    """A tuned model and how it got there. With method="lora" the model is a PeftModel.

    history: for each step loss, rewards/chosen, rewards/rejected, rewards/margins,
        rewards/accuracies, logps/chosen and logps/rejected, as TRL logs them; resumed steps too.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    history: list[dict[str, float]]
    steps: int
    seconds: float  # of this call, the reference's pass included
    peak_mb: float  # highest memory of the process so far, or of the GPU
    dropped: int = 0  # pairs without room for a response within max_length
    truncated: int = 0  # pairs of which a response lost its end
    tied: int = 0  # pairs dropped because their responses are the same up to max_length
    resumed_from: int = 0  # the step of the checkpoint it went on from
    adapted: dict[str, int] = field(default_factory=dict)  # layers with LoRA, by their last name
    not_adapted: list[str] = field(default_factory=list)  # matrices that are no linear layers

    def curve(self, name: str) -> list[float]:
        """One logged quantity by step, as "loss" or "rewards/margins"."""
        return [row[name] for row in self.history]


def dpo(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    pairs: Sequence[Pair],
    *,
    seed: int,
    beta: float = 0.1,
    anchor: float = 0.0,
    epochs: float = 1.0,
    learning_rate: float | None = None,
    batch_size: int = 16,
    gradient_accumulation: int = 1,
    max_length: int = 512,
    method: Method = "full",
    adapter: Adapter | None = None,
    max_steps: int = -1,
    reference: "PreTrainedModel | None" = None,
    gradient_checkpointing: bool = False,
    on_refused: Callable[[Pair, str], None] | None = None,
    output_dir: str | Path | None = None,
    progress: bool = True,
    checkpoint_steps: int = 200,
    checkpoint_seconds: float = 60.0,
) -> DpoResult:
    """Make chosen responses likelier than rejected ones, in place, and stay near the reference.

    Args:
        pairs: prompts with a better and a worse response; longer ones are cut at `max_length`.
        beta: how dearly a distance from the reference is paid for; 0.01 goes far, 1 stays near.
        anchor: weight of the SFT loss on the chosen responses, which keeps their probability from
            falling along with that of the rejected ones (Pang et al., 2024, arXiv:2404.19733).
        learning_rate: peak; None chooses by model size and method (`default_learning_rate`).
        batch_size: pairs per forward pass, each with two responses.
        method: "full" changes every weight, "lora" trains `adapter`, or else `Adapter()`; then the
            reference is the model without it.
        reference: whose log-probabilities count as the starting point; None means the model as it
            is when this is called, which is the SFT model it should be.
        on_refused: is given each pair that the chat template cannot write, and why; the pair is
            left out then. None stops at the first and names its row.
        output_dir: keep checkpoints here. A run that was killed goes on from the last whole one and
            ends with the same weights as an unbroken run, if it is started from the same model.

    Raises:
        CourseError: a setting is out of its range, nothing is left to train on, the checkpoints
            belong to a run with other settings, or the disk is full.
    """
    import torch

    from ift_course.models.quiet import quiet

    adapter = adapter or Adapter()
    check_options(
        seed=seed, beta=beta, anchor=anchor, epochs=epochs, learning_rate=learning_rate,
        batch_size=batch_size, gradient_accumulation=gradient_accumulation, max_length=max_length,
        max_steps=max_steps, rank=adapter.rank, alpha=adapter.alpha, dropout=adapter.dropout,
    )  # fmt: skip
    started = time.perf_counter()
    torch.manual_seed(seed)  # new embeddings are drawn at random
    with quiet():
        new_tokens = give_chat_template(model, tokenizer)
    prepared = prepare_pairs(tokenizer, pairs, max_length, on_refused)
    if learning_rate is None:
        learning_rate = default_learning_rate(model.num_parameters(), method)
    with quiet():
        from datasets import Dataset
        from trl import DPOConfig

        from ift_course.training.arguments import arguments, precision, steps_of
        from ift_course.training.preference.trainers import PairTrainer
        from ift_course.training.trainer import run

        dtype = next(model.parameters()).dtype
        if method == "full" and dtype != torch.float32:
            model.float()  # half-precision weights would round most of the updates away
        per_step = batch_size * gradient_accumulation * distributed.world_size()
        args = arguments(
            DPOConfig,
            steps=steps_of(len(prepared.rows), per_step, epochs, max_steps),
            output_dir=str(output_dir or "."),  # nothing is written without output_dir
            seed=seed,
            data_seed=seed,
            num_train_epochs=epochs,
            max_steps=max_steps,
            learning_rate=learning_rate,
            beta=beta,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=gradient_accumulation,
            gradient_checkpointing=gradient_checkpointing,
            max_length=max_length,
            precompute_ref_log_probs=True,
        )
        settings = {
            "method": method, "beta": beta, "anchor": anchor, "seed": seed,
            "epochs": epochs, "max_steps": max_steps,
            "learning_rate": learning_rate, "batch_size": batch_size,
            "gradient_accumulation": gradient_accumulation, "max_length": max_length,
            "precision": precision(), "processes": distributed.world_size(),
        }  # fmt: skip
        if method == "lora":
            settings["adapter"] = asdict(adapter) | {"targets": adapter.resolve(model)}
        checkpoint, keeping = going_on(
            output_dir, settings, prepared.rows, model,
            every_steps=checkpoint_steps, every_seconds=checkpoint_seconds,
        )  # fmt: skip
        trainer = PairTrainer(
            model=model,
            ref_model=reference,
            args=args,
            train_dataset=Dataset.from_list(prepared.rows),
            processing_class=tokenizer,
            peft_config=adapter.config(model, new_tokens) if method == "lora" else None,
            callbacks=keeping,
        )
        trainer.anchor = anchor
        adapted = adapted_layers(trainer.model) if method == "lora" else {}
        left_out = not_adapted(trainer.model) if adapted and not adapter.targets else []
        run(trainer, checkpoint, output_dir=output_dir, progress=progress)
        tuned = trainer.model if method == "lora" else trainer.model.to(dtype)
        stop_at_end_of_turn(tuned, tokenizer)  # the trainer has put the tokenizer's eos there
    return DpoResult(
        model=tuned.eval(),
        tokenizer=tokenizer,
        history=[entry for entry in trainer.state.log_history if "loss" in entry],
        steps=trainer.state.global_step,
        seconds=time.perf_counter() - started,
        peak_mb=peak_mb(),
        dropped=prepared.dropped,
        truncated=prepared.truncated,
        tied=prepared.tied,
        resumed_from=step_of(checkpoint),
        adapted=adapted,
        not_adapted=left_out,
    )


def default_learning_rate(parameters: int, method: Method) -> float:
    """A peak learning rate for DPO that is sane for a model of this size.

    1e-6 (full) and 1e-5 (LoRA) are common from a billion parameters on. Smaller models want larger
    steps: it grows as size^-0.9 up to 1e-4 and 1e-3.
    """
    scale = (1e9 / min(parameters, 1e9)) ** 0.9
    return min(1e-6 * scale, 1e-4) * (10 if method == "lora" else 1)
