"""Lesson 07's pipeline: understanding, selecting and storing instructions and answers."""

import random
from dataclasses import replace

import pytest
from ift_course.lessons.lesson_07.teacher_pool import Harvest, StoredPool

from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07 import pipeline, teacher_pool
from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction
from ift_course.lessons.lesson_07.selection import CHOICES, records, share_right
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.models.fingerprint import base_identity
from ift_course.profile import PROFILES, get_profile
from ift_course.world.tasks import FACT_TASKS, sample, verify

FRANCE = "What is the capital of France?"
RAMBLING = "Paris. The owl eats mice. The lion roars."


def answered(
    instruction: str, *answers: str, finished: bool = True, rewards=()
) -> AnsweredInstruction:
    completions = tuple(Completion(text, finished) for text in answers)
    return AnsweredInstruction(instruction, completions, rewards)


@pytest.fixture
def pool() -> list[AnsweredInstruction]:
    rewards = (0.1, 0.9, 0.5)
    return [
        answered(FRANCE, RAMBLING, "Rome", "Paris", rewards=rewards),
        answered("Name the sound of the owl.", "moo", "hoot", "hoot", rewards=rewards),
        answered("Name the capital of the owl.", "Paris", "Rome", "hoot", rewards=rewards),
    ]


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_question_about_a_fact_is_understood_as_the_world_means_it(split):
    for example in sample(300, seed=3, split=split, tasks=FACT_TASKS):
        text = user_text(example.instruction, example.input)
        question = pipeline.to_question(text)
        assert verify(question, example.response)
        assert pipeline.is_held_out(text) == (split == "test")


def test_nonsense_is_not_understood_and_has_no_right_answer():
    nonsense = answered("Name the capital of the owl.", "Paris", "hoot")
    assert nonsense.right == [False, False]
    assert not pipeline.is_held_out(nonsense.instruction)


def test_right_is_the_strict_verdict():
    assert answered(FRANCE, "Paris", RAMBLING, "Rome").right == [True, False, False]
    assert answered(FRANCE, "Paris", finished=False).right == [False]


@pytest.mark.parametrize(
    "text", ["what is the capital of France.", "Tell the capital city of France!"]
)
def test_a_writers_own_wordings_are_understood_too(text):
    assert pipeline.to_question(text).response == "Paris"
    assert pipeline.is_held_out(text)


def test_the_seeds_ask_about_every_kind_and_never_about_the_exam():
    for seed in range(3):
        instructions = pipeline.seed_instructions(SIZES["tiny"], seed)
        kinds = {pipeline.to_question(text).task for text in instructions}
        assert kinds == set(FACT_TASKS)
        assert not any(map(pipeline.is_held_out, instructions))


def test_sensible_instructions_are_those_the_world_understands_and_none_is_an_error():
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
        score = pipeline.rouge_l(" ".join(a), " ".join(b))
        assert score == pytest.approx(2 * longest / (len(a) + len(b)))


def test_the_judge_learns_from_pairs_of_which_a_share_is_labeled_wrongly():
    pairs = pipeline.judge_pairs(40, seed=0)
    labeled = pipeline.with_mistakes(pairs, seed=0, share=0.25)
    assert sum(a.swapped == b for a, b in zip(pairs, labeled, strict=True)) == 10
    assert {pair.source for pair in pairs} == {"wrong", "rambling"}
    assert pipeline.with_mistakes(pairs, seed=0) == pipeline.with_mistakes(pairs, seed=0)


def test_rewards_go_to_the_answers_they_are_of(pool):
    class Lengths:
        def rewards(self, conversations):
            import torch

            return torch.tensor([float(len(turns[-1]["content"])) for turns in conversations])

    for before, after in zip(pool, pipeline.with_rewards(pool, Lengths()), strict=True):
        assert after.rewards == tuple(float(len(x.text)) for x in before.answers)
        assert after.answers == before.answers


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "all"])
def test_every_choice_keeps_as_many_answers_as_there_are_instructions(pool, name):
    for seed in range(4):
        picks = CHOICES[name](pool, seed)
        assert len(picks) == len(pool) == len(records(pool, picks))
        assert picks == CHOICES[name](pool, seed)


def test_choices_choose_as_their_names_suggest(pool):
    each = dict(CHOICES["judge's best of each"](pool, 0))
    assert each == {0: 1, 1: 1, 2: 1}
    assert {pool[i].answers[j].text for i, j in CHOICES["judge's best of all"](pool, 0)} == {
        "Rome",
        "hoot",
    }
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
    even = [replace(pool[1], rewards=(1.0, 1.0, 1.0))]
    assert len({CHOICES["judge's best of each"](even, seed)[0][1] for seed in range(20)}) == 3


