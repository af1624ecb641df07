import copy
import json
from dataclasses import replace

import pytest

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.lessons.lesson_06 import bases, experiment, wordings
from ift_course.lessons.lesson_06.experiment import ALL, MultitaskConfig
from ift_course.paths import assets_dir
from ift_course.profile import get_profile
from ift_course.world.facts import by_relation
from ift_course.world.relations import RELATIONS
from ift_course.world.tasks import FAMILIES, HELD_OUT_FAMILIES, sample, verify

TINY = get_profile("tiny")
SMALL = replace(TINY, epochs=1.0)


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_config` takes it."""
    return lambda: copy.deepcopy(tiny_llama)


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    monkeypatch.setattr(experiment, "EACH", 2)
    monkeypatch.setattr(experiment, "OTHERS", 3)


def questions_of(examples):
    return {(example.task, example.instruction, example.input) for example in examples}


def test_the_grid_has_every_config_once():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert set(experiment.GRID) == {config for part in experiment.PARTS.values() for config in part}
    assert {config.examples for config in experiment.PARTS["families"]} == {experiment.EXAMPLES}


def test_a_config_gives_the_same_result_twice_and_another_with_another_seed(load):
    def run(seed):
        return experiment.run_config(MultitaskConfig(2, 16), seed, SMALL, load=load)

    first, second, other = run(0), run(0), run(1)
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert first.loss != other.loss
    assert set(first.items) == {"held out", "tuned", "reworded"}
    assert [len(first.items[name]) for name in ("held out", "tuned", "reworded")] == [10, 3, 3]
    assert first.families == experiment.family_order(0)[:2] and first.steps == 1
    assert len(first.answers) == len(HELD_OUT_FAMILIES)


def test_the_untuned_base_is_asked_in_prose_as_well(load):
    result = experiment.run_config(MultitaskConfig(0), 0, SMALL, load=load)
    assert set(result.items) == {"held out", "in prose"} and result.steps == 0
    # "writing" has no sentence to complete; the other four families have one for each question.
    assert sorted(set(result.items["in prose"])) == ["-", "0"]
    assert len(result.scores("in prose")) == 8 and result.accuracy("in prose") == 0.0


def test_results_are_stored_and_read_back(load, monkeypatch, tmp_path):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    result = experiment.run_config(MultitaskConfig(0), 0, SMALL, load=load)
    grid_store.add(TINY, "06", result)
    assert grid_store.read(TINY, "06", experiment.MultitaskResult) == [result]


def test_no_family_is_both_tuned_on_and_tested():
    assert set(experiment.TUNED_FAMILIES) | set(HELD_OUT_FAMILIES) == set(FAMILIES)
    for config in experiment.GRID:
        families = {example.family for example in experiment.training_set(config, 0)}
        tested = {example.family for example in experiment.tests(config, 0)["held out"]}
        assert len(families) == config.families and not families & tested
        assert tested == ({config.tested} if config.tested else set(HELD_OUT_FAMILIES))


def test_a_config_takes_the_first_families_of_the_seeds_order_in_equal_shares():
    for seed in (0, 1):
        families = [
            example.family for example in experiment.training_set(MultitaskConfig(4, 40), seed)
        ]
        assert sorted(families) == sorted(10 * experiment.family_order(seed)[:4])
    later = {
        example.family for example in experiment.training_set(MultitaskConfig(2, 10, skip=3), 0)
    }
    assert later == set(experiment.family_order(0)[3:5])


def test_seeds_in_a_row_begin_with_different_families():
    for start in (0, 7, 100):
        firsts = [experiment.family_order(seed)[0] for seed in range(start, start + ALL)]
        assert sorted(firsts) == sorted(experiment.TUNED_FAMILIES)
        assert sorted(experiment.family_order(start)) == sorted(experiment.TUNED_FAMILIES)


def test_all_configs_of_a_seed_have_the_same_held_out_questions():
    configs = [
        MultitaskConfig(0),
        MultitaskConfig(1),
        MultitaskConfig(ALL, one_wording=True),
        MultitaskConfig(4, instructions=False),
    ]
    questions = [questions_of(experiment.tests(config, 0)["held out"]) for config in configs]
    assert all(others == questions[0] for others in questions)
    assert questions[0] != questions_of(experiment.tests(MultitaskConfig(0), 1)["held out"])
    families = [example.family for example in experiment.held_out(0, each=2)]
    assert families == [family for family in HELD_OUT_FAMILIES for _ in range(2)]


def test_the_test_questions_were_not_trained():
    trained = experiment.training_set(MultitaskConfig(ALL), 0)
    for name, questions in experiment.tests(MultitaskConfig(ALL), 0).items():
        assert not questions_of(questions) & questions_of(trained), name


def test_nothing_that_a_held_out_family_knows_leaks_into_tuning():
    """The tasks that borrow questions from other families ask for no held-out relation."""
    names = [relation.name for relation in RELATIONS if relation.family in HELD_OUT_FAMILIES]
    facts = [fact for name in names for fact in by_relation()[name]]
    borrowing = [
        example
        for example in experiment.training_set(MultitaskConfig(ALL, 1500), 0)
        if example.task in experiment.BORROWING
    ]
    assert len(borrowing) > 100
    for example in borrowing:
        text = f"{example.instruction} {example.input}"
        wordings = [
            fact.fill(wording)
            for fact in facts
            if fact.subject == example.entity
            for wording in (*fact.relation.questions, *fact.relation.statements)
        ]
        assert not any(wording in text for wording in wordings), text
    left_in = experiment.training_set(MultitaskConfig(ALL, 1500, leaks=True), 0)
    assert any(experiment.leaks(example) for example in left_in)


def test_one_wording_is_one_pattern_for_each_task():
    examples = experiment.training_set(MultitaskConfig(ALL, 330, one_wording=True), 0)
    assert not any(example.input for example in examples)
    assert {example.family for example in examples} == set(experiment.TUNED_FAMILIES)
    starts = {}
    for example in examples:
        words = tuple(example.instruction.split()[:2])
        starts.setdefault(example.task, set()).add(words)
    borrowed = set(experiment.BORROWING) - {"yes_no"}  # these are put as the task they borrow from
    many = {task for task, words in starts.items() if len(words) > 1} - borrowed
    assert many <= {"name_one"}, many  # "Name a …", "Name an …"


def test_without_its_instruction_an_example_keeps_what_is_given_and_the_response():
    whole = experiment.training_set(MultitaskConfig(ALL, 220), 0)
    cut = experiment.training_set(MultitaskConfig(ALL, 220, instructions=False), 0)
    for example, short in zip(whole, cut, strict=True):
        assert short.response == example.response and short.input == ""
        assert short.instruction in (example.input, example.entity) or example.task == "yes_no"
        assert len(short.instruction) <= len(f"{example.instruction}{example.input}")
    claims = [wordings.bare(x).instruction for x in sample(80, seed=1, families=["yes_no"])]
    assert not any("true" in claim or "Yes or no" in claim for claim in claims)


def test_a_question_in_prose_ends_before_its_answer():
    for example in experiment.held_out(0, each=12):
        prompt = wordings.in_prose(example)
        if example.family == "writing":
            assert prompt is None
        else:
            assert "{" not in prompt and not prompt.endswith(".")
            assert example.entity in prompt


def test_a_completion_counts_if_it_is_right_and_then_ends_the_sentence():
    [color] = sample(1, seed=3, split="test", tasks=["color"])
    right = color.response
    assert wordings._is_right_completion(color, f" {right}. The lamp is made of iron.")
    assert not wordings._is_right_completion(color, f" {right} and")
    assert not wordings._is_right_completion(color, f" mice. {right}.")
    [phrase] = sample(1, seed=3, split="test", tasks=["phrase"])
    assert verify(phrase, phrase.response)
    assert wordings._is_right_completion(phrase, f'{phrase.response}"')


def test_a_model_that_knows_the_sentences_completes_them(monkeypatch):
    from ift_course.evaluation import generate

    questions = experiment.held_out(0, each=4)

    def knows(model, tokenizer, prompts, max_new_tokens):
        known = {wordings.in_prose(x): x.response for x in questions}
        return [generate.Completion(f" {known[p].removesuffix('.')}. And so on", True)
                for p in prompts]  # fmt: skip

    monkeypatch.setattr(generate, "complete", knows)
    assert set(wordings.completes(None, None, questions)) == {"1", "-"}


def test_the_prose_base_is_the_shipped_one_after_its_first_phase():
    shipped, prose = (
        json.loads((assets_dir() / name / "pretraining.json").read_text(encoding="utf-8"))
        for name in ("base", bases.PROSE)
    )
    assert prose["config"]["phases"] == shipped["config"]["phases"][:1]
    assert prose["corpus_sha256"] == shipped["corpus_sha256"][:1]
    assert prose["log"] == shipped["log"][: len(prose["log"])]
    assert set(prose["config"]["phases"][0]["mixture"].values()) == {0.0}
    model, tokenizer = bases.load_base(bases.PROSE, TINY)
    assert len(tokenizer) == model.get_input_embeddings().num_embeddings


@pytest.mark.parametrize("name, profile", [("pros", "tiny"), ("prose", "smollm2")])
def test_a_base_that_is_not_there_is_one_sentence(name, profile):
    with pytest.raises(CourseError, match=name):
        bases.load_base(name, get_profile(profile))


def test_a_family_can_be_left_out_and_the_others_keep_their_order():
    whole = experiment.families_of(MultitaskConfig(experiment.ALL), 0)
    left = experiment.families_of(MultitaskConfig(experiment.ALL - 1, without="extraction"), 0)
    assert left == [name for name in whole if name != "extraction"]
    config = MultitaskConfig(experiment.ALL - 1, 44, without="extraction")
    assert "extraction" not in {example.family for example in experiment.training_set(config, 0)}


def test_in_flans_way_everything_else_is_tuned_on_but_the_neighbor():
    for family in HELD_OUT_FAMILIES:
        config = experiment.fair_config(experiment.ALL_BUT_ONE, family, 0)
        near = {experiment.NEIGHBORS[family]} if family in experiment.NEIGHBORS else set()
        assert set(experiment.families_of(config, 0)) == set(FAMILIES) - {family} - near
        assert config in experiment.GRID


@pytest.mark.parametrize("count", experiment.COUNTS)
def test_in_flans_way_a_smaller_model_is_left_as_it_is_unless_it_met_the_neighbor(count):
    for seed in range(ALL):
        assert experiment.fair_config(count, "lists", seed) == MultitaskConfig(count)
        has_neighbor = "extraction" in experiment.family_order(seed)[:count]
        config = experiment.fair_config(count, "summary", seed)
        families = experiment.families_of(config, seed)
        assert (config == MultitaskConfig(count)) is not has_neighbor
        assert "extraction" not in families and len(families) == min(count, ALL - has_neighbor)
        assert config in experiment.GRID


def test_a_model_of_one_test_is_asked_that_familys_questions_of_all():
    config = experiment.fair_config(experiment.ALL_BUT_ONE, "summary", 0)
    everything = experiment.tests(MultitaskConfig(1), 0)["held out"]
    own = [example for example in everything if example.family == "summary"]
    assert experiment.tests(config, 0) == {"held out": own}
