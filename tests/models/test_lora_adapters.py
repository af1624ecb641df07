"""Adapter folders are small, fit only their base, and every mistake has its sentence."""

import json
import shutil

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.models.folders import is_adapter
from ift_course.models.lora_adapters import base_name, size_mb
from ift_course.models.merge import attach, merge
from ift_course.models.quiet import quiet
from ift_course.models.save import save
from ift_course.training.open_model import load


def adapted(model, **options):
    """A PeftModel whose adapters are not zero."""
    with quiet():
        from peft import LoraConfig, get_peft_model

        config = {"r": 2, "lora_alpha": 10, "target_modules": ["q_proj", "down_proj"], **options}
        peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **config))
    torch.manual_seed(0)
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.1)
    return peft.eval()


def logits(model):
    with torch.no_grad():
        return model(torch.arange(24).view(2, 12)).logits


@pytest.fixture
def saved(tiny_llama_dir, tmp_path):
    """(the adapted model, its adapter's folder)"""
    model, tokenizer = load(tiny_llama_dir)
    peft = adapted(model)
    return peft, save(peft, tokenizer, tmp_path / "adapter")


def test_an_adapter_folder_holds_the_adapter_and_the_tokenizer_only(saved, tiny_llama_dir):
    _, folder = saved
    names = {path.name for path in folder.iterdir()}
    assert names >= {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"}
    assert not names & {"config.json", "model.safetensors", "README.md"}
    assert is_adapter(folder)
    assert not is_adapter(tiny_llama_dir)
    assert base_name(folder) == str(tiny_llama_dir)
    assert 0 < size_mb(folder) < 0.1


def test_attached_merged_and_loaded_models_compute_what_was_trained(saved):
    peft, folder = saved
    assert torch.equal(logits(attach(folder)[0]), logits(peft))
    merged = merge(folder)
    assert not hasattr(merged.model, "peft_config")
    assert merged.difference < 1e-5
    assert merged.effect > 1e-3
    assert torch.allclose(logits(merged.model), logits(peft), atol=1e-5)
    loaded, tokenizer = load(folder)
    assert torch.equal(logits(loaded), logits(merged.model))
    assert tokenizer.chat_template


def test_a_merged_model_is_an_ordinary_folder(saved, tmp_path):
    _, folder = saved
    merged = merge(folder)
    again, _ = load(save(merged.model, merged.tokenizer, tmp_path / "whole"))
    assert torch.equal(logits(again), logits(merged.model))


def test_new_tokens_of_a_template_are_saved_with_the_adapter(plain_llama, cow_records, tmp_path):
    from ift_course.training.sft import sft

    model, tokenizer = plain_llama
    source = save(model, tokenizer, tmp_path / "plain")
    loaded = load(source)
    tuned = sft(*loaded, cow_records, seed=0, method="lora", max_steps=3, progress=False)
    folder = save(tuned.model, tuned.tokenizer, tmp_path / "adapter")
    assert size_mb(folder) < 0.2  # not the whole embedding
    merged = merge(folder)
    assert torch.allclose(logits(merged.model), logits(tuned.model), atol=1e-5)
    assert len(merged.tokenizer) == merged.model.get_input_embeddings().num_embeddings
    assert merged.tokenizer.eos_token_id in merged.model.generation_config.eos_token_id


def test_an_adapter_that_was_never_trained_has_no_effect(tiny_llama_dir, tmp_path):
    model, tokenizer = load(tiny_llama_dir)
    peft = adapted(model)
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            parameter.data.zero_()
    assert merge(save(peft, tokenizer, tmp_path / "adapter")).effect == 0


def assert_refused(folder, sentence: str, base=None) -> None:
    with pytest.raises(CourseError) as error:
        merge(folder, base)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_messages_name_mistakes(saved, tiny_llama_dir, tmp_path):
    _, folder = saved
    assert_refused(tmp_path / "nowhere", "There is no folder")
    assert_refused(tiny_llama_dir, "is a whole model already")
    (tmp_path / "empty").mkdir()
    assert_refused(tmp_path / "empty", "has no adapter_config.json")
    assert_refused(folder, "say where it is with --base", base=tmp_path / "gone")
    shutil.move(tiny_llama_dir, tmp_path / "moved")
    assert_refused(folder, f"belongs to the model {tiny_llama_dir}, which cannot be loaded here")
    assert merge(folder, tmp_path / "moved").difference < 1e-5


def test_an_adapter_of_another_model_is_refused(saved, wide_llama, tmp_path):
    _, folder = saved
    assert_refused(folder, "trained on another model", base=save(*wide_llama, tmp_path / "wide"))


def test_messages_name_damage(saved):
    _, folder = saved
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:500])
    assert_refused(folder, "adapter_model.safetensors is damaged or cut off")
    weights.unlink()
    assert_refused(folder, "has no adapter weights")
    weights.write_bytes(whole)
    settings = json.loads(config.read_text()) | {"base_model_name_or_path": None}
    config.write_text(json.dumps(settings))
    assert_refused(folder, "does not name a base model")
    config.write_text("{")
    assert_refused(folder, "is damaged (not valid JSON)")


def test_a_merged_model_that_computes_something_else_is_not_returned(saved, monkeypatch):
    with quiet():
        from peft import PeftModel

    _, folder = saved
    monkeypatch.setattr(PeftModel, "merge_and_unload", lambda peft: peft.unload(), raising=False)
    assert_refused(folder, "computes something else than base and adapter")
