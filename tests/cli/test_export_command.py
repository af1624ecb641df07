"""`ift export` exports tuned and merged models, and names every mistake in one sentence."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.models import provenance
from ift_course.models.save import save

pytest.importorskip("gguf")
ROWS = [{"prompt": "Name the sound of a cow.", "completion": "Moo."}] * 24


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "cows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def test_a_tuned_model_is_exported_both_ways(tiny_llama_dir, tmp_path, data, monkeypatch):
    mine = tmp_path / "mine"
    tuned = ift("sft", "--model", tiny_llama_dir, "--data", data, "--out", mine, "--max-steps", 2)
    assert tuned.exit_code == 0, tuned.output
    monkeypatch.chdir(tmp_path)
    result = ift("export", mine, "--to", "hf")
    assert result.exit_code == 0, result.output
    assert "Its card is" in result.stdout
    assert "cows.jsonl: 24 conversations" in (tmp_path / "mine-hf" / "README.md").read_text()
    answers = [ift("chat", "--model", m, "--prompt", "Hello", "--max-tokens", 3).stdout
            for m in (mine, "mine-hf")]  # fmt: skip
    assert answers[0] == answers[1]
    result = ift("export", mine, "--to", "gguf", "--json")
    report = json.loads(result.stdout)
    assert (tmp_path / report["out"]).name == "mine-f16.gguf"
    assert report["read_back"]["same_tokens"]
    assert report["read_back"]["logit_difference"] < 1e-3
    result = ift("export", mine, "--to", "gguf", "--type", "q8_0", "--out", "small.gguf")
    assert "every weight is the one that was written" in result.stdout
    unverified = ift("export", mine, "--to", "gguf", "--out", "quick.gguf", "--no-verify", "--json")
    assert json.loads(unverified.stdout)["read_back"] is None


def test_an_adapter_is_merged_first_and_keeps_its_record(wide_llama, tmp_path, data):
    pytest.importorskip("bitsandbytes")
    base, adapter = save(*wide_llama, tmp_path / "base"), tmp_path / "adapter"
    train = ["sft", "--model", base, "--data", data, "--out", adapter, "--method", "qlora"]
    assert ift(*train, "--max-steps", 2, "--rank", 4).exit_code == 0
    result = ift("export", adapter, "--to", "hf", "--out", tmp_path / "exported")
    assert result.exit_code == 0, result.output
    assert provenance.read(tmp_path / "exported") == provenance.read(adapter)
    assert "low-rank adapters on 4-bit weights" in (tmp_path / "exported/README.md").read_text()
    assert ift("merge", adapter, "--out", tmp_path / "whole").exit_code == 0
    assert provenance.read(tmp_path / "whole") == provenance.read(adapter)

    base.rename(tmp_path / "elsewhere")
    result = ift("export", adapter, "--to", "gguf", "--out", tmp_path / "x.gguf")
    assert result.exit_code == 2
    assert "say where it is with --base" in result.stderr
    result = ift("export", adapter, "--to", "gguf", "--out", tmp_path / "x.gguf",
                 "--base", tmp_path / "elsewhere")  # fmt: skip
    assert result.exit_code == 0, result.output


def test_every_mistake_is_one_sentence_and_writes_nothing(tiny_llama_dir, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("kept")
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out"
    before = sorted(tmp_path.iterdir())
    for words, sentence in (
        ([tmp_path / "nothing", "--to", "hf", "--out", out], "There is no model"),
        (["models/nothing", "--to", "hf", "--out", out], "There is no folder models/nothing here"),
        ([empty, "--to", "gguf", "--out", out], "is not a model folder: it has no config.json"),
        ([tiny_llama_dir, "--to", "hf", "--out", taken], "exists already; choose another --out"),
        ([tiny_llama_dir, "--to", "hf", "--type", "q8_0", "--out", out], "is for --to gguf"),
        ([tiny_llama_dir, "--to", "hf", "--base", "base", "--out", out], "is not an adapter"),
    ):
        refused = ift("export", *words)
        assert refused.exit_code == 2, refused.output
        assert sentence in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1
        assert sorted(tmp_path.iterdir()) == before


def test_a_model_that_gguf_cannot_express_is_refused_before_it_is_loaded(
    tiny_llama_dir, tmp_path, monkeypatch
):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(tiny_llama_dir)})
    )
    config = tiny_llama_dir / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"mamba"'))
    monkeypatch.setattr("ift_course.export.export_model.load_source", None)
    for folder in (tiny_llama_dir, adapter):
        refused = ift("export", folder, "--to", "gguf", "--out", tmp_path / "x.gguf")
        assert refused.exit_code == 2
        assert 'this model is a "mamba"; use --to hf' in refused.stderr
    assert not (tmp_path / "x.gguf").exists()
