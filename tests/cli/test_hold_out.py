"""`ift sft --hold-out`: before and after, on rows that were not trained on."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    path = tmp_path / "rows.jsonl"
    nouns = "cow dog capital Paris English Spanish sentence word list puppy young helpful".split()
    rows = [{"prompt": f"Name the sound of a {noun}.", "completion": "Moo."} for noun in nouns]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def ift(*words: object):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, words)))


def test_held_out_rows_are_compared_before_and_after(tiny_llama_dir, data, tmp_path):
    words = ("sft", "--model", tiny_llama_dir, "--data", data, "--epochs", 30, "--lr", 0.02)
    done = ift(*words, "--out", tmp_path / "out", "--hold-out", 0.25)
    assert done.exit_code == 0, done.output
    assert "3 rows held out: 3 rows compared with their short reference answer." in done.stderr
    assert "Loss on the 3 held-out responses:" in done.stdout
    assert f"B = {tmp_path / 'out'}" in done.stdout
    record = json.loads((tmp_path / "out" / "training.json").read_text())[-1]
    assert record["rows"] == 9


def test_the_report_is_part_of_the_json(tiny_llama_dir, data, tmp_path):
    done = ift("sft", "--model", tiny_llama_dir, "--data", data, "--out", tmp_path / "out",
               "--hold-out", 0.25, "--max-steps", 2, "--json")  # fmt: skip
    report = json.loads(done.stdout)["hold_out"]
    assert (report["held_out"], report["trained_on"]) == (3, 9)
    assert report["comparison"]["items"] == 3 and report["loss"]["n"] == 3


def test_a_finished_folder_is_refused_before_anything_is_answered(tiny_llama_dir, data, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("{}")
    done = ift("sft", "--model", tiny_llama_dir, "--data", data, "--out", tmp_path / "out",
               "--hold-out", 0.25)  # fmt: skip
    assert done.exit_code == 2 and "holds a model already" in done.stderr
    assert not (tmp_path / "results").exists()
