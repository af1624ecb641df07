"""The figures of lesson 06 show the values of the results."""

from ift_course.lessons.lesson_06 import experiment, figures
from ift_course.lessons.lesson_06.experiment import MultitaskConfig, MultitaskResult
from ift_course.world.tasks import HELD_OUT_FAMILIES


def make_result(config: MultitaskConfig, seed: int, held_out: str, **items: str) -> MultitaskResult:
    return MultitaskResult(
        config=config, seed=seed, items={"held out": held_out, **items},
        families=experiment.families_of(config, seed),
        answers={"What?": "<That>"}, steps=3,
        loss=0.5, seconds=1.0, date=f"2026-01-0{seed + 1}", base="b", machine="a machine",
        threads=1,
    )  # fmt: skip


RESULTS = [
    make_result(experiment.ALONE[0], 1, "1000000000"),
    make_result(experiment.ALONE[0], 0, "1100000000"),
    make_result(experiment.ALONE[1], 0, "0000000000"),
    make_result(experiment.TOGETHER, 0, "1111111100"),
    make_result(MultitaskConfig(0), 0, "0000000000", **{"in prose": "11111100--"}),
    make_result(MultitaskConfig(0, base="prose"), 0, "0000000000", **{"in prose": "00--110011"}),
]


def test_arms_are_paired_by_the_seeds_that_all_have():
    one, eleven = figures.paired(RESULTS, experiment.ALONE[0], experiment.TOGETHER)
    assert [sum(seed) for seed in one] == [2] and [sum(seed) for seed in eleven] == [8]
    [both] = figures.paired(RESULTS, experiment.ALONE[0])
    assert [sum(seed) for seed in both] == [2, 1]
    assert figures.paired(RESULTS, experiment.ALONE[0], MultitaskConfig(4)) == [[], []]


def test_each_family_alone_is_compared_with_all_of_the_same_seed():
    together, alone = figures.together_and_alone(RESULTS)
    assert [sum(seed) for seed in together] == [8, 8]
    assert [sum(seed) for seed in alone] == [2, 0]
    assert figures.together_and_alone([]) == ([], [])


def test_the_table_has_a_row_for_each_family_alone_and_one_for_all():
    table = figures.by_held_out(RESULTS)
    first, last = HELD_OUT_FAMILIES[0], HELD_OUT_FAMILIES[-1]
    [best] = experiment.families_of(experiment.ALONE[0], 0)
    [worst] = experiment.families_of(experiment.ALONE[1], 0)
    rows = list(dict.fromkeys(row for row, _ in table))
    assert (rows[0], rows[-2:]) == (f"{worst} alone", [f"{best} alone", figures.ALL_TOGETHER])
    assert table[f"{best} alone", first] == 1.0 and table[f"{best} alone", last] == 0.0
    assert table[figures.ALL_TOGETHER, first] == 1.0 and table[figures.ALL_TOGETHER, last] == 0.0
    assert figures.by_held_out([]) == {}


def test_replies_have_the_verdict_of_the_question_that_they_answer():
    result = make_result(experiment.TOGETHER, 0, "0100101010")
    questions = {f"Question {i}?": f"Answer {i}" for i in range(len(HELD_OUT_FAMILIES))}
    result = result.model_copy(update={"answers": questions})
    replies = figures.replies(result)
    assert {question: reply.text for question, reply in replies.items()} == questions
    assert [reply.correct for reply in replies.values()] == [False, False, True, True, True]


def test_before_and_after_are_compared_on_the_questions_that_are_sentences():
    before, after = figures.in_prose(RESULTS, "shipped")
    assert before == [[1.0] * 6 + [0.0] * 2]
    assert after == [[1.0] * 8]
    assert figures.in_prose(RESULTS, "prose") == ([], [])


def leave_one_out_results(seed: int, right: int) -> list[MultitaskResult]:
    """A result of each model that did without one family; `right` of its four answers are right."""
    items = "1" * right + "0" * (4 - right)
    return [make_result(config, seed, items) for config in experiment.LEAVE_ONE_OUT]


def test_models_that_did_without_one_family_are_one_arm_of_all_families():
    results = [*leave_one_out_results(0, 1), *leave_one_out_results(1, 3)]
    arm = figures.leave_one_out(results)
    assert [(len(seed), sum(seed)) for seed in arm] == [(20, 5), (20, 15)]
    assert figures.leave_one_out(results[:-1]) == arm[:1]  # the second seed lacks a family
    table = figures.by_held_out(results)
    assert {row for row, _ in table} == {figures.ALL_OTHERS}
    assert set(table.values()) == {0.5}


def test_summaries_are_compared_by_the_words_they_share_with_a_right_one(monkeypatch):
    monkeypatch.setattr(experiment, "EACH", 2)
    results = []
    for config, answer in (
        (experiment.WITH_NEIGHBOR, lambda x: "Zanzibar"),
        (experiment.WITHOUT_NEIGHBOR, lambda x: x.response),
    ):
        questions = experiment.questions(config, 0)
        answers = {experiment.prompt(x): answer(x) for x in questions}
        results.append(make_result(config, 0, "00").model_copy(update={"answers": answers}))
    assert figures.rouge_arms(results) == ([[1.0, 1.0]], [[0.0, 0.0]])
    assert figures.rouge_arms(results[:1]) == ([], [])


def test_a_model_is_a_point_with_its_tasks_and_only_a_family_alone_has_a_label():
    points = figures.by_tasks(RESULTS)
    [alone] = experiment.families_of(experiment.ALONE[1], 0)
    assert points[1][-1] == (figures.n_tasks([alone]), 0.0, alone)
    assert points[experiment.ALL] == [(figures.n_tasks(experiment.TUNED_FAMILIES), 0.8, "")]


def test_the_titles_state_the_values():
    title = figures.tasks_view(RESULTS).alt
    assert "Right on average: 0.10 after 1 family (0.00 to 0.20), 0.80 after 11 families" in title
    together = figures.families_view(RESULTS).alt
    second = HELD_OUT_FAMILIES[1]
    assert f"single ones: 1.00 against at best 0.00 on {second}; tuned on" in together
    bases = figures.bases_view(RESULTS).alt
    assert "The shipped base completes 0.75 and then answers 1.00" in bases


def test_labels_of_points_at_the_same_place_are_drawn_apart():
    lifts = figures._spread([(4, 0.37, "a"), (4, 0.39, "b"), (5, 0.38, "c")])
    assert {label: lift for *_, label, lift in lifts} == {"a": 0.0, "b": 8.0, "c": 0.0}


def test_the_title_of_the_table_also_says_where_all_families_are_behind():
    table = {("a alone", "x"): 0.2, ("b alone", "x"): 0.4, ("a alone", "y"): 0.5,
             ("b alone", "y"): 0.7, (figures.ALL_TOGETHER, "x"): 0.5,
             (figures.ALL_TOGETHER, "y"): 0.1}  # fmt: skip
    assert figures.families_finding(table).endswith(
        "0.50 against at best 0.40 on x, 0.10 against 0.60 on average on y"
    )
    assert figures.families_finding({("a alone", "x"): 0.2}) == "Share right by what was tuned on"
