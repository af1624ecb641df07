"""A language model as a judge: which of two answers is better, asked in both orders.

After Zheng et al. 2023, *Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena*, arXiv:2306.05685,
section 3.4: a judge may prefer a position rather than an answer, so every pair is judged twice, and
an answer wins only if it wins in both places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, cast

from ift_course.data.eval_mode import evaluating
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Winner = Literal["first", "second", "tie"]
A, B, TIE = "A", "B", "C"
OPTIONS = (A, B, TIE)
# What a judge thinks of a prompt: the log-probability of each option.
Opinion = Mapping[str, float]
Ask = Callable[[Sequence[str]], Sequence[Opinion]]

RUBRIC = """\
You are a fair judge. Compare two answers to the same question.
1. A correct answer is better than a wrong one.
2. If both are correct, the answer that does what was asked and nothing else is better.
3. Ignore the order of the answers and their length.
Reply with one letter: A if answer A is better, B if answer B is better, C if they are equal."""


@dataclass(frozen=True)
class AnswerPair:
    """Two answers to one question.

    Attributes:
        question: What was asked.
        first: An answer.
        second: Another one.
    """

    question: str
    first: str
    second: str


@dataclass(frozen=True)
class Verdict:
    """What a judge said about a pair in both orders.

    Attributes:
        forward: The option that it chose with the first answer shown as A.
        swapped: The option that it chose with the first answer shown as B.
        lean: log p(the first answer is better) - log p(the second is), averaged over both orders. A
            preference for a place adds to one order what it takes from the other, so it cancels.
    """

    forward: str
    swapped: str
    lean: float = 0.0

    @property
    def winner(self) -> Winner:
        """The answer that wins in both places; otherwise a tie."""
        if (self.forward, self.swapped) == (A, B):
            return "first"
        return "second" if (self.forward, self.swapped) == (B, A) else "tie"

    @property
    def leaning(self) -> Winner:
        """The answer that `lean` favors."""
        return "first" if self.lean > 0 else "second" if self.lean < 0 else "tie"


def judge_prompt(pair: AnswerPair, swap: bool = False, rubric: str = RUBRIC) -> str:
    """The text that a judge reads.

    Args:
        pair: The question and its answers.
        swap: Show the second answer as A.
        rubric: What is better, and how to reply.
    """
    shown = (pair.second, pair.first) if swap else (pair.first, pair.second)
    parts = (f"Answer {letter}: {text}" for letter, text in zip((A, B), shown, strict=True))
    return "\n\n".join([rubric, f"Question: {pair.question}", *parts, "Which answer is better?"])


def judge_pairs(ask: Ask, pairs: Sequence[AnswerPair], rubric: str = RUBRIC) -> list[Verdict]:
    """Have every pair judged in both orders.

    Args:
        ask: From prompts to opinions: `asking` for a model, `from_replies` for a judge that writes.
        pairs: The questions and their answers.
        rubric: What is better, and how to reply.
    """
    prompts = [judge_prompt(pair, swap, rubric) for pair in pairs for swap in (False, True)]
    opinions = ask(prompts)
    verdicts = []
    for forward, swapped in zip(opinions[::2], opinions[1::2], strict=True):
        differences = (forward[A] - forward[B], swapped[B] - swapped[A])
        finite = [x for x in differences if abs(x) < inf]
        verdicts.append(Verdict(chosen(forward), chosen(swapped), fmean(finite or [0.0])))
    return verdicts


def chosen(opinion: Opinion) -> str:
    """The likeliest option; the first of equals."""
    return max(opinion, key=lambda option: opinion[option])


def from_replies(write: Callable[[str], str]) -> Ask:
    """Let a judge that writes, such as a model behind an API, be asked like one with opinions.

    A reply that begins with none of the letters counts as a tie.

    Args:
        write: From a prompt to a reply.
    """

    def ask(prompts: Sequence[str]) -> list[Opinion]:
        letters = [write(prompt).strip().lstrip("*\"'([")[:1].upper() for prompt in prompts]
        choices = [letter if letter in OPTIONS else TIE for letter in letters]
        return [{x: 0.0 if x == choice else -inf for x in OPTIONS} for choice in choices]

    return ask


def asking(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    batch_size: int = 16,
    on_batch: Callable[[int, int], None] = lambda n_done, n_all: None,
) -> Ask:
    """Ask a model on this machine: how likely is each letter as the first token of its reply?

    Small models do not always reply with a letter; these probabilities exist in any case.

    Args:
        model: An instruction-tuned model.
        tokenizer: Its tokenizer, with a chat template.
        batch_size: Prompts in one forward pass.
        on_batch: Is called with the prompts that were asked, and all.
    """
    import torch

    letters = [tokenizer.encode(option, add_special_tokens=False)[-1] for option in OPTIONS]

    def ask(prompts: Sequence[str]) -> list[Opinion]:
        ids = [_reply_to(tokenizer, prompt) for prompt in prompts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding
        opinions: dict[int, Opinion] = {}
        for start in range(0, len(order), batch_size):
            on_batch(start, len(order))
            indices = order[start : start + batch_size]
            longest = max(len(ids[i]) for i in indices)
            padding = [longest - len(ids[i]) for i in indices]
            rows = [[0] * n + ids[i] for n, i in zip(padding, indices, strict=True)]
            mask = [[0] * n + [1] * (longest - n) for n in padding]
            with evaluating(model), torch.no_grad(), quiet():
                output: Any = cast("Any", model)(
                    input_ids=torch.tensor(rows, device=model.device),
                    attention_mask=torch.tensor(mask, device=model.device),
                    logits_to_keep=1,
                )
            logprobs = output.logits[:, -1].float().log_softmax(-1)[:, letters].tolist()
            opinions |= {
                i: dict(zip(OPTIONS, row, strict=True))
                for i, row in zip(indices, logprobs, strict=True)
            }
        return [opinions[i] for i in range(len(prompts))]

    return ask


def _reply_to(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    turn = [{"role": "user", "content": prompt}]
    encoding: Any = tokenizer.apply_chat_template(
        turn, add_generation_prompt=True, return_dict=True
    )
    return list(encoding["input_ids"])


def place_bias(verdicts: Sequence[Verdict]) -> float:
    """The share of all single judgments that name the answer shown first; without bias, 0.5.

    Judgments that name neither answer are left out.
    """
    named = [x for v in verdicts for x in (v.forward, v.swapped) if x != TIE]
    return named.count(A) / len(named) if named else float("nan")


def consistency(verdicts: Sequence[Verdict]) -> float:
    """The share of pairs of which a judge says the same in both orders."""
    same = {(A, B), (B, A), (TIE, TIE)}
    return fmean((v.forward, v.swapped) in same for v in verdicts)


def cohens_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Agreement of two raters beyond chance (Cohen 1960): 1 is perfect, 0 is chance.

    It is (observed - expected) / (1 - expected), where the expected agreement is that of two raters
    who give their labels as often as these do, but independently of the items.

    Args:
        first: The labels of one rater.
        second: Those of the other for the same items.

    Raises:
        ValueError: There are no items, or both raters give one and the same label to everything.
    """
    n = len(first)
    if n == 0 or len(second) != n:
        raise ValueError("Two raters need the same items, and at least one.")
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    counts, others = Counter(first), Counter(second)
    expected = sum(counts[label] * others[label] for label in counts) / n**2
    if expected == 1:
        raise ValueError("Both raters give one label to everything, so kappa is not defined.")
    return (observed - expected) / (1 - expected)
