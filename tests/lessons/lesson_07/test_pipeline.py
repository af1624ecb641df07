"""Lesson 07's pipeline: what it knows, what it chooses, what it keeps."""

import random
from dataclasses import replace

import pytest

from ift_course.claims.grid_store import base_identity
from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07 import pipeline, teacher_pool
from ift_course.lessons.lesson_07.pipeline import PLANS, Asked
from ift_course.lessons.lesson_07.selection import CHOICES, records, share_right
from ift_course.lessons.lesson_07.teacher_pool import Harvest, Stored
from ift_course.profile import PROFILES, get_profile
from ift_course.world.tasks import FACT_TASKS, sample, verify

FRANCE = "What is the capital of France?"
RAMBLING = "Paris. The owl eats mice. The lion roars."


def asked(instruction: str, *answers: str, ended: bool = True, **rewards) -> Asked:
    return Asked(instruction, tuple(Completion(text, ended) for text in answers), rewards)


@pytest.fixture
def pool() -> list[Asked]:
    habits = {"habits": (0.1, 0.9, 0.5), "facts": (0.8, 0.2, 0.3)}
    return [
        asked(FRANCE, RAMBLING, "Rome", "Paris", **habits),
        asked("Name the sound of the owl.", "moo", "hoot", "hoot", **habits),
        asked("Name the capital of the owl.", "Paris", "Rome", "hoot", **habits),
    ]


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_question_about_a_fact_is_understood_as_the_world_means_it(split):
    for example in sample(300, seed=3, split=split, tasks=FACT_TASKS):
        text = user_text(example.instruction, example.input)
        found = pipeline.meaning(text)
        assert verify(found, example.response)
        assert pipeline.held_out(text) == (split == "test")


def test_nonsense_is_not_understood_and_has_no_right_answer():
    nonsense = asked("Name the capital of the owl.", "Paris", "hoot")
    assert nonsense.right == [False, False]
    assert not pipeline.held_out(nonsense.instruction)


def test_right_is_the_strict_verdict():
    assert asked(FRANCE, "Paris", RAMBLING, "Rome").right == [True, False, False]
    assert asked(FRANCE, "Paris", ended=False).right == [False]


@pytest.mark.parametrize(
    "text", ["what is the capital of France.", "Tell the capital city of France!"]
)
def test_a_writers_own_wordings_are_understood_too(text):
    assert pipeline.meaning(text).response == "Paris"
    assert pipeline.held_out(text)


def test_the_seeds_ask_about_every_kind_and_never_about_the_exam():
    for seed in range(3):
        found = pipeline.seed_instructions(PLANS["tiny"], seed)
        kinds = {pipeline.meaning(text).task for text in found}
        assert kinds == set(FACT_TASKS)
        assert not any(map(pipeline.held_out, found))


def test_instructions_that_the_world_can_mark_are_told_apart_and_none_is_an_error():
    known = next(x for x in sample(50, seed=0, tasks=FACT_TASKS) if not x.input).instruction
    sky = "What color is the sky?"
    assert Harvest(2, [sky, known], [2]).sensible == [known]
    with pytest.raises(CourseError, match=r"None of the 1 instructions .* --profile tiny"):
        _ = Harvest(1, [sky], [1]).sensible


def test_rouge_l_counts_the_longest_common_subsequence():
    assert pipeline.rouge_l("Name the capital", "name THE capital") == 1.0
    assert pipeline.rouge_l("a b c d", "a x c y") == 0.5
    assert pipeline.rouge_l("a b", "b a") == 0.5
    assert pipeline.rouge_l("", "a") == pipeline.rouge_l("", "") == 0.0


def test_rouge_l_is_that_of_the_definition():
    from itertools import combinations

    def subsequences(words):
        return {x for n in range(len(words) + 1) for x in combinations(words, n)}

    rng = random.Random(0)
    for _ in range(40):
        a, b = ([rng.choice("uvw") for _ in range(rng.randint(1, 7))] for _ in range(2))
        longest = max(map(len, subsequences(a) & subsequences(b)))
        found = pipeline.rouge_l(" ".join(a), " ".join(b))
        assert found == pytest.approx(2 * longest / (len(a) + len(b)))


