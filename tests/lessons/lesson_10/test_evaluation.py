"""Lesson 10's judge, its stored verdicts, its ballots, and the numbers of questions it states."""

import numpy as np
import pytest
from scipy.stats import binom

from ift_course.data import course_set
from ift_course.evaluation.comparison import compare
from ift_course.evaluation.items import read_items
from ift_course.evaluation.paired import PairedCounts
from ift_course.evaluation.votes import Poll
from ift_course.lessons import ballots
from ift_course.lessons.lesson_10 import figures, judge, smollm2
from ift_course.panels.identity import differences
from ift_course.panels.panel import StoredReply
from ift_course.panels.store import stored_panel
from ift_course.profile import get_profile

PAIRS = [judge.Pair("What is 2 + 2?", "Four.", "It is five."), judge.Pair("Why?", "So.", "No.")]


@pytest.mark.parametrize(("only_a", "only_b"), [(1, 3), (3, 5), (17, 23)])
def test_the_stated_number_of_questions_has_a_power_of_about_80_percent(only_a, only_b):
    counts = PairedCounts(5 * (only_a + only_b), only_a, only_b)
    shares = [only_a / counts.n, only_b / counts.n, 0.8]
    draws = np.random.default_rng(7).multinomial(counts.needed, shares, 5000)[:, :2]
    p = 2 * binom.cdf(draws.min(axis=1), draws.sum(axis=1), 0.5)
    assert 0.74 < (p < 0.05).mean() < 0.84


def test_the_log_odds_are_the_difference_of_two_logits(tiny_llama):
    model, tokenizer = tiny_llama
    prompt = judge.judge_prompt("Why?", "So.", "No.")
    batch = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        add_generation_prompt=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    a, b = model(**batch).logits[0, -1, tokenizer.convert_tokens_to_ids(["A", "B"])].tolist()
    assert judge.log_odds(model, tokenizer, [prompt]) == pytest.approx([a - b], abs=1e-5)


def test_the_judge_sees_every_pair_in_both_orders(monkeypatch):
    def likes_five(model, tokenizer, prompts, on_step):
        return [float("Answer A: It is five." in prompt) for prompt in prompts]

    monkeypatch.setattr(judge, "log_odds", likes_five)
    first, second = judge.judge_both_orders(None, None, PAIRS, judge.REQUESTS[0])
    assert (first, second) == ([0, 0], [1, 0])


def test_padding_changes_the_wrong_answer_alone():
    pair = PAIRS[0].padded
    assert (pair.question, pair.right) == (PAIRS[0].question, PAIRS[0].right)
    assert pair.other.startswith(PAIRS[0].other) and len(pair.other) > len(PAIRS[0].other)


@pytest.mark.parametrize("number", range(3))
def test_a_program_knows_which_answer_of_a_pair_is_right(number):
    left_out = []
    items = {x.prompt: x for x in read_items(course_set.path("test"), on_left_out=left_out.append)}
    pairs = smollm2.written_pairs(number)
    assert len(pairs) == smollm2.N_PAIRS
    for pair in pairs:
        if pair.question in items:  # a row of IFEval cannot be judged without its library
            assert items[pair.question].fault(pair.right, True) is None
            assert items[pair.question].fault(pair.other, True) is not None


def test_own_answers_stand_beside_the_questions_they_answer():
    replies = [StoredReply(prompt="", text=str(i), finished=True) for i in range(100)]
    rows = course_set.load("test")
    for i, pair in zip(smollm2.judged_rows(), smollm2.own_pairs(replies), strict=True):
        assert pair.other == str(i) and pair.right == rows[i]["ideal"]


def test_the_answers_that_the_lesson_talks_about_are_as_it_says():
    [run] = smollm2.stored().arms[smollm2.ANSWERS]
    strict, lenient = run.scores["strict"], run.scores["lenient"]
    assert "14" in run.replies[1].text and lenient[1] == "0"
    assert "density" in run.replies[8].text and "less" not in run.replies[8].text
    assert strict[8] == "1" and (strict[72], lenient[72]) == ("0", "1")


def test_the_stored_verdicts_are_those_of_todays_questions_and_requests():
    part = smollm2.smollm2_part()
    panel = smollm2.stored()
    assert differences(panel, part, get_profile("smollm2")) == []
    assert list(panel.arms) == [arm.name for arm in part.arms]
    assert panel.n_items == 100
    for arm in (*smollm2.JUDGES, smollm2.PADDED, smollm2.OWN):
        first, second = smollm2.verdicts(panel, arm)
        assert len(first) == len(second) == smollm2.N_PAIRS
    assert [run.seed for run in panel.arms[smollm2.JUDGES[0]]] == [0, 1, 2]


def test_a_ballot_of_stored_answers_hides_the_models(tmp_path):
    panel = stored_panel("gemma", "01")
    few, many = ballots.open_results(panel, "SFT on 48 examples", "SFT on 300 examples")
    assert len(few.answers) == len(many.answers) == 10 and few.total is None
    poll = Poll(compare(few, many), folder=tmp_path)
    assert len(poll.ballots) + poll.n_equal == 10
    text = ballots.first_ballot(poll).html()
    assert "SFT" not in text and "Gemma" not in text and poll.ballots[0].prompt[:20] in text


def test_the_figure_of_the_power_states_the_numbers_of_questions():
    alt = figures.power([10, 20], {5: [0.1, 0.2]}, {5: [0.1, 0.3]}, {5: 630}).alt
    assert "Questions for a power of 80 %: 630 for 5 points" in alt
    assert "5 points: 0.10 at 10, 0.20 at 20" in alt


def test_the_figure_of_the_judge_states_what_it_follows():
    shares = {"the first place": np.full((3, 4), 0.75), "the right answer": np.full((3, 4), 0.5)}
    alt = figures.judge(shares).alt
    assert "The judge takes the first place 75% of the time, the right answer 50%" in alt
