"""Lesson 07's stored judge: its pairs, its file, and what is computed from it."""

import pytest

from ift_course.data import course_set
from ift_course.errors import CourseError
from ift_course.evaluation.items import read_items
from ift_course.evaluation.judge import Verdict, cohens_kappa
from ift_course.lessons.lesson_07 import figures, judging
from ift_course.lessons.lesson_07.judging import Judgment, StoredJudge


@pytest.fixture
def stored() -> StoredJudge:
    judgment = Judgment(
        question="What?", first="That.", second="This.", right="first",
        forward={"A": -0.5, "B": -1.5, "C": -3.0}, swapped={"A": -1.0, "B": -0.5, "C": -3.0},
    )  # fmt: skip
    return StoredJudge(
        model="A model", date="2026-12-01", machine="a machine", seconds=3.0, rubric="Be fair.",
        judgments=[judgment], written=["Name a bird."],
    )  # fmt: skip


def test_the_verifier_accepts_one_answer_of_each_pair_and_refuses_the_other():
    items = {x.prompt: x for x in read_items(course_set.path("prompts"))}
    pairs, truth = judging.pairs()
    assert len(pairs) == judging.N_PAIRS and 20 < truth.count("first") < 40
    for pair, right in zip(pairs, truth, strict=True):
        good, bad = (pair.first, pair.second) if right == "first" else (pair.second, pair.first)
        assert items[pair.question].fault(good, True) is None
        assert items[pair.question].fault(bad, True) is not None


def test_a_verdict_follows_from_the_two_stored_opinions(stored):
    [verdict] = stored.verdicts
    assert (verdict.forward, verdict.swapped, verdict.winner) == ("A", "B", "first")
    assert verdict.lean == pytest.approx((1.0 + 0.5) / 2)
    assert stored.truth == ["first"]


def test_the_file_comes_back_as_it_was_written(stored, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(judging, "evidence_root", lambda: tmp_path / "nothing")
    with pytest.raises(CourseError, match="missing; make it with"):
        judging.stored()
    path = tmp_path / "smollm2" / judging.FILE
    path.parent.mkdir()
    judging.write_file(path, stored)
    assert judging.stored() == stored
    path.write_text("{")
    with pytest.raises(CourseError, match="damaged"):
        judging.stored()


def test_the_order_in_which_a_judge_is_asked_once_does_not_tell_which_answer_is_right():
    _, truth = judging.pairs()
    said = figures.one_order([Verdict("A", "A")] * len(truth))  # names the first place
    assert abs(cohens_kappa(said, truth)) < 0.35


def test_a_writers_prompt_shows_short_instructions_of_people():
    known = {row["messages"][0]["content"] for row in course_set.load("train")}
    prompts = judging.writer_prompts()
    assert len(prompts) == len(set(prompts)) == judging.N_WRITTEN
    for prompt in prompts:
        shown = [line[3:] for line in prompt.splitlines() if line[:2] in ("1.", "2.", "3.")]
        assert len(shown) == judging.N_SHOTS and set(shown) <= known
