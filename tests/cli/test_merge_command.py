"""`ift sft --method qlora`, `ift chat` and `ift merge` work on the same adapter."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.models.save import save

pytest.importorskip("bitsandbytes")
ROWS = [{"prompt": "Name the sound of a cow.", "completion": "Moo."}] * 24


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_an_adapter_is_trained_answers_and_is_merged(wide_llama, tmp_path):
    base = save(*wide_llama, tmp_path / "base")
    data, adapter, whole = (tmp_path / name for name in ("data.jsonl", "adapter", "whole"))
    data.write_text("\n".join(map(json.dumps, ROWS)))
    train = ["sft", "--model", base, "--data", data, "--out", adapter, "--method", "qlora"]
    result = ift(*train, "--max-steps", 3, "--rank", 4)
    assert result.exit_code == 0, result.output
    assert "That is the adapter alone, 0.0 MB" in result.stdout
    assert f"ift merge {adapter} --out DIR" in result.stdout
    assert not (adapter / "config.json").exists()
    assert not (adapter / "checkpoints").exists()
    again = ift(*train, "--max-steps", 3)
    assert again.exit_code == 2
    assert "holds a model already" in again.stderr

    reply = ift("chat", "--model", adapter, "--prompt", "Hello", "--max-tokens", 3)
    assert reply.exit_code == 0, reply.output

    merged = ift("merge", adapter, "--out", whole)
    assert merged.exit_code == 0, merged.output
    assert "The merged model has the logits of base and adapter" in merged.stdout
    assert f"ift chat --model {whole}" in merged.stdout
    result = ift("merge", adapter, "--out", tmp_path / "second", "--dtype", "bfloat16", "--json")
    report = json.loads(result.stdout)
    assert report["base"] == str(base)
    assert 0 < report["logits_differ_by"] < 0.1
    assert report["adapter_mb"] < report["model_mb"]
    merged_reply = ift("chat", "--model", whole, "--prompt", "Hello", "--max-tokens", 3)
    assert merged_reply.stdout == reply.stdout

    for wrong, sentence in (
        (["merge", adapter, "--out", whole], "exists already; choose another --out"),
        (["merge", whole, "--out", tmp_path / "third"], "is a whole model already"),
        (["merge", adapter, "--out", tmp_path / "third", "--base", "nothing"], "--base"),
        (["sft", "--model", adapter, "--data", data, "--out", tmp_path / "third", "--method",
          "qlora"], "must be merged before its model can be quantized"),
    ):  # fmt: skip
        refused = ift(*wrong)
        assert refused.exit_code == 2, refused.output
        assert sentence in refused.stderr.strip().splitlines()[-1]
        assert not (tmp_path / "third").exists()
