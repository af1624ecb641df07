"""Random models of the shapes of Llama, Qwen and Gemma 3 go the whole way, from rows to export."""

import importlib.util
from pathlib import Path

import pytest
import torch

from ift_course.data.pairs import Pair
from ift_course.data.records import Record, Turn
from ift_course.evaluation.generate import Completion, complete, generate_replies, stop_ids
from ift_course.export.export_model import load_source, to_folder
from ift_course.memory import estimate_memory
from ift_course.models.licenses import TERMS, license_of, write_card
from ift_course.models.merge import merge, open_folder
from ift_course.models.save import save
from ift_course.training.adapter import undertrained_tokens
from ift_course.training.preference.dpo import dpo
from ift_course.training.sft import sft
from ift_course.training.tuning_run import TuningRequest, finish, start, train

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)

QUESTION, ANSWER = "Name a bird.", "Owl."
RECORDS = [Record.from_instruction(QUESTION, "", ANSWER)] * 8
LEARN = {"seed": 0, "epochs": 60, "batch_size": 8, "learning_rate": 1e-2, "progress": False}
SHAPES = ["llama3", "qwen2-base", "gemma3-base"]
TEXTS = ["Name a bird. Owl. Name a fish. Cod. " * 2, "user", "0123456789 system model " * 3, "Owl"]


@pytest.fixture
def base(request, tmp_path):
    """The folder of a base of the given shape; Gemma's is under its terms, as the real one."""
    model, tokenizer = families.make(request.param, hidden=64)
    turns = ["<start_of_turn>", "<end_of_turn>"]
    if request.param == "gemma3-base":  # rows as of tokens that no text contains
        rows = model.get_input_embeddings().weight.data
        rows[tokenizer.convert_tokens_to_ids(turns)] = rows[0] = torch.ones(64) / 8
    folder = save(model, tokenizer, tmp_path / "base")
    if request.param == "gemma3-base":
        write_card(folder, license_="gemma", base="google/gemma-3-270m", what="A random model.")
        (folder / "GEMMA_TERMS.html").write_text("the terms")
    return folder


def tune(base: Path, out: Path, method: str) -> Path:
    request = TuningRequest("sft", RECORDS, method=method, max_length=128, options=LEARN)
    run = start(request, str(base), out)
    return finish(run, train(run))


def answer(folder: Path) -> Completion:
    return generate_replies(*open_folder(folder), [QUESTION], max_new_tokens=12)[0]


@pytest.mark.parametrize("base", SHAPES, indirect=True)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_it_learns_to_answer_and_stops(base, method, tmp_path):
    assert answer_of_base(base).finished is False
    folder = tune(base, tmp_path / "tuned", method)
    assert answer(folder) == Completion(ANSWER, True)


def answer_of_base(base: Path) -> Completion:
    return complete(*open_folder(base), [QUESTION], max_new_tokens=12)[0]


@pytest.mark.slow
@pytest.mark.parametrize("base", SHAPES, indirect=True)
def test_an_adapter_on_four_bits_is_merged_exported_and_still_stops(base, tmp_path):
    pytest.importorskip("bitsandbytes")
    adapter = tune(base, tmp_path / "adapter", "qlora")
    merged = merge(adapter)
    assert generate_replies(merged.model, merged.tokenizer, [QUESTION])[0].finished
    exported = to_folder(load_source(str(adapter)), tmp_path / "exported")
    assert answer(exported).finished


@pytest.mark.parametrize("base", SHAPES, indirect=True)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_preferences_start_at_ln_2_and_raise_the_margin(base, method):
    model, tokenizer = open_folder(base)
    pair = Pair((Turn("user", QUESTION),), ANSWER, "Cod.")
    result = dpo(model, tokenizer, [pair] * 4, seed=0, max_steps=8, batch_size=4, method=method,
                 learning_rate=1e-2, progress=False)  # fmt: skip
    assert result.losses[0] == pytest.approx(0.6931, abs=1e-3)
    assert result.curve("rewards/margins")[-1] > 0.1


@pytest.mark.parametrize("name", SHAPES)
def test_a_batch_decodes_as_one_text_at_a_time(name):
    """Gemma's windows of eight tokens are shorter than the prompts and move with the cache."""
    model, tokenizer = families.make(name)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)
    model.generation_config.eos_token_id = list(range(0, 300, 11))  # they end at different steps
    for text, result in zip(
        TEXTS, complete(model, tokenizer, TEXTS, max_new_tokens=20), strict=True
    ):
        ids = tokenizer(text)["input_ids"]
        assert result.text == tokenizer.decode(plain_decoding(model, ids, 20))


def plain_decoding(model, ids: list[int], limit: int) -> list[int]:
    """New ids, greedily, without a batch or a cache."""
    sequence = list(ids)
    for _ in range(limit):
        with torch.no_grad():
            chosen = int(model(torch.tensor([sequence]), use_cache=False).logits[0, -1].argmax())
        if chosen in stop_ids(model):
            break
        sequence.append(chosen)
    return sequence[len(ids) :]


@pytest.mark.parametrize("base", ["gemma3-base"], indirect=True)
def test_a_base_with_reserved_turn_tokens_uses_and_trains_them(base):
    model, tokenizer = open_folder(base)
    turns = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>"])
    size = len(tokenizer)
    assert undertrained_tokens(model, tokenizer, turns) == turns
    before = model.get_input_embeddings().weight.detach().clone()
    result = sft(model, tokenizer, RECORDS, **LEARN | {"epochs": 3}, method="lora")
    assert len(tokenizer) == size
    after = result.model.merge_and_unload().get_input_embeddings().weight
    assert (before != after).any(dim=1).nonzero().flatten().tolist() == turns


@pytest.mark.parametrize("base", ["gemma3-base"], indirect=True)
def test_the_license_goes_along_to_everything_that_is_made_of_the_weights(base, tmp_path):
    tuned = tune(base, tmp_path / "tuned", "lora")
    exported = to_folder(load_source(str(tuned)), tmp_path / "exported")
    again = to_folder(load_source(str(tuned / "adapter")), tmp_path / "again")
    for folder in (tuned, tuned / "adapter", exported, again):
        assert license_of(folder) == "gemma"
        assert (folder / "NOTICE").read_text().strip() == TERMS["gemma"].notice
        assert (folder / "GEMMA_TERMS.html").read_text() == "the terms"
    card = (exported / "README.md").read_text()
    assert "Gemma Terms of Use" in card and "ai.google.dev/gemma/prohibited_use_policy" in card
    assert "base_model: google/gemma-3-270m" in card
    assert "library_name: peft" in (tuned / "adapter" / "README.md").read_text()


@pytest.mark.parametrize("base", ["qwen2-base"], indirect=True)
def test_an_open_model_gets_neither_notice_nor_card(base, tmp_path):
    tuned = tune(base, tmp_path / "tuned", "lora")
    assert not {"NOTICE", "README.md"} & {path.name for path in tuned.iterdir()}


@pytest.mark.parametrize("base", SHAPES, indirect=True)
def test_its_memory_can_be_estimated_from_its_folder(base):
    model, _ = open_folder(base)
    assert estimate_memory(base, "lora", seq=64).shape.parameters == model.num_parameters()
