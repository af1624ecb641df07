"""Prompts that no training set of the course may contain: the assistant is measured on them.

There are two lists of each kind. The training wordings and the base's last phase were improved by
looking at answers to the *development* lists. The others were written afterwards by somebody who
knew neither the wordings nor any answer, and decide whether the assistant is accepted.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ift_course.world.dialogues.casual import plain
from ift_course.world.loader import read_yaml, sequence, texts


@cache
def natural_prompts(development: bool = False) -> tuple[dict[str, Any], ...]:
    """Sixty prompts as people type them, as `evaluation.natural` reads them."""
    file = "development_prompts.yaml" if development else "natural_prompts.yaml"
    return tuple(sequence(read_yaml(f"dialogues/{file}"), file))


@cache
def outside_questions(development: bool = False) -> tuple[str, ...]:
    """Sixty questions about what the world does not contain."""
    file = "development_outside.yaml" if development else "outside_questions.yaml"
    return texts(read_yaml(f"dialogues/{file}"), file)


@cache
def development_turns() -> frozenset[str]:
    """Every user turn of the development lists, as `plain` writes it: no corpus has them."""
    return _turns(development=True)


@cache
def never_trained() -> frozenset[str]:
    """Every user turn of all four lists, as `plain` writes it: no dialogue has them."""
    return development_turns() | _turns(development=False)


def _turns(*, development: bool) -> frozenset[str]:
    natural = {text for entry in natural_prompts(development) for text in entry["prompts"]}
    return frozenset(map(plain, natural | set(outside_questions(development))))
