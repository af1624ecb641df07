"""What `sft` promises: the loss falls, on response tokens only, the same every time, and a killed
run ends where an unbroken one does."""

import copy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ift_course.data.chat_templates import ensure_chat_template
from ift_course.data.loss_mask import IGNORE
from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.training.adapter import Adapter
from ift_course.training.sft import default_learning_rate, prepare, sft

REPOSITORY = Path(__file__).parents[2]


def weights(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def ends(model) -> list[torch.Tensor]:
    """The input and the output matrix, one row a token."""
    modules = model.get_input_embeddings(), model.get_output_embeddings()
    return [module.weight.detach().clone() for module in modules]


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_loss_falls_and_the_answers_are_learned(tiny_llama, cow_records):
    from ift_course.evaluation.generate import generate_replies

    result = sft(*tiny_llama, cow_records, seed=0, epochs=50, learning_rate=2e-2, progress=False)
    assert result.losses[-1] < 0.1 < result.losses[0]
    assert len(result.losses) == result.steps == 100
    completion = generate_replies(result.model, result.tokenizer, ["Name the sound of a cow."])[0]
    assert (completion.text, completion.finished) == ("Moo.", True)


def test_labels_cover_the_response_and_its_end_only(tiny_llama):
    _, tokenizer = tiny_llama
    record = Record.from_instruction("Name the sound of a cow.", "", "Moo.")
    [row] = prepare(tokenizer, [record], max_length=100).rows
    trained = [label for label in row["labels"] if label != IGNORE]
    assert tokenizer.decode(trained) == "Moo.<|im_end|>"
    assert len(row["labels"]) == len(row["input_ids"])


def test_long_rows_are_cut_and_rows_without_a_response_dropped(tiny_llama):
    _, tokenizer = tiny_llama
    short = Record.from_instruction("Name it.", "", "Moo.")
    long_answer = Record.from_instruction("Name it.", "", "Moo. " * 50)
    long_prompt = Record.from_instruction("Name it. " * 50, "", "Moo.")
    prepared = prepare(tokenizer, [short, long_answer, long_prompt], max_length=60)
    assert (len(prepared.rows), prepared.truncated, prepared.dropped) == (2, 1, 1)
    assert max(len(row["input_ids"]) for row in prepared.rows) == 60
    with pytest.raises(CourseError, match="None of the 1 records has a response within 60 tokens"):
        prepare(tokenizer, [long_prompt], max_length=60)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tiny_llama, cow_records):
    model, tokenizer = tiny_llama
    runs = [
        sft(copy.deepcopy(model), tokenizer, cow_records, seed=seed, epochs=1, batch_size=4,
            progress=False)
        for seed in (1, 1, 2)
    ]  # fmt: skip
    assert runs[0].losses == runs[1].losses != runs[2].losses
    assert same(weights(runs[0].model), weights(runs[1].model))


def test_the_embedding_can_have_a_lower_rate(tiny_llama, cow_records):
    model, tokenizer = tiny_llama
    rates = {"learning_rate": 1e-2, "embedding_learning_rate": 1e-12}
    before = weights(model)
    sft(model, tokenizer, cow_records, max_steps=3, progress=False, **rates)
    moved = {name for name, x in weights(model).items() if not torch.allclose(x, before[name])}
    assert moved and not any("embed" in name or "lm_head" in name for name in moved)
    with pytest.raises(CourseError, match="full"):
        sft(model, tokenizer, cow_records, method="lora", progress=False, **rates)


def test_lora_leaves_the_base_weights_as_they_were(tiny_llama, cow_records):
    model, tokenizer = tiny_llama
    before = weights(model)
    result = sft(model, tokenizer, cow_records, seed=0, method="lora", max_steps=4,
                 learning_rate=1e-2, progress=False)  # fmt: skip
    after = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): tensor
        for name, tensor in weights(result.model).items()
        if "lora_" not in name
    }
    assert same(before, after)
    assert result.losses[-1] < result.losses[0]
    merged = weights(result.model.merge_and_unload())
    assert not same(before, merged)


def test_qlora_trains_float32_adapters_on_frozen_4_bit_weights(wide_llama, cow_records):
    pytest.importorskip("bitsandbytes")
    model, tokenizer = wide_llama
    result = sft(model, tokenizer, cow_records, seed=0, method="qlora", max_steps=4,
                 adapter=Adapter(rank=2, targets=("q_proj", "up_proj")), learning_rate=1e-2,
                 progress=False)  # fmt: skip
    trained = {name: p for name, p in result.model.named_parameters() if p.requires_grad}
    assert len(trained) == 8
    assert {p.dtype for p in trained.values()} == {torch.float32}  # TRL makes them bfloat16
    assert {min(p.shape) for p in trained.values()} == {2}
    assert all(p.abs().max() > 0 for p in trained.values())
    packed = [p for p in result.model.parameters() if p.dtype == torch.uint8]
    assert len(packed) == 14
    with pytest.raises(CourseError, match="4-bit weights cannot be tuned"):
        sft(model, tokenizer, cow_records, seed=0, method="full", max_steps=1, progress=False)


