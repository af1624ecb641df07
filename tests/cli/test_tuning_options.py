"""What `ift sft` and `ift dpo` say of the adapters they train and of where an answer ends."""

import importlib.util
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.models.save import save

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)
ROW = {"prompt": "Name a bird.", "completion": "Owl.", "chosen": "Owl.", "rejected": "Cod."}


@pytest.fixture(params=["sft", "dpo"])
def tune(request, tmp_path):
    """A function that runs the command for two steps on a family's model."""

    def run(name: str, *options: object, template: str | None = None):
        model, tokenizer = families.make(name)
        tokenizer.chat_template = template or tokenizer.chat_template
        folder, data = save(model, tokenizer, tmp_path / "model"), tmp_path / "rows.jsonl"
        keys = ("prompt", "completion") if request.param == "sft" else ("prompt", "chosen",
                                                                        "rejected")  # fmt: skip
        data.write_text("\n".join([json.dumps({key: ROW[key] for key in keys})] * 4))
        words = [request.param, "--model", folder, "--data", data, "--out", tmp_path / "out",
                 "--max-steps", 2, *options]  # fmt: skip
        return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, words)))

    return run


def test_what_was_adapted_is_said(tune):
    done = tune("phi3", "--method", "lora")
    assert done.exit_code == 0, done.output
    assert "qkv_proj, gate_up_proj, down_proj: 8 layers" in done.stdout


def test_targets_choose_the_layers(tune, tmp_path):
    done = tune("phi3", "--method", "lora", "--targets", "qkv_proj, down_proj", "--json")
    report = json.loads(done.stdout)
    assert report["adapted"] == {"qkv_proj": 2, "down_proj": 2}
    assert report["not_adapted"] == []
    assert report["end_of_turn"] == "<|end|>"
    record = json.loads((tmp_path / "out" / "training.json").read_text())[-1]
    assert record["settings"]["targets"] == "qkv_proj, down_proj"


def test_a_target_that_no_layer_has_is_refused_with_the_names(tune, tmp_path):
    done = tune("phi3", "--method", "lora", "--targets", "q_proj")
    assert done.exit_code == 2
    assert "no linear layer called q_proj; it has o_proj, qkv_proj" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_template_without_an_end_of_turn_is_named(tune):
    plain = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    done = tune("gpt2", template=plain)
    assert done.exit_code == 0, done.output
    assert "will not learn where to stop" in done.stderr


def test_an_end_of_turn_that_is_not_trained_is_named(tune):
    marked = (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
        "{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}{% endgeneration %}"
        "{% else %}{{ m['content'] }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    done = tune("qwen2-base", template=marked)
    assert done.exit_code == 0, done.output
    assert "leaves <|im_end|> out of its generation block" in done.stderr


def test_a_template_that_trains_its_end_is_not_warned_of(tune):
    done = tune("qwen3-base")
    assert done.exit_code == 0, done.output
    assert "where to stop" not in done.stderr
