"""Comparisons and votes of planted models: better, equal, and not paired."""

import json

import numpy as np
import pytest

from ift_course.errors import CourseError
from ift_course.evaluation.comparison import compare
from ift_course.evaluation.eval_result import Answer, EvalResult, read_result
from ift_course.evaluation.pages import write_comparison_page, write_eval_page
from ift_course.evaluation.votes import Poll


def result(model, rights, *, words=None, categories=("facts", "math"), **options):
    """An evaluation whose verdicts and lengths are given."""
    answers = [
        Answer(
            row=i + 1,
            key=f"key{i}",
            category=categories[i % len(categories)],
            prompt=f"Question {i}?",
            reference="yes",
            use="verifier",
            answer=" ".join([f"{model}{i}"] * (words[i] if words else 1)),
            finished=True,
            right=right,
            fault="" if right is not False else "is not yes",
        )
        for i, right in enumerate(rights)
    ]
    settings = {"format": "ift-eval-1", "data": "test.jsonl", "data_sha256": "0" * 64}
    return EvalResult(
        **{**settings, "max_new_tokens": 9, "answers": answers, **options}, model=model
    )


def planted(share, n=200, seed=0):
    return [bool(x) for x in np.random.default_rng(seed).random(n) < share]


def test_a_planted_better_model_is_found_and_an_equal_one_is_not():
    weak = planted(0.4)
    better = [right or extra for right, extra in zip(weak, planted(0.3, seed=1), strict=True)]
    comparison = compare(result("A", weak), result("B", better))
    assert comparison.verdict.startswith("B is better by ")
    assert compare(result("A", better), result("B", weak)).verdict.startswith("A is better by ")
    equal = compare(result("A", planted(0.4, seed=2)), result("B", planted(0.4, seed=3)))
    assert "cannot be told apart with 200 items; about" in equal.verdict


def test_counts_and_categories_are_those_of_a_hand_count():
    comparison = compare(
        result("A", [True, True, False, False]), result("B", [True, False, True, False])
    )
    counts = comparison.counts
    assert (counts.n, counts.only_a, counts.only_b, counts.difference) == (4, 1, 1, 0)
    facts, math = comparison.categories["facts"], comparison.categories["math"]
    assert (facts.only_a, facts.only_b, math.only_a, math.only_b) == (0, 1, 1, 0)


def test_rows_that_nothing_judges_do_not_count():
    comparison = compare(result("A", [None, True]), result("B", [None, True]))
    assert comparison.counts.n == 1 and len(comparison.pairs) == 2
    assert compare(result("A", [None]), result("B", [None])).to_dict()["verdict"] is None


def test_the_largest_changes_are_flips_in_both_directions():
    a = result("A", [True] * 12 + [False] * 3 + [True])
    b = result("B", [False] * 12 + [True] * 3 + [True])
    changes = compare(a, b).changes()
    gains = [pair for pair in changes if pair[1].right]
    assert len(changes) == 10 and len(gains) == 3
    assert [bool(pair[1].right) for pair in changes[:6]] == [True, False] * 3


def test_a_longer_answer_is_called_longer_and_not_better():
    n = 40
    a = result("A", [True] * n, words=[3 + i % 2 for i in range(n)])
    b = result("B", [True] * n, words=[9 + i % 3 for i in range(n)])
    sentence = compare(a, b).length_sentence
    assert "B's answers are 6 words longer" in sentence
    assert sentence.endswith("A longer answer is not a better one.")
    assert "about as long" in compare(a, a.model_copy(update={"model": "C"})).length_sentence


def test_only_common_questions_are_paired_and_none_is_refused():
    a, b = result("A", [True, False, True]), result("B", [True, True])
    comparison = compare(a, b)
    assert len(comparison.pairs) == 2 and comparison.n_unpaired == 1
    other = [x.model_copy(update={"key": "other"}) for x in b.answers]
    with pytest.raises(CourseError, match="no question in common"):
        compare(a, b.model_copy(update={"answers": other}))
    with pytest.raises(CourseError, match="--max-new-tokens 9, and B with --max-new-tokens 5"):
        compare(a, result("B", [True], max_new_tokens=5))