def test_a_judge_learns_from_pairs_of_which_a_share_is_marked_wrongly():
    pairs = pipeline.fact_pairs(40, seed=0)
    marked = pipeline.with_mistakes(pairs, seed=0, share=0.25)
    assert sum(a.swapped == b for a, b in zip(pairs, marked, strict=True)) == 10
    assert {pair.source for pair in pairs} == {"wrong", "rambling"}
    assert pipeline.with_mistakes(pairs, seed=0) == pipeline.with_mistakes(pairs, seed=0)


def test_marks_go_to_the_answers_they_are_of(pool):
    class Lengths:
        def rewards(self, conversations):
            import torch

            return torch.tensor([float(len(turns[-1]["content"])) for turns in conversations])

    for before, after in zip(pool, pipeline.marked(pool, "length", Lengths()), strict=True):
        assert after.rewards["length"] == tuple(float(len(x.text)) for x in before.answers)
        assert after.rewards["habits"] == before.rewards["habits"]


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "all"])
def test_every_choice_keeps_as_many_answers_as_there_are_instructions(pool, name):
    for seed in range(4):
        picks = CHOICES[name](pool, seed)
        assert len(picks) == len(pool) == len(records(pool, picks))
        assert picks == CHOICES[name](pool, seed)


def test_choices_choose_what_they_say(pool):
    each = dict(CHOICES["judge's best of each"](pool, 0))
    assert each == {0: 1, 1: 1, 2: 1}
    assert dict(CHOICES["taught judge's best of each"](pool, 0)) == {0: 0, 1: 0, 2: 0}
    assert {pool[i].answers[j].text for i, j in CHOICES["judge's best of all"](pool, 0)} == {
        "Rome",
        "hoot",
    }
    assert dict(CHOICES["most frequent of each"](pool, 0))[1] in (1, 2)
    assert dict(CHOICES["shortest of each"](pool, 0))[0] in (1, 2)
    assert len(CHOICES["all"](pool, 0)) == 9


def test_the_verifier_takes_one_right_answer_of_each_before_it_takes_more(pool):
    for seed in range(5):
        picks = CHOICES["verifier's best"](pool, seed)
        assert share_right(pool, picks) == 1.0
        assert {i for i, _ in picks} == {0, 1}
    few = [pool[0], pool[2]]
    assert CHOICES["verifier's best"](few, 0) == [(0, 2)]


def test_between_equals_chance_decides(pool):
    even = [replace(pool[1], rewards={"habits": (1.0, 1.0, 1.0)})]
    assert len({CHOICES["judge's best of each"](even, seed)[0][1] for seed in range(20)}) == 3


