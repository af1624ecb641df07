"""What lesson 07 says under its outputs is true of the outputs that are published."""

import json
import re
from functools import cache

import pytest

from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import judge
from ift_course.lessons.discover import select
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_07 import judging, pipeline
from ift_course.lessons.lesson_07.selection import ALL, JUDGE, JUDGE_OF_ALL, RANDOM, VERIFIER
from ift_course.lessons.lesson_07.sizes import SIZES

SIZES_TINY = SIZES["tiny"]


@cache
def printed() -> list[str]:
    """The lines that the published notebook prints."""
    [lesson] = select(["07"])
    notebook = json.loads(lesson.source.with_suffix(".ipynb").read_text(encoding="utf-8"))
    outputs = [x for cell in notebook["cells"] for x in cell.get("outputs", ())]
    text = "".join("".join(x["text"]) for x in outputs if x["output_type"] == "stream")
    return text.splitlines()


def test_each_mark_on_the_shown_answers_is_the_verifiers():
    marked = [i for i, line in enumerate(printed()) if re.match(r"  [✓✗] ", line)]
    questions = {pipeline.text_of(x): x for x in pipeline.questions(SIZES_TINY, 0)}
    question = questions[printed()[marked[0] - 1]]
    lines = [printed()[i] for i in marked]
    texts = [line[4:] for line in lines]
    verdicts = judge([question] * len(texts), [Completion(x, True) for x in texts]).correct
    # An answer that was cut off is wrong, even where its text is right.
    assert all(line[2] == "✗" or right for line, right in zip(lines, verdicts, strict=True))
    assert {line[2] for line in lines} == {"✓", "✗"}


def table() -> dict[str, list[float]]:
    rows = {}
    for name in (ALL, RANDOM, JUDGE, JUDGE_OF_ALL, VERIFIER):
        [line] = [x for x in printed() if re.match(rf"{re.escape(name)} +[\d,]+ +[\d.]+ +\d+", x)]
        rows[name] = [float(x.replace(",", "")) for x in line[len(name) :].split()]
    return rows


def test_the_best_of_all_loses_questions_and_the_best_of_each_does_not():
    rows = table()
    n_questions = SIZES_TINY.questions
    assert rows[JUDGE][2] == rows[RANDOM][2] == rows[ALL][2] == n_questions
    assert rows[JUDGE_OF_ALL][2] < n_questions
    assert rows[VERIFIER][1] == 1.0


def test_the_questions_that_passed_the_search_are_leaks_in_other_words():
    exam = held_out(0, SIZES_TINY.exam)
    start = next(i for i, x in enumerate(printed()) if "passed the search" in x)
    n_left = int(re.search(r"(\d+) passed", printed()[start])[1])
    shown = [x.strip() for x in printed()[start + 1 : start + 1 + min(4, n_left)]]
    asked = questions_of_the_web()
    for text in shown:
        [question] = {x for x in asked if pipeline.text_of(x).replace("\n", " / ") == text}
        assert (question.task, question.entity) in {(x.task, x.entity) for x in exam}
        assert text.casefold() not in {pipeline.text_of(x).casefold() for x in exam}
    assert n_left > 0


def questions_of_the_web():
    from ift_course.world.tasks import FACT_TASKS, sample

    return sample(20, seed=0, split="test", unseen_wording=True, tasks=FACT_TASKS)


def test_some_answers_reached_the_limit_of_three_tokens():
    [line] = [x for x in printed() if x.endswith("answers reached the limit:")]
    n_cut, n = map(int, re.findall(r"\d+", line))
    assert 0 < n_cut <= n == 40


def test_a_single_answer_loses_more_questions_than_ten():
    found = [re.match(r"asked (once|10 times): (\d+) of 150", line) for line in printed()]
    lost = {match[1]: int(match[2]) for match in found if match}
    assert lost["10 times"] < lost["once"]


def test_the_stored_judge_was_given_todays_pairs_and_rubric():
    from ift_course.evaluation.judge import RUBRIC

    stored = judging.stored()
    pairs, truth = judging.pairs()
    assert stored.rubric == RUBRIC and stored.truth == truth
    assert [(x.question, x.first, x.second) for x in stored.judgments] == [
        (x.question, x.first, x.second) for x in pairs
    ]


@pytest.mark.parametrize("words", ["names the answer shown first", "κ = ", "The leaning is right"])
def test_the_judge_is_described_by_computed_sentences(words):
    assert any(words in line for line in printed())


def test_some_written_lines_repeat_an_instruction_that_was_shown_and_some_are_no_requests():
    from ift_course.data import course_set

    known = {row["messages"][0]["content"] for row in course_set.load("train")}
    written = list(zip(judging.writer_prompts(), judging.stored().written, strict=True))[:12]
    copies = [x for prompt, line in written for x in known if x in line and x in prompt]
    assert len(set(copies)) >= 2
    assert any(line.startswith("The ") for _, line in written)  # a statement
