"""SmolLM2-135M-Instruct as a judge: which of two answers is better?

The judge reads a question and two answers, and replies with a letter. Its verdict is the likelier
letter, so that it always gives one. It sees every pair in both orders. What it adds to the log-odds
of A wherever the right answer stands is its bias for the place. In the difference of both orders
that cancels, and what is left is its opinion of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ift_course.evaluation.judge import A, B, asking

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
    on_step: Callable[[int, int], None] = lambda n_done, n_all: None,
) -> list[float]:
    """Return for each prompt log p(A) - log p(B): above 0, the judge prefers A.

    Args:
        model: An instruct model.
        tokenizer: Its tokenizer, with a chat template.
        prompts: What `judge_prompt` wrote.
        on_step: Is called with the number of prompts that were asked, and of all.
    """
    opinions = asking(model, tokenizer, batch_size=8, on_batch=on_step)(prompts)
    return [opinion[A] - opinion[B] for opinion in opinions]


def judge_both_orders(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    request: str,
    on_step: Callable[[int, int], None] = lambda n_done, n_all: None,
) -> tuple[list[float], list[float]]:
    """Return the log-odds for the answer in the first place.

    Args:
        model: An instruct model.
        tokenizer: Its tokenizer.
        pairs: What is judged.
        request: The last line of the prompt.
        on_step: Is called with the number of prompts that were asked, and of all.

    Returns:
        For each pair with the right answer first, and for each pair with the other answer first.
    """
    prompts = [judge_prompt(x.question, x.right, x.other, request) for x in pairs]
    prompts += [judge_prompt(x.question, x.other, x.right, request) for x in pairs]
    odds = log_odds(model, tokenizer, prompts, on_step=on_step)
    return odds[: len(pairs)], odds[len(pairs) :]
