# %% [markdown]
# # Dataset formatting
#
# {{ badge }}
#
# Between a data set and a model stand a chat template, a tokenizer, a loss mask and a collator.
# Most bugs of instruction tuning live there, and hardly any raises an error. At the end you can
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
# ## 1. A real moment: one token
#
# Gemma 3 270M, a real base model, was tuned twice on the same 48 examples. Both runs read exactly
# the same tokens. In the second run, one token of each answer had no label: the end of the turn.
# **Predict, before you look:** what will the second model's answers be like?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("02")

# %% [markdown]
# Without a trained end, most answers run on until they are cut off ("…"). No error was raised, and
# the training loss of that run even ended lower. This lesson takes the path from a row to its
# labels apart, so that you can find such a bug.
#
# ## 2. From a row to labels, by hand
#
# Four steps lead from a row to what a trainer needs. The row becomes a **conversation** of turns
# with roles. A **chat template** writes it as one text, with special tokens that say who speaks. A
# **tokenizer** cuts the text into ids. A **loss mask** says which ids the model learns to produce.
#
# In this toy, a token is a word. Every piece of text is written together with its mask, so the two
# cannot drift apart.

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
for id_, label in zip(ids, labels, strict=True):
    print(f"{words[id_]:>14}  id {id_}   label {label}")

# %% [markdown]
# PyTorch's cross-entropy ignores the label −100. Only the answer and the end of its turn are
# trained. We write `<|assistant|>` ourselves, in training and in use, so the model need not produce
# it. It *must* produce the end, or it never stops.

# %%
ift.quiz("02", "mask-with-the-tokens")

# %% [markdown]
# ## 3. The chat template
#
# A chat template is a small Jinja program that travels with the tokenizer. This one is ChatML. The
# text between `generation` and `endgeneration` is the assistant's, and the mask comes from there.
# `apply_chat_template` returns a dictionary since transformers 5.

# %%
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

conversation = [
    {"role": "user", "content": "Name the sound of the owl."},
    {"role": "assistant", "content": "hoot"},
    {"role": "user", "content": "What is the opposite of hot?"},
    {"role": "assistant", "content": "cold"},
]
by_hand = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in conversation)
assert by_hand == tokenizer.apply_chat_template(conversation, tokenize=False)
encoded = tokenizer.apply_chat_template(conversation, return_assistant_tokens_mask=True)
print(by_hand, {name: len(values) for name, values in encoded.items()})

# %% [markdown]
# The template of training must be the template of use: the prompt you ask with has to be, token for
# token, the beginning of what was trained.

# %%
asked = tokenizer.apply_chat_template(conversation[:3], add_generation_prompt=True)["input_ids"]
assert encoded["input_ids"][: len(asked)] == asked
print(
    repr(tokenizer.decode(asked[-12:])), "← the end of the prompt, and of what was trained so far"
)

# %% [markdown]
# The menus show the formats of five families. The *tokens* are always the course's, because no
# other tokenizer is shipped here. Alpaca's headings are ordinary text, which any user can type,
# too.

# %%
from ift_course.lessons.lesson_02 import figures

figures.explore(tokenizer)

# %% [markdown]
# ## 4. Which tokens does TRL train?
#
# `SFTTrainer` looks at the columns and decides what gets a label. This is all you need to see it:

# %%
import logging
import tempfile
import warnings
from pathlib import Path

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

warnings.filterwarnings("ignore", message="`gradient_checkpointing` is deprecated")  # TRL's default
folder = Path(tempfile.mkdtemp())
said = []  # what TRL writes into its log


