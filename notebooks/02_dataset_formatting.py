# %% [markdown]
# # Dataset formatting
#
# {{ badge }}
#
# Between a data set and a model stand a chat template, a tokenizer, a loss mask and a collator.
# Most bugs of instruction tuning live there, and few raise an error. At the end you can
#
# - say which tokens TRL trains for each data layout and option;
# - turn a conversation into token ids and labels by hand, and check a library against yourself;
# - pack examples so that none of them sees another, and prove it;
# - read a chat template, even one with thinking and tool calls;
# - recognize bugs that train without an error.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("02")

# %% [markdown]
# ## 1. What one token can do
#
# Gemma 3 270M, a real base model, was tuned twice on the same 48 examples. Both runs read exactly
# the same tokens. A token is trained if it has a **label**. In the second run one token of each
# answer had none: the special token that ends the turn. **Predict:** what will the second model's
# answers be like?

# %%
from statistics import fmean

from ift_course.lessons.real_parts import real_panel

view = real_panel("02")
for name, runs in view.panel.arms.items():
    print(f"{name}: mean loss of the last 12 steps {fmean(runs[0].losses[-12:]):.2f}")
view

# %% [markdown]
# Without a trained end, most of these answers run on until they are cut off ("…"). No error was
# raised, and the loss even looks better, although means over different tokens cannot be compared.
#
# ## 2. From a row to labels, by hand
#
# A *row* of a data set becomes an *example* in four steps: a **conversation** of turns with roles;
# one text, which a **chat template** writes with special tokens that say who speaks; ids, from a
# **tokenizer**; and a **loss mask**, which says which ids get a label.
#
# In this toy, a token is a word, and every piece of text is written together with its mask.

# %%
row = {"instruction": "Name the capital.", "input": "France", "output": "Paris"}
ids, mask, vocabulary = [], [], {}


def write(text: str, trained: int) -> None:
    for word in text.split():
        ids.append(vocabulary.setdefault(word, len(vocabulary)))
        mask.append(trained)


write(f"<|user|> {row['instruction']} {row['input']} <|end|> <|assistant|>", 0)
write(f"{row['output']} <|end|>", 1)  # the answer, and where it stops

labels = [id_ if trained else -100 for id_, trained in zip(ids, mask, strict=True)]
words = list(vocabulary)
for place, (id_, label) in enumerate(zip(ids, labels, strict=True)):
    before = f"predicted from all up to {words[ids[place - 1]]}" if label != -100 else ""
    print(f"{words[id_]:>14}  id {id_}   label {label:4}   {before}")

# %% [markdown]
# PyTorch's cross-entropy ignores the label −100. Each label stands at its token's *own* place,
# and the model predicts it from the tokens before. `transformers` makes this shift by one inside,
# so do not shift labels yourself. We write `<|assistant|>` ourselves; the end is what the
# model *must* produce, or it stops only by chance.

# %%
ift.quiz("02", "mask-with-the-tokens")

# %% [markdown]
# ## 3. The chat template
#
# A chat template is a small Jinja program that travels with the tokenizer. This one is ChatML.
# The text between `generation` and `endgeneration` is the assistant's, and the mask comes from
# there.
# %%
from itertools import groupby

from transformers import AutoTokenizer

