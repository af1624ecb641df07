"""A tuned model ends its answer in plain transformers: whatever its family, and however tuned."""

import importlib.util
from pathlib import Path

import pytest
import torch

from ift_course.data.chat_templates import as_list, end_of_turn, stop_at_end_of_turn
from ift_course.data.pairs import Pair
from ift_course.data.records import Record, Turn
from ift_course.export.export_model import load_source, to_folder
from ift_course.models.merge import attach, merge, open_folder
from ift_course.models.save import save
from ift_course.training.preference.dpo import dpo
from ift_course.training.sft import sft
from ift_course.training.tuning_run import TuningRequest, finish, start, train

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)
FAMILIES, make = families.FAMILIES, families.make

QUESTION = "Name a bird."
RECORDS = [Record.from_instruction(QUESTION, "", "Owl.")] * 8
LEARNED = {"seed": 0, "epochs": 40, "batch_size": 8, "learning_rate": 1e-2, "progress": False}


def plain_answer(folder) -> tuple[list[int], object]:
    """What transformers alone generates, with the tokenizer of the folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return generated(AutoModelForCausalLM.from_pretrained(folder), tokenizer), tokenizer


def generated(model, tokenizer) -> list[int]:
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}],
        add_generation_prompt=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    prompt.pop("token_type_ids", None)
    output = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    return output[0, prompt["input_ids"].shape[1] :].tolist()


def ends_with(ids: list[int], tokenizer, end: str) -> None:
    assert len(ids) < 24
    assert tokenizer.convert_ids_to_tokens(ids[-1]) == end
    assert tokenizer.decode(ids, skip_special_tokens=True).strip().endswith("Owl.")


def unstopped(answer: str):
    """A model that answers and that nothing stops: as earlier versions of the course saved it."""
    questions = {QUESTION: answer, "Name an animal.": "Owl."}
    records = [Record.from_instruction(key, "", text) for key, text in questions.items()] * 4
    tuned = sft(*make("qwen2-base", hidden=64), records, **LEARNED)
    tuned.model.generation_config.eos_token_id = tuned.model.config.eos_token_id = 0
    tuned.tokenizer.eos_token = "<|endoftext|>"
    return tuned.model, tuned.tokenizer


@pytest.mark.parametrize("name", families.with_a_few_quick(FAMILIES))
def test_a_tuned_model_stops_in_plain_transformers(name, tmp_path):
    result = sft(*make(name), RECORDS, **LEARNED)
    folder = save(result.model, result.tokenizer, tmp_path / "tuned")
    ids, tokenizer = plain_answer(folder)
    ends_with(ids, tokenizer, FAMILIES[name][-1])
    end = tokenizer.convert_tokens_to_ids(FAMILIES[name][-1])
    assert end_of_turn(tokenizer) == end
    model, _ = open_folder(folder)
    assert end in as_list(model.config.eos_token_id)
    assert end in as_list(model.generation_config.eos_token_id)
    # Gemma's own chat models keep <eos>; Phi-3's template writes it after a whole conversation.
    assert (tokenizer.eos_token_id == end) == (name not in ("gemma", "gemma3-base", "phi3"))


def test_an_earlier_stop_is_kept(tmp_path):
    result = sft(*make("qwen2-base"), RECORDS, **LEARNED | {"epochs": 1})
    assert set(result.model.generation_config.eos_token_id) == {0, 2}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_adapters_stop_merged_beside_their_base_and_exported(method, tmp_path):
    if method == "qlora":
        pytest.importorskip("bitsandbytes")
    # A random model has nothing that a small change of it could turn into an answer.
    base = save(*unstopped("Cod."), tmp_path / "base")
    out = tmp_path / "tuned"
    options = {**LEARNED, "learning_rate": 2e-2}
    request = TuningRequest("sft", RECORDS, method=method, max_length=128, options=options)
    run = start(request, str(base), out)
    finish(run, train(run))
    adapter = out if method == "qlora" else out / "adapter"
    merged = merge(adapter)
    folders = [save(merged.model, merged.tokenizer, tmp_path / "merged")]
    folders += [to_folder(load_source(str(adapter)), tmp_path / "exported")]
    for folder in folders if method == "qlora" else [*folders, out]:
        ends_with(*plain_answer(folder), "<|im_end|>")
    beside, tokenizer = attach(adapter)
    ends_with(generated(beside, tokenizer), tokenizer, "<|im_end|>")


def test_a_model_tuned_on_preferences_stops(tmp_path):
    model, tokenizer = unstopped("Owl.")
    pair = Pair((Turn("user", QUESTION),), "Owl.", "Cod.")
    result = dpo(model, tokenizer, [pair] * 4, seed=0, max_steps=2, learning_rate=1e-5,
                 progress=False)  # fmt: skip
    folder = save(result.model, result.tokenizer, tmp_path / "polite")
    ends_with(*plain_answer(folder), "<|im_end|>")


def test_our_own_generation_hides_no_missing_stop(tmp_path):
    from ift_course.evaluation.generate import generate_replies

    model, tokenizer = unstopped("Owl.")
    assert not generate_replies(model, tokenizer, [QUESTION], max_new_tokens=24)[0].finished
    assert len(generated(model, tokenizer)) == 24
    stop_at_end_of_turn(model, tokenizer)
    assert generate_replies(model, tokenizer, [QUESTION], max_new_tokens=24)[0].finished


@pytest.mark.parametrize(
    "rest", ["\n", "\n### End\n", " |im_end|"], ids=["nothing", "words", "no token"]
)
def test_a_template_without_a_closing_token_has_no_end_of_turn(rest):
    model, tokenizer = make("gpt2")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + REST }}{% endfor %}"
    ).replace("REST", repr(rest))
    assert end_of_turn(tokenizer) is None
    sft(model, tokenizer, RECORDS, **LEARNED | {"epochs": 1})
    assert as_list(model.generation_config.eos_token_id) == [0]
    assert torch.isfinite(model.get_input_embeddings().weight).all()
