"""A saved folder is whole or absent, and transformers 4 and 5 can read it."""

import copy
import errno
import json
import os
import sys

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.models.save import save


def test_the_folder_says_what_transformers_4_would_guess_wrong(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    model.config.rope_parameters["rope_theta"] = 5000.0
    folder = save(model, tokenizer, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    assert config["rope_theta"] == 5000.0
    tokens = json.loads((folder / "tokenizer_config.json").read_text())
    assert tokens["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert not isinstance(tokens.get("extra_special_tokens"), list)


def test_it_loads_as_it_was_with_plain_transformers(tiny_llama, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = tiny_llama
    folder = save(model, tokenizer, tmp_path / "model")
    ids = tokenizer("Name the sound of a cow.<|im_end|>", return_tensors="pt")["input_ids"]
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    loaded_tokenizer = AutoTokenizer.from_pretrained(folder)
    assert torch.equal(loaded(ids).logits, model(ids).logits)
    assert loaded_tokenizer("Name the sound of a cow.<|im_end|>")["input_ids"] == ids[0].tolist()
    assert loaded_tokenizer.chat_template == tokenizer.chat_template


def test_other_files_in_the_folder_are_kept_and_old_weights_go(tiny_llama, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"old")
    save(*tiny_llama, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in folder.glob("*.safetensors")] == ["model.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_interrupted_save_leaves_no_model(tiny_llama, tmp_path, monkeypatch):
    model, tokenizer = tiny_llama
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(tokenizer, "save_pretrained", _raising(full))
    with pytest.raises(CourseError, match="There is no space left to write"):
        save(model, tokenizer, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_really_full_disk_gives_one_sentence(tiny_llama, tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(CourseError, match="There is no space left to write"):
            save(*tiny_llama, tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tiny_llama, tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(CourseError, match="is not a folder"):
        save(*tiny_llama, tmp_path / "model" / "below")


def _raising(error: Exception):
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_space_before_every_text_is_saved_for_transformers_4(
    shared_tokenizer, tiny_llama, tmp_path
):
    from tokenizers import pre_tokenizers

    tokenizer = copy.deepcopy(shared_tokenizer)
    level = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.backend_tokenizer.pre_tokenizer = level
    folder = save(tiny_llama[0], tokenizer, tmp_path / "model")
    tokens = json.loads((folder / "tokenizer_config.json").read_text())
    assert tokens["add_prefix_space"] is True


def test_a_token_of_the_shipped_tokenizer_covers_exactly_its_text():
    from ift_course.training.open_model import load

    _, tokenizer = load("base")
    text = "What is it?\n A b\nParis\n\n  Rome"
    ids = tokenizer(text)["input_ids"]
    assert "".join(tokenizer.decode([token]) for token in ids) == text
