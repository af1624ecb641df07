"""Natural prompts: what counts as a right answer of the assistant."""

import pytest

from ift_course.evaluation.natural import NaturalPrompt, declines, natural_prompts

COLORS = NaturalPrompt(("Give me three colors.",), items=3, among="colors")
CAPITAL = NaturalPrompt(("Capital of France?",), contains=("paris",), words=6)
EITHER = NaturalPrompt(("Is it?",), contains=("no", ["madrid", "spain"]), without=("yes",))


@pytest.mark.parametrize(
    ("prompt", "answer", "right"),
    [
        (COLORS, "blue, green, red", True),
        (COLORS, "Blue, green and red.", True),
        (COLORS, "blue, blue, red", False),
        (COLORS, "blue, red", False),
        (COLORS, "blue, red, carrot", False),
        (CAPITAL, "The capital of France is Paris.", True),
        (CAPITAL, "paris", True),
        (CAPITAL, "Parisian", False),
        (CAPITAL, "The capital of France is Paris, and the capital of Spain is Madrid.", False),
        (EITHER, "No. It is Madrid.", True),
        (EITHER, "No. Yes. Madrid.", False),
        (EITHER, "Madrid.", False),
        (NaturalPrompt(("Uppercase: cat",), exact="CAT"), "CAT.", True),
        (NaturalPrompt(("Uppercase: cat",), exact="CAT"), "cat", False),
    ],
)
def test_an_answer_is_right_if_it_has_what_was_wanted_and_little_else(prompt, answer, right):
    assert prompt.accepts(answer) is right


@pytest.mark.parametrize("development", [False, True])
def test_no_prompt_accepts_silence_or_ignorance_by_accident(development):
    for prompt in natural_prompts(development):
        assert not prompt.accepts("")
        if prompt.contains != ("do not know",):
            assert not prompt.accepts("I do not know."), prompt


@pytest.mark.parametrize("development", [False, True])
def test_placeholders_are_filled_from_the_facts(development):
    texts = [str(prompt.contains) for prompt in natural_prompts(development)]
    assert not [text for text in texts if "{" in text]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("I do not know.", True), ("I do not know anyone called Bo.", True), ("Paris", False)],
)
def test_declining_is_recognized(answer, expected):
    assert declines(answer) is expected
