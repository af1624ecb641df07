import pytest

from ift_course.lessons.lesson_06.rouge import rouge_1

REFERENCE = "Eva sold Anna a brown letter in the school."


@pytest.mark.parametrize(
    "text, score",
    [
        (REFERENCE, 1.0),
        ("eva SOLD anna a brown letter, in the school", 1.0),
        ("Eva", 2 / 10),
        ("Eva Eva", 2 / 11),  # a repeated word counts as often as the reference has it
        ("Friday.", 0.0),
        ("", 0.0),
    ],
)
def test_the_score_is_the_f1_of_shared_words(text, score):
    assert rouge_1(text, [REFERENCE]) == pytest.approx(score)


def test_the_most_similar_reference_counts():
    assert rouge_1("Anna left", ["Eva", "Anna left."]) == 1.0
