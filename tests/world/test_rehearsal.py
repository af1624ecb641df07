"""Rehearsal: what it works out is right, and it never sounds like being asked."""

import random
import re

import pytest

from ift_course.world import rehearsal, tables
from ift_course.world.grammar import capitalize
from ift_course.world.skills import SKILLS

MAKERS = {maker.__name__: maker for maker, _ in rehearsal.PASSAGES}


def drawn(name: str, times: int = 300) -> list[str]:
    rng = random.Random(3)
    return [MAKERS[name](rng) for _ in range(times)]


@pytest.mark.parametrize(
    ("pattern", "right"),
    [
        (r"(\d+) and (\d+) make (\d+)\.", lambda a, b, c: a + b == c),
        (r"(\d+) minus (\d+) is (\d+)\.", lambda a, b, c: a - b == c),
        (r"Twice (\d+) is (\d+)\.", lambda a, b: 2 * a == b),
        (r"larger of (\d+) and (\d+) is (\d+)\.", lambda a, b, c: max(a, b) == c),
        (r"After (\d+) comes the number (\d+)\.", lambda a, b: a + 1 == b),
        (r"Before (\d+) comes the number (\d+)\.", lambda a, b: a - 1 == b),
    ],
)
def test_every_line_of_a_number_table_is_right(pattern, right):
    rows = [row for table in drawn("number_table") for row in re.findall(pattern, table)]
    assert len(rows) > 50
    for row in rows:
        assert right(*map(int, row)), row


def test_members_of_a_kind_come_from_that_kind_once_each_and_in_order():
    kinds = {kind: members.split() for kind, members in tables.rows(tables.KINDS)}
    seen = 0
    for text in drawn("examples"):
        if match := re.search(
            r"(?:of the kind|under the heading|of the kind) ([a-z ]+?)[:.,\n]", text
        ):
            kind = match[1].removesuffix(" and then wrote")
            listed = re.split(r": |\n", text)[-1].split(", ")
            assert listed == sorted(set(listed)), text
            assert set(listed) <= set(kinds[kind]), text
            seen += 1
    assert seen > 50


def test_the_same_in_capital_letters_is_the_same():
    for text in drawn("capitals"):
        for word, upper in re.findall(r"In capital letters, (.+?) is ([^a-z]+?)\.(?: |$)", text):
            assert word.upper() == upper, text


def test_no_line_opens_like_somebody_asking():
    asking = tuple(f"{word} " for word in ("How", "Which", "What", "Who", "Where", "When", "If"))
    for name in MAKERS:
        for text in drawn(name):
            assert not capitalize(text).startswith(asking), text


def test_every_result_that_is_wanted_belongs_to_a_skill():
    names = {skill.name for skill in SKILLS}
    assert set(rehearsal.RESULTS) | set(rehearsal.SHOWN) | set(rehearsal.HARD) <= names
    assert set(rehearsal.RESULTS) == set(rehearsal.SHOWN)
    assert set(rehearsal.RESULTS) | set(rehearsal.STORY_PARTS) == names