def test_lora_trains_the_tokens_a_new_template_brings(plain_llama, cow_records):
    model, tokenizer = plain_llama
    grown, known = copy.deepcopy(model), len(tokenizer)
    torch.manual_seed(0)
    assert ensure_chat_template(grown, copy.deepcopy(tokenizer)) == [known, known + 1]
    before = ends(grown)
    result = sft(model, tokenizer, cow_records, seed=0, method="lora", max_steps=3, progress=False)
    for old, new in zip(before, ends(result.model.merge_and_unload()), strict=True):
        changed = (old != new).any(dim=1).nonzero().flatten().tolist()
        assert changed == [known, known + 1]


def test_a_tuned_model_can_be_copied(tiny_llama, cow_records):
    # trl and accelerate patch model.forward with closures that a deepcopy would go on calling.
    tuned = sft(*tiny_llama, cow_records, seed=0, max_steps=2, progress=False).model
    twin = copy.deepcopy(tuned)
    ids = torch.tensor([[5, 6, 7]])
    before = tuned(ids).logits
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert torch.equal(tuned(ids).logits, before)
    assert twin(ids).logits.abs().max() == 0


def test_small_models_get_larger_learning_rates():
    for method in ("full", "lora", "qlora"):
        rates = [default_learning_rate(size, method) for size in (10**6, 10**8, 10**9, 10**10)]
        assert rates == sorted(rates, reverse=True)
    assert default_learning_rate(10**9, "full") == pytest.approx(2e-5)


def test_another_run_is_not_taken_for_the_unfinished_one(tiny_llama, cow_records, tmp_path):
    model, tokenizer = tiny_llama
    options = {"seed": 0, "max_steps": 4, "checkpoint_steps": 2, "progress": False}
    sft(copy.deepcopy(model), tokenizer, cow_records, output_dir=tmp_path, **options)
    with pytest.raises(CourseError, match=r"other settings \(learning_rate .* → 0.5\)"):
        sft(copy.deepcopy(model), tokenizer, cow_records, output_dir=tmp_path, learning_rate=0.5,
            **options)  # fmt: skip
    with pytest.raises(CourseError, match=r"other settings \(data\)"):
        sft(copy.deepcopy(model), tokenizer, cow_records[1:], output_dir=tmp_path, **options)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_a_half_written_checkpoint_is_skipped(method, tmp_path, wide_llama):
    whole = long_run(*wide_llama, tmp_path, method)
    # As a SIGKILL in the middle of saving step 12 leaves it: files cut off, no marker.
    last = tmp_path / "checkpoint-12"
    (last / "complete.json").unlink()
    for path in last.glob("*.safetensors"):
        path.write_bytes(b"half")
    resumed = long_run(*wide_llama, tmp_path, method)
    assert resumed.resumed_from == 9
    assert resumed.losses == whole.losses
    assert same(weights(resumed.model), weights(whole.model))


def long_run(model, tokenizer, out, method="full", callbacks=()):
    """12 steps over three epochs, with gradient accumulation and a checkpoint every 3 steps."""
    records = [Record.from_instruction("Count.", "", "moo " * (1 + i % 7)) for i in range(30)]
    return sft(copy.deepcopy(model), tokenizer, records, seed=3, epochs=3, batch_size=4,
               gradient_accumulation=2, method=method, learning_rate=1e-2, output_dir=out,
               checkpoint_steps=3, callbacks=callbacks, progress=False)  # fmt: skip


KILLED = """
import os, signal, sys
sys.path[:0] = sys.argv[1:3]
from conftest import make_model, make_tokenizer
from transformers import TrainerCallback
from test_sft import long_run

class KilledAtStep8(TrainerCallback):
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 8:
            os.kill(os.getpid(), signal.SIGKILL)

tokenizer = make_tokenizer()
long_run(make_model(tokenizer), tokenizer, sys.argv[3], callbacks=[KilledAtStep8()])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_ends_as_an_unbroken_one(tiny_llama, tmp_path):
    here = Path(__file__).parent
    arguments = [str(here.parent), str(here), str(tmp_path / "killed")]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    unbroken = long_run(*tiny_llama, tmp_path / "unbroken")
    resumed = long_run(*tiny_llama, tmp_path / "killed")
    assert (unbroken.resumed_from, resumed.resumed_from) == (0, 6)
    assert resumed.losses == unbroken.losses
    assert same(weights(resumed.model), weights(unbroken.model))
