"""Varied worked examples: their results are right, and none of them reads like a question."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from ift_course.world import tables, varied_examples
from ift_course.world.grammar import capitalize
from ift_course.world.skills import SKILLS

WRITERS = {write.__name__: write for write, _ in varied_examples.PASSAGES}


def passages(name: str, n: int = 300) -> list[str]:
    rng = random.Random(3)
    return [WRITERS[name](rng) for _ in range(n)]


@pytest.mark.parametrize(
    ("pattern", "is_right"),
    [
        (r"(\d+) and (\d+) make (\d+)\.", lambda a, b, c: a + b == c),
        (r"(\d+) minus (\d+) is (\d+)\.", lambda a, b, c: a - b == c),
        (r"Twice (\d+) is (\d+)\.", lambda a, b: 2 * a == b),
        (r"larger of (\d+) and (\d+) is (\d+)\.", lambda a, b, c: max(a, b) == c),
        (r"After (\d+) comes the number (\d+)\.", lambda a, b: a + 1 == b),
        (r"Before (\d+) comes the number (\d+)\.", lambda a, b: a - 1 == b),
    ],
)
def test_every_line_of_a_number_table_is_right(pattern: str, is_right: Callable[..., bool]) -> None:
    rows = [row for table in passages("number_table") for row in re.findall(pattern, table)]
    assert len(rows) > 50
    for row in rows:
        assert is_right(*map(int, row)), row


def test_members_of_a_kind_come_from_that_kind_once_each_and_in_order():
    n_checked = 0
    for text in passages("category_examples"):
        if match := re.search(r"(?:of the kind|under the heading) ([a-z ]+?)[:.,\n]", text):
            kind = match[1].removesuffix(" and then wrote")
            members = re.split(r": |\n", text)[-1].split(", ")
            assert members == sorted(set(members)), text
            assert set(members) <= set(tables.CATEGORIES[kind]), text
            n_checked += 1
    assert n_checked > 50


def test_the_same_in_capital_letters_is_the_same():
    for text in passages("capital_letters"):
        for word, upper in re.findall(r"In capital letters, (.+?) is ([^a-z]+?)\.(?: |$)", text):
            assert word.upper() == upper, text


def test_no_passage_opens_like_a_question():
    openings = tuple(f"{word} " for word in ("How", "Which", "What", "Who", "Where", "When", "If"))
    for name in WRITERS:
        for text in passages(name):
            assert not capitalize(text).startswith(openings), text


def test_every_named_result_belongs_to_a_skill():
    names = {skill.name for skill in SKILLS}
    assert set(varied_examples.RESULTS) == set(varied_examples.TITLES)
    assert set(varied_examples.RESULTS) | set(varied_examples.STORY_PARTS) == names
    assert set(varied_examples.HARD) <= set(varied_examples.RESULTS)
