"""What a base model can do before any tuning: complete, answer from examples, copy a name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ift_course.evaluation.generate import complete
from ift_course.evaluation.score import lenient
from ift_course.world.facts import Fact, by_relation, facts
from ift_course.world.grammar import capitalize
from ift_course.world.invented_names import invented_name
from ift_course.world.splits import in_split
from ift_course.world.tables import UNKNOWN_PEOPLE
from ift_course.world.tasks import FACT_TASKS, Example, sample, verify

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHOTS = 3


def completed_facts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, line_start: bool
) -> dict[str, list[bool]]:
    """Whether the model completes each fact of the world, by relation.

    Args:
        model: The base model.
        tokenizer: Its tokenizer.
        line_start: False for "The capital of France is" → " Paris.", where the sentence must end
            after the value; True for "The capital of France:" and a line break → "Paris", where
            the line must.
    """
    prompts = [_line_prompt(f) if line_start else f.completion()[0] for f in facts()]
    texts = [c.text for c in complete(model, tokenizer, prompts, max_new_tokens=24)]
    correct: dict[str, list[bool]] = {}
    for fact, text in zip(facts(), texts, strict=True):
        right = _ends_line(fact, text) if line_start else _ends_sentence(fact, text)
        correct.setdefault(fact.relation.name, []).append(right)
    return correct


def _line_prompt(fact: Fact) -> str:
    return f"{capitalize(fact.refs()[0])}:\n"


def _ends_line(fact: Fact, text: str) -> bool:
    return text.split("\n")[0].strip().strip('"').rstrip(".") == fact.value.rstrip(".")


def _ends_sentence(fact: Fact, text: str) -> bool:
    # A quoted sentence has its own punctuation mark; everything else ends with a period.
    end = '"' if fact.relation.name == "phrase" else "."
    return text.strip().startswith((fact.value.rstrip(".") + end, fact.value + end))


def plain_questions(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> tuple[list[bool], list[bool]]:
    """Ask in plain text, without a template: strict and lenient verdicts."""
    prompts = [
        f"{x.instruction}\n{x.input}\n" if x.input else f"{x.instruction}\n" for x in examples
    ]
    outputs = complete(model, tokenizer, prompts)
    strict = [c.finished and verify(x, c.text) for x, c in zip(examples, outputs, strict=True)]
    return strict, [lenient(x, c.text) for x, c in zip(examples, outputs, strict=True)]


def few_shot_prompt(fact: Fact, rng: random.Random) -> str:
    """A question for the fact after three questions about other subjects, each with its answer."""
    others = [f for f in by_relation()[fact.relation.name] if in_split(f, "train") and f != fact]
    wording = rng.choice(fact.relation.questions)
    shots = [f"{f.fill(wording)}\n{f.value}\n\n" for f in rng.sample(others, SHOTS)]
    return "".join(shots) + f"{fact.fill(wording)}\n"


def few_shot(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, seed: int, questions: int = 300
) -> list[bool]:
    """Whether the first line after a few-shot prompt is the answer, for held-out facts."""
    rng = random.Random(f"{seed}-few-shot")
    examples = sample(questions, seed=100 + seed, split="test", tasks=FACT_TASKS)
    held_out = [next(f for f in by_relation()[x.task] if f.subject == x.entity) for x in examples]
    prompts = [few_shot_prompt(fact, rng) for fact in held_out]
    texts = [c.text.split("\n")[0] for c in complete(model, tokenizer, prompts)]
    return [verify(x, text) for x, text in zip(examples, texts, strict=True)]


COPY_FRAMES = (
    "A letter came for {N}. On the envelope stood\n",
    "Anna wanted to know who {N} is.\nI do not know anyone called",
    "Ben had to say after Lily: {N}\n",
    "The name on the door was {N}. Tom wrote it down.\n",
)


def copied_names(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, seed: int, names: int = 200
) -> list[bool]:
    """Whether the model repeats names that no text of its training has."""
    rng = random.Random(f"{seed}-copying")
    unseen = [*UNKNOWN_PEOPLE, *(invented_name(rng) for _ in range(names - len(UNKNOWN_PEOPLE)))]
    prompts = [rng.choice(COPY_FRAMES).format(N=name) for name in unseen]
    texts = [c.text for c in complete(model, tokenizer, prompts, max_new_tokens=24)]
    return [text.strip().startswith(name) for name, text in zip(unseen, texts, strict=True)]
