"""`ift sft` and `ift chat` as a user meets them: on someone else's folder and file."""

import json
import math
import shutil
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.evaluation.generate import complete

ROWS = [{"prompt": "Name the sound of a cow.", "completion": "Moo."}] * 24


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "theirs.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def train(model, data, out, *more: object):
    return ift("sft", "--model", model, "--data", data, "--out", out, *more)


def test_it_trains_a_folder_on_a_file_and_the_result_chats(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    done = train(tiny_llama_dir, data, out, "--epochs", 40, "--lr", "0.02")
    assert done.exit_code == 0, done.output
    for word in ("steps", "80", "loss", "tokens/s", "minutes", "peak memory"):
        assert word in done.stdout
    assert f"ift chat --model {out}" in done.stdout
    assert sorted(path.name for path in out.iterdir())[0] != "checkpoints"
    answer = ift("chat", "--model", out, "--prompt", "Name the sound of a cow.")
    assert answer.stdout.strip() == "Moo."
    short = ift("chat", "--model", out, "--prompt", "Name the sound of a cow.", "--max-tokens", 1)
    assert "cut off after 1 tokens" in short.stdout
    read = ift("chat", "--model", out, "--prompt", "Name the sound of a cow.", "--json")
    assert json.loads(read.stdout) == {"answer": "Moo.", "finished": True}


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_that_never_chatted_gets_a_template(method, plain_llama, data, tmp_path):
    from ift_course.models.save import save

    folder, out = save(*plain_llama, tmp_path / "plain"), tmp_path / "out"
    continued = ift("chat", "--model", folder, "--prompt", "Hello", "--max-tokens", 3, "--json")
    assert "has no chat template: it continues your text" in continued.stderr
    model, tokenizer = plain_llama
    [expected] = complete(model, tokenizer, ["Hello"], max_new_tokens=3)
    assert json.loads(continued.stdout)["answer"] == expected.text
    done = train(folder, data, out, "--method", method, "--max-steps", 2)
    assert done.exit_code == 0, done.output
    assert "it gets ChatML" in done.stderr
    assert (out / "adapter").exists() == (method == "lora")
    assert ift("chat", "--model", out, "--prompt", "Hello", "--max-tokens", 3).exit_code == 0


@pytest.mark.parametrize(("profile", "batch"), [("tiny", 16), ("gemma", 4)])
def test_the_batch_is_the_profiles_unless_it_is_given(
    profile, batch, tiny_llama_dir, data, tmp_path
):
    options = ("--profile", profile, "--epochs", 1, "--json")
    done = train(tiny_llama_dir, data, tmp_path / "profile", *options)
    assert json.loads(done.stdout)["steps"] == math.ceil(len(ROWS) / batch)
    given = train(tiny_llama_dir, data, tmp_path / "given", *options, "--batch-size", 8)
    assert json.loads(given.stdout)["steps"] == math.ceil(len(ROWS) / 8)


def test_json_is_all_a_program_reads(tiny_llama_dir, data, tmp_path):
    done = train(tiny_llama_dir, data, tmp_path / "out", "--max-steps", 3, "--json")
    report = json.loads(done.stdout)
    assert report["steps"] == 3
    assert report["resumed_from"] == 0
    assert report["final_loss"] < report["first_loss"]


def test_rows_cut_off_and_dropped_are_counted(tiny_llama_dir, tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [*ROWS, {"prompt": "Moo? " * 60, "completion": "Moo."},
            {"prompt": "Moo?", "completion": "Moo. " * 60}]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    done = train(tiny_llama_dir, path, tmp_path / "out", "--max-steps", 2, "--max-length", 64)
    assert "1 row longer than --max-length" in done.stdout
    assert "1 row with no response left" in done.stdout


def refused(done, sentence: str) -> None:
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.output


def test_a_broken_row_17_is_named(tiny_llama_dir, data, tmp_path):
    lines = data.read_text().split("\n")
    lines[16] = lines[16][:30]
    data.write_text("\n".join(lines))
    refused(train(tiny_llama_dir, data, tmp_path / "out"), "theirs.jsonl, row 17: not valid JSON")
    assert not (tmp_path / "out").exists()


def test_missing_things_are_named(tiny_llama_dir, data, tmp_path):
    out = tmp_path / "out"
    refused(train("no-such-model", data, out), 'There is no model "no-such-model"')
    refused(train(tiny_llama_dir, tmp_path / "no.jsonl", out), "There is no file")
    refused(ift("chat", "--prompt", " "), "The prompt is empty")
    assert not out.exists()


def test_corrupted_weights_are_named(tiny_llama_dir, data, tmp_path):
    weights = tiny_llama_dir / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    refused(train(tiny_llama_dir, data, tmp_path / "out"), "model.safetensors is damaged")
    assert not (tmp_path / "out").exists()


def test_a_finished_model_is_not_overwritten(tiny_llama_dir, data, tmp_path):
    refused(train(tiny_llama_dir, data, tiny_llama_dir), "holds a model already")
    (tmp_path / "file").write_text("mine")
    refused(train(tiny_llama_dir, data, tmp_path / "file"), "is not a folder")
    assert (tmp_path / "file").read_text() == "mine"


def test_too_little_space_is_said_before_training(tiny_llama_dir, data, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    refused(train(tiny_llama_dir, data, tmp_path / "out"), "but only 0.0 GB are free")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_disk_that_fills_up_while_training_is_said(tiny_llama_dir, data, tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        done = train(tiny_llama_dir, data, tmp_path / "out", "--max-steps", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    refused(done, "There is no space left to write")
    assert not (tmp_path / "out" / "config.json").exists()
    again = train(tiny_llama_dir, data, tmp_path / "out", "--max-steps", 2)
    assert again.exit_code == 0, again.output


def test_a_conversation_goes_on_until_quit(tiny_llama_dir):
    talk = CliRunner().invoke(
        app,
        ["chat", "--model", str(tiny_llama_dir), "--max-tokens", "3"],
        input="Hello\n\n" + "Moo " * 600 + "\n/reset\nHello\n/quit\nnever read\n",
    )
    assert talk.exit_code == 0, talk.output
    assert talk.stdout.count("cut off after 3 tokens") == 2
    assert "type /reset to start again" in talk.stdout
