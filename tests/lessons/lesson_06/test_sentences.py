"""The sentences of lesson 06 are true of the stored results and of the outputs that it displays."""

from __future__ import annotations

import json
import re
from statistics import fmean

import pytest

from ift_course.claims import grid_store
from ift_course.data import course_set
from ift_course.evaluation.intervals import paired_difference
from ift_course.lessons.lesson_06 import experiment, figures
from ift_course.panels.store import stored_panel
from ift_course.paths import checkout
from ift_course.profile import get_profile

TINY = get_profile("tiny")
[SOURCE] = (checkout() / "notebooks").glob("06_*.py")
TEXT = " ".join(SOURCE.read_text(encoding="utf-8").replace("\n#", " ").split())


@pytest.fixture(scope="module")
def results():
    return grid_store.read(TINY, "06", experiment.MultitaskResult)


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    """What the cells of the published notebook display, as text."""
    cells = json.loads(SOURCE.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    return [
        "".join(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", [])
    ]


def of(results, config):
    return sorted((x for x in results if x.config == config), key=lambda x: x.seed)


def says(sentence: str) -> None:
    """Check that the lesson still has the sentence that a test is about."""
    assert sentence in TEXT


def test_the_refused_email_repeats_an_example_and_no_example_asks_for_an_email():
    says("No example mentions an email, and one begins with the very words of the answer.")
    examples = course_set.load("train")[:48]
    assert not any("email" in str(row).lower() for row in examples)
    refusals = [x for x in examples if "I can't help with that" in x["messages"][-1]["content"]]
    assert len(refusals) == 1
    panel = stored_panel("gemma", "00")
    assert panel is not None
    [reply] = [x for x in panel.runs[-1].replies if "email" in x.prompt]
    assert panel.runs[-1].arm.startswith("after") and reply.text.startswith(
        "I can't help with that"
    )


def test_the_model_of_arithmetic_answers_with_words_and_gets_some_right(results):
    says("The toy expects a number. Here it is wrong")
    first = of(results, experiment.ALONE[0])[0]
    assert first.families == ["arithmetic"]
    replies = figures.replies(first).values()
    assert not any(char.isdigit() for reply in replies for char in reply.text)
    assert sum(reply.correct for reply in replies) >= 2
    assert figures.family_shares(first)["objects"] == 10 / 24  # "often right", says the quiz


def test_what_the_points_show_is_what_the_text_says(results):
    says("*yes_no* alone teaches nothing (its model mostly says Yes or No)")
    says("*format* alone as much as eleven families")
    says("with four tasks, a family may be near the bottom or near the top")
    points = figures.by_tasks(results)
    together = fmean(share for _, share, _ in points[experiment.ALL])
    alone = {label: share for _, share, label in points[1]}
    yes_no = next(x for x in results if x.families == ["yes_no"])
    said = [text in ("Yes", "No") for text in yes_no.answers.values()]
    assert alone["yes_no"] < 0.05 and sum(said) > len(said) / 2
    assert abs(alone["format"] - together) < 0.05
    ranked = sorted(alone, key=alone.__getitem__)
    of_four = [ranked.index(label) for tasks, _, label in points[1] if tasks == 4]
    assert min(of_four) <= 1 and max(of_four) >= len(ranked) - 3


def test_the_best_model_met_four_families_with_format_among_them(results):
    says("the best model of all met four, *format* among them")
    asked_all = [x for x in results if not x.config.tested and x.config.instructions]
    best = max(asked_all, key=lambda x: x.accuracy())
    assert len(best.families) == 4 and "format" in best.families


def test_at_writing_eleven_families_are_worse_than_an_average_single_one(results):
    says("At *writing*, the eleven are worse than an average single family.")
    shares = figures.by_held_out(results)
    alone = [share for (row, column), share in shares.items()
             if column == "writing" and row.endswith("alone")]  # fmt: skip
    assert shares[figures.ALL_TOGETHER, "writing"] < fmean(alone) - 0.05


def test_the_quiz_counts_tasks_as_the_world_does():
    assert figures.n_tasks(["format"]) == 7 and len(experiment.BORROWING) == 4
    assert figures.n_tasks(experiment.TUNED_FAMILIES) == 46


def test_no_model_gets_a_summary_right(results):
    says("no model gets a summary right")
    shares = figures.by_held_out(results)
    assert {share for (_, family), share in shares.items() if family == "summary"} == {0.0}


def test_holding_out_one_family_at_a_time_makes_no_clear_difference(results):
    says("Four more families make no clear difference here: the interval contains 0.")
    one_at_a_time = figures.leave_one_out(results)
    together = figures.arm(of(results, experiment.TOGETHER))
    low, high = paired_difference(one_at_a_time, together)[1]
    assert len(one_at_a_time) == len(together) == 3 and low < 0 < high


def test_without_instructions_a_model_gets_about_as_much_right_as_one_family_alone(results):
    says("gets about as much right as one family alone does")
    _, one = figures.together_and_alone(results)
    bare = figures.arm(of(results, experiment.NO_INSTRUCTION))
    assert abs(fmean(map(fmean, bare)) - fmean(map(fmean, one))) < 0.05


def test_the_summaries_that_are_displayed_are_as_described(results, outputs):
    says("With extraction, all four answers are a single name.")
    says("three contain a sentence with the right names and place, but the wrong color")
    [shown] = [x for x in outputs if x.startswith("prompt / with extraction, without")]
    neighbor, without = (
        of(results, config)[0].answers
        for config in (experiment.WITH_NEIGHBOR, experiment.WITHOUT_NEIGHBOR)
    )
    questions = experiment.questions(experiment.WITHOUT_NEIGHBOR, 0)[:4]
    sentences = 0
    for x in questions:
        question = experiment.prompt(x)
        assert question.replace("\n", " ↵ ") in shown
        assert re.fullmatch(r"[A-Z][a-z]+", neighbor[question]) and neighbor[question] in question
        if " " in without[question]:
            sentences += 1
            giver, _, taker, _, color, *_, place = x.response.split()
            assert all(word in without[question] for word in (giver, taker, place))
            assert color not in without[question]
    assert sentences == 3


def test_the_prose_base_completes_half_and_answers_almost_nothing(results):
    says("The prose base completes about half of the sentences")
    completed, answered = figures.in_prose(results, "prose")
    assert 0.4 < fmean(map(fmean, completed)) < 0.6
    assert fmean(map(fmean, answered)) < 0.05


def test_the_prose_base_has_read_a_seventh_of_the_tokens():
    from ift_course.lessons.lesson_06 import bases

    says("has read a seventh of the tokens")
    shipped, prose = (sum(bases.phases(base).values()) for base in experiment.BASES)
    assert round(shipped / prose) == 7


def test_the_lowest_losses_do_not_belong_to_the_models_that_generalize_best(results):
    says("The three lowest losses belong to single families")
    single = [x for config in experiment.ALONE for x in of(results, config)]
    together = of(results, experiment.TOGETHER)
    lowest = sorted([*single, *together], key=lambda x: x.loss)[:3]
    assert all(len(x.families) == 1 for x in lowest)
    assert min(x.accuracy() for x in together) > max(x.accuracy() for x in lowest)


def test_the_numbers_of_papers_add_up():
    says("12,725 for SFT, 33,207 for the reward model and 31,144 for PPO. That makes 77,076")
    assert 12_725 + 33_207 + 31_144 == 77_076 and 80 + 193 + 1_554 + 9 == 1_836
