import copy
from dataclasses import replace

import pytest

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.lessons.lesson_06 import bases as bases
from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06.experiment import ALL, Cell
from ift_course.profile import get_profile
from ift_course.world.facts import by_relation
from ift_course.world.relations import RELATIONS
from ift_course.world.tasks import FAMILIES, HELD_OUT_FAMILIES, sample, verify

TINY = get_profile("tiny")
SMALL = replace(TINY, epochs=1.0)


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_cell` wants it."""
    return lambda: copy.deepcopy(tiny_llama)


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    monkeypatch.setattr(experiment, "EACH", 2)
    monkeypatch.setattr(experiment, "OTHERS", 3)


def asked(examples):
    return {(example.task, example.instruction, example.input) for example in examples}


def test_the_grid_has_every_cell_once():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert set(experiment.GRID) == {cell for part in experiment.PARTS.values() for cell in part}
    assert {cell.examples for cell in experiment.PARTS["families"]} == {experiment.EXAMPLES}


def test_a_cell_gives_the_same_row_twice_and_another_with_another_seed(load):
    def run(seed):
        return experiment.run_cell(Cell(2, 16), seed, SMALL, load=load)

    first, second, other = run(0), run(0), run(1)
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert first.loss != other.loss
    assert set(first.items) == {"held out", "tuned", "reworded"}
    assert [len(first.items[name]) for name in ("held out", "tuned", "reworded")] == [10, 3, 3]
    assert first.families == experiment.order(0)[:2] and first.steps == 1
    assert len(first.said) == len(HELD_OUT_FAMILIES)


def test_the_untuned_base_is_asked_in_prose_as_well(load):
    row = experiment.run_cell(Cell(0), 0, SMALL, load=load)
    assert set(row.items) == {"held out", "in prose"} and row.steps == 0
    # "writing" has no sentence to complete; the other four families have one for each question.
    assert sorted(set(row.items["in prose"])) == ["-", "0"]
    assert len(row.scores("in prose")) == 8 and row.accuracy("in prose") == 0.0


def test_rows_are_kept_and_read_back(load, monkeypatch, tmp_path):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    row = experiment.run_cell(Cell(0), 0, SMALL, load=load)
    grid_store.add(TINY, "06", row)
    assert grid_store.read(TINY, "06", experiment.Row) == [row]


def test_no_family_is_both_tuned_on_and_tested():
    assert set(experiment.TUNED_FAMILIES) | set(HELD_OUT_FAMILIES) == set(FAMILIES)
    for cell in experiment.GRID:
        families = {example.family for example in experiment.training_set(cell, 0)}
        tested = {example.family for example in experiment.tests(cell, 0)["held out"]}
        assert len(families) == cell.families and not families & tested
        assert tested == ({cell.tested} if cell.tested else set(HELD_OUT_FAMILIES))


def test_a_cell_takes_the_first_families_of_the_seeds_order_in_equal_shares():
    for seed in (0, 1):
        drawn = [example.family for example in experiment.training_set(Cell(4, 40), seed)]
        assert sorted(drawn) == sorted(10 * experiment.order(seed)[:4])
    later = {example.family for example in experiment.training_set(Cell(2, 10, skip=3), 0)}
    assert later == set(experiment.order(0)[3:5])


def test_seeds_in_a_row_begin_with_different_families():
    for start in (0, 7, 100):
        firsts = [experiment.order(seed)[0] for seed in range(start, start + ALL)]
        assert sorted(firsts) == sorted(experiment.TUNED_FAMILIES)
        assert sorted(experiment.order(start)) == sorted(experiment.TUNED_FAMILIES)


def test_all_cells_of_a_seed_are_asked_the_same_held_out_questions():
    cells = [Cell(0), Cell(1), Cell(ALL, one_wording=True), Cell(4, instructions=False)]
    questions = [asked(experiment.tests(cell, 0)["held out"]) for cell in cells]
    assert all(found == questions[0] for found in questions)
    assert questions[0] != asked(experiment.tests(Cell(0), 1)["held out"])
    families = [example.family for example in experiment.held_out(0, each=2)]
    assert families == [family for family in HELD_OUT_FAMILIES for _ in range(2)]


def test_what_is_asked_afterwards_was_not_trained():
    trained = experiment.training_set(Cell(ALL), 0)
    for name, questions in experiment.tests(Cell(ALL), 0).items():
        assert not asked(questions) & asked(trained), name


def test_nothing_that_a_held_out_family_knows_leaks_into_tuning():
    """The tasks that borrow questions from other families ask for no held-out relation."""
    names = [relation.name for relation in RELATIONS if relation.family in HELD_OUT_FAMILIES]
    facts = [fact for name in names for fact in by_relation()[name]]
    borrowing = [
        example
        for example in experiment.training_set(Cell(ALL, 1500), 0)
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
    left_in = experiment.training_set(Cell(ALL, 1500, leaks=True), 0)
    assert any(experiment.leaks(example) for example in left_in)


def test_one_wording_is_one_pattern_for_each_task():
    drawn = experiment.training_set(Cell(ALL, 330, one_wording=True), 0)
    assert not any(example.input for example in drawn)
    assert {example.family for example in drawn} == set(experiment.TUNED_FAMILIES)
    starts = {}
    for example in drawn:
        words = tuple(example.instruction.split()[:2])
        starts.setdefault(example.task, set()).add(words)
    borrowed = set(experiment.BORROWING) - {"yes_no"}  # these are put as the task they borrow from
    many = {task for task, found in starts.items() if len(found) > 1} - borrowed
    assert many <= {"name_one"}, many  # "Name a …", "Name an …"


def test_without_its_instruction_an_example_keeps_what_is_given_and_the_response():
    whole = experiment.training_set(Cell(ALL, 220), 0)
    cut = experiment.training_set(Cell(ALL, 220, instructions=False), 0)
    for example, shown in zip(whole, cut, strict=True):
        assert shown.response == example.response and shown.input == ""
        assert shown.instruction in (example.input, example.entity) or example.task == "yes_no"
        assert len(shown.instruction) <= len(f"{example.instruction}{example.input}")
    claims = [experiment.bare(x).instruction for x in sample(80, seed=1, families=["yes_no"])]
    assert not any("true" in claim or "Yes or no" in claim for claim in claims)


def test_a_question_in_prose_ends_before_its_answer():
    for example in experiment.held_out(0, each=12):
        prompt = experiment.in_prose(example)
        if example.family == "writing":
            assert prompt is None
        else:
            assert "{" not in prompt and not prompt.endswith(".")
            assert example.entity in prompt


def test_a_completion_counts_if_it_is_right_and_then_ends_the_sentence():
    [color] = sample(1, seed=3, split="test", tasks=["color"])
    right = color.response
    assert experiment._completed(color, f" {right}. The lamp is made of iron.")
    assert not experiment._completed(color, f" {right} and")
    assert not experiment._completed(color, f" mice. {right}.")
    [phrase] = sample(1, seed=3, split="test", tasks=["phrase"])
    assert verify(phrase, phrase.response)
    assert experiment._completed(phrase, f'{phrase.response}"')


def test_a_model_that_knows_the_sentences_completes_them(monkeypatch):
    from ift_course.evaluation import generate

    questions = experiment.held_out(0, each=4)

    def knows(model, tokenizer, prompts, max_new_tokens):
        known = {experiment.in_prose(x): x.response for x in questions}
        return [generate.Completion(f" {known[p].removesuffix('.')}. And so on", True)
                for p in prompts]  # fmt: skip

    monkeypatch.setattr(generate, "complete", knows)
    assert set(experiment.completes(None, None, questions)) == {"1", "-"}


def test_another_base_is_made_once_and_then_loaded(monkeypatch, tmp_path, tiny_llama):
    from ift_course.training import pretrain as training

    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    made = []

    def pretrain(config, work):
        made.append(config)
        model, tokenizer = copy.deepcopy(tiny_llama)
        return training.Pretrained(model, tokenizer, [], [])

    monkeypatch.setattr(training, "pretrain", pretrain)
    first, _ = bases.load_base("prose", TINY)
    again, _ = bases.load_base("prose", TINY)
    assert made == [bases.CONFIGS["prose"]]
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert a.equal(b)


def test_the_prose_base_has_read_no_reading_text():
    from itertools import islice

    from ift_course.world import corpus

    [phase] = bases.CONFIGS["prose"].phases
    texts = list(islice(corpus.documents(0, phase.reading_share, phase.practice_share), 400))
    assert not any("wanted to know" in text for text in texts)


@pytest.mark.parametrize("name, profile", [("pros", "tiny"), ("prose", "smollm2")])
def test_a_base_that_is_not_there_is_one_sentence(name, profile):
    with pytest.raises(CourseError, match=name):
        bases.load_base(name, get_profile(profile))


def test_a_family_can_be_left_out_and_the_others_keep_their_order():
    whole = experiment.families_of(Cell(experiment.ALL), 0)
    left = experiment.families_of(Cell(experiment.ALL - 1, without="extraction"), 0)
    assert left == [name for name in whole if name != "extraction"]
    cell = Cell(experiment.ALL - 1, 44, without="extraction")
    assert "extraction" not in {example.family for example in experiment.training_set(cell, 0)}


def test_in_flans_way_everything_else_is_tuned_on_but_the_neighbor():
    for family in HELD_OUT_FAMILIES:
        cell = experiment.fair_cell(experiment.ALL_BUT_ONE, family, 0)
        near = {experiment.NEIGHBORS[family]} if family in experiment.NEIGHBORS else set()
        assert set(experiment.families_of(cell, 0)) == set(FAMILIES) - {family} - near
        assert cell in experiment.GRID


@pytest.mark.parametrize("count", experiment.COUNTS)
def test_in_flans_way_a_smaller_model_is_left_as_it_is_unless_it_met_the_neighbor(count):
    for seed in range(ALL):
        assert experiment.fair_cell(count, "lists", seed) == Cell(count)
        met = "extraction" in experiment.order(seed)[:count]
        cell = experiment.fair_cell(count, "summary", seed)
        families = experiment.families_of(cell, seed)
        assert (cell == Cell(count)) is not met
        assert "extraction" not in families and len(families) == min(count, ALL - met)
        assert cell in experiment.GRID


def test_a_model_of_one_test_is_asked_that_familys_questions_of_all():
    cell = experiment.fair_cell(experiment.ALL_BUT_ONE, "summary", 0)
    everything = experiment.tests(Cell(1), 0)["held out"]
    own = [example for example in everything if example.family == "summary"]
    assert experiment.tests(cell, 0) == {"held out": own}
