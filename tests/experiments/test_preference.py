"""Stored runs of lesson 05: kept one by one, gone on with, and never those of other weights."""

import json

import pytest

from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.experiments import preference, preference_views
from ift_course.experiments.preference import MEASURES, Run, Stored
from ift_course.profile import get_profile
from ift_course.world.tasks import FACT_TASKS, sample

TINY = get_profile("tiny")


def made(run: Run, base: str | None = None) -> Stored:
    return Stored(
        run=run, measures=dict.fromkeys(MEASURES, "10"), grades=[2, 0], words=[1, 4],
        said=dict.fromkeys(preference.ASKED, f"{run.arm}, {run.seed}"), seconds=1.0,
        curve=[{"step": 0, "kl": 0.0, "flawed": 0.5, "verified": 0.5}], date="2026-11-20",
        machine="a machine", base=base or preference.base_identity(TINY),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store, and the list of runs that were computed."""
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(preference, "shipped", lambda: tmp_path / "nothing")
    computed = []

    def fake(run, *_):
        computed.append(run)
        if len(computed) == 3 and run.stage == "DPO":
            raise KeyboardInterrupt
        return made(run)

    monkeypatch.setattr(preference, "_run", fake)
    monkeypatch.setattr(preference, "sft_stage", lambda profile, seed: (None, None))
    return computed


def test_a_stopped_computation_goes_on_where_it_was(store):
    wanted = preference.runs(TINY, ["DPO"])[:4]
    with pytest.raises(KeyboardInterrupt):
        preference.compute(wanted, profile="tiny")
    assert len(preference.read(TINY)) == 2
    rows = preference.compute(wanted, profile="tiny")
    assert [row.run for row in rows] == wanted
    assert store[2:] == wanted[2:] or store[3:] == wanted[2:]
    before = len(store)
    assert preference.compute(wanted, profile="tiny") == rows
    assert len(store) == before


def test_rows_of_other_weights_are_not_read(store):
    run = preference.runs(TINY, ["GRPO"])[0]
    preference._write(TINY, [made(run, base="other")])
    assert preference.read(TINY) == []
    preference._write(TINY, [made(run)])
    assert preference.read(TINY) == [made(run)]


def test_a_damaged_store_is_said(store, tmp_path):
    path = preference._write(TINY, [made(run) for run in preference.runs(TINY, ["GRPO"])])
    rows = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps([rows[0] | {"what": 1}]), encoding="utf-8")
    with pytest.raises(CourseError, match=r"05\.json is damaged"):
        preference.read(TINY)


def test_the_flawed_reward_pays_for_length_and_the_true_one_does_not():
    [example] = sample(1, seed=0, tasks=FACT_TASKS)
    answers = [
        example.response, f"{example.response}. The owl says hoot.", "a b c d e f g h i j k l m n "
        "o p q r s t u v w x y z",
    ]  # fmt: skip
    samples = [Completion(text, True) for text in answers]
    assert preference.verified([example] * 3, samples) == [1, 0, 0]
    short, long, noise = preference.flawed([example] * 3, samples)
    assert long > short
    assert noise == pytest.approx(1.0)


def test_views_show_every_beta_or_say_that_nothing_is_stored():
    rows = [made(run) for run in preference.runs(TINY, ["DPO"])]
    slider = preference_views.beta_slider(rows)
    assert slider.values == list(preference.PLANS["tiny"].sweep)
    assert "β = 0.1" in slider.static.models
    assert slider.view(0.1).models == ["β = 0.1"]
    assert "DPO 0.1 both, 0" in str(slider.view(0.1))
    assert "3 seeds, 2026-11-20, a machine" in preference_views.beta_lines(rows).alt
    assert preference_views.beta_slider([]) is preference_views.NOTHING
    assert preference_views.beta_lines([]) is preference_views.NOTHING
