"""How the shipped assistant answers people: natural prompts, what it cannot know, and lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ift_course.evaluation.generate import generate_replies
from ift_course.world.collections import collections
from ift_course.world.dialogues import held_out
from ift_course.world.facts import values
from ift_course.world.tasks import FACT_TASKS, Example, sample
from ift_course.world.verify import split_items

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DECLINES = "i do not know"


@dataclass(frozen=True)
class NaturalPrompt:
    """What a person says to the assistant, and what a right answer to the last sentence has.

    Attributes:
        prompts: The user's turns; the assistant's own answers come in between.
        contains: Words that must all occur; in a list of words, any of them.
        without: Words that must not occur.
        words: The largest number of words.
        items: The number of different items that the answer must consist of; 0 for any answer.
        among: The collection to which the items belong.
        exact: The whole answer, capital letters included; "" for any answer.
    """

    prompts: tuple[str, ...]
    contains: tuple[str | list[str], ...] = ()
    without: tuple[str, ...] = ()
    words: int = 60
    items: int = 0
    among: str = ""
    exact: str = ""

    def accepts(self, answer: str) -> bool:
        """Whether the answer is right."""
        if self.exact:
            return answer.strip().rstrip(".!") == self.exact
        if self.items:
            listed = [_words(item) for item in split_items(answer)]
            members = {_words(member) for member in collections()[self.among]}
            return len(listed) == len(set(listed)) == self.items and set(listed) <= members
        text = f" {_words(answer)} "
        options = [[entry] if isinstance(entry, str) else entry for entry in self.contains]
        has_all = all(any(f" {_words(o)} " in text for o in any_of) for any_of in options)
        has_none = not any(f" {_words(word)} " in text for word in self.without)
        return has_all and has_none and len(text.split()) <= self.words


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


@cache
def natural_prompts(development: bool = False) -> tuple[NaturalPrompt, ...]:
    """Sixty prompts as people type them; `held_out` says what the development list is for."""
    prompts = []
    for entry in held_out.natural_prompts(development):
        fields: dict[str, Any] = dict(entry)
        fields["prompts"] = tuple(fields["prompts"])
        contains = [_with_facts(c) if isinstance(c, str) else c for c in fields.get("contains", ())]
        fields["contains"] = tuple(contains)
        prompts.append(NaturalPrompt(**fields))
    return tuple(prompts)


def _with_facts(text: str) -> str:
    """The text with the value in place of "{city of Ada Abel}": people are drawn by a seed."""
    match = re.fullmatch(r"\{(\w+) of (.+)\}", text)
    return values()[match[1]][match[2]] if match else text


def converse(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, talks: Sequence[Sequence[str]]
) -> list[str]:
    """The assistant's last answer in each conversation; it has given the earlier ones, too.

    Args:
        model: The assistant.
        tokenizer: Its tokenizer.
        talks: The user's turns of each conversation.

    Returns:
        The last answers; one that did not end is followed by " …".
    """
    messages: list[list[dict[str, str]]] = [[] for _ in talks]
    last = [""] * len(talks)
    for turn in range(max(map(len, talks))):
        active = [i for i, talk in enumerate(talks) if turn < len(talk)]
        for i in active:
            messages[i].append({"role": "user", "content": talks[i][turn]})
        replies = generate_replies(
            model, tokenizer, [messages[i] for i in active], max_new_tokens=60
        )
        for i, reply in zip(active, replies, strict=True):
            messages[i].append({"role": "assistant", "content": reply.text})
            last[i] = reply.text if reply.finished else f"{reply.text} …"
    return last


@dataclass(frozen=True)
class AssistantScores:
    """What the acceptance of an assistant measures.

    Attributes:
        natural: Share of the natural prompts that are answered right.
        outside: Share of the outside questions to which it says that it does not know.
        false_refusals: Share of held-out facts to which it says so, although it knows them.
        facts: Share of held-out facts that it answers right.
        repeats: Number of answers to list requests with an item that occurs twice.
        wrong: Prompt and answer of every natural prompt that went wrong.
    """

    natural: float
    outside: float
    false_refusals: float
    facts: float
    repeats: int
    wrong: tuple[tuple[str, str], ...]


_COUNTED = ("colors", "animals", "countries", "fruits", "tools", "drinks", "jobs", "months")
LIST_REQUESTS = tuple(
    request.format(plural)
    for plural in _COUNTED
    for request in ("Give me three {}.", "name 4 {}", "List five {}, please.")
)


def score_assistant(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int,
    development: bool = False,
) -> AssistantScores:
    """Measure an assistant on natural prompts, outside questions, held-out facts and lists.

    Args:
        model: The assistant.
        tokenizer: Its tokenizer.
        seed: Seed of the held-out facts.
        development: Use the lists that the training wordings were improved with.
    """
    prompts = natural_prompts(development)
    answers = converse(model, tokenizer, [entry.prompts for entry in prompts])
    verdicts = [entry.accepts(answer) for entry, answer in zip(prompts, answers, strict=True)]
    wrong = [
        (entry.prompts[-1], answer)
        for entry, answer, right in zip(prompts, answers, verdicts, strict=True)
        if not right
    ]
    questions = held_out.outside_questions(development)
    outside = converse(model, tokenizer, [(question,) for question in questions])
    examples: list[Example] = sample(300, seed=100 + seed, split="test", tasks=FACT_TASKS)
    facts = [reply.text for reply in generate_replies(model, tokenizer, examples)]
    lists = converse(model, tokenizer, [(request,) for request in LIST_REQUESTS])
    items = [[_words(item) for item in split_items(answer)] for answer in lists]
    return AssistantScores(
        natural=sum(verdicts) / len(verdicts),
        outside=sum(map(declines, outside)) / len(outside),
        false_refusals=sum(map(declines, facts)) / len(facts),
        facts=sum(e.answer.accepts(a) for e, a in zip(examples, facts, strict=True)) / len(facts),
        repeats=sum(len(listed) != len(set(listed)) for listed in items),
        wrong=tuple(wrong),
    )


def declines(answer: str) -> bool:
    """Whether the answer says that the assistant does not know."""
    return _words(answer).startswith(DECLINES)
