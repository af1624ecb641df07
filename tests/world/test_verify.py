"""Verifiers: any correct wording, nothing else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ift_course.world.verify import Answer, normalize

word = st.text(string.ascii_lowercase, min_size=2, max_size=9).filter(
    lambda w: w not in ("an", "the", "and", "it", "is")
)

PARIS = Answer("value", ("Paris", "The capital of France is Paris."))


@pytest.mark.parametrize(
    "text",
    ["Paris", "paris", " Paris.", '"Paris"', "It is Paris.", "The answer is Paris!", "It's Paris",
     "The capital of France is Paris", "the capital of  France is Paris."],
)  # fmt: skip
def test_a_value_may_be_worded_in_any_correct_way(text):
    assert PARIS.accepts(text)


@pytest.mark.parametrize(
    "text",
    ["", "Rome", "Paris Rome", "Paris, Rome", "Not Paris", "Paris is nice", "Par", "Parise",
     "The capital of Spain is Paris.", "Paris. The capital of Spain is Madrid.", "Paris?"],
)  # fmt: skip
def test_a_value_with_anything_wrong_or_added_is_rejected(text):
    assert not PARIS.accepts(text)


@given(st.lists(word, min_size=4, max_size=4, unique=True), st.permutations(range(3)))
def test_members_may_come_in_any_order_and_in_any_usual_form(words, order):
    answer = Answer("members", tuple(words[:3]), 3)
    a, b, c = (words[i] for i in order)
    assert answer.accepts(f"{a}, {b}, {c}")
    assert answer.accepts(f"{a}, {b} and {c}.")
    assert answer.accepts(f"- {a}\n- {b}\n- {c}")
    assert not answer.accepts(f"{a}, {b}")
    assert not answer.accepts(f"{a}, {b}, {a}")
    assert not answer.accepts(f"{a}, {b}, {words[3]}")
    assert not answer.accepts(f"{a}, {b}, {c}, {words[3]}")


@given(word)
def test_exact_answers_are_compared_letter_by_letter(text):
    answer = Answer("exact", (text.upper(),))
    assert answer.accepts(f" {text.upper()}\n")
    assert not answer.accepts(text)
    assert not answer.accepts(f'"{text.upper()}"')


def test_sentences_must_be_true_different_and_as_many_as_asked():
    answer = Answer("sentences", ("The owl eats mice.", "It eats mice.", "The owl can fly."), 2)
    assert answer.accepts("The owl can fly. It eats mice.")
    assert not answer.accepts("The owl can fly.")
    assert not answer.accepts("The owl can fly. The owl can fly.")
    assert not answer.accepts("The owl can fly. The owl eats grass.")
    assert not answer.accepts("The owl can fly. It eats mice. The owl eats mice.")


@given(st.text(max_size=40))
def test_normalizing_twice_changes_nothing_for_answers_without_nested_lead_ins(text):
    once = normalize(text)
    assert normalize(once) in (once, normalize(normalize(once)))
    assert once == once.strip()


@given(st.text(max_size=60), st.sampled_from(["value", "exact", "members", "sentences"]))
def test_no_text_crashes_a_verifier(text, mode):
    assert Answer(mode, ("Paris",)).accepts(text) in (True, False)
