"""Stored runs of lesson 05: kept one by one, gone on with, and never those of other weights."""

import pytest

from ift_course.claims import full, grid_store
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05 import experiment, figures
from ift_course.lessons.lesson_05.experiment import MEASURES, Cell, Row
from ift_course.profile import get_profile
from ift_course.world.tasks import FACT_TASKS, sample

TINY = get_profile("tiny")
CELL = Cell("GRPO", reward="verified")


def made(cell: Cell, seed: int = 0, base: str | None = None) -> Row:
    return Row(
        cell=cell, seed=seed, measures=dict.fromkeys(MEASURES, "10"), grades=[2, 0], words=[1, 4],
        said=dict.fromkeys(experiment.ASKED, f"{cell.stage} {cell.beta} {cell.sides}, {seed}"),
        curve=[{"step": 0, "kl": 0.0, "flawed": 0.5, "verified": 0.5}], date="2026-11-20",
        machine="a machine", seconds=1.0, base=base or experiment.base_identity(TINY),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")


def test_rows_of_other_weights_are_not_read():
    grid_store.add(TINY, "05", made(CELL, base="other"))
    assert grid_store.read(TINY, "05", Row) == []
    grid_store.add(TINY, "05", made(CELL))
    assert grid_store.read(TINY, "05", Row) == [made(CELL)]


def test_the_grid_is_kept_and_gone_on_with(monkeypatch):
    computed = []
    monkeypatch.setattr(
        experiment, "run_cell", lambda cell, seed, _: computed.append(cell) or made(cell, seed)
    )
    full("05", cells=experiment.GRID[:3], jobs=1)
    full("05", cells=experiment.GRID[:4], jobs=1)
    assert len(computed) == 4 * 3
    assert [row.seed for row in experiment.arm(grid_store.read(TINY, "05", Row), stage="SFT")] == [
        0,
        1,
        2,
    ]


def test_the_lesson_reads_nothing_that_the_grid_has_not():
    for plan in experiment.PLANS.values():
        assert set(experiment.cells(plan)) <= set(experiment.GRID)


def test_the_flawed_reward_pays_for_length_and_the_true_one_does_not():
    [example] = sample(1, seed=0, tasks=FACT_TASKS)
    answers = [
        example.response, f"{example.response}. The owl says hoot.", "a b c d e f g h i j k l m n "
        "o p q r s t u v w x y z",
    ]  # fmt: skip
    samples = [Completion(text, True) for text in answers]
    assert experiment.verified([example] * 3, samples) == [1, 0, 0]
    short, long, noise = experiment.flawed([example] * 3, samples)
    assert long > short
    assert noise == pytest.approx(1.0)


def test_views_show_every_beta_or_say_that_nothing_is_stored():
    rows = [made(cell, seed) for cell in experiment.GRID for seed in (0, 1, 2)]
    slider = figures.beta_slider(rows)
    assert slider.values == list(experiment.PLANS["tiny"].sweep)
    assert "β = 0.1" in slider.static.models
    assert slider.view(0.1).models == ["β = 0.1"]
    assert "DPO 0.1 both, 0" in str(slider.view(0.1))
    assert "3 seeds, 2026-11-20, a machine" in figures.beta_lines(rows).alt
    assert figures.beta_slider([]) is figures.NOTHING
    assert figures.beta_lines([]) is figures.NOTHING


def test_after_adapters_are_merged_all_weights_can_be_trained(wide_llama):
    """PEFT freezes them; GRPO, which trains all, would have nothing to train."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(wide_llama[0], LoraConfig(task_type="CAUSAL_LM", r=2))
    whole = experiment.merged(adapted)
    assert not hasattr(whole, "peft_config")
    assert all(weight.requires_grad for weight in whole.parameters())
