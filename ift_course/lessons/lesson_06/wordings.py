"""Other wordings of lesson 06's examples: without an instruction, or as plain prose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ift_course.world.facts import by_relation
from ift_course.world.skills import SKILL_BY_NAME
from ift_course.world.tasks import FACT_TASKS, Example, verify

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def bare(example: Example) -> Example:
    """The same example without its instruction: only the input and the response."""
    text = example.input or example.entity
    if example.task == "yes_no" and not example.input:
        text = re.split(r"true(?: that|:) ", example.instruction)[-1]
    return replace(example, instruction=text, input="")


def in_prose(example: Example) -> str | None:
    """The example as a sentence to complete, in words that the corpus uses; None if there is none.

    "Name the color of the sky." becomes "The color of the sky is".
    """
    if example.task in FACT_TASKS:
        known = by_relation()[example.task]
        return next(fact for fact in known if fact.subject == example.entity).completion()[0]
    if example.task not in SKILL_BY_NAME:
        return None
    wordings = SKILL_BY_NAME[example.task].prose
    ending = (w for w in wordings if w.removesuffix(".").endswith("{a}") and "{A}" not in w)
    wording = next(ending).partition("{a}")[0].rstrip()
    return wording.format(i=example.entity, d="")


def completes(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> str:
    """Ask a model to complete each example as prose.

    Returns:
        A digit for each example: "1" if the completion is right, "0" if not, and "-" where there is
        no such sentence.
    """
    from ift_course.evaluation.generate import complete

    prompts = [in_prose(example) for example in examples]
    sentences = [prompt for prompt in prompts if prompt]
    completions = iter(complete(model, tokenizer, sentences, max_new_tokens=40))
    return "".join(
        str(int(_is_right_completion(example, next(completions).text))) if prompt else "-"
        for example, prompt in zip(examples, prompts, strict=True)
    )


def _is_right_completion(example: Example, text: str) -> bool:
    """Whether the text begins with a right answer and then ends the sentence."""
    ends = [text.strip()[: i + 1] for i, mark in enumerate(text.strip()) if mark in '."']
    return any(verify(example, end.rstrip('"')) for end in ends[:2])
