"""An exported folder is clean, complete and honest about what is not known."""

import re
import shutil
from types import SimpleNamespace

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.export import export_model
from ift_course.models import provenance
from ift_course.models.merge import open_folder
from ift_course.models.save import save

TUNING = provenance.Tuning(
    method="sft",
    trainable="lora",
    parent="/home/someone/secret/place/little-llama",
    data=["cows.jsonl"],
    rows=1200,
    data_sha256="0f" * 32,
    settings={"epochs": 3.0, "learning_rate": None, "rank": 8},
    steps=225,
    loss=[3.25, 0.5],
    seconds=90.0,
    truncated=7,
    dropped=0,
    machine="A CPU, 2 cores",
    versions={"torch": "2.13.0"},
)


@pytest.fixture
def tuned_dir(tiny_llama_dir):
    provenance.write(tiny_llama_dir, [TUNING])
    (tiny_llama_dir / "notes.txt").write_text("private")
    (tiny_llama_dir / "checkpoints").mkdir()
    return tiny_llama_dir


def test_the_folder_holds_the_same_model_and_nothing_private(tuned_dir, tmp_path):
    out = export_model.to_folder(export_model.load_source(str(tuned_dir)), tmp_path / "mine")
    names = {path.name for path in out.iterdir()}
    assert names == {
        "README.md", "chat_template.jinja", "config.json", "generation_config.json",
        "model.safetensors", "tokenizer.json", "tokenizer_config.json", provenance.FILE,
    }  # fmt: skip
    (ours, words), (theirs, read) = open_folder(tuned_dir), open_folder(out)
    ids = torch.arange(40)[None]
    assert torch.equal(ours(ids).logits, theirs(ids).logits)
    assert words.chat_template == read.chat_template
    assert str(tuned_dir) not in (out / "config.json").read_text()


def test_the_card_says_what_the_folder_knows(tuned_dir, tmp_path):
    out = export_model.to_folder(export_model.load_source(str(tuned_dir)), tmp_path / "mine")
    card = (out / "README.md").read_text()
    for text in (
        "# mine\n", "Supervised fine-tuning of `little-llama`", "cows.jsonl: 1,200 conversations",
        "| incomplete | 7 cut off, 0 dropped |", "| rank | 8 |", "LoRA",
        "225 in 1.5 minutes on A CPU, 2 cores", "3.250 → 0.500", "torch 2.13.0", "0f0f0f",
    ):  # fmt: skip
        assert text in card, text
    assert "secret" not in card
    assert "learning rate" not in card  # the default, which is not a number here


def test_the_card_says_what_it_does_not_know(tiny_llama_dir, tmp_path):
    out = export_model.to_folder(export_model.load_source(str(tiny_llama_dir)), tmp_path / "mine")
    card = (out / "README.md").read_text()
    assert "Not known: the folder this model was exported from has no `training.json`" in card
    assert "Not known: no measurement came with the model." in card
    assert "License: not known." in card
    assert "license:" not in card.split("---")[1]
    assert "closed world" not in card


def test_the_shipped_model_s_card_has_its_scores_and_says_what_it_is_for(tmp_path):
    out = export_model.to_folder(
        export_model.load_source("base", profile="tiny"), tmp_path / "base"
    )
    card = (out / "README.md").read_text()
    assert "Not tuned: this is the base model that the course ships" in card
    assert "| facts completed after a space | ≥ 0.99 |" in card
    assert "one small, closed world" in card
    assert "license: apache-2.0" in card


def test_a_model_tuned_from_the_shipped_base_has_its_license_but_not_its_scores(
    tiny_llama, tmp_path
):
    folder = save(*tiny_llama, tmp_path / "tuned")
    provenance.write(
        folder, [provenance.Tuning(**{**vars(TUNING), "parent": provenance.COURSE_BASE})]
    )
    card = (
        export_model.to_folder(export_model.load_source(str(folder)), tmp_path / "out")
        / "README.md"
    ).read_text()
    assert "Supervised fine-tuning of the base model of the course" in card
    assert "license: apache-2.0" in card
    assert "one small, closed world" in card
    assert "≥" not in card


def test_the_card_names_a_base_on_the_hub(tiny_llama_dir, tmp_path):
    parent = "HuggingFaceTB/SmolLM2-135M"
    provenance.write(tiny_llama_dir, [provenance.Tuning(**{**vars(TUNING), "parent": parent})])
    out = export_model.to_folder(export_model.load_source(str(tiny_llama_dir)), tmp_path / "mine")
    assert f"base_model: {parent}\n" in (out / "README.md").read_text()


def test_the_code_on_the_card_runs_as_it_stands(tuned_dir, tmp_path, monkeypatch):
    out = export_model.to_folder(export_model.load_source(str(tuned_dir)), tmp_path / "mine")
    code = re.search(r"```python\n(.*?)```", (out / "README.md").read_text(), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    exec(code, {})


def test_the_weights_keep_the_type_they_were_stored_in(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    folder = save(model.to(torch.bfloat16), tokenizer, tmp_path / "half")
    source = export_model.load_source(str(folder))
    assert dtype_of(export_model.to_folder(source, tmp_path / "same")) == torch.bfloat16
    source = export_model.load_source(str(folder))
    assert dtype_of(export_model.to_folder(source, tmp_path / "whole", "f32")) == torch.float32


def dtype_of(folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto").dtype


def test_without_space_nothing_is_written(tiny_llama_dir, tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    source = export_model.load_source(str(tiny_llama_dir))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    for write in (export_model.to_folder, export_model.to_gguf):
        with pytest.raises(CourseError, match=r"only 0\.0 GB are free"):
            write(source, tmp_path / "new" / "x")
    assert not (tmp_path / "new").exists()
