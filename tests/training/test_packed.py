"""Packed rows train as rows of their own do."""

import copy
import importlib.util
import json
from pathlib import Path

import pytest
import torch

from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.training.packed import refuse_if_rows_mix
from ift_course.training.sft import prepare, sft

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)

RECORDS = [
    Record.from_instruction("Name a bird." + " More." * (i % 3), "", "Owl. " * (1 + i % 5))
    for i in range(12)
]
OPTIONS = {"seed": 0, "epochs": 2, "learning_rate": 1e-3, "max_length": 256, "progress": False}


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)


@pytest.mark.parametrize(
    "name",
    families.with_a_few_quick(["qwen2-base", "llama3", "gemma", "phi3", "mistral", "gpt-neox"]),
)
@pytest.mark.parametrize("chunked_loss", [False, True], ids=["whole", "chunked"])
def test_the_losses_of_packed_rows_are_those_of_the_same_rows_apart(name, chunked_loss):
    model, tokenizer = families.make(name)
    apart = sft(copy.deepcopy(model), copy.deepcopy(tokenizer), RECORDS, batch_size=12, **OPTIONS)
    packed = sft(model, tokenizer, RECORDS, batch_size=12, packing=True,
                 chunked_loss=chunked_loss, **OPTIONS)  # fmt: skip
    assert 1 < packed.packed < 12
    assert packed.losses == pytest.approx(apart.losses, abs=1e-5)
    assert packed.steps == apart.steps == 2
    # The tokens are the same ones, whatever they are padded with.
    tokens = [result.tokens_per_second * result.seconds for result in (packed, apart)]
    assert tokens[0] == pytest.approx(tokens[1])


def test_adapters_learn_the_same_too():
    model, tokenizer = families.make("qwen2-base")
    options = OPTIONS | {"method": "lora", "learning_rate": 1e-2}
    apart = sft(copy.deepcopy(model), copy.deepcopy(tokenizer), RECORDS, batch_size=12, **options)
    packed = sft(model, tokenizer, RECORDS, batch_size=12, packing=True, **options)
    assert packed.losses == pytest.approx(apart.losses, abs=1e-5)


def test_a_model_whose_layers_mix_the_rows_is_refused():
    from transformers import MambaConfig, MambaForCausalLM

    _, tokenizer = families.make("qwen2-without-template")
    torch.manual_seed(0)
    model = MambaForCausalLM(
        MambaConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, state_size=8)
    )
    with pytest.raises(CourseError, match="would see each other"):
        sft(model, tokenizer, RECORDS, packing=True, **OPTIONS)
    llama, tokenizer = families.make("llama3")
    refuse_if_rows_mix(llama, prepare(tokenizer, RECORDS, 128).rows, 0)


def test_the_command_says_how_the_rows_were_packed(tiny_llama_dir, tmp_path):
    from typer.testing import CliRunner

    from ift_course.cli import app

    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": "Name the sound of a cow.", "completion": "Moo."}] * 24
    path.write_text("\n".join(map(json.dumps, rows)))
    words = ["sft", "--model", tiny_llama_dir, "--data", path, "--packing", "--max-length", 128]
    done = CliRunner().invoke(app, [str(w) for w in [*words, "--out", tmp_path / "a"]])
    assert done.exit_code == 0, done.output
    assert "24 rows in " in done.stdout
    done = CliRunner().invoke(app, [str(w) for w in [*words, "--out", tmp_path / "b", "--json"]])
    assert 1 < json.loads(done.stdout)["packed_sequences"] < 24
