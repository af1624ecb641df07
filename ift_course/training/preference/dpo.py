"""Direct preference optimization on TRL's DPOTrainer (Rafailov et al., 2023)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import ensure_chat_template
from ift_course.data.pairs import Pair
from ift_course.errors import CourseError
from ift_course.training.adapter import undertrained_tokens
from ift_course.training.limits import check_options
from ift_course.training.options import Method, TrainingKeywords, TrainOptions, accepts
from ift_course.training.preference.pairs import prepare_pairs, responses
from ift_course.training.runner import TrainingResult, fit, make_trainable

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
    from typing_extensions import Unpack

DEFAULTS = TrainOptions(epochs=1.0)


@dataclass(frozen=True, kw_only=True)
class DpoResult(TrainingResult):
    """A model tuned on preferences, and what it cost.

    `history` has loss, rewards/chosen, rewards/rejected, rewards/margins, rewards/accuracies,
    logps/chosen and logps/rejected for each step, as TRL logs them; `seconds` include the
    reference's pass.

    Attributes:
        tied: pairs dropped because their responses are the same up to `max_length`.
    """

    tied: int = 0


@accepts(TrainingKeywords, DEFAULTS)
def dpo(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    *,
    beta: float = 0.1,
    sft_weight: float = 0.0,
    reference: PreTrainedModel | None = None,
    on_refused: Callable[[Pair, str], None] | None = None,
    output_dir: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Unpack[TrainingKeywords],
) -> DpoResult:
    """Make chosen responses likelier than rejected ones, in place, and stay near the reference.

    Args:
        model: the policy, usually after SFT.
        tokenizer: gets ChatML if it has no chat template.
        pairs: prompts with a better and a worse response; longer ones are cut at `max_length`.
            A batch of `batch_size` pairs has twice as many responses.
        beta: the price of a distance from the reference; 0.01 goes far, 1 stays near.
        sft_weight: weight of the SFT loss on the chosen responses, a mean per token of each. It
            keeps their probability from falling along with that of the rejected ones (Pang et
            al., 2024, arXiv:2404.19733, whose alpha it is; TRL's `rpo_alpha`, today the loss type
            "sft" with a weight).
        reference: the model whose log-probabilities are the starting point; None means the policy
            as it is when this is called, which is the SFT model it should be. With "lora" it is
            the model without the adapter.
        on_refused: is given each pair that the chat template cannot write, and the reason; the
            pair is then left out. None stops at the first and names its row.
        output_dir: for checkpoints. A run that was killed resumes from the last complete one when
            it is called again with the same model, and ends with the same weights as an unbroken
            run.
        callbacks: of transformers' Trainer.
        options: `seed`, `epochs`, `max_steps`, `learning_rate` (`default_learning_rate` without
            it), `warmup_ratio`, `batch_size`, `gradient_accumulation`, `max_length`, `method`
            ("full" or "lora"), `adapter`, `optimizer`, `gradient_checkpointing`, `progress`,
            `resume`, `checkpoint_steps` and `checkpoint_seconds`, as
            `training.options.TrainOptions` describes them.

    Raises:
        CourseError: an option is unknown or out of its range, nothing is left to train on, the
            checkpoints belong to a run with other settings, or the disk is full.
    """
    import torch

    from ift_course.models.quiet import quiet

    started = time.perf_counter()
    chosen = DEFAULTS.updated(dpo, options)
    check_options(beta=beta, sft_weight=sft_weight)
    if chosen.method == "qlora":
        raise CourseError('dpo has no method "qlora"; use method="lora".')
    torch.manual_seed(chosen.seed)  # new embeddings are drawn at random
    with quiet():
        new_tokens = ensure_chat_template(model, tokenizer)
    prepared = prepare_pairs(tokenizer, pairs, chosen.max_length, on_refused)
    if chosen.learning_rate is None:
        rate = default_learning_rate(model.num_parameters(), chosen.method)
        chosen = replace(chosen, learning_rate=rate)
    dtype = make_trainable(model, chosen.method)
    peft_config = None
    if chosen.uses_adapter:
        used = {token for row in prepared.rows for ids in row.values() for token in ids}
        trained_tokens = {*new_tokens, *undertrained_tokens(model, tokenizer, used)}
        peft_config = chosen.lora.config(model, sorted(trained_tokens))
    with quiet():
        from trl import DPOConfig

        from ift_course.training.labeled_logits import is_exact
        from ift_course.training.preference.trainers import PairTrainer

        result, _ = fit(
            PairTrainer,
            DPOConfig,
            model,
            tokenizer,
            prepared.rows,
            chosen,
            dtype=dtype,
            config={
                "beta": beta,
                "max_length": chosen.max_length,
                "precompute_ref_log_probs": True,
            },
            settings={"beta": beta, "sft_weight": sft_weight},
            output_dir=output_dir,
            callbacks=callbacks,
            ref_model=reference,
            peft_config=peft_config,
            sft_weight=sft_weight,
            labeled_only=is_exact(model, responses(prepared.rows[:2], "chosen")),
        )
    own: dict[str, Any] = {
        "seconds": time.perf_counter() - started,
        "dropped": prepared.dropped,
        "truncated": prepared.truncated,
        "tied": prepared.tied,
    }
    return DpoResult(**vars(result) | own)


def default_learning_rate(parameters: int, method: Method) -> float:
    """Return a sane peak learning rate of DPO for a model of this size.

    1e-6 (full) and 1e-5 (LoRA) are common from a billion parameters on. Smaller models want larger
    steps: it grows as size^-0.9 up to 1e-4 and 1e-3.
    """
    scale = (1e9 / min(parameters, 1e9)) ** 0.9
    return min(1e-6 * scale, 1e-4) * (10 if method == "lora" else 1)
