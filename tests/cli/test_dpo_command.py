"""`ift dpo` as a user meets it: on someone else's folder and file."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from ift_course.cli import app

ROWS = [{"prompt": "Name the sound of a cow.", "chosen": "Moo.", "rejected": "Hello."}] * 24


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def train(model, data, out, *more: object):
    return ift("dpo", "--model", model, "--data", data, "--out", out, *more)


def refused(done, sentence: str) -> None:
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr
    assert "Traceback" not in done.output


def test_it_trains_a_folder_on_a_file_and_the_result_chats(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    done = train(tiny_llama_dir, data, out, "--epochs", 4, "--lr", "0.005", "--beta", "0.3")
    assert done.exit_code == 0, done.output
    for word in ("steps", "8", "margin", "pairs ranked right", "log p(chosen)", "peak memory"):
        assert word in done.stdout
    assert "24 pairs" in done.stderr
    assert f"ift chat --model {out}" in done.stdout
    assert not (out / "checkpoints").exists()
    assert ift("chat", "--model", out, "--prompt", "Hello", "--max-tokens", 2).exit_code == 0


def test_json_is_all_a_program_reads(tiny_llama_dir, data, tmp_path):
    done = train(tiny_llama_dir, data, tmp_path / "out", "--max-steps", 3, "--lr", 0.005, "--json")
    report = json.loads(done.stdout)
    assert (report["steps"], report["resumed_from"]) == (3, 0)
    assert report["first"]["loss"] == pytest.approx(0.693, abs=0.01)
    assert report["last"]["loss"] < report["first"]["loss"]


def test_adapters_are_merged_and_kept(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    done = train(tiny_llama_dir, data, out, "--method", "lora", "--max-steps", 2)
    assert done.exit_code == 0, done.output
    assert (out / "adapter").exists()
    assert (out / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('{"prompt": "Moo?", "chosen": "Moo."}', 'pairs.jsonl, row 1: "rejected" is missing'),
        ('{"prompt": "Moo?", "chosen": "Moo.", "rejected": "Moo."}', "row 1: "),
        ('{"prompt": "Moo?", "chosen": ', "row 1: not valid JSON"),
        ("", "is empty"),
    ],
)
def test_a_row_that_is_no_pair_is_named(rows, sentence, tiny_llama_dir, data, tmp_path):
    data.write_text(rows)
    refused(train(tiny_llama_dir, data, tmp_path / "out"), sentence)
    assert not (tmp_path / "out").exists()


def test_a_missing_model_a_bad_beta_and_a_finished_folder_are_said(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    refused(train(tmp_path / "none", data, out), "There is no model")
    refused(train(tiny_llama_dir, data, out, "--beta", 0), "beta must be above 0")
    refused(train(tiny_llama_dir, data, tiny_llama_dir), "holds a model already")
    assert not out.exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_checkpoint(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    words = ["dpo", "--model", tiny_llama_dir, "--data", data, "--out", out, "--epochs", "4",
             "--batch-size", "4"]  # fmt: skip
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, words)], capture_output=True, text=True
    )
    assert killed.returncode == -9, killed.stderr
    assert (out / "checkpoints" / "checkpoint-10").exists()
    done = ift(*words, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["resumed_from"] == 10
    assert json.loads(done.stdout)["steps"] == 24


KILLED = """
import os, signal
from ift_course.training import callbacks

class Killed(callbacks.Checkpoints):
    def __init__(self, settings, steps, seconds):
        super().__init__(settings, 5, seconds)

    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 12:
            os.kill(os.getpid(), signal.SIGKILL)

callbacks.Checkpoints = Killed
from ift_course.cli import main
main()
"""
