import copy
import json
from dataclasses import replace

import pytest

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.lessons.lesson_06 import bases, experiment, wordings
from ift_course.lessons.lesson_06.experiment import ALL, MultitaskConfig
from ift_course.paths import assets_dir, checkout
from ift_course.profile import get_profile
from ift_course.world.facts import by_relation
from ift_course.world.relations import RELATIONS
from ift_course.world.tasks import FAMILIES, HELD_OUT_FAMILIES, sample, verify

TINY = get_profile("tiny")
SMALL = replace(TINY, epochs=1.0)
QUESTIONS = experiment.EACH


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_config` takes it."""
    return lambda: copy.deepcopy(tiny_llama)


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    monkeypatch.setattr(experiment, "EACH", 2)


def questions_of(examples):
    return {(example.task, example.instruction, example.input) for example in examples}


def test_the_grid_has_every_config_once_and_with_as_many_examples():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert {config.examples for config in experiment.GRID} == {experiment.EXAMPLES}


def test_the_text_of_the_lesson_names_the_sizes_of_the_experiment():
    [path] = (checkout() / "notebooks").glob("06_*.py")
    text = path.read_text(encoding="utf-8")
    assert ALL == 11 and "eleven families" in text
    assert len(HELD_OUT_FAMILIES) == 5 and "Five, drawn by lot, are held out" in text
    assert f"{experiment.EXAMPLES} examples, {experiment.EXAMPLES // ALL} from each" in text
    assert f"{QUESTIONS} from each held-out family" in text
    assert len(FAMILIES) == 16 and "16 families" in text and "15 other families" in text


def test_a_config_gives_the_same_result_twice_and_another_with_another_seed(load):
    def run(seed):
        return experiment.run_config(MultitaskConfig(2, 16), seed, SMALL, load=load)

    first, second, other = run(0), run(0), run(1)
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert first.loss != other.loss
    assert set(first.items) == {"held out"} and len(first.items["held out"]) == 10
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
        tested = {example.family for example in experiment.questions(config, 0)}
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


def test_seeds_in_a_row_tune_on_different_families_alone():
    for seeds in ((0, 1, 2), (100, 101, 102)):
        alone = [experiment.families_of(x, seed) for x in experiment.ALONE for seed in seeds]
        assert len({family for [family] in alone}) == len(alone) == len(experiment.ALONE) * 3
    assert sorted(experiment.family_order(5)) == sorted(experiment.TUNED_FAMILIES)


def test_all_configs_of_a_seed_have_the_same_questions_about_a_family():
    everything = experiment.questions(experiment.TOGETHER, 0)
    assert [x.family for x in everything] == [name for name in HELD_OUT_FAMILIES for _ in range(2)]
    for config in experiment.GRID:
        expected = [x for x in everything if config.tested in ("", x.family)]
        assert experiment.questions(config, 0) == expected
    assert everything != experiment.questions(experiment.TOGETHER, 1)


def test_the_test_questions_were_not_trained():
    trained = experiment.training_set(experiment.TOGETHER, 0)
    assert not questions_of(experiment.questions(experiment.TOGETHER, 0)) & questions_of(trained)


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
    assert any(experiment.leaks(x) for x in sample(1500, seed=0, tasks=experiment.BORROWING))


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
    for example in sample(60, seed=100, split="test", families=HELD_OUT_FAMILIES):
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

    questions = experiment.questions(MultitaskConfig(0), 0)

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
    names = [phase["name"] for phase in shipped["config"]["phases"]]
    assert list(bases.phases(bases.SHIPPED)) == names
    assert bases.phases(bases.PROSE) == {names[0]: prose["config"]["phases"][0]["tokens"]}
    model, tokenizer = bases.load_base(bases.PROSE, TINY)
    assert len(tokenizer) == model.get_input_embeddings().num_embeddings


@pytest.mark.parametrize("name, profile", [("pros", "tiny"), ("prose", "smollm2")])
def test_a_base_that_is_not_there_is_one_sentence(name, profile):
    with pytest.raises(CourseError, match=name):
        bases.load_base(name, get_profile(profile))


def test_the_two_models_asked_for_summaries_differ_in_the_neighbor_alone():
    with_it, without_it = (
        set(experiment.families_of(config, 0))
        for config in (experiment.WITH_NEIGHBOR, experiment.WITHOUT_NEIGHBOR)
    )
    assert with_it == set(FAMILIES) - {"summary"}
    assert with_it - without_it == {"extraction"} and without_it < with_it