class Listen(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said.append(record.getMessage())
        print("TRL says:", said[-1])


logging.getLogger("trl").addHandler(Listen())


def trainer_for(rows: list[dict], tokenizer=tokenizer, **options) -> SFTTrainer:
    logging.getLogger("trl").setLevel(logging.WARNING)
    config = SFTConfig(str(folder / "trl"), use_cpu=True, bf16=False, report_to="none", **options)
    return SFTTrainer(model=base, args=config, train_dataset=Dataset.from_list(rows),
                      processing_class=tokenizer)  # fmt: skip


theirs = trainer_for([{"messages": conversation}], assistant_only_loss=True).train_dataset[0]
pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
assert theirs["labels"] == [id_ if trained else -100 for id_, trained in pairs]
print("TRL's labels equal those from the mask on all", len(theirs["labels"]), "tokens")

# %% [markdown]
# **Predict first.** For each line below, write down: all tokens, the answer, or an error? Three of
# them surprise most people.

# %%
question, answer = conversation[0]["content"] + "\n", conversation[1]["content"]
turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
text = {"text": question + answer}
pair = {"prompt": question, "completion": answer}
chat_pair = {"prompt": conversation[:3], "completion": conversation[3:]}
cases = [
    ("text", text, {}),
    ("text", text, {"completion_only_loss": True}),
    ("prompt, completion", pair, {}),
    ("prompt, completion", pair, {"completion_only_loss": False}),
    ("prompt, completion of messages", chat_pair, {}),
    ("prompt, completion of messages", chat_pair, {"assistant_only_loss": True}),
    ("messages", {"messages": conversation}, {}),
    ("messages", {"messages": conversation}, {"completion_only_loss": True}),
    ("messages", {"messages": conversation}, {"assistant_only_loss": True}),
    ("conversations of from, value", {"conversations": turns}, {}),
    ("conversations of from, value", {"conversations": turns}, {"assistant_only_loss": True}),
    ("instruction, output", {"instruction": question, "output": answer}, {}),
]
prepared = {}
for layout, example, options in cases:
    option = ", ".join(f"{k}={v}" for k, v in options.items()) or "default"
    try:
        tokens = trainer_for([example], **options).train_dataset[0]
    except (KeyError, ValueError) as error:
        print(f"{layout:31}{option:28}{type(error).__name__}: {str(error)[:70]}")
        continue
    trained = [label for label in tokens["labels"] if label != -100]
    share = (
        "everything" if len(trained) == len(tokens["labels"]) else repr(tokenizer.decode(trained))
    )
    print(f"{layout:31}{option:28}{len(trained):2} of {len(tokens['labels'])}: {share}")
    prepared[f"{layout} · {option}: {len(trained)} of {len(tokens['labels'])} tokens"] = tokens

# %%
picked = [name for name in prepared if "=" not in name or "messages · assistant" in name]
ift.show_batch(
    tokenizer,
    [prepared[name]["input_ids"] for name in picked],
    [prepared[name]["labels"] for name in picked],
    captions=picked,
)

# %% [markdown]
# Read it line by line. With `prompt` and `completion` TRL masks the prompt unless you forbid it.
# With `messages` it trains the user's words, too, unless you ask for `assistant_only_loss`. On data
# without a completion, `completion_only_loss=True` is accepted and changes nothing. ShareGPT's
# columns are trained as they are, with the roles `human` and `gpt`, which no chat model knows;
# their mask is refused. A completion of messages includes the newline after the end of the turn,
# which the model never needs to write. Axolotl and LLaMA-Factory mask the prompt by default, so
# check again when you change the library.

# %%
ift.quiz("02", "repeats-the-question")

# %% [markdown]
# ## 5. Templates of today's models
#
# Many published templates have no `{% generation %}`. For the families that it knows, TRL swaps in
# a training template as soon as you set `assistant_only_loss=True`; it recognizes the original by
# exact comparison. Below is Qwen3's own template, from TRL's package. The tokens are again the
# course's: Qwen's tokenizer has one id for `<think>`, ours needs several.

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
print(qwen.apply_chat_template(thinking, tokenize=False))
swapped = trainer_for([{"messages": thinking}], qwen, assistant_only_loss=True).train_dataset[0]
ift.show_batch(qwen, [swapped["input_ids"]], [swapped["labels"]])

# %% [markdown]
# In use (the text), Qwen3's template deletes the first thought once the conversation has moved on.
# In training (the boxes), TRL's variant keeps and trains both. So the prompt of the second turn is
# *not* the beginning of what was trained. One row for each answer avoids that (exercise 02.7). A
# tool call is trained, and the tool's result is not:

# %%
function = {
    "name": "count_letters",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
}
call = {"type": "function", "function": {"name": "count_letters", "arguments": {"word": "owl"}}}
with_tool = [
    {"role": "user", "content": "How many letters has owl?"},
    {"role": "assistant", "content": "", "tool_calls": [call]},
    {"role": "tool", "name": "count_letters", "content": "3"},
    {"role": "assistant", "content": "Three."},
]
tool_row = {"messages": with_tool, "tools": [{"type": "function", "function": function}]}
called = trainer_for([tool_row], qwen, assistant_only_loss=True).train_dataset[0]
start = called["input_ids"].index(qwen.convert_tokens_to_ids("<|im_end|>")) + 2  # after the system
ift.show_batch(qwen, [called["input_ids"][start:]], [called["labels"][start:]])

# %% [markdown]
# Look at the empty `<think>` blocks: the data has no thoughts, and the training template writes
# *and trains* empty ones. A base model often has no chat template at all, and its end of text is
# not the end of a turn. Two options of `SFTConfig` repair both, without any code of your own:

# %%
(folder / "chatml.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
bare = copy.deepcopy(tokenizer)
bare.chat_template, bare.eos_token = None, tokenizer.pad_token
print("before:", bare.eos_token, "· template:", bare.chat_template)
trainer_for(
    [{"messages": conversation}],
    bare,
    chat_template_path=str(folder / "chatml.jinja"),  # or the name of a model to copy it from
    eos_token="<|im_end|>",
)
print("after: ", bare.eos_token, "· template:", bare.chat_template.splitlines()[1], "…")
assert bare.apply_chat_template(conversation)["input_ids"] == encoded["input_ids"]

# %% [markdown]
# ## 6. The data sets
#
# | data set | conversations | made by | license on its card |
# | --- | ---: | --- | --- |
# | Alpaca (2023) | 52,002 | text-davinci-003 | CC BY-NC 4.0 |
# | Dolly 15K | 15,011 | people | CC BY-SA 3.0 |
# | ShareGPT | about 53,000 or 90,000 | users and ChatGPT | the uploaders', who do not own it |
# | UltraChat 200K | 207,865 | ChatGPT on both sides | MIT |
# | OpenHermes 2.5 | 1,001,551 | models, mostly GPT-4 | none stated |
# | LIMA | 1,030 | people | CC BY-NC-SA or stricter |
# | Flan | hundreds of millions | academic tasks in templates | Apache-2.0 for the code |
# | WildChat-1M (2024) | 1 million | users and ChatGPT | ODC-BY |
# | Magpie Llama-3.1 Pro MT | 300,000 | Llama 3.1 70B, prompts included | Llama 3.1 |
# | SmolTalk | 1 million | models and older sets | Apache-2.0 for its new parts |
# | Tülu 3 SFT mixture | 939,344 | a mixture of many sets | ODC-BY, parts non-commercial |
# | OpenThoughts3 (2025) | 1.2 million | QwQ-32B, with reasoning | Apache-2.0 |
#
# [docs/datasets.md](../docs/datasets.md) says where each figure was read. Today's large sets are
# *mixtures*, and so are their licenses. The columns give a set away, so one function reads them
# all, and names its repairs.

# %%
from ift_course.data.samples import ROWS
from ift_course.data.schemas import parse_row

scraped = {"conversations": [{"from": "gpt", "value": "… and that is all."}, *turns, turns[0]]}
seven = ("OpenHermes", "UltraChat", "Dolly", "ShareGPT", "Flan", "Alpaca", "LIMA")
for name, sample in {**{name: ROWS[name] for name in seven}, "scraped": scraped}.items():
    parsed = parse_row(sample)
    print(f"{name:11}{', '.join(k for k, v in sample.items() if v)[:44]:46}"
          f"{len(parsed.record.turns)} turns  {'; '.join(parsed.repairs)}")  # fmt: skip
assert len({parse_row(ROWS[name]).record.turns for name in seven}) == 1

# %% [markdown]
# On files it is `ift data convert FILE --out OUT`, which keeps rejected rows, with the reason.
#
# **Read before you filter.** The course set has 200 raw rows, written in imitation of scraped ones,
# because no public set may be shipped. Here are ten. **Which of them would you train on?** Note
# their numbers first.

# %%
from ift_course.data import course_set

raw = course_set.load("raw")
shown = raw[4:14]
for number, item in enumerate(shown, start=1):
    print(f"{number:2}. {item['instruction'][:96]} {item['input'][:40]}")
    print(f"    → {item['output'][:130]!r}")

# %% [markdown]
# Now the labels, and a cleaner of five rules. How much of each flaw does it find in all 200 rows?

# %%
import re
from collections import Counter

print("the ten:", ", ".join(f"{n} {row['flaw'] or 'good'}" for n, row in enumerate(shown, 1)), "\n")
rules = {
    "markup": lambda row: re.search(r"<[a-z/!][^>]*>|&[a-z#0-9]+;", row["output"]),
    "mojibake": lambda row: re.search("Ã|â€|Â", row["instruction"] + row["output"]),
    "no answer": lambda row: not row["output"].strip(),
    "no end": lambda row: row["output"].strip()[-1:].isalnum() and len(row["output"]) > 60,
    "a copy": lambda row: (row["instruction"], row["input"], row["output"]) in seen,
}
total, flagged, seen = Counter(), Counter(), set()
for item in raw:
    flaw = item["flaw"] or "good rows"
    total[flaw] += 1
    flagged[flaw] += any(rule(item) for rule in rules.values())
    seen.add((item["instruction"], item["input"], item["output"]))
for flaw, number in sorted(total.items(), key=lambda x: -flagged[x[0]] / x[1]):
    print(f"{flaw:22}{flagged[flaw]:3} of {number}")
missed = sum(total.values()) - total["good rows"] - sum(flagged.values()) + flagged["good rows"]
print(f"\nflawed rows that pass all rules: {missed}; good rows flagged: {flagged['good rows']}")

# %% [markdown]
# Rules find what is wrong with the *form*. Whether an answer is true, complete or beside the
# question shows only to a reader. Lesson 03 measures what such rows cost.
#
# ## 7. Packing
#
# Examples differ in length, and a batch is a rectangle. **Padding** fills the rest with tokens that
# cost as much as any other. **Packing** puts several examples into one sequence, best-fit
# decreasing: the longest first, each into the fullest sequence that still has room.

# %%
columns = [{"messages": item["messages"]} for item in course_set.load("train")[:12]]
lengths = [len(tokenizer.apply_chat_template(x["messages"])["input_ids"]) for x in columns]
capacity = max(lengths)
figures.packing(lengths, capacity)

# %% [markdown]
# TRL has three strategies, and `padding_free`, which packs whatever is in a batch. Here one example
# is too long. **Predict:** which strategy loses tokens, and which one mixes examples?

# %%
import torch

too_long = {"messages": [conversation[0], {"role": "assistant", "content": "hoot " * capacity}]}
options = {"assistant_only_loss": True, "per_device_train_batch_size": len(columns)}
ways = {
    "padded": {"max_length": capacity},
    "packed, bfd": {"max_length": capacity, "packing": True},
    "packed, bfd_split": {"max_length": capacity, "packing": True, "packing_strategy": "bfd_split"},
    "packed, wrapped": {"max_length": capacity, "packing": True, "packing_strategy": "wrapped"},
    "padding_free": {"max_length": None, "padding_free": True},
}
base.eval()
losses, batches = {}, {}
said.clear()
for name, way in ways.items():
    rows = trainer_for([*columns, too_long], **way, **options).train_dataset
    kept = sum(len(row["input_ids"]) for row in rows)
    trainer = trainer_for(columns, **way, **options)  # without the long one, for a comparison
    batch = next(iter(trainer.get_train_dataloader()))
    inputs = {k: v for k, v in batch.items() if k in ("input_ids", "labels", "position_ids")}
    with torch.no_grad():
        losses[name] = base(**inputs, use_cache=False).loss.item()
    batches[name] = batch
    shape = " × ".join(map(str, batch["input_ids"].shape))
    print(f"{name:18}{len(rows):3} sequences, {kept} tokens kept; batch of {shape:8}, "
          f"loss {losses[name]:.4f}")  # fmt: skip
print("TRL's remarks on these runs:", said or "none")
mixed = losses.pop("packed, wrapped")
assert max(losses.values()) - min(losses.values()) < 1e-3 < abs(mixed - losses["padded"])

# %% [markdown]
# `bfd`, the default, truncates what is too long, as padding does. `bfd_split` keeps all tokens, but
# the rest of a cut answer becomes an example without a question. `wrapped` fills every sequence to
# the brim and cuts wherever it must; only its loss differs, because examples are cut and read their
# neighbors. `padding_free` refuses a `max_length`, so you have to truncate yourself. Packed and
# padding-free batches are flattened into *one* long sequence.
#
# ### Does an example see its neighbor?
#
# Two things keep examples apart: **positions** that restart at 0, and an **attention mask** that is
# block-diagonal.

# %%
figures.block_mask([3, 2])

# %% [markdown]
# Earlier versions of TRL warned: "You are using packing, but the attention implementation is not
# set to 'flash_attention_2'. … may lead to cross-contamination" ([quoted
# here](https://github.com/unslothai/unsloth/issues/2838)). What the installed version remarks
# stands in the output above. Who is right? Compute each example alone and packed, and compare the
# logits. **Predict** which of the four lines are not zero.

# %%
from itertools import pairwise

from transformers import AutoModelForCausalLM

ids, positions = (batches["packed, bfd"][name] for name in ("input_ids", "position_ids"))
starts = [*(positions[0] == 0).nonzero().flatten().tolist(), ids.shape[1]]
eager = AutoModelForCausalLM.from_pretrained(
    base.name_or_path, attn_implementation="eager", dtype=base.dtype
)


@torch.no_grad()
def distance(model, **inputs) -> float:
    packed = model(ids, **inputs).logits[0]
    alone = [model(ids[:, a:b], use_cache=False).logits[0] for a, b in pairwise(starts)]
    return (packed - torch.cat(alone)).abs().max().item()


kept_apart = {
    "sdpa, restarted positions": distance(base, position_ids=positions, use_cache=False),
    "eager, restarted positions": distance(eager, position_ids=positions, use_cache=False),
}
together = {
    "sdpa, no positions (naive)": distance(base, use_cache=False),
    "sdpa, positions, cache on": distance(base, position_ids=positions, use_cache=True),
}
for name, value in {**kept_apart, **together}.items():
    print(f"{name:28} largest difference of a logit: {value:.1e}")
assert max(kept_apart.values()) < 1e-3 < min(together.values())

# %% [markdown]
# The old warning is too strict for `transformers` today: without flash attention, restarted
# positions keep the examples apart. It holds for naive packing. The last line is a trap: with a
# key-value cache `transformers` ignores the restarts, and the cache is **on by default**. TRL
# switches it off; in a loop of your own, do it yourself.

# %%
ift.quiz("02", "packed-logits-differ")

# %% [markdown]
# **Claim: packing changes the cost, not the result.** Predicted: the held-out scores of a padded
# and a packed run, which see the same examples in the same steps, differ by less than 0.05.

# %%
from ift_course.lessons.lesson_02 import experiment

runs = ift.each_seed(experiment.padded_and_packed, profile.seeds)
print(f"largest difference of the loss in any step: {max(run['apart'] for run in runs):.4f}")
ift.claim(
    "02.packing-changes-nothing",
    "Packing with separated records gives the model that padding gives.",
    subject=5,
    source="Krell et al. 2021, arXiv:2107.02027; Ding et al. 2024, arXiv:2404.10830",
    metric="strict accuracy on held-out entities, padded minus packed",
    arms={name: [run[name] for run in runs] for name in ("padded", "packed")},
    effect=("padded", "packed"),
    at_least=-0.05,
    at_most=0.05,
)

# %% [markdown]
# ## 8. The recipe in today's API
#
# A recipe of many tutorials: `SFTTrainer`, a Llama of 7 or 8 billion parameters, UltraChat,
# packing, a learning rate of 2e-5. Look here if one of them no longer runs:
#
# | in the tutorials | today (TRL 1.16, transformers 5.23) | if you leave it |
# | --- | --- | --- |
# | `tokenizer=` | `processing_class=` | TypeError |
# | `max_seq_length=` | `max_length=` in `SFTConfig` | TypeError |
# | `evaluation_strategy=` | `eval_strategy=` | TypeError |
# | `warmup_ratio=0.03` | `warmup_steps=0.03` | TypeError |
# | `DataCollatorForCompletionOnlyLM` | `completion`, `assistant_only_loss` | ImportError |
# | `setup_chat_format(…)` | `chat_template_path=`, `eos_token=` | ImportError |
# | defaults on a CPU | `use_cpu=True, bf16=False` | ValueError, or very slow |
# | `apply_chat_template` gives ids | a dictionary; take `["input_ids"]` | wrong labels, silently |
# | `PPOTrainer` | removed; `GRPOTrainer`, `RLOOTrainer` | ImportError |
# | `use_liger_kernel=True` | `model_init_kwargs={"use_kernels": True}` | removed in TRL 2 |
# | all logits in memory | `loss_type="nll"` is chunked; new: `"dft"` | memory overestimated |
# | `packing_strategy="bfd-requeue"` | `"bfd_split"` | removed in TRL 2 |
# | tool arguments as nested columns | the `Json` type of datasets | filled up with `None` |
#
# Here it runs, complete. **Gradient accumulation** adds up the gradients of four micro-batches
# before each step. A small model needs a higher learning rate.

# %%
from transformers import PrinterCallback

chats = experiment.ultrachat_rows(profile.seeds[0])
recipe_model = AutoModelForCausalLM.from_pretrained(base.name_or_path, dtype=torch.float32)
trainer = SFTTrainer(
    model=recipe_model,
    args=SFTConfig(
        str(folder / "recipe"),
        max_length=128,  # 2048 in the recipe
        packing=True,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=4,
        num_train_epochs=3,
        learning_rate=2e-4,  # 2e-5 in the recipe
        lr_scheduler_type="cosine",
        warmup_steps=0.05,
        assistant_only_loss=True,
        use_cpu=True,
        bf16=False,
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
history = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
del recipe_model.forward  # TRL replaces it with its own
accuracy, number = experiment.accuracy(recipe_model, tokenizer, profile.seeds[0])
print(
    f"{len(chats)} conversations, {len(history)} steps, loss {history[0]:.2f} → {history[-1]:.2f}"
)
print(f"{accuracy:.0%} of {number} held-out questions right")

# %% [markdown]
# Without `select_columns`, TRL would take the column `prompt` for that of a pair.
#
# ## 9. Silent failures
#
# ### A template that marks too little
#
# Two broken templates, and what you hear of them:

# %%
marks = "{% generation %}", "{% endgeneration %}"
unmarked, endless = copy.deepcopy(tokenizer), copy.deepcopy(tokenizer)
for mark in marks:
    unmarked.chat_template = unmarked.chat_template.replace(mark, "")
endless.chat_template = tokenizer.chat_template.replace(
    " + '<|im_end|>' }}{% endgeneration %}", " }}{% endgeneration %}{{ '<|im_end|>' }}"
)
mask = unmarked.apply_chat_template(conversation, return_assistant_tokens_mask=True)
print("no generation block, transformers:", sum(mask["assistant_masks"]), "trained tokens")
for name, broken in {"no generation block": unmarked, "end outside of it": endless}.items():
    try:
        row = trainer_for([{"messages": conversation}], broken, assistant_only_loss=True)
        labels = row.train_dataset[0]["labels"]
        print(f"{name}, TRL:", sum(label != -100 for label in labels), "trained tokens")
    except ValueError as error:
        print(f"{name}, TRL: ValueError: {str(error)[:60]} …")

# %% [markdown]
# `transformers` returns a mask of zeros; a trainer that goes on reports a loss of 0 or NaN. TRL
# refuses, and it also notices an end that is not trained.
#
# ### The end is never learned
#
# **Claim: without a trained end, right answers are lost.** The same happens if the padding token is
# also the end token and all padding is masked. Predicted: at least 0.20 less accuracy.

# %%
runs = ift.each_seed(experiment.with_and_without_end, profile.seeds)
for name in runs[0]:
    right, ended = (
        sum(sum(run[name][what]) for run in runs) / sum(len(run[name][what]) for run in runs)
        for what in ("right word", "ended")
    )
    print(f"{name:11}  says the right word: {right:.2f}   ends by itself: {ended:.2f}")
ift.claim(
    "02.end-must-be-trained",
    "Without the end of turn in the loss, right answers are spoiled by what follows them.",
    subject=(2, 3),
    source="the loss itself: a token without loss is not learned",
    metric="strict accuracy on held-out entities, end trained minus end masked",
    arms={name: [run[name]["strict"] for run in runs] for name in runs[0]},
    effect=("end trained", "end masked"),
    at_least=0.20,
)

# %% [markdown]
# ### Another template in use than in training
#
# **Claim: a model answers worse in another format than the one it was tuned in.** Predicted: at
# least 0.05 worse in Alpaca's format. And if only the line that opens the assistant's turn is
# forgotten?

# %%
runs = ift.each_seed(experiment.in_each_format, profile.seeds)
by_format = {name: [run[name] for run in runs] for name in runs[0]}
print("as trained minus opening forgotten:",
      experiment.difference(by_format["as trained"], by_format["opening forgotten"]))  # fmt: skip
figures.formats(by_format)

# %%
ift.claim(
    "02.same-template",
    "A tuned model answers worse in another format than the one it was tuned in.",
    subject=3,
    source="the chat template is part of the model; see also Sclar et al. 2023, arXiv:2310.11324",
    metric="strict accuracy on held-out entities, ChatML minus Alpaca's format",
    arms={name: by_format[name] for name in ("as trained", "Alpaca's format")},
    effect=("as trained", "Alpaca's format"),
    at_least=0.05,
)

# %% [markdown]
# ### Two beginnings, and rows that vanish
#
# If the template writes a begin-of-text token and the tokenizer adds one as well, formatting and
# encoding in two steps gives two. Print the first ids, or let `apply_chat_template` do both steps.
# And a trainer drops what truncation leaves without a label. Count: rows in = rows used + dropped.

# %%
long_prompt = {"messages": [{"role": "user", "content": "Repeat. " * 40}, conversation[1]]}
for length in (256, 64):
    used = trainer_for([columns[0], long_prompt], max_length=length, assistant_only_loss=True)
    print(f"at most {length:3} tokens: 2 rows in, {len(used.train_dataset)} used")

# %% [markdown]
# ## Questions

# %%
ift.quiz("02", "weight-of-a-record", "same-template", "license-of-a-copy")

# %% [markdown]
# **An open question.** A colleague's chat model, tuned with TRL on ShareGPT rows, sometimes writes
# `human` and then a question of its own. How do you find the cause, and what do you change? Half a
# page, a point each for: looking at a prepared row with its labels first; two causes that fit the
# symptom; a check that would rule out each; a repair of the data or the settings, not of the
# output.
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Seven functions, checked the moment you write them, the last one at work in TRL's trainer:
# [exercises/02_dataset_formatting.ipynb](../exercises/02_dataset_formatting.ipynb)
#
# ## To read
#
# - Ding et al. 2024, *Fewer Truncations Improve Language Modeling*,
#   [arXiv:2404.10830](https://arxiv.org/abs/2404.10830): best-fit packing.
# - Krell et al. 2021, *Efficient Sequence Packing without Cross-contamination*,
#   [arXiv:2107.02027](https://arxiv.org/abs/2107.02027).
# - Sclar et al. 2023, *Quantifying Language Models' Sensitivity to Spurious Features in Prompt
#   Design*, [arXiv:2310.11324](https://arxiv.org/abs/2310.11324).
# - Lambert et al. 2024, *Tülu 3*, [arXiv:2411.15124](https://arxiv.org/abs/2411.15124).
