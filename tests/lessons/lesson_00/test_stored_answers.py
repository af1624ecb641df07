"""What lesson 00 says of the stored answers of SmolLM2 is true of them."""

from ift_course.lessons.lesson_10 import smollm2


def test_one_answer_is_right_one_is_too_long_and_one_is_false():
    [run] = smollm2.stored().arms["answers"]
    right, long, false = (run.replies[number] for number in (26, 2, 55))
    assert "at most 15 words" in right.prompt and len(right.text.split()) <= 15
    assert "measure temperature" in right.text
    assert "fewer than 12 words" in long.prompt and len(long.text.split()) >= 12
    assert "first president" in false.prompt and "Kennedy" in false.text
    assert right.finished and long.finished and false.finished
