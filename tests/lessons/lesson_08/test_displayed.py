"""What the published lesson says under an output is true of that output.

These tests read the executed notebook. Where a sentence in it is computed, they compute it again
from the numbers above it.
"""

from __future__ import annotations

import ast
import re
from functools import cache

import nbformat
import pytest

from ift_course.claims import grid_store
from ift_course.lessons.lesson_08 import figures, summary
from ift_course.lessons.lesson_08.experiment import (
    SAMPLE_PROMPTS,
    ForgettingResult,
)
from ift_course.lessons.lesson_08.recipes import GRID, PLAIN, REMEDIED
from ift_course.lessons.lesson_08.routing import DESKS
from ift_course.paths import checkout
from ift_course.profile import get_profile


@cache
def outputs() -> dict[str, str]:
    """The printed text of each code cell of the published notebook, by the cell's source."""
    path = checkout() / "notebooks" / "08_specialize_without_forgetting.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return {
        cell.source: "".join(out.text for out in cell.outputs if out.output_type == "stream")
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def output_of(source: str) -> str:
    """The output of the only cell whose source contains this text."""
    [text] = [out for cell, out in outputs().items() if source in cell]
    return text


@pytest.fixture(scope="module")
def results() -> list[ForgettingResult]:
    stored = grid_store.read(get_profile("tiny"), "08", ForgettingResult)
    assert {x.config for x in stored} == set(GRID), "every recipe is stored"
    return stored


def test_the_count_under_the_transcript_is_that_of_the_transcript():
    text = output_of("answered with a desk")
    answers: dict[str, list[str]] = {}
    for name, reply in re.findall(r"^ +(\w+) ▸ (.+)$", text, re.MULTILINE):
        answers.setdefault(name, []).append(ast.literal_eval(reply))
    assert {len(texts) for texts in answers.values()} == {len(SAMPLE_PROMPTS)}
    changed, n_prompts, n_desks = map(
        int, re.search(r"changed: (\d+) of (\d+); answered with a desk: (\d+)", text).groups()
    )
    pairs = list(zip(answers["general"], answers[REMEDIED], strict=True))
    assert n_prompts == len(pairs)
    assert changed == sum(before != after for before, after in pairs) > 0
    assert n_desks == sum(after in DESKS for _, after in pairs)
    assert not set(answers["general"]) & set(DESKS), "the general model has no such habit"


def test_the_words_about_the_pace_are_those_of_the_curve_above_them():
    text = output_of("class Watch")
    points = {
        int(step): (float(special), float(others))
        for step, special, others in re.findall(
            r"(\d+) steps: \w+ ([\d.]+), the other families ([\d.]+)", text
        )
    }
    [words] = re.findall(r"A quarter of the way: (.+)\.", text)
    assert words == figures.what_comes_first(points)


def test_facts_are_still_completed_where_the_other_families_are_forgotten(results):
    experts = summary.outcomes(results, method=PLAIN)
    forgetful = [x for x in experts if x.loss.interval[0] > 0]
    assert forgetful, "the lesson is about these"
    for x in forgetful:
        assert x.facts_before - x.facts < x.loss.mean / 2, x.family


def test_no_rate_table_says_more_than_its_intervals(results):
    text = output_of("rate_verdicts")
    assert text.endswith(figures.rate_verdicts(results) + "\n")


def test_what_is_learned_and_lost_is_said_of_the_right_experts(results):
    experts = summary.outcomes(results, method=PLAIN)
    lines = output_of("what_is_learned").splitlines()
    learned = next(x for x in lines if x.startswith("Clearly above"))
    lost = next(x for x in lines if x.startswith("Clearly lower"))
    for x in experts:
        assert (x.family in learned) == (x.gain.interval[0] > 0), x.family
        assert (x.family in lost) == (x.loss.interval[0] > 0), x.family
    both = [x for x in experts if x.gain.interval[0] > 0 < x.loss.interval[0]]
    assert lines[-1].startswith("No expert") == (not both)


def test_not_all_of_the_models_own_answers_are_ideal():
    n_own, n_ideal = map(
        int, re.search(r"(\d+) of \d+ rows are replayed; (\d+) of", output_of("own = [")).groups()
    )
    assert 0 < n_ideal < n_own


def test_cat_is_the_sum_of_two_updates_and_linear_is_not():
    text = output_of("add_weighted_adapter")
    cat, linear = map(float, re.findall(r"by ([\d.]+)%", text))
    assert cat < 0.1 < 1 < linear


def test_the_model_that_peft_was_given_is_no_reference():
    same, copy = map(
        float, re.findall(r" (\d+\.\d+)$", output_of("the model that was given"), re.MULTILINE)
    )
    assert same == 0.0 < copy


def test_the_report_leaves_out_a_loss():
    [(_, _, before, after)] = [
        row for row in re.findall(r"^(not )?(in the report): ([\d.]+) before, ([\d.]+) after",
                                  output_of("not in the report"), re.MULTILINE) if row[0]
    ]  # fmt: skip
    assert float(after) < float(before)
