"""Adapters that other programs made, also on bases that are not theirs or have moved."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.models.merge import CannotMerge, attach, merge
from ift_course.models.quiet import quiet
from ift_course.models.save import save
from ift_course.training.open_model import load

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)
IDS = torch.arange(5, 25)[None]


@pytest.fixture
def base(tmp_path):
    return save(*families.make("qwen2-base", hidden=64), tmp_path / "base")


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


def foreign(base, folder, config, *, rows=None):
    """Return folder and logits of an adapter that PEFT alone made, whose weights are not zero."""
    model, tokenizer = load(base)
    with quiet():
        from peft import get_peft_model

        if rows:
            model.resize_token_embeddings(rows)
        adapted = get_peft_model(model, config)
        torch.manual_seed(3)
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.data += 0.05 * torch.randn_like(parameter)
        adapted.eval()
        adapted.peft_config["default"].base_model_name_or_path = str(base)
        adapted.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder, logits(adapted)


def settings(kind: str, **options):
    import peft

    return getattr(peft, f"{kind}Config")(task_type="CAUSAL_LM", **options)


def lora(*targets: str, **options):
    return settings("Lora", r=4, target_modules=list(targets), **options)


MERGEABLE = {
    "LoRA": lambda: lora("q_proj", "v_proj"),
    "DoRA": lambda: lora("q_proj", use_dora=True),
    "biases": lambda: lora("q_proj", bias="all"),
    "IA3": lambda: settings(
        "IA3", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]
    ),
    "VeRA": lambda: settings("Vera", target_modules=["q_proj"]),
    "LoHa": lambda: settings("LoHa", target_modules=["q_proj", "up_proj"]),
    "LoKr": lambda: settings("LoKr", target_modules=["q_proj"]),
    "OFT": lambda: settings("OFT", target_modules=["q_proj"], oft_block_size=16, r=0),
    "AdaLoRA": lambda: settings("AdaLora", target_modules=["q_proj"], total_step=10),
    "norms": lambda: settings("LNTuning", target_modules=["input_layernorm"]),
    "both ends": lambda: lora("q_proj", modules_to_save=["embed_tokens", "lm_head"]),
}
NOT_MERGEABLE = {
    "prompt tuning": lambda: settings("PromptTuning", num_virtual_tokens=4),
    "P-tuning": lambda: settings("PromptEncoder", num_virtual_tokens=4, encoder_hidden_size=16),
    "prefix tuning": lambda: settings("PrefixTuning", num_virtual_tokens=4),
}


@pytest.mark.parametrize("kind", MERGEABLE)
def test_an_adapter_that_changes_weights_is_merged(kind, base, tmp_path):
    folder, expected = foreign(base, tmp_path / "adapter", MERGEABLE[kind]())
    merged = merge(folder)
    assert torch.allclose(logits(merged.model), expected, atol=1e-4)
    assert merged.effect > 1e-4


@pytest.mark.parametrize("kind", NOT_MERGEABLE)
def test_an_adapter_that_changes_no_weights_is_attached_to_its_base(kind, base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", NOT_MERGEABLE[kind]())
    with pytest.raises(CannotMerge, match="changes no weights; `ift chat --model"):
        merge(folder)
    result = ift("merge", folder, "--out", tmp_path / "whole")
    assert result.exit_code == 2
    assert not (tmp_path / "whole").exists()
    assert chat(folder).exit_code == 0
    adapted, tokenizer = attach(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Moo?"}], add_generation_prompt=True, return_tensors="pt"
    )
    with quiet():
        plain = adapted.generate(**prompt, max_new_tokens=6, do_sample=False)
    text = tokenizer.decode(plain[0, prompt["input_ids"].shape[1] :])
    assert json.loads(chat(folder, "--json").stdout)["answer"] == text.replace("<|im_end|>", "")


@pytest.mark.parametrize(
    "config",
    [
        lambda: settings("Poly", target_modules=["q_proj"]),
        lambda: settings("MultitaskPromptTuning", num_tasks=1, num_virtual_tokens=3,
                         num_transformer_submodules=1),
    ],
    ids=["Poly", "multitask prompts"],
)  # fmt: skip
def test_an_adapter_that_needs_more_than_text_gives_one_sentence(config, base, tmp_path):
    model, tokenizer = load(base)
    with quiet():
        from peft import get_peft_model

        adapted = get_peft_model(model, config())
        adapted.peft_config["default"].base_model_name_or_path = str(base)
        adapted.save_pretrained(tmp_path / "adapter")
        tokenizer.save_pretrained(tmp_path / "adapter")
    for result in (chat(tmp_path / "adapter"), ift("merge", tmp_path / "adapter", "--out", "x")):
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
        assert "cannot" in result.stderr


def ift(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def chat(folder, *arguments: object):
    return ift("chat", "--model", folder, "--prompt", "Moo?", "--max-tokens", 6, *arguments)


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_a_change_of_one_of_two_tied_matrices_is_not_merged(target, tmp_path):
    tied = families.make("qwen2-base")
    tied[0].config.tie_word_embeddings = True
    tied[0].tie_weights()
    base = save(*tied, tmp_path / "tied")
    folder, expected = foreign(base, tmp_path / "adapter", lora("q_proj", target))
    with pytest.raises(CannotMerge, match=f"{target} alone.*one matrix") as error:
        merge(folder)
    assert "damaged" not in str(error.value)
    assert torch.allclose(logits(attach(folder)[0]), expected, atol=1e-5)
    assert chat(folder).exit_code == 0


def test_a_base_stored_in_4_bits_is_not_merged(base, tmp_path):
    pytest.importorskip("bitsandbytes")
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    model, tokenizer = load(base, four_bit=True)
    small = tmp_path / "small"
    model.save_pretrained(small)
    tokenizer.save_pretrained(small)
    with pytest.raises(CannotMerge, match=r"is stored quantized.*--base") as error:
        merge(folder, small)
    assert "damaged" not in str(error.value)
    assert chat(folder, "--base", small).exit_code == 0
    assert merge(folder).difference < 1e-4


@pytest.mark.parametrize("rows", [320, 384, 313])
@pytest.mark.parametrize(
    "config",
    [
        lambda: lora("q_proj"),  # peft stores the resized embeddings by itself
        lambda: lora("q_proj", modules_to_save=["embed_tokens", "lm_head"]),
        lambda: lora("q_proj", "lm_head", modules_to_save=["embed_tokens"]),
        lambda: lora("q_proj", "embed_tokens", modules_to_save=["lm_head"]),
    ],
    ids=["by itself", "both whole", "low-rank head", "low-rank embedding"],
)
def test_the_base_gets_the_rows_that_the_adapter_was_trained_with(config, rows, base, tmp_path):
    folder, expected = foreign(base, tmp_path / "adapter", config(), rows=rows)
    merged = merge(folder)
    assert merged.model.get_input_embeddings().num_embeddings == rows
    assert torch.allclose(logits(merged.model), expected, atol=1e-4)


def assert_refused(folder, base, *sentences: str) -> None:
    with pytest.raises(CourseError) as error:
        attach(folder, base)
    for sentence in sentences:
        assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def ours(base, cow_records, tmp_path):
    """An adapter that `ift sft` trained on `base`."""
    from ift_course.training.tuning_run import TuningRequest, finish, start, train

    options = {"seed": 0, "max_steps": 2, "progress": False}
    request = TuningRequest("sft", cow_records, method="lora", max_length=128, options=options)
    run = start(request, str(base), tmp_path / "tuned")
    finish(run, train(run))
    return tmp_path / "tuned" / "adapter"


def test_our_adapter_recognizes_its_base_in_any_folder_and_dtype(ours, base, tmp_path):
    model, tokenizer = load(base)
    for dtype in (torch.bfloat16, torch.float16):
        copied = save(model.to(dtype), tokenizer, tmp_path / str(dtype))
        attach(ours, copied)
    shutil.move(base, tmp_path / "moved")
    attach(ours, tmp_path / "moved")
    attach(ours, tmp_path / "moved", four_bit=pytest.importorskip("bitsandbytes") is not None)


def test_our_adapter_refuses_another_base_of_the_same_shapes(ours, base, tmp_path):
    model, tokenizer = load(base)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight.mul_(1.05)  # a relative of the base
    other = save(model, tokenizer, tmp_path / "other")
    assert_refused(ours, other, "another model than", "layers.1.mlp.up_proj.weight", f"({base})")


def test_our_adapter_refuses_another_family(ours, tmp_path):
    other = save(*families.make("llama3", hidden=64), tmp_path / "other")
    assert_refused(ours, other, "a model of type qwen2", "is a llama")


def test_a_foreign_adapter_refuses_another_base_while_its_own_exists(base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    model, tokenizer = load(base)
    with torch.no_grad():
        model.model.layers[0].self_attn.q_proj.weight.mul_(-1)
    assert_refused(folder, save(model, tokenizer, tmp_path / "other"), "another model than")


def test_a_note_names_a_base_that_cannot_be_compared(base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    shutil.move(base, tmp_path / "moved")
    merged = merge(folder, tmp_path / "moved")
    assert [str(base) in note and "moved" in note for note in merged.notes] == [True]
    result = ift("merge", folder, "--base", tmp_path / "moved", "--out", tmp_path / "whole")
    assert merged.notes[0] in result.stdout
    result = ift("merge", folder, "--base", tmp_path / "moved", "--out", tmp_path / "w", "--json")
    assert json.loads(result.stdout)["notes"] == merged.notes


def test_the_message_names_layers_that_the_base_lacks(base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    shutil.rmtree(base)
    model, tokenizer = families.make("qwen2-base", hidden=64)
    del model.model.layers[1]
    model.config.num_hidden_layers = 1
    model.config.layer_types = model.config.layer_types[:1]
    short = save(model, tokenizer, tmp_path / "short")
    assert_refused(folder, short, "has weights for model.layers.1.self_attn.q_proj", "lacks")


def test_the_message_names_layers_that_the_adapter_lacks(base, tmp_path):
    model, tokenizer = load(base)
    del model.model.layers[1]
    model.config.num_hidden_layers = 1
    model.config.layer_types = model.config.layer_types[:1]
    short = save(model, tokenizer, tmp_path / "short")
    folder, _ = foreign(short, tmp_path / "adapter", lora("q_proj"))
    shutil.rmtree(short)
    assert_refused(
        folder, base, "has no weights for model.layers.1.self_attn.q_proj", "that model has"
    )


def test_a_base_with_another_vocabulary_is_refused(base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    shutil.rmtree(base)
    model, _ = families.make("qwen2-base", hidden=64)
    _, tokenizer = families.make("invented")
    other = save(model, tokenizer, tmp_path / "other")
    assert_refused(folder, other, "tokens of its tokenizer have other numbers")


def test_chat_takes_a_moved_base(base, tmp_path):
    folder, _ = foreign(base, tmp_path / "adapter", lora("q_proj"))
    shutil.move(base, tmp_path / "moved")
    result = chat(folder)
    assert result.exit_code == 2
    assert "say where it is with --base" in result.stderr
    assert chat(folder, "--base", tmp_path / "moved").exit_code == 0
    assert "is not an adapter" in chat(tmp_path / "moved", "--base", folder).stderr
