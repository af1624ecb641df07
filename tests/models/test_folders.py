"""All commands agree on what a folder contains and what it lacks."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.models.folders import folder_kind
from ift_course.models.merge import merge
from ift_course.models.save import save
from ift_course.training.open_model import load
from ift_course.training.tuning_run import TuningRequest, start


def assert_refused(call, *sentences: str) -> None:
    with pytest.raises(CourseError) as error:
        call()
    for sentence in sentences:
        assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def adapter(tiny_llama_dir, cow_records, tmp_path):
    """An adapter's folder with a copy of its base's config.json, as many are published."""
    from ift_course.training.sft import sft

    tuned = sft(*load(tiny_llama_dir), cow_records, seed=0, method="lora", max_steps=2,
                progress=False)  # fmt: skip
    folder = save(tuned.model, tuned.tokenizer, tmp_path / "adapter")
    shutil.copy(tiny_llama_dir / "config.json", folder)
    return folder


def save_shards(model, tokenizer, folder):
    model.save_pretrained(folder, max_shard_size="40KB")
    tokenizer.save_pretrained(folder)
    assert len(list(folder.glob("*.safetensors"))) > 2
    return folder


def test_an_adapter_with_a_config_beside_it_works_in_every_command(adapter, tmp_path):
    assert folder_kind(adapter) == "adapter"
    merge(adapter)
    load(adapter)
    start(TuningRequest("sft", []), str(adapter), tmp_path / "further")
    for words in (
        ["chat", "--model", adapter, "--prompt", "Moo?", "--max-tokens", 2],
        ["merge", adapter, "--out", tmp_path / "whole"],
        ["export", adapter, "--to", "hf", "--out", tmp_path / "exported"],
    ):
        result = CliRunner().invoke(app, list(map(str, words)))
        assert result.exit_code == 0, result.output


def test_a_folder_of_both_kinds_is_refused_and_not_guessed(adapter, tiny_llama_dir):
    shutil.copy(tiny_llama_dir / "model.safetensors", adapter)
    for call in (lambda: load(adapter), lambda: merge(adapter)):
        assert_refused(call, "has the weights of a whole model and of an adapter")


def test_folders_of_neither_kind_are_refused(tmp_path, tiny_llama_dir):
    assert folder_kind(tmp_path) == "neither"
    assert folder_kind(tiny_llama_dir) == "model"
    assert_refused(lambda: load(tmp_path), "is not a model folder: it has no config.json")
    assert_refused(lambda: merge(tiny_llama_dir), "is a whole model already")


def test_the_message_about_a_folder_names_an_adapter_in_it(adapter, tmp_path):
    assert_refused(
        lambda: load(tmp_path), "has no config.json", f"its subfolder {adapter} contains"
    )


def test_a_missing_shard_is_named(tiny_llama, tmp_path):
    folder = save_shards(*tiny_llama, tmp_path / "parts")
    load(folder)
    first, second = sorted(folder.glob("*.safetensors"))[:2]
    second.unlink()
    assert_refused(
        lambda: load(folder), f"lacks {second.name},", "model.safetensors.index.json names"
    )
    first.unlink()
    assert_refused(lambda: load(folder), f"lacks {first.name}, {second.name},")


def test_a_missing_part_of_an_older_format_is_named(tiny_llama_dir):
    (tiny_llama_dir / "model.safetensors").unlink()
    (tiny_llama_dir / "pytorch_model-00001-of-00002.bin").write_bytes(b"")
    files = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
    index = tiny_llama_dir / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": files}))
    assert_refused(lambda: load(tiny_llama_dir), "lacks pytorch_model-00002-of-00002.bin, which")
    index.write_text("[]")
    assert_refused(lambda: load(tiny_llama_dir), "index.json is damaged")


def test_an_index_beside_a_whole_file_is_not_needed(tiny_llama_dir):
    index = tiny_llama_dir / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    load(tiny_llama_dir)


@pytest.mark.parametrize("content", [b"", b"half", b"PK\x03\x04" + b"\0" * 40])
def test_a_damaged_file_of_an_older_format_is_one_sentence(tiny_llama_dir, content):
    (tiny_llama_dir / "model.safetensors").unlink()
    (tiny_llama_dir / "pytorch_model.bin").write_bytes(content)
    assert_refused(lambda: load(tiny_llama_dir), "cannot be loaded as a language model")


def test_a_model_with_code_of_its_own_is_refused_without_a_question(tiny_llama_dir):
    config = tiny_llama_dir / "config.json"
    settings = json.loads(config.read_text()) | {
        "model_type": "their_own",
        "auto_map": {
            "AutoConfig": "configuration_theirs.TheirConfig",
            "AutoModelForCausalLM": "modeling_theirs.TheirModel",
        },
    }
    config.write_text(json.dumps(settings))
    (tiny_llama_dir / "configuration_theirs.py").write_text("raise SystemExit('ran their code')")
    result = CliRunner().invoke(
        app, ["chat", "--model", str(tiny_llama_dir), "--prompt", "Moo?"], input="y\n"
    )
    assert result.exit_code == 2
    assert "contains code of its own" in result.stderr
    assert "[y/N]" not in result.output
