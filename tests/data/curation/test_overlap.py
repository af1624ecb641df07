"""A question that the training file holds is found, whatever was done to hide it."""

from ift_course.data.curation.overlap import each_overlap, strongest
from ift_course.data.records import Record

LONG = "Write a short poem about the sea and the wind that moves the trees near my old home"


def training(*questions):
    return [Record.from_instruction(question, "", "An answer.") for question in questions]


def overlaps(question, *questions):
    records = training(*questions)
    return strongest(each_overlap([question], records, range(1, len(records) + 1))).get(0)


def test_the_same_question_is_found_apart_from_case_and_white_space():
    overlap = overlaps("What is the capital of France?", "Else", "what is  the Capital of\nFrance?")
    assert str(overlap) == "same question as training row 2"


def test_a_similar_question_is_found_with_its_similarity():
    overlap = overlaps("What is the capital of France?", "What is the capital of France")
    assert overlap.kind == "similar question" and 0.8 <= overlap.similarity < 1


def test_a_question_inside_a_longer_text_is_found_in_questions_and_answers():
    assert (
        overlaps(LONG, f"Hello! {LONG}, please, and do it as well as you ever can").kind
        == "same words"
    )
    record = Record.from_instruction("Give me a task.", "", f"Here you are: {LONG}.")
    assert [overlap.row for _, overlap in each_overlap([LONG], [record], [7])] == [7]


def test_a_common_phrase_is_no_leak():
    frame = "Translate the following English sentence into Spanish for me, please: "
    assert overlaps(frame + "The owl hoots at night.", frame + "Where does he live now?") is None
    assert overlaps("Name the sound of a cow.", "Name the color of snow.") is None


def test_the_strongest_overlap_is_reported():
    overlap = overlaps(
        "What is the capital of France?",
        "What is the capital of France",
        "What is the capital of France?",
    )
    assert (overlap.row, overlap.kind) == (2, "same question")


def test_every_copy_of_a_question_is_found():
    questions = ["What is the capital of France?", "Name the sound of a cow."]
    records = training(questions[0], "Else", questions[0].upper(), questions[1], questions[0])
    overlaps = [(i, o.row) for i, o in each_overlap(questions, records, range(1, 6))]
    assert overlaps == [(0, 1), (0, 3), (1, 4), (0, 5)]
