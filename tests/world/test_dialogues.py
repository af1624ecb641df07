"""Dialogues: what the assistant is tuned on, consistent with the facts and apart from its tests."""

from __future__ import annotations

import random
import re

import pytest

from ift_course.world.collections import collections
from ift_course.world.dialogues import KINDS, about_facts, about_outside, about_requests, dialogues
from ift_course.world.dialogues.casual import casual, plain, with_right_article
from ift_course.world.dialogues.held_out import (
    natural_prompts,
    never_trained,
    outside_questions,
)
from ift_course.world.facts import facts
from ift_course.world.relations import RELATIONS
from ift_course.world.splits import in_split
from ift_course.world.tables import UNKNOWN_PEOPLE


@pytest.fixture(scope="module")
def talks():
    return dialogues(6000, seed=11)


def test_the_same_seed_gives_the_same_dialogues():
    assert dialogues(50, seed=3) == dialogues(50, seed=3) != dialogues(50, seed=4)


def test_sixty_prompts_and_sixty_questions_are_never_trained_on(talks):
    for development in (False, True):
        assert len(natural_prompts(development)) == len(outside_questions(development)) == 60
    trained = {plain(prompt) for turns in talks for prompt, _ in turns}
    assert not trained & never_trained()


def test_held_out_entities_are_never_asked_about(talks):
    """Subjects with a capital letter, which no other text contains by chance."""
    prompts = " | ".join(prompt for turns in talks for prompt, _ in turns)
    held_out = {f.subject for f in facts() if not in_split(f, "train") and f.subject[0].isupper()}
    trained = {f.subject for f in facts() if in_split(f, "train")}
    names = [name for name in held_out - trained if len(name) > 4 and " " in name]
    assert len(names) > 5
    assert not [name for name in names if f"of {name}?" in prompts]


def test_every_relation_has_casual_wordings():
    wordings = about_facts.wordings("wordings.yaml")
    assert set(wordings) == {relation.name for relation in RELATIONS}
    for name, kinds in wordings.items():
        assert len(kinds["questions"]) >= 4 and len(kinds["fragments"]) >= 2, name
        assert all(
            "{s}" in wording or "{ss}" in wording for lines in kinds.values() for wording in lines
        ), name


@pytest.mark.parametrize("write", KINDS, ids=lambda write: write.__name__)
def test_every_kind_gives_whole_turns(write):
    rng = random.Random(5)
    for _ in range(300):
        turns = write(rng)
        assert 1 <= len(turns) <= 3
        for prompt, answer in turns:
            assert prompt.strip() == prompt != "" and answer.strip() == answer != ""
            assert not re.search(r"[{}]|  |\b[Aa] [aeio]\w", prompt + answer), (prompt, answer)


def test_answers_about_facts_state_a_fact(talks):
    values = {fact.value for fact in facts()}
    verdicts = {
        about_facts.with_verdict(fact, right) for fact in facts() for right in (True, False)
    }
    rng = random.Random(1)
    for _ in range(300):
        assert about_facts.fact_dialogue(rng)[0][1] in values
        assert about_facts.claim_dialogue(rng)[0][1] in verdicts


def test_a_wrong_claim_is_denied_and_a_right_one_confirmed():
    rng = random.Random(2)
    verdicts = set()
    for _ in range(400):
        [(prompt, answer)] = about_facts.closed_question(rng)
        fact, verdict = next(
            (f, verdict)
            for f in facts()
            for verdict, right in (("Yes", True), ("No", False))
            if about_facts.with_verdict(f, right) == answer
        )
        mentioned = f" {fact.value.lower()}" in prompt.lower().replace("?", "")
        # A wrong claim may contain the right value as a part of a longer word, never the reverse.
        assert mentioned or verdict == "No"
        verdicts.add(verdict)
    assert verdicts == {"Yes", "No"}


def test_lists_have_as_many_different_items_as_wanted():
    rng = random.Random(3)
    numbers = {"two": 2, "three": 3, "four": 4, "five": 5}
    for _ in range(300):
        [(prompt, answer)] = about_requests.listing(rng)
        items = answer.split(", ")
        wanted = re.search(r"\b(two|three|four|five|[2-5])\b", prompt, re.IGNORECASE)
        assert wanted is not None
        word = wanted[1].lower()
        assert len(items) == len(set(items)) == (numbers.get(word) or int(word))
        assert any(set(items) <= set(members) for members in collections().values())


def test_strangers_are_new_and_their_names_are_repeated():
    rng = random.Random(4)
    known = {fact.subject for fact in facts()}
    for _ in range(300):
        [(prompt, answer)] = about_outside.stranger(rng)
        name = answer.removeprefix("I do not know anyone called ").removesuffix(".")
        assert name in prompt and name not in known and name not in UNKNOWN_PEOPLE


def test_what_lies_outside_is_not_answered():
    rng = random.Random(5)
    assert {about_outside.outside(rng)[0][1] for _ in range(300)} == {"I do not know."}


@pytest.mark.parametrize(
    ("text", "article"), [("Is a owl a bird?", "Is an owl a bird?"), ("A ox", "An ox")]
)
def test_the_article_fits_its_noun(text, article):
    assert with_right_article(text) == article


def test_casual_wordings_keep_every_word():
    rng = random.Random(6)
    for _ in range(500):
        words = set(plain("What is the capital of France?").split())
        assert words <= set(plain(casual("What is the capital of France?", rng)).split())
