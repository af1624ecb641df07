"""Our tokens, masks and loss are those of TRL's own preparation of the same conversations."""

import math

import pytest
import torch

from ift_course.data.loss_mask import IGNORE, collate
from ift_course.data.records import Record
from ift_course.models.quiet import quiet
from ift_course.training.sft import prepare, sft

RECORDS = [
    Record.from_instruction("What is the capital of France?", "", "Paris."),
    Record.from_instruction("Translate into Spanish.", "Hello, how are you?", "Hola, ¿cómo estás?"),
    Record.from_messages([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Name the sound of a cow."},
        {"role": "assistant", "content": "Moo."},
        {"role": "user", "content": "Say it as a list."},
        {"role": "assistant", "content": "- moo\n- moo"},
    ]),
]  # fmt: skip


def trl_trainer(model, tokenizer, rows: list[dict], folder, **options):
    """A plain SFTTrainer on the CPU, in float32, its rows in order."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    with quiet():
        return SFTTrainer(
            model=model,
            args=SFTConfig(
                str(folder),
                use_cpu=True,
                bf16=False,
                report_to="none",
                max_length=256,
                per_device_train_batch_size=3,
                train_sampling_strategy="sequential",
                **options,
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
        )


def prompt_completion(record: Record) -> dict:
    return {"prompt": record.messages[:-1], "completion": record.messages[-1:]}


def test_rows_equal_trls_assistant_only_rows(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    rows = [{"messages": record.messages} for record in RECORDS]
    theirs = trl_trainer(model, tokenizer, rows, tmp_path, assistant_only_loss=True).train_dataset
    ours = prepare(tokenizer, RECORDS, 256).rows
    assert [row["input_ids"] for row in ours] == theirs["input_ids"][:]
    assert [row["labels"] for row in ours] == theirs["labels"][:]


def test_rows_equal_trls_prompt_completion_rows_but_for_the_last_newline(tiny_llama, tmp_path):
    # TRL takes all that follows the prompt for the completion, so it also trains the newline that
    # the template puts after the end of the turn. Nobody generates it; we leave it out.
    model, tokenizer = tiny_llama
    single = RECORDS[:2]
    rows = [prompt_completion(record) for record in single]
    theirs = trl_trainer(model, tokenizer, rows, tmp_path).train_dataset
    newline = tokenizer("\n")["input_ids"]
    ours = prepare(tokenizer, single, 256).rows
    assert [row["input_ids"] for row in ours] == theirs["input_ids"][:]
    for mine, trls in zip(ours, theirs["labels"][:], strict=True):
        assert mine["labels"][:-1] == trls[:-1]
        assert (mine["labels"][-1], trls[-1:]) == (IGNORE, newline)


def test_loss_equals_trls_and_the_formula(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    batch = collate(prepare(tokenizer, RECORDS, 256).rows, tokenizer.pad_token_id)
    logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    targets = batch["labels"][:, 1:]
    log_probabilities = logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    trained = targets != IGNORE
    by_hand = -(log_probabilities * trained).sum() / trained.sum()

    rows = [{"messages": record.messages} for record in RECORDS]
    trainer = trl_trainer(model, tokenizer, rows, tmp_path, assistant_only_loss=True)
    their_batch = next(iter(trainer.get_train_dataloader()))
    theirs = trainer.compute_loss(trainer.model, dict(their_batch))
    assert math.isclose(by_hand.item(), theirs.item(), abs_tol=1e-5)


@pytest.mark.parametrize("accumulation", [1, 3], ids=["one pass", "accumulated"])
def test_the_first_step_reports_the_same_loss(accumulation, tiny_llama, monkeypatch):
    model, tokenizer = tiny_llama
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)
    batch = collate(prepare(tokenizer, RECORDS, 256).rows, tokenizer.pad_token_id)
    with torch.no_grad():
        expected = model(**batch).loss.item()
    result = sft(model, tokenizer, RECORDS, seed=0, max_steps=1, batch_size=3 // accumulation,
                 gradient_accumulation=accumulation, progress=False)  # fmt: skip
    assert math.isclose(result.losses[0], expected, abs_tol=1e-5)
