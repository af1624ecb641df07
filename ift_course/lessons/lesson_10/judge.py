"""SmolLM2-135M-Instruct as a judge: which of two answers is better?

The judge reads a question and two answers, and replies with a letter. Its verdict is the letter
with the higher logit, so that it always gives one. It sees every pair in both orders.
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


def prefers_first(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    *,
    batch_size: int = 8,
    on_step: Callable[[int, int], None] | None = None,
) -> list[bool]:
    """Return for each prompt whether the judge prefers A to B.

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
    ids = [_chat_ids(tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding
    verdicts: dict[int, bool] = {}
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in indices]}, return_tensors="pt")
        with evaluating(model), torch.no_grad():
            output: Any = cast("Any", model)(**batch.to(model.device), logits_to_keep=1)
        a, b = output.logits[:, -1, letters].float().T.tolist()
        verdicts |= {i: x > y for i, x, y in zip(indices, a, b, strict=True)}
        if on_step:
            on_step(len(verdicts), len(order))
    return [verdicts[i] for i in range(len(ids))]


def judge_both_orders(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    request: str,
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[list[bool], list[bool]]:
    """Return whether the judge prefers the answer in the first place.

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
    verdicts = prefers_first(model, tokenizer, prompts, on_step=on_step)
    return verdicts[: len(pairs)], verdicts[len(pairs) :]


def _chat_ids(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    encoding: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True
    )
    return encoding["input_ids"]