base, _ = ift.load("base")
tokenizer = AutoTokenizer.from_pretrained(base.name_or_path)
tokenizer.chat_template = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}
{%- else -%}
{{ message['content'] + '<|im_end|>' }}
{%- endif -%}
{{ '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""


def print_labels(tokenizer, ids: list[int], labels: list[int]) -> None:
    for trained, group in groupby(zip(ids, labels, strict=True), lambda pair: pair[1] != -100):
        part, labels_there = zip(*group, strict=True)
        print(repr(tokenizer.decode(part)), part, "labels", labels_there if trained else -100)


conversation = [
    {"role": "user", "content": "Name the sound of the owl."},
    {"role": "assistant", "content": "hoot"},
    {"role": "user", "content": "What is the opposite of hot?"},
    {"role": "assistant", "content": "cold"},
]
by_hand = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in conversation)
assert by_hand == tokenizer.apply_chat_template(conversation, tokenize=False)
encoded = tokenizer.apply_chat_template(conversation, return_assistant_tokens_mask=True)
row_ids, mask = encoded["input_ids"], encoded["assistant_masks"]
row_labels = [id_ if trained else -100 for id_, trained in zip(row_ids, mask, strict=True)]
print(f"{by_hand}\n{sum(mask)} of {len(mask)} tokens trained")
print_labels(tokenizer, row_ids[:18], row_labels[:18])  # the first question and answer

# %% [markdown]
# The template of training must be the template of use: the prompt is, token for token, the
# beginning of a trained example, *and* it ends exactly where a trained token begins.

# %%
asked = tokenizer.apply_chat_template(conversation[:3], add_generation_prompt=True)["input_ids"]
not_opened = tokenizer.apply_chat_template(conversation[:3])["input_ids"]
for name, prompt in {"opened": asked, "opening forgotten": not_opened}.items():
    n = len(prompt)
    print(f"{name:18} a beginning: {row_ids[:n] == prompt!s:6} "
          f"trained from there on: {row_labels[n - 1] == -100 != row_labels[n]}")  # fmt: skip
typed = tokenizer("Bye<|im_end|>")["input_ids"]
print("typed by a user:  ", [tokenizer.decode([id_]) for id_ in typed])

# %% [markdown]
# Only the second test notices a forgotten opening. A user who types `<|im_end|>` gets the special
# token and closes the turn, so refuse such input (exercise 02.2). (Below, ordinary tokens are the
# course's.)

# %%
from ift_course.lessons.lesson_02 import figures

figures.explore(tokenizer)

# %% [markdown]
# ## 4. Which tokens does TRL train?
#
# `SFTTrainer` looks at the columns and decides what gets a label.

# %%
import logging
import tempfile
from pathlib import Path

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

folder = Path(tempfile.mkdtemp())
remarks = []  # what TRL and transformers write into their logs


class Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        remarks.append(record.getMessage())
        print(f"{record.name.split('.')[0]} remarks: {remarks[-1]}")


for library in ("trl", "transformers"):
    logging.getLogger(library).handlers = [Listener()]


def trainer_for(rows: list[dict], tokenizer=tokenizer, **options) -> SFTTrainer:
    for library in ("trl", "transformers"):
        logging.getLogger(library).setLevel(logging.WARNING)
    config = SFTConfig(str(folder / "trl"), use_cpu=True, bf16=False, report_to="none",
                       activation_checkpointing=False, **options)  # fmt: skip
    return SFTTrainer(model=base.name_or_path, args=config, train_dataset=Dataset.from_list(rows),
                      processing_class=tokenizer)  # fmt: skip


theirs = trainer_for([{"messages": conversation}], assistant_only_loss=True).train_dataset[0]
assert theirs["labels"] == row_labels
print("TRL's labels equal those from the mask on all", len(row_labels), "tokens")

# %% [markdown]
# **Predict first.** What is trained: everything, the answer, or is it an error?
#
# 1. text
# 2. text, `completion_only_loss=True`
# 3. prompt, completion
# 4. prompt, completion of messages
# 5. the same, `assistant_only_loss=True`
# 6. messages
# 7. messages, `assistant_only_loss=True`
# 8. conversations of from, value
# 9. the same, `assistant_only_loss=True`
# 10. instruction, output

# %%
question, answer = conversation[0]["content"] + "\n", conversation[1]["content"]
turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
text = {"text": question + answer}
pair = {"prompt": question, "completion": answer}
chat_pair = {"prompt": conversation[:3], "completion": conversation[3:]}
cases = [
    (text, {}),
    (text, {"completion_only_loss": True}),
    (pair, {}),
    (chat_pair, {}),
    (chat_pair, {"assistant_only_loss": True}),
    ({"messages": conversation}, {}),
    ({"messages": conversation}, {"assistant_only_loss": True}),
    ({"conversations": turns}, {}),
    ({"conversations": turns}, {"assistant_only_loss": True}),
    ({"instruction": question, "output": answer}, {}),
]
prepared = {}
for line, (row, options) in enumerate(cases, start=1):
    try:
        example = trainer_for([row], **options).train_dataset[0]
    except (KeyError, ValueError) as error:
        print(f"{line:2}. {type(error).__name__}: {str(error).split('. ')[0]}")
        continue
    trained = [label for label in example["labels"] if label != -100]
    whole = len(trained) == len(example["labels"])
    print(f"{line:2}. {len(trained):2} of {len(example['labels'])} tokens:",
          "everything" if whole else repr(tokenizer.decode(trained)))  # fmt: skip
    prepared[line] = example

# %%
lines = (3, 4, 7, 8)
ift.show_batch(
    tokenizer,
    [prepared[line]["input_ids"] for line in lines],
    [prepared[line]["labels"] for line in lines],
    captions=[f"line {line}" for line in lines],
)

# %% [markdown]
# Without a column `completion`, `completion_only_loss=True` changes nothing (2). TRL ends plain
# text with the tokenizer's end (3); a conversation ends as its template says. A completion of
# messages includes the newline after the turn (4). With `messages`, TRL trains on the user's words,
# too, unless you ask for `assistant_only_loss` (6).
# ShareGPT's columns are converted, but the roles `human` and `gpt` stay (8), and a mask is
# refused (9). Rename Alpaca's columns to `prompt` and `completion` (10). Axolotl and
# LLaMA-Factory mask the prompt by default, so check again in another library.

# %%
ift.quiz("02", "writes-the-next-question")

# %% [markdown]
# ## 5. Templates of today's models
#
# Many published templates have no `{% generation %}`. If you set `assistant_only_loss=True`, TRL
# swaps in a training template for the families that it knows. Here is Qwen3's, in the course's
# tokens: first the text as in use, then the labels in training.

# %%
import copy

import trl

templates = Path(trl.__file__).parent / "chat_templates"
print(len(list(templates.glob("*_training.jinja"))), "training templates in TRL", trl.__version__)
qwen = copy.deepcopy(tokenizer)
qwen.chat_template = (templates / "qwen3.jinja").read_text(encoding="utf-8")
thinking = [
    {"role": "user", "content": "What is 2 + 3?"},
    {"role": "assistant", "reasoning_content": "Count on from 2.", "content": "5"},
    {"role": "user", "content": "And 2 + 4?"},
    {"role": "assistant", "reasoning_content": "One more than 5.", "content": "6"},
]
# With add_generation_prompt, enable_thinking=False writes an empty thought for the model.
print(qwen.apply_chat_template(thinking, tokenize=False))
swapped = trainer_for([{"messages": thinking}], qwen, assistant_only_loss=True).train_dataset[0]
edited = copy.deepcopy(qwen)
edited.chat_template += " "  # one character
try:
    trainer_for([{"messages": thinking}], edited, assistant_only_loss=True)
except ValueError as error:
    print("one character more:", error)
ift.show_batch(qwen, [swapped["input_ids"]], [swapped["labels"]])

# %% [markdown]
# TRL recognizes a template by exact comparison, so one more character is an error. In use, Qwen3's
# template deletes earlier thoughts; in training, TRL's variant keeps and trains them, and the
# newline after a turn. The prompt of the second turn is therefore *not* the beginning of what was
# trained. One row of `prompt` and `completion` for each answer, *without* `assistant_only_loss`,
# keeps the original template and avoids that (exercise 02.7). A tool call is trained, and the
# tool's result is not:

# %%
function = {
    "name": "count_letters",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
}
call = {"type": "function", "function": {"name": "count_letters", "arguments": {"word": "owl"}}}
with_tool = [
    {"role": "user", "content": "How many letters does 'owl' have?"},
    {"role": "assistant", "content": "", "tool_calls": [call]},
    {"role": "tool", "name": "count_letters", "content": "3"},
    {"role": "assistant", "content": "Three."},
]
tool_row = {"messages": with_tool, "tools": [{"type": "function", "function": function}]}
called = trainer_for([tool_row], qwen, assistant_only_loss=True).train_dataset[0]
start = called["input_ids"].index(qwen.convert_tokens_to_ids("<|im_end|>")) + 2  # after the system
ift.show_batch(qwen, [called["input_ids"][start:]], [called["labels"][start:]])

# %% [markdown]
# The data has no thoughts, and the training template writes *and trains* empty `<think>` blocks.
# Other templates write a **system turn**, an instruction that stands before the first question, if
# you give none (Qwen2.5), or today's date (Llama 3.2): print the whole text once.
#
# A base model often has no chat template, and its end of text is not the end of a turn. Two
# options of `SFTConfig` change both, in the tokenizer that you pass, if the vocabulary has the
# special tokens. If not, give a model's name as the path: TRL adds that model's tokens, and their
# new embeddings have to be trained (in LoRA: `trainable_token_indices`).

# %%
(folder / "chatml.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
bare = copy.deepcopy(tokenizer)
bare.chat_template = None
print("before:", bare.eos_token, "· template:", bare.chat_template)
trainer_for([{"messages": conversation}], bare,
            chat_template_path=str(folder / "chatml.jinja"), eos_token="<|im_end|>")  # fmt: skip
print("after: ", bare.eos_token, "· template:", bare.chat_template.splitlines()[1], "…")
assert bare.apply_chat_template(conversation)["input_ids"] == row_ids

# %% [markdown]
# ## 6. The data sets
#
# | data set | conversations | made by | license on its card |
# | --- | ---: | --- | --- |
# | Flan | hundreds of millions | tasks in templates | Apache-2.0 (code) |
# | Alpaca | 52,002 | text-davinci-003 | CC BY-NC 4.0 |
# | Dolly 15K | 15,011 | people | CC BY-SA 3.0 |
# | ShareGPT | 53,000 or 90,000, by the copy | users, ChatGPT | unknown |
# | LIMA | 1,030 | people | CC BY-NC-SA or stricter |
# | UltraChat 200K | 207,865 to train | ChatGPT, both sides | MIT |
# | OpenHermes 2.5 | 1,001,551 | mostly GPT-4 | none stated |
# | SmolTalk | 1 million | a mixture | Apache-2.0 (new parts) |
# | Tülu 3 SFT | 939,344 | a mixture | ODC-BY, parts non-commercial |
# | OpenThoughts3 | 1.2 million | QwQ-32B | Apache-2.0 |
#
# The first seven are of 2023, the others of 2024 and 2025; sources and more sets are in
# [docs/datasets.md](../docs/datasets.md). A mixture has the licenses of its parts. You recognize a
# set by its columns; `ift data convert` reads them all. Below the columns are three real rows of
# Dolly. **Would you train on them?**

# %%
import textwrap

from ift_course.data.samples import ROWS

for name in ("OpenHermes", "UltraChat", "Dolly", "ShareGPT", "Flan", "Alpaca", "LIMA"):
    print(f"{name:11}{', '.join(column for column, value in ROWS[name].items() if value)}")

DOLLY = [  # the first rows of databricks-dolly-15k, by Databricks' staff, under CC BY-SA 3.0
    {"instruction": "When did Virgin Australia start operating?",
     "context": "Virgin Australia, the trading name of Virgin Australia Airlines Pty Ltd, is an "
     "Australian-based airline. It is the largest airline by fleet size to use the Virgin brand. "
     "It commenced services on 31 August 2000 as Virgin Blue, with two aircraft on a single "
     "route.[3] It suddenly found itself as a major airline in Australia's domestic market after "
     "the collapse of Ansett Australia in September 2001. The airline has since grown to directly "
     "serve 32 cities in Australia, from hubs in Brisbane, Melbourne and Sydney.[4]",
     "response": "Virgin Australia commenced services on 31 August 2000 as Virgin Blue, with two "
     "aircraft on a single route.",
     "category": "closed_qa"},
    {"instruction": "Which is a species of fish? Tope or Rope", "context": "", "response": "Tope",
     "category": "classification"},
    {"instruction": "Why can camels survive for long without water?", "context": "",
     "response": "Camels use the fat in their humps to keep them filled with energy and hydration "
     "for long periods of time.",
     "category": "open_qa"},
]  # fmt: skip
for number, row in enumerate(DOLLY, start=1):
    print(f"\nrow {number}")
    for column, value in row.items():
        print(textwrap.fill(f"{column:12}{value or '(empty)'}", 94, subsequent_indent=" " * 12))

# %% [markdown]
# Row 1 keeps reference marks of Wikipedia, [3] and [4]. Row 2 is one word. Row 3 is half right at
# best: the fat stores energy, but camels save water by other means. Read raw rows before you train
# on them (lesson 09).
#
# ## 7. Packing
#
# The **collator** makes a rectangular batch of examples and fills it with **padding**: tokens
# without a label that cost as much as any other. **Packing** puts several examples into one
# *sequence*, best-fit decreasing: the longest first, each into the fullest sequence that still has
# room.

# %%
from ift_course.data import course_set


def pack(examples: list[dict], capacity: int) -> list[dict]:
    sequences = []
    for example in sorted(examples, key=lambda example: -len(example["input_ids"])):
        size = len(example["input_ids"])
        room = [s for s in sequences if len(s["input_ids"]) + size <= capacity]
        if not room:
            room = [{"input_ids": [], "labels": [], "position_ids": []}]
            sequences += room
        best = max(room, key=lambda sequence: len(sequence["input_ids"]))
        best["input_ids"] += example["input_ids"]
        best["labels"] += example["labels"]
        best["position_ids"] += range(size)  # they restart at 0
    return sequences


columns = [{"messages": item["messages"]} for item in course_set.load("train")[:12]]
examples = list(trainer_for(columns, assistant_only_loss=True).train_dataset)
lengths = [len(example["input_ids"]) for example in examples]
capacity = max(lengths)
ours = pack(examples, capacity)
figures.packing(lengths, capacity)

# %% [markdown]
# TRL has three strategies for packing, and `padding_free`, which packs whatever is in a batch. In
# the first table one more example is too long. **Predict:** which lines lose tokens, and which
# line of the second table mixes examples?

# %%
import torch
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(base.name_or_path, dtype=torch.float32).eval()
too_long = {"messages": [conversation[0], {"role": "assistant", "content": "hoot " * capacity}]}
options = {"assistant_only_loss": True, "per_device_train_batch_size": len(columns)}
ways = {
    "padded": {"max_length": capacity},
    "bfd": {"max_length": capacity, "packing": True},
    "bfd_split": {"max_length": capacity, "packing": True, "packing_strategy": "bfd_split"},
    "wrapped": {"max_length": capacity, "packing": True, "packing_strategy": "wrapped"},
    "padding_free": {"max_length": None, "padding_free": True},
}
remarks.clear()
print("with an example that is too long")
for name, way in ways.items():
    rows = trainer_for([*columns, too_long], **way, **options).train_dataset
    print(f"{name:13}{len(rows):3} sequences, {sum(len(r['input_ids']) for r in rows)} tokens kept")
print("\nwithout it")
losses, batches = {}, {}
for name, way in ways.items():
    batch = next(iter(trainer_for(columns, **way, **options).get_train_dataloader()))
    inputs = {k: v for k, v in batch.items() if k in ("input_ids", "labels", "position_ids")}
    with torch.no_grad():
        losses[name] = model(**inputs, use_cache=False).loss.item()
    batches[name] = batch
    shape = " × ".join(map(str, batch["input_ids"].shape))
    print(f"{name:13}batch of {shape:8}  loss {losses[name]:.4f}")
print("remarks of TRL and transformers:", remarks or "none")
mixed = losses.pop("wrapped")
assert max(losses.values()) - min(losses.values()) < 1e-3 < abs(mixed - losses["padded"])
assert len(ours) == len(trainer_for(columns, **ways["bfd"], **options).train_dataset)

# %% [markdown]
# `bfd`, the default, truncates what is too long, as padding does. `bfd_split` keeps all tokens,
# but the rest of a cut answer becomes an example without a question. `wrapped` cuts wherever a
# sequence is full; only its loss differs, because examples are cut and read their neighbors. The
# others without padding are *one* long sequence.
#
# ### Does an example see its neighbor?
#
# A *block-diagonal attention mask* keeps examples apart.

# %%
figures.block_mask([3, 2])

# %% [markdown]
# TRL passes positions that restart at 0, and no mask. `transformers` derives the borders from them,
# but only if no mask is passed and the key-value cache is off. Earlier versions of TRL warned that
# packing without flash attention "may lead to cross-contamination" ([quoted
# here](https://github.com/unslothai/unsloth/issues/2838)). **Predict** in which lines packed
# examples differ from the same alone by more than rounding (0.01):
#
# 1. restarted positions, sdpa (PyTorch's fused attention)
# 2. restarted positions, eager (attention in plain PyTorch)
# 3. a block-diagonal mask, no positions
# 4. neither (naive packing)
# 5. restarted positions, cache on
# 6. restarted positions, an attention mask of ones

# %%
from itertools import pairwise

ids, positions = (batches["bfd"][name] for name in ("input_ids", "position_ids"))
starts = [*(positions[0] == 0).nonzero().flatten().tolist(), ids.shape[1]]
number = (positions == 0).cumsum(-1)  # of the example that a token belongs to
blocks = (number[:, None, :, None] == number[:, None, None, :]).tril()
eager = AutoModelForCausalLM.from_pretrained(base.name_or_path, dtype=torch.float32,
                                             attn_implementation="eager").eval()  # fmt: skip


@torch.no_grad()
def distance(model, use_cache: bool = False, **inputs) -> float:
    packed = model(ids, use_cache=use_cache, **inputs).logits[0]
    alone = [model(ids[:, a:b], use_cache=False).logits[0] for a, b in pairwise(starts)]
    return (packed - torch.cat(alone)).abs().max().item()


differences = [
    distance(model, position_ids=positions),
    distance(eager, position_ids=positions),
    distance(model, attention_mask=blocks),
    distance(model),
    distance(model, position_ids=positions, use_cache=True),
    distance(model, position_ids=positions, attention_mask=torch.ones_like(ids)),
]
for line, value in enumerate(differences, start=1):
    print(f"{line}. largest difference of a logit: {value:.1e}")
assert max(differences[:3]) < 0.01 < min(differences[3:])

# %% [markdown]
# The mask alone suffices (3), because rotary positions count distances only; large ones round more.
# For softmax attention without mask and cache, the old warning no longer holds. On a GPU,
# `attn_implementation="flash_attention_2"` makes packing faster, not safer. The cache is **on by
# default**, and lines 5 and 6 raise no error. TRL switches it off; in your own loop, do it
# yourself.

# %%
ift.quiz("02", "packed-logits-differ")

# %% [markdown]
# **Claim: packed examples, kept apart, train the same model.** Predicted: if a padded and a packed
# run see the same examples in the same steps, their held-out scores differ by less than 0.05.

# %%
from ift_course.lessons.lesson_02 import experiment  # in that file: runs of lesson 01's loop

runs = ift.each_seed(experiment.padded_and_packed, profile.seeds)
for name in ("padded", "packed", "packed, mixed"):
    tokens, steps = (fmean(run[cost][name] for run in runs) for cost in ("tokens", "steps"))
    print(f"{name:14} {steps:.0f} steps, {tokens:6.0f} tokens computed, "
          f"{runs[0]['seconds'][name]:.0f} s; score {fmean(fmean(run[name]) for run in runs):.2f}, "
          f"loss at most {max(run['apart'][name] for run in runs):.4f} from padded")  # fmt: skip
ift.claim(
    "02.packing-changes-nothing",
    "Packed examples, kept apart, train the same model as padded ones.",
    subject=5,
    source="Krell et al. 2021, arXiv:2107.02027, for BERT's pretraining",
    metric="strict accuracy on held-out entities, padded minus packed",
    arms={name: [run[name] for run in runs] for name in ("padded", "packed")},
    effect=("padded", "packed"),
    at_least=-0.05,
    at_most=0.05,
)

# %% [markdown]
# The losses show at once whether examples were kept apart; the scores need not. Packing saves few
# tokens here, because these examples are about equally long. Usually the batch size counts
# *sequences*, and packing means fewer steps on more examples each.
#
# ## 8. The recipe in today's API
#
# Many tutorials follow Zephyr's recipe: `SFTTrainer`, Mistral 7B, UltraChat, packing. If one no
# longer runs:
#
# | in the tutorials | today (TRL 1.16, transformers 5.23) | if you leave it |
# | --- | --- | --- |
# | `tokenizer=` | `processing_class=` | TypeError |
# | `max_seq_length=` | `max_length=` in `SFTConfig` | TypeError |
# | `evaluation_strategy=` | `eval_strategy=` | TypeError |
# | `warmup_ratio=0.03` | `warmup_steps=0.03` | TypeError |
# | `DataCollatorForCompletionOnlyLM` | `completion`, `assistant_only_loss` | ImportError |
# | `setup_chat_format(…)` | `chat_template_path=`, `eos_token=` | ImportError |
# | `apply_chat_template` gives ids | a dictionary; take `["input_ids"]` | wrong labels, silently |
#
# A small stand-in runs here. **Gradient accumulation** adds up the gradients of four micro-batches
# before each step. UltraChat's column `prompt` is dropped, because TRL would take it for a pair's.

# %%
from transformers import PrinterCallback

chats = experiment.ultrachat_rows(profile.seeds[0])
recipe_model = AutoModelForCausalLM.from_pretrained(base.name_or_path, dtype=torch.float32)
before, number = experiment.accuracy(recipe_model, tokenizer, profile.seeds[0])
gpu = torch.cuda.is_available()
trainer = SFTTrainer(
    model=recipe_model,
    args=SFTConfig(
        str(folder / "recipe"),
        max_length=128,  # 2048 in the recipe
        packing=True,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=4,
        num_train_epochs=3,
        learning_rate=2e-4,  # the learning rate is 2e-5 in the recipe
        lr_scheduler_type="cosine",
        warmup_steps=0.05,
        assistant_only_loss=True,
        activation_checkpointing=False,  # True saves memory in a large model
        use_cpu=not gpu,
        bf16=gpu and torch.cuda.is_bf16_supported(),
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    ),
    train_dataset=Dataset.from_list(chats).select_columns("messages"),
    processing_class=tokenizer,
)
trainer.remove_callback(PrinterCallback)
trainer.train()
trainer.save_model(folder / "tuned")

history = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
tuned = AutoModelForCausalLM.from_pretrained(folder / "tuned")
after, _ = experiment.accuracy(tuned, tokenizer, profile.seeds[0])
print(f"{len(chats)} conversations, {len(history)} steps; unpacked {len(chats) * 3 // 4} steps")
print(f"loss {history[0]:.2f} → {history[-1]:.2f}, {number} held-out questions: "
      f"{before:.0%} → {after:.0%} right")  # fmt: skip
prompt = tokenizer.apply_chat_template(conversation[:1], add_generation_prompt=True,
                                       return_tensors="pt")  # fmt: skip
output = tuned.generate(**prompt, max_new_tokens=20, do_sample=False)
print(tokenizer.decode(output[0]))

# %% [markdown]
# ## 9. Silent failures
#
# ### A template that marks too little
#
# TRL now refuses the first template below and warns of the second; your own loop does neither. The
# failures after these are silent in TRL, too.

# %%
unmarked, endless = copy.deepcopy(tokenizer), copy.deepcopy(tokenizer)
for mark in ("{% generation %}", "{% endgeneration %}"):
    unmarked.chat_template = unmarked.chat_template.replace(mark, "")
endless.chat_template = tokenizer.chat_template.replace(
    " + '<|im_end|>' }}{% endgeneration %}", " }}{% endgeneration %}{{ '<|im_end|>' }}"
)
mask = unmarked.apply_chat_template(conversation, return_assistant_tokens_mask=True)
print("no generation block, transformers:", sum(mask["assistant_masks"]), "trained tokens")
for name, broken in {"no generation block": unmarked, "end outside of it": endless}.items():
    try:
        example = trainer_for([{"messages": conversation}], broken, assistant_only_loss=True)
        trained = sum(label != -100 for label in example.train_dataset[0]["labels"])
        print(f"{name}, TRL: {trained} trained tokens")
    except ValueError as error:
        print(f"{name}, TRL: ValueError: {error}")

# %% [markdown]
# ### The end is never learned
#
# If the padding token is also the end of the turn, a collator that masks all padding, such as
# that of `transformers`, masks every end. **Predict:** does a model tuned without a trained end
# still find the right word, and does it ever stop?

# %%
from transformers import DataCollatorForLanguageModeling

padded_with_end = copy.deepcopy(tokenizer)
padded_with_end.pad_token = "<|im_end|>"
end = tokenizer.convert_tokens_to_ids("<|im_end|>")
batch = DataCollatorForLanguageModeling(padded_with_end, mlm=False)([{"input_ids": row_ids}])
in_labels = (batch["labels"] == end).sum().item()
print(f"ends in the ids: {row_ids.count(end)}, in the labels: {in_labels}\n")

runs = ift.each_seed(experiment.with_and_without_end, profile.seeds)
for name in runs[0]:
    scores = [run[name] for run in runs]
    print(f"{name}: right word {experiment.share(scores, 'right word'):.2f}, "
          f"stops {experiment.share(scores, 'ended'):.2f}, "
          f"strictly right {experiment.share(scores, 'strict'):.2f}; "
          f"stopped by {scores[0]['ended by']}")  # fmt: skip
for question, answer in runs[0]["end masked"]["answers"][:2]:
    print(f"    {question!r} → {answer!r}")

# %% [markdown]
# Without a trained end, the right word is mostly followed by more text.
#
# ### Training with one template, asking with another
#
# **Claim: this model, tuned in ChatML, answers worse when asked in Alpaca's format.** Predicted:
# at least 0.05 worse. And if only the line that opens the assistant's turn is forgotten?

# %%
from IPython.display import display

runs = ift.each_seed(experiment.in_each_format, profile.seeds)
for trained in runs[0]:
    for asked in runs[0][trained]:
        scores = [run[trained][asked] for run in runs]
        shares = (f"{what} {experiment.share(scores, what):.2f}" for what in scores[0])
        print(f"tuned in {trained:6} asked in {asked:19}", ", ".join(shares))
by_format = {name: [run["ChatML"][name]["strict"] for run in runs] for name in runs[0]["ChatML"]}
print("ChatML minus not opened:",
      experiment.difference(by_format["ChatML"], by_format["ChatML, not opened"]))  # fmt: skip
display(figures.formats(by_format))
ift.claim(
    "02.same-template",
    "This model, tuned in ChatML, answers worse when asked in Alpaca's format.",
    subject=3,
    source="measured here; related, on formats of few-shot prompts: Sclar et al. 2023",
    metric="strict accuracy on held-out entities, ChatML minus Alpaca's format",
    arms={"as trained": by_format["ChatML"], "Alpaca's format": by_format["Alpaca"]},
    effect=("as trained", "Alpaca's format"),
    at_least=0.05,
)

# %% [markdown]
# Neither format is worse by itself: each model does well in its own. The forgotten opening did no
# harm here. Do not count on it.
#
# ### Two beginnings, and rows that vanish
#
# If the template writes a begin-of-text token and the tokenizer adds one, formatting and encoding
# in two steps gives two. And TRL drops an example that truncation leaves without a label.

# %%
from tokenizers.processors import TemplateProcessing

begins = copy.deepcopy(tokenizer)
begins.add_special_tokens({"bos_token": "<s>"})
begins.chat_template = "{{ bos_token }}" + tokenizer.chat_template
begins.backend_tokenizer.post_processor = TemplateProcessing(
    single="<s> $A", special_tokens=[("<s>", begins.bos_token_id)]
)
two_steps = begins(begins.apply_chat_template(conversation, tokenize=False))["input_ids"]
one_step = begins.apply_chat_template(conversation)["input_ids"]
for name, ids in {"two steps": two_steps, "one step": one_step}.items():
    print(f"{name:9} begins with {[begins.decode([id_]) for id_ in ids[:3]]}")

long_prompt = {"messages": [{"role": "user", "content": "Repeat. " * 40}, conversation[1]]}
for length in (256, 64):
    used = trainer_for([columns[0], long_prompt], max_length=length, assistant_only_loss=True)
    print(f"at most {length:3} tokens: 2 rows in, {len(used.train_dataset)} used")

# %% [markdown]
# ### Before you train
#
# - Print one example with its labels.
# - The share of trained tokens is neither 0 nor 100 %.
# - The end of each answer has a label.
# - The prompt is the beginning of an example and ends where a trained token begins.
# - At most one begin-of-text token.
# - Rows in = rows used + rows dropped.
#
# ## Questions

# %%
ift.quiz("02", "weight-of-a-record", "same-template", "license-of-a-copy")

# %% [markdown]
# **An open question.** A colleague's chat model, tuned with TRL on ShareGPT rows, sometimes
# writes `human` and then a question of its own. How do you find the cause, and what do you
# change? A point each for: an example with its labels first; two causes; a check for each; a
# repair of data or settings, not of the output.
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Seven functions, the last one at work in TRL's trainer:
# [exercises/02_dataset_formatting.ipynb](../exercises/02_dataset_formatting.ipynb)
#
# ## To read
#
# - Ding et al. 2024, *Fewer Truncations Improve Language Modeling*,
#   [arXiv:2404.10830](https://arxiv.org/abs/2404.10830).
# - Krell et al. 2021, *Efficient Sequence Packing without Cross-contamination*,
#   [arXiv:2107.02027](https://arxiv.org/abs/2107.02027).
# - Sclar et al. 2023, *Quantifying Language Models' Sensitivity to Spurious Features in Prompt
#   Design*, [arXiv:2310.11324](https://arxiv.org/abs/2310.11324).