def test_a_result_survives_its_file_and_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "a.json"
    before = result("A", [True, False, None], train="train.jsonl")
    before.write(path)
    assert read_result(path) == before
    assert json.loads(path.read_text())["summary"]["score"]["right"] == 1
    for text in ("{", "[]", '{"format": "other"}', '{"format": "ift-eval-1"}'):
        path.write_text(text)
        with pytest.raises(CourseError, match="is not a result of ift eval"):
            read_result(path)


def test_pages_need_nothing_else_and_obey_no_answer(tmp_path):
    evil = "<script>alert(1)</script>\u202e"
    a, b = result(evil, [True, False]), result("B", [False, True])
    write_eval_page(a, tmp_path / "a.html")
    write_comparison_page(compare(a, b), tmp_path / "c.html")
    for name in ("a.html", "c.html"):
        text = (tmp_path / name).read_text()
        assert "&lt;script&gt;alert(1)" in text and "\u202e" not in text
        assert "<script" not in text and "http" not in text and "src=" not in text
    assert "cannot be told apart with 2 items" in (tmp_path / "c.html").read_text()


def test_a_page_without_changes_says_so_and_shows_no_table_of_them(tmp_path):
    path, shown = tmp_path / "c.html", {}
    for name, rights in (("judged", [True, False]), ("not judged", [None, None])):
        a = result("A", rights)
        write_comparison_page(compare(a, a.model_copy(update={"model": "B"})), path)
        shown[name] = path.read_text()
        assert "The largest changes" not in shown[name] and "<th>question</th>" not in shown[name]
    assert "<p>All answers are the same, so no verdict changed.</p>" in shown["judged"]
    assert "<p>All answers are the same.</p>" in shown["not judged"]
    write_comparison_page(compare(result("A", [True]), result("B", [True])), path)
    assert "The largest changes" in path.read_text() and "are the same" not in path.read_text()


class TestVotes:
    def poll(self, tmp_path, n=12, seed=0):
        return Poll(
            compare(result("A", [None] * n), result("B", [None] * n)), seed=seed, folder=tmp_path
        )

    def test_votes_count_for_the_model_on_whichever_side_it_stands(self, tmp_path):
        poll = self.poll(tmp_path)
        sides = {ballot.b_is_first for ballot in poll.ballots}
        assert sides == {True, False}
        for ballot in poll.ballots:
            assert ballot.first.startswith("B" if ballot.b_is_first else "A")
            poll.vote(ballot, "first" if ballot.b_is_first else "second")
        outcome = poll.result
        assert outcome.winners == {"b": 12} and outcome.win_rate == 1
        assert outcome.interval[0] > 0.5
        assert outcome.sentence("A", "B").endswith("of 12 votes: B is preferred.")
        assert 0 < outcome.sides["first"] < 12

    def test_ties_count_half_and_skipped_ballots_not_at_all(self, tmp_path):
        poll = self.poll(tmp_path, 4)
        for ballot, choice in zip(poll.ballots, ("tie", "tie", "skip", "tie"), strict=True):
            poll.vote(ballot, choice)
        outcome = poll.result
        assert (outcome.n, outcome.win_rate) == (3, 0.5)
        low, high = outcome.interval
        assert 0 < low < 0.5 < high < 1
        assert "may be chance" in outcome.sentence()

    def test_a_second_poll_continues_and_another_seed_is_another_order(self, tmp_path):
        first = self.poll(tmp_path)
        order = [ballot.key for ballot in first.ballots]
        first.vote(first.open[0], "first")
        second = self.poll(tmp_path)
        assert [ballot.key for ballot in second.open] == order[1:]
        other = self.poll(tmp_path, seed=1)
        assert [b.key for b in other.ballots] != order and other.n_voted == 0

    def test_equal_answers_are_no_ballot(self, tmp_path):
        a = result("A", [None] * 3)
        poll = Poll(compare(a, a.model_copy(update={"model": "B"})), folder=tmp_path)
        assert poll.ballots == [] and poll.n_equal == 3
        assert poll.result.sentence() == "There are no votes yet."

    def test_a_damaged_file_of_votes_is_one_sentence(self, tmp_path):
        poll = self.poll(tmp_path)
        poll.vote(poll.open[0], "first")
        poll.path.write_text('{"votes": {"x": "maybe"}}')
        with pytest.raises(CourseError, match="is damaged"):
            self.poll(tmp_path)