def test_a_pool_is_read_back_as_it_was_written(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    profile = get_profile("tiny")
    stored = Stored(Harvest(7, ["a", FRANCE], [1, 1]), pool, base_identity(profile))
    made = []
    monkeypatch.setattr(teacher_pool, "make", lambda *_: made.append(1) or stored)
    assert teacher_pool.pool_of(profile, 5) == stored
    assert teacher_pool.pool_of(profile, 5) == stored
    assert len(made) == 1
    assert stored.harvest.leaked == [FRANCE] and stored.harvest.clean == ["a"]


def test_a_pool_without_marks_is_only_marked(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    monkeypatch.setattr(pipeline, "teacher_stage", lambda *_: ("teacher", "tokenizer"))
    monkeypatch.setattr(pipeline, "judge_stage", lambda plan, model, tokenizer, name, seed: name)
    monkeypatch.setattr(pipeline, "ask", lambda *_, **__: pytest.fail("answered again"))
    marks = {"habits": (1.0, 2.0, 3.0), "facts": (3.0, 2.0, 1.0)}
    monkeypatch.setattr(
        pipeline, "marked",
        lambda pool, name, judge: [
            replace(x, rewards=x.rewards | {name: marks[judge]}) for x in pool
        ],
    )  # fmt: skip
    profile = get_profile("tiny")
    bare = [replace(x, rewards={}) for x in pool]
    folder = tmp_path / "tiny" / "grids"
    folder.mkdir(parents=True)
    stored = Stored(Harvest(1, ["a"], [1]), bare, base_identity(profile))
    teacher_pool._write(folder / "07-pool-5.json", stored)
    assert all(x.rewards == marks for x in teacher_pool.pool_of(profile, 5).pool)
    assert all(x.rewards == marks for x in teacher_pool.read(profile, 5).pool)


def test_a_pool_of_other_weights_is_made_again(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    profile = get_profile("tiny")
    old = Stored(Harvest(1, [], []), pool, "other weights")
    monkeypatch.setattr(teacher_pool, "make", lambda *_: old)
    teacher_pool.pool_of(profile, 5)
    assert teacher_pool.read(profile, 5) is None


def test_a_damaged_pool_is_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    folder = tmp_path / "tiny" / "grids"
    folder.mkdir(parents=True)
    for text in ("{", "[]", '{"harvest": {}, "pool": [], "base": ""}'):
        (folder / "07-pool-5.json").write_text(text)
        with pytest.raises(CourseError, match=r"07-pool-5\.json is damaged"):
            teacher_pool.read(get_profile("tiny"), 5)


class TestHarvest:
    def written(self, monkeypatch, rounds: list[list[str]]) -> list[list[str]]:
        """Lets the writer write these; returns what it was shown as known in each round."""
        shown, left = [], iter(rounds)

        def write(model, tokenizer, known, n, *, seed, plan):
            shown.append(list(known))
            return [Completion(text, text != "cut") for text in next(left, [])]

        monkeypatch.setattr(pipeline, "write", write)
        return shown

    def test_it_keeps_what_is_new_and_shows_it_in_the_next_round(self, monkeypatch):
        shown = self.written(monkeypatch, [["a", "b", "b", " c "], ["c", "d", "cut", ""]])
        plan = replace(PLANS["tiny"], instructions=3)
        found = pool.harvest(plan, None, None, ["a"], 0)
        assert found.fresh == ["b", "c", "d"]
        assert found.by_round == [2, 1] and found.drawn == 8
        assert shown == [["a"], ["a", "b", "c"]]

    def test_questions_of_the_exam_are_fresh_but_not_clean(self, monkeypatch):
        self.written(monkeypatch, [["x", FRANCE], ["y"]])
        plan = replace(PLANS["tiny"], instructions=2)
        found = pool.harvest(plan, None, None, [], 0)
        assert found.leaked == [FRANCE] and found.clean == ["x", "y"]

    def test_a_writer_that_repeats_itself_is_reported(self, monkeypatch):
        self.written(monkeypatch, [["a"]] * 50)
        with pytest.raises(CourseError, match="only 1 new instructions"):
            pool.harvest(PLANS["tiny"], None, None, [], 0)

    def test_a_later_generation_may_run_dry_but_has_to_have_a_few(self, monkeypatch):
        self.written(monkeypatch, [["a", "b", "c"], ["d"]])
        found = pool.harvest(PLANS["tiny"], None, None, [], 0, may_run_dry=True)
        assert found.clean == ["a", "b", "c", "d"]
        self.written(monkeypatch, [["a", "b", "c"]])
        with pytest.raises(CourseError, match="only 3 new instructions"):
            pool.harvest(PLANS["tiny"], None, None, [], 0, may_run_dry=True)


def test_every_profile_has_a_plan_with_enough_seeds_to_show():
    assert set(PLANS) == set(PROFILES)
    assert all(plan.seeds > pipeline.SHOWN and plan.answers > 1 for plan in PLANS.values())


def test_the_writer_is_shown_others_than_what_it_writes(monkeypatch):
    rows = []
    monkeypatch.setattr(
        pipeline, "tuned", lambda profile, records, seed, body, **options: rows.extend(records)
    )
    texts = [f"instruction {i}" for i in range(10)]
    random.Random(0).shuffle(texts)
    pipeline.writer_stage(get_profile("tiny"), ("model", "tokenizer"), texts, 0)
    assert [row.turns[-1].content for row in rows] == texts
    assert all(row.turns[-1].content not in row.turns[0].content.splitlines() for row in rows)
