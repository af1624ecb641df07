"""SmolLM2-135M-Instruct as a judge: which of two answers is better?

The judge reads a question and two answers, and replies with a letter. Its verdict is the letter
with the higher logit, so that it always gives one. It sees every pair in both orders. What it adds
to the logit of A wherever the right answer stands is its bias for the place. In the difference of
both orders that cancels, and what is left is its opinion of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LETTERS = ("A", "B")
REQUESTS = (
    "Which answer is better? Reply with A or B.",
    "Only one of the two answers is correct. Which one is it? Reply with A or B.",
    "Choose the answer that is more accurate and more helpful. Reply with the letter A or B only.",
)
FILLER = " I hope that this helps. Please let me know if you have any other questions!"


@dataclass(frozen=True)
class Pair:
    """A question with two answers, of which a program accepts the first one.

    Attributes:
        question: What was asked.
        right: The answer that the question's verifier accepts.
        other: The answer that it is compared with.
    """

    question: str
    right: str
    other: str

    @property
    def padded(self) -> Pair:
        """The same pair, but the other answer has two polite sentences more."""
        return replace(self, other=self.other + FILLER)


def judge_prompt(question: str, a: str, b: str, request: str = REQUESTS[0]) -> str:
    """What the judge reads."""
    return f"Question: {question}\n\nAnswer A: {a}\n\nAnswer B: {b}\n\n{request}"


def log_odds(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    batch_size: int = 8,
    on_step: Callable[[int, int], None] | None = None,
) -> list[float]:
    """Return for each prompt the logit of A minus that of B: above 0, the judge prefers A.

    Args:
        model: An instruct model.
        tokenizer: Its tokenizer, with a chat template.
        prompts: What `judge_prompt` wrote.
        batch_size: Prompts of one forward pass.
        on_step: Is called with the number of verdicts, and of all.
    """
    import torch

    from ift_course.data.eval_mode import evaluating

    tokenizer.padding_side = "left"  # the letter comes next at the end of every row
    letters = [cast("int", tokenizer.convert_tokens_to_ids(letter)) for letter in LETTERS]
    output_matrix = cast("Any", model.get_output_embeddings()).weight
    of_a, of_b = output_matrix[letters].float()
    ids = [_chat_ids(tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding
    odds: dict[int, float] = {}
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in indices]}, return_tensors="pt")
        with evaluating(model), torch.no_grad():
            states = cast("Any", model.base_model)(**batch.to(model.device)).last_hidden_state
            odds |= zip(indices, (states[:, -1].float() @ (of_a - of_b)).tolist(), strict=True)
        if on_step:
            on_step(len(odds), len(order))
    return [odds[i] for i in range(len(ids))]


def judge_both_orders(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    request: str,
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[list[float], list[float]]:
    """Return the log-odds for the answer in the first place.

    Args:
        model: An instruct model.
        tokenizer: Its tokenizer.
        pairs: What is judged.
        request: The last line of the prompt.
        on_step: Is called with the number of verdicts, and of all.

    Returns:
        For each pair with the right answer first, and for each pair with the other answer first.
    """
    prompts = [judge_prompt(x.question, x.right, x.other, request) for x in pairs]
    prompts += [judge_prompt(x.question, x.other, x.right, request) for x in pairs]
    odds = log_odds(model, tokenizer, prompts, on_step=on_step)
    return odds[: len(pairs)], odds[len(pairs) :]


def _chat_ids(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    encoding: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True
    )
    return encoding["input_ids"]
