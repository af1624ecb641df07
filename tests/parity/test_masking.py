"""Our labels equal TRL's on every schema, for TRL's own reading of the file and for our records."""

import pytest
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from ift_course.data.convert import as_row
from ift_course.data.loss_mask import labels, render_all
from ift_course.data.samples import VARIANTS
from ift_course.data.schemas import parse_row
from ift_course.models.quiet import quiet
from ift_course.training.sft import prepare


def trl_rows(model, tokenizer, rows, folder, **options):
    args = SFTConfig(str(folder), use_cpu=True, bf16=False, report_to="none", max_length=256,
                     **options)  # fmt: skip
    with quiet():
        trainer = SFTTrainer(model=model, args=args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)  # fmt: skip
    return trainer.train_dataset


def test_every_schema_gets_the_labels_of_trl(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    records = [parse_row(row).record for row in VARIANTS.values()]
    rows = [{"messages": record.messages} for record in records]
    theirs = trl_rows(model, tokenizer, rows, tmp_path, assistant_only_loss=True)
    ours = prepare(tokenizer, records, 256).rows
    assert [row["input_ids"] for row in ours] == theirs["input_ids"][:]
    assert [row["labels"] for row in ours] == theirs["labels"][:]
    batched = [labels(*both) for both in render_all(tokenizer, [r.messages for r in records])]
    assert batched == theirs["labels"][:]


@pytest.mark.parametrize("name", ["messages", "UltraChat", "prompt/completion of messages"])
def test_files_that_trl_reads_itself_get_the_same_labels(name, tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    row = VARIANTS[name]
    if name == "UltraChat":  # its extra column "prompt" makes TRL look for a completion
        row = {"messages": row["messages"]}
    theirs = trl_rows(model, tokenizer, [row], tmp_path, assistant_only_loss=True)
    [ours] = prepare(tokenizer, [parse_row(row).record], 256).rows
    assert ours["labels"] == theirs["labels"][0]


def test_both_layouts_of_a_conversion_are_the_same_to_trl(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    record = parse_row(VARIANTS["Dolly"]).record
    messages = trl_rows(model, tokenizer, [as_row(record, "messages")], tmp_path,
                        assistant_only_loss=True)  # fmt: skip
    split = trl_rows(model, tokenizer, [as_row(record, "prompt-completion")], tmp_path,
                     assistant_only_loss=True)  # fmt: skip
    assert messages["input_ids"][:] == split["input_ids"][:]
    assert messages["labels"][:] == split["labels"][:]
