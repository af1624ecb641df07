"""Prompts that no training set of the course may contain: the assistant is measured on them."""

from __future__ import annotations

from functools import cache
from typing import Any

from ift_course.world.dialogues.casual import plain
from ift_course.world.loader import read_yaml, sequence, texts


@cache
def natural_prompts() -> tuple[dict[str, Any], ...]:
    """The entries of `natural_prompts.yaml`, as `evaluation.natural` reads them."""
    return tuple(sequence(read_yaml("dialogues/natural_prompts.yaml"), "natural_prompts.yaml"))


@cache
def outside_questions() -> tuple[str, ...]:
    """Questions about what the world does not contain."""
    return texts(read_yaml("dialogues/outside_questions.yaml"), "outside_questions.yaml")


@cache
def never_trained() -> frozenset[str]:
    """Every user turn of both lists, as `plain` writes it."""
    natural = {prompt for entry in natural_prompts() for prompt in entry["prompts"]}
    return frozenset(map(plain, natural | set(outside_questions())))