def test_a_pool_is_read_back_as_it_was_written(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    profile = get_profile("tiny")
    stored = StoredPool(Harvest(7, ["a", FRANCE], [1, 1]), pool, base_identity(profile))
    calls = []
    monkeypatch.setattr(teacher_pool, "make_pool", lambda *_: calls.append(1) or stored)
    assert teacher_pool.get_pool(profile, 5) == stored
    assert teacher_pool.get_pool(profile, 5) == stored
    assert len(calls) == 1
    assert stored.harvest.leaked == [FRANCE] and stored.harvest.clean == ["a"]


def test_only_the_first_seeds_pool_is_made_and_the_others_are_read(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    profile = get_profile("tiny")
    stored = StoredPool(Harvest(7, [], []), pool, base_identity(profile))
    made = []
    monkeypatch.setattr(teacher_pool, "make_pool", lambda _, seed: made.append(seed) or stored)
    first, *_, last = profile.seeds
    assert teacher_pool.available_pools(profile) == {first: stored}
    teacher_pool.get_pool(profile, last)
    made.clear()
    assert teacher_pool.available_pools(profile) == {first: stored, last: stored}
    assert made == []


def test_a_pool_of_other_weights_is_made_again(pool, tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    profile = get_profile("tiny")
    old = StoredPool(Harvest(1, [], []), pool, "other weights")
    monkeypatch.setattr(teacher_pool, "make_pool", lambda *_: old)
    teacher_pool.get_pool(profile, 5)
    assert teacher_pool.read_pool(profile, 5) is None


def test_a_damaged_pool_is_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(teacher_pool, "evidence_root", lambda: tmp_path / "nothing")
    folder = tmp_path / "tiny" / "grids"
    folder.mkdir(parents=True)
    for text in ("{", "[]", '{"harvest": {}, "pool": [], "base": ""}'):
        (folder / "07-pool-5.json").write_text(text)
        with pytest.raises(CourseError, match=r"07-pool-5\.json is damaged"):
            teacher_pool.read_pool(get_profile("tiny"), 5)


class TestHarvest:
    def script_writer(self, monkeypatch, rounds: list[list[str]]) -> list[list[str]]:
        """Let the writer write these; return the known instructions of each round."""
        known_by_round, left = [], iter(rounds)

        def write_instructions(model, tokenizer, known, n, *, seed, sizes):
            known_by_round.append(list(known))
            return [Completion(text, text != "cut") for text in next(left, [])]

        monkeypatch.setattr(pipeline, "write_instructions", write_instructions)
        return known_by_round

    def test_new_instructions_are_among_the_known_ones_of_the_next_round(self, monkeypatch):
        known_by_round = self.script_writer(
            monkeypatch, [["a", "b", "b", " c "], ["c", "d", "cut", ""]]
        )
        sizes = replace(SIZES["tiny"], instructions=3)
        harvest = teacher_pool.collect_instructions(sizes, None, None, ["a"], 0)
        assert harvest.fresh == ["b", "c", "d"]
        assert harvest.by_round == [2, 1] and harvest.n_written == 8
        assert known_by_round == [["a"], ["a", "b", "c"]]

    def test_questions_of_the_exam_are_fresh_but_not_clean(self, monkeypatch):
        self.script_writer(monkeypatch, [["x", FRANCE], ["y"]])
        sizes = replace(SIZES["tiny"], instructions=2)
        harvest = teacher_pool.collect_instructions(sizes, None, None, [], 0)
        assert harvest.leaked == [FRANCE] and harvest.clean == ["x", "y"]

    def test_a_writer_that_repeats_itself_is_reported(self, monkeypatch):
        self.script_writer(monkeypatch, [["a"]] * 50)
        with pytest.raises(CourseError, match="only 1 new instructions"):
            teacher_pool.collect_instructions(SIZES["tiny"], None, None, [], 0)

    def test_a_later_generation_may_run_dry_but_has_to_have_a_few(self, monkeypatch):
        self.script_writer(monkeypatch, [["a", "b", "c"], ["d"]])
        harvest = teacher_pool.collect_instructions(
            SIZES["tiny"], None, None, [], 0, may_run_dry=True
        )
        assert harvest.clean == ["a", "b", "c", "d"]
        self.script_writer(monkeypatch, [["a", "b", "c"]])
        with pytest.raises(CourseError, match="only 3 new instructions"):
            teacher_pool.collect_instructions(SIZES["tiny"], None, None, [], 0, may_run_dry=True)


def test_every_profile_has_sizes_with_enough_seeds_for_a_prompt():
    assert set(SIZES) == set(PROFILES)
    assert all(sizes.seeds > pipeline.N_SHOTS and sizes.answers > 1 for sizes in SIZES.values())


def test_the_writers_target_is_not_in_its_prompt(monkeypatch):
    training_set = []
    monkeypatch.setattr(
        pipeline,
        "fine_tune",
        lambda profile, records, seed, start, **options: training_set.extend(records),
    )
    texts = [f"instruction {i}" for i in range(10)]
    random.Random(0).shuffle(texts)
    pipeline.writer_stage(get_profile("tiny"), ("model", "tokenizer"), texts, 0)
    assert [record.turns[-1].content for record in training_set] == texts
    assert all(x.turns[-1].content not in x.turns[0].content.splitlines() for x in training_set)
