# %% [markdown]
# # Dataset formatting
#
# {{ badge }}
#
# A model reads one long row of token numbers. A data set is a table of instructions and responses,
# and no two data sets have the same columns. This lesson is about all that lies between: it decides
# what the model sees, what it is trained on, and whether it will stop. Most bugs of instruction
# tuning live here, and hardly any of them raises an error.
#
# At the end you will be able to
#
# - bring any of the well-known data sets into one layout, without losing a row unseen;
# - turn a conversation into tokens and a loss mask by hand, and find TRL's labels equal to yours;
# - pack short records into full rows so that none of them sees another, and prove it;
# - run TRL's recipe in today's API, and name what changed since the tutorials were written;
# - recognize six bugs that train without an error.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("02")

# %% [markdown]
# ## 1. From a triple to labels, by hand
#
# Here is one row of a data set: an instruction, its input, and the response we want.

# %%
row = {"instruction": "Name the capital.", "input": "France", "output": "Paris"}

# %% [markdown]
# Four steps lead from it to what a trainer needs. First, the row becomes a **conversation**: turns,
# each with a role. Second, a **template** writes the conversation as one text, with marks that say
# who speaks. Third, a **tokenizer** cuts the text into numbers. Fourth, a **mask** says which of
# the numbers the model is trained to produce.
#
# In this toy, a token is a word or a mark. Look at how the second and the fourth step are one:
# every piece of text is written *together with* its mask. They cannot drift apart later.

# %%
user = f"{row['instruction']} {row['input']}"
ids, mask, vocabulary = [], [], {}


def write(text: str, trained: int) -> None:
    for word in text.split():
        ids.append(vocabulary.setdefault(word, len(vocabulary)))
        mask.append(trained)


write("<|user|>", 0)
write(user + " <|end|>", 0)
write("<|assistant|>", 0)
write(row["output"] + " <|end|>", 1)  # the answer, and where it stops

IGNORE = -100
labels = [token if trained else IGNORE for token, trained in zip(ids, mask, strict=True)]
words = list(vocabulary)
for token, label in zip(ids, labels, strict=True):
    print(f"{words[token]:>14}  id {token}   label {label}")

# %% [markdown]
# −100 is the number that PyTorch's cross-entropy leaves out. Two of nine tokens are trained: the
# answer, and the end of the turn. The marks `<|user|>` and `<|assistant|>` are written by us, both
# in training and later in use, so the model need not produce them. The end it *must* produce, or it
# will never stop.
#
# ## 2. The real data sets
#
# Seven names come up everywhere. This is one and the same conversation as each of them would write
# it.

# %%
from ift_course.data.samples import ROWS

for name in ("Alpaca", "Dolly", "UltraChat", "ShareGPT", "LIMA", "Flan"):
    print(f"{name:10} {ROWS[name]}\n")

# %% [markdown]
# | data set | conversations | made by | license on its card |
# | --- | ---: | --- | --- |
# | OpenHermes 2.5 | 1,001,551 | models, mostly GPT-4 | none stated |
# | UltraChat 200K | 207,865 (+ 23,110 to test) | ChatGPT on both sides | MIT |
# | Dolly 15K | 15,011 | people | CC BY-SA 3.0 |
# | ShareGPT | about 53,000 or 90,000 | users and ChatGPT | the uploaders', who do not own it |
# | Flan | hundreds of millions | 1,836 academic tasks in templates | Apache-2.0 for the code |
# | Alpaca | 52,002 | text-davinci-003 | CC BY-NC 4.0 (was CC BY 4.0) |
# | LIMA | 1,030 (+ 300 questions) | people | CC BY-NC-SA or stricter |
#
# Where each figure was read, the languages and the known problems stand in `docs/datasets.md`.
# Tables on the web get several of them wrong. Note the licenses: two of the seven forbid
# commercial use, one has none at all, and for one nobody can give you any.
#
# The columns give a data set away. `parse_row` looks at them and makes a conversation.

# %%
from ift_course.data.schemas import parse_row

for example in ROWS.values():
    parsed = parse_row(example)
    turns = " | ".join(f"{turn.role}: {turn.content!r}" for turn in parsed.record.turns)
    print(f"{parsed.schema:18} {turns}")

# %% [markdown]
# **Claim: all of them become one and the same record.** Sixty examples of our world for each seed,
# each written as the seven data sets would write it. How many of these rows come back as the
# conversation that they were made from? One that does not is a row lost or changed, so we ask for
# all of them.

# %%
from ift_course.data.samples import rows as written_as
from ift_course.world.tasks import FACT_TASKS

seeds = profile.seeds
SEVEN = ("OpenHermes", "UltraChat", "Dolly", "ShareGPT", "Flan", "Alpaca", "LIMA")


def came_back(seed: int) -> float:
    """The share of rows, in all seven layouts, that become the record they were made from."""
    some = ift.sample(60, seed=seed, tasks=FACT_TASKS)
    same = [
        parse_row(written_as(e.instruction, e.input, e.response)[name]).record.turns == record.turns
        for e, record in zip(some, ift.to_records(some), strict=True)
        for name in SEVEN
    ]
    return sum(same) / len(same)


ift.claim(
    "02.seven-schemas-one-record",
    "Rows in the layouts of seven well-known data sets become one and the same record.",
    source="the cards of the seven data sets, cited in docs/datasets.md",
    metric="share of rows that become the conversation they were made from",
    arms={"adapted": [came_back(seed) for seed in seeds]},
    effect="adapted",
    at_least=1.0,
    subject=4,
)

# %% [markdown]
# Real files are dirty. A scraped conversation begins with the assistant, because it was cut in two;
# the user speaks twice; the last question has no answer. Nothing of this may pass unseen. What can
# be mended is mended *and counted*. What cannot be used is kept, with the reason.

# %%
import json
import tempfile
from pathlib import Path

from ift_course.data.convert import convert

scraped = {
    "id": "9f3_2",
    "conversations": [
        {"from": "gpt", "value": "…and that is all about Spain."},
        {"from": "human", "value": "Name the capital."},
        {"from": "human", "value": "France"},
        {"from": "gpt", "value": "Paris"},
        {"from": "human", "value": "Thanks!"},
    ],
}
folder = Path(tempfile.mkdtemp())
lines = [json.dumps(r) for r in [*ROWS.values(), scraped, {"text": "Paris is a city."}]]
(folder / "mixed.jsonl").write_text("\n".join([*lines, '{"prompt": "cut off he']), encoding="utf-8")

result = convert(folder / "mixed.jsonl", folder / "chat.jsonl")
print(f"read {result.read} = used {result.used} + rejected {result.rejected}\n")
for what, times in result.repairs.items():
    print(f"mended {times} x: {what}")
for line in result.rejects.read_text().splitlines():
    rejected = json.loads(line)
    print(f"rejected row {rejected['row']}: {rejected['reason'][:80]}")

# %% [markdown]
# On the command line this is `ift data convert mixed.jsonl --out chat.jsonl`, and `ift data inspect
# FILE` tells what a file is before you train on it. Both read JSON, JSONL, Parquet and CSV, row by
# row, so a file of any size fits.
#
# ## 3. The template
#
# A chat template is a small program in the language Jinja that travels with the tokenizer. This one
# is ChatML, the format of the course's model. Everything between `generation` and `endgeneration`
# is what the assistant says. That is where the mask comes from.

# %%
from ift_course.data.chat_templates import STYLES, with_chat_format

base, tokenizer = ift.load("base")
if "{% generation %}" not in tokenizer.chat_template:  # as with most models other than the course's
    tokenizer = with_chat_format(tokenizer, "chatml")
print(tokenizer.chat_template)

# %% [markdown]
# Written out for two turns, a few lines of Python do the same.

# %%
conversation = [
    {"role": "user", "content": "Name the sound of the owl."},
    {"role": "assistant", "content": "hoot"},
    {"role": "user", "content": "What is the opposite of hot?"},
    {"role": "assistant", "content": "cold"},
]
by_hand = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in conversation)
print(by_hand)
assert by_hand == tokenizer.apply_chat_template(conversation, tokenize=False)

# %% [markdown]
# Other families write other marks. The same question and answer in five formats:

# %%
for style in STYLES:
    print(f"--- {style}")
    print(
        with_chat_format(tokenizer, style)
        .apply_chat_template(conversation[:2], tokenize=False)
        .strip()
    )

# %% [markdown]
# Choose a record and a template, and see what a model would see. Round frames are special tokens:
# one number each, whatever they look like. In the Alpaca format there are almost none: its headings
# are ordinary text. They cost many tokens, and any user can write them too.

# %%
from ift_course.plots.chat_formats import explore_formats

examples = ift.sample(min(400, profile.examples), seed=seeds[0], tasks=FACT_TASKS)
records = ift.to_records(examples)
briefly = [{"role": "system", "content": "Be brief."}, *conversation[:2]]
choices = {
    "with a system turn": briefly,
    "two turns": conversation,
    "one turn": records[0].messages,
}
explore_formats(tokenizer, choices, styles=["llama-3", "alpaca", "zephyr", "mistral", "chatml"])

# %% [markdown]
# **The template of training is the template of use.** The prompt you ask with must be, token for
# token, the beginning of what was trained. One function does both here, so it is. (Not every
# template keeps this promise. Ours are tested for it.)

# %%

trained_ids, trained_mask = ift.render(tokenizer, conversation)
asked_ids, _ = ift.render(tokenizer, conversation[:3], add_generation_prompt=True)
print(repr(tokenizer.decode(asked_ids[-12:])), "← the end of what is asked")
assert trained_ids[: len(asked_ids)] == asked_ids
assert trained_mask[len(asked_ids)] == 1

# %% [markdown]
# ## 4. The mask
#
# The toy's `write` works on the real tokenizer. We cut the conversation into pieces, and each piece
# brings its mask.

# %%
mine_ids, mine_mask = [], []


def say(text: str, trained: int) -> None:
    piece = tokenizer(text, add_special_tokens=False)["input_ids"]
    mine_ids.extend(piece)
    mine_mask.extend([trained] * len(piece))


for message in conversation:
    answer = int(message["role"] == "assistant")
    say(f"<|im_start|>{message['role']}\n", 0)
    say(f"{message['content']}<|im_end|>", answer)
    say("\n", 0)
print("ids equal the library's:", mine_ids == trained_ids, "· mask:", mine_mask == trained_mask)

# %%
ift.show_mask(tokenizer, conversation)

# %% [markdown]
# Now the library. TRL's `SFTTrainer` prepares the same conversation when it is asked for the
# assistant's tokens only. Its labels are ours.

# %%
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from ift_course.data.loss_mask import labels as labels_of
from ift_course.models.quiet import quiet


def trl_prepares(rows: list[dict], **options):
    with quiet():
        config = SFTConfig(str(folder / "trl"), use_cpu=True, bf16=False, report_to="none",
                           max_length=256, **options)  # fmt: skip
        return SFTTrainer(model=base, args=config, train_dataset=Dataset.from_list(rows),
                          processing_class=tokenizer).train_dataset  # fmt: skip


theirs = trl_prepares([{"messages": conversation}], assistant_only_loss=True)[0]
assert theirs["input_ids"] == trained_ids
assert theirs["labels"] == labels_of(trained_ids, trained_mask)
print("TRL's labels and ours agree on all", len(trained_ids), "tokens")

# %% [markdown]
# **Claim: told to, TRL trains exactly the assistant's tokens.** Thirty conversations of two turns
# for each seed: in how many are all of TRL's labels those made by hand? Beside it, what TRL does
# when it is not told.

# %%
agree = {"assistant_only_loss": [], "not told": []}
for seed in seeds:
    some = ift.to_records(ift.sample(60, seed=seed, tasks=FACT_TASKS))
    chats = [a.messages + b.messages for a, b in zip(some[::2], some[1::2], strict=True)]
    our_labels = [labels_of(*ift.render(tokenizer, chat)) for chat in chats]
    for name, only_assistant in {"assistant_only_loss": True, "not told": False}.items():
        prepared = trl_prepares(
            [{"messages": chat} for chat in chats], assistant_only_loss=only_assistant
        )
        theirs = [row.get("labels") or row["input_ids"] for row in prepared]
        agree[name].append(
            sum(a == b for a, b in zip(theirs, our_labels, strict=True)) / len(chats)
        )

ift.claim(
    "02.trl-trains-the-response",
    "TRL's SFTTrainer, in today's API, trains exactly the assistant's tokens when it is told to.",
    source="TRL's documentation of SFTTrainer, train on assistant messages only",
    metric="share of conversations in which all labels are those made by hand",
    arms=agree,
    effect="assistant_only_loss",
    at_least=1.0,
    subject=(2, 5),
)

# %% [markdown]
# Two things can leave a record with nothing to learn: a prompt that is longer than the row, so the
# answer is cut off, and an empty answer. A batch in which every label is −100 has a loss of 0/0,
# which is NaN, and one NaN ruins a model for good. So such records are dropped, and *reported*.

# %%
from ift_course.training.sft import prepare

long_prompt = ift.Record.from_instruction("Repeat. " * 25, "", "Fine.")
for length in (256, 64):
    ready = prepare(tokenizer, [records[0], long_prompt], max_length=length)
    print(f"at most {length:3} tokens: {len(ready.rows)} rows, {ready.dropped} dropped")

# %% [markdown]
# ## 5. Packing
#
# Records differ in length. A batch is a rectangle, so short records are filled up with padding, and
# the model computes on padding as on anything else. Packing puts several records into one row.
#
# Which records go together? The rule is **best-fit decreasing**: take the longest record that is
# left, and put it into the fullest row that still has room. Here by hand, for rows of 64:

# %%
from ift_course.data.loss_mask import render_all

rendered = render_all(tokenizer, [record.messages for record in records])
rows = [{"input_ids": i, "labels": labels_of(i, m)} for i, m in rendered]
lengths = [len(r["input_ids"]) for r in rows]

space = []  # what is left in each row
for length in sorted(lengths[:12], reverse=True):
    fits = [n for n, left in enumerate(space) if left >= length]
    if fits:
        chosen = min(fits, key=space.__getitem__)
    else:
        chosen = len(space)
        space.append(64)
    space[chosen] -= length
print(f"{12} records of {sum(lengths[:12])} tokens fill {len(space)} rows; left over: {space}")

# %%
from ift_course.plots.packed_rows import show_packing

show_packing(lengths[:12], 64, title="Twelve records, padded and packed")

# %% [markdown]
# `ift_course/from_scratch/packing.py` does the same in a fraction of the time, for any number of
# records.

# %%
from ift_course.from_scratch.packing import collate_packed, pack, padded_share

packed = pack(rows, 128)
print(f"{len(rows)} records in {len(packed.rows)} rows of 128, {packed.filled:.0%} filled")
print(f"batches of 16 as they come: {1 - padded_share(lengths, 16):.0%} filled")

# %% [markdown]
# ### Nobody may look at the neighbor
#
# In a packed row, attention would let the second record read the first. Two things prevent it: the
# **positions** begin at 0 again in every record, and the **attention mask** lets a token see only
# its own record. By hand, the mask is one comparison:

# %%
import torch

positions = torch.tensor([0, 1, 2, 0, 1])  # a record of three tokens, and one of two
record = (positions == 0).cumsum(0)
may_look = (record[:, None] == record[None, :]) & torch.ones(5, 5).tril().bool()
print(may_look.int())

# %% [markdown]
# `transformers` builds this mask itself when it gets restarted positions and *no* attention mask.
# Does it work? Compute each record alone, then packed, and compare the logits.

# %%
batch = collate_packed(packed.rows[:8], tokenizer.pad_token_id)
tokens = {"input_ids": batch["input_ids"]}
placed = tokens | {"position_ids": batch["position_ids"]}


def furthest_from_alone(**inputs) -> float:
    with torch.no_grad():
        logits = base(**inputs).logits
    worst = 0.0
    for number, parts in enumerate(packed.lengths[:8]):
        start = 0
        for length in parts:
            here = slice(start, start + length)
            with torch.no_grad():
                alone = base(input_ids=batch["input_ids"][number : number + 1, here]).logits[0]
            worst = max(worst, (logits[number, here] - alone).abs().max().item())
            start += length
    return worst


print(f"restarted positions, no cache: {furthest_from_alone(**placed, use_cache=False):.1e}")
print(f"naive packing:                 {furthest_from_alone(**tokens, use_cache=False):.1e}")
print(f"restarted positions, cache on: {furthest_from_alone(**placed, use_cache=True):.1e}")
assert furthest_from_alone(**placed, use_cache=False) < 1e-4

# %% [markdown]
# The first number is rounding. The second is contamination: the model answered with its eyes on the
# neighbor's paper. The third is a trap. With a key-value cache `transformers` does not look for
# records in the positions, and the cache is **on by default**. TRL switches it off. In a loop of
# your own, do it yourself. The loss of a contaminated run falls as nicely as that of a good one.
#
# **Claim: packing changes the cost, not the result.** We tune on the same records, in the same
# groups, so that every step sees the same tokens: once padded, once packed. The held-out scores
# should be the same.

# %%
import random
from functools import cache

n_questions = min(200, profile.eval_examples)
tests = {
    seed: ift.sample(n_questions, seed=100 + seed, split="test", tasks=FACT_TASKS) for seed in seeds
}


def groups(rows, seed: int, size: int = 16, epochs: int = 3):
    order = random.Random(seed)
    for _ in range(epochs):
        shuffled = order.sample(rows, len(rows))
        yield from (shuffled[k : k + size] for k in range(0, len(rows), size))


def as_padded(group):
    return ift.collate(group, tokenizer.pad_token_id)


def as_packed(group):
    return collate_packed(pack(group, 128).rows, tokenizer.pad_token_id)


def tune(rows, seed: int, make=as_padded):
    model, _ = ift.load("base")
    model.config.use_cache = False  # or packed records would see each other
    steps = 3 * -(-len(rows) // 16)
    losses = ift.train(model, map(make, groups(rows, seed)), steps=steps, learning_rate=2e-4,
                   warmup=steps // 20)  # fmt: skip
    return model, losses


def rows_for(seed: int):
    examples = ift.sample(min(320, profile.examples), seed=seed, tasks=FACT_TASKS)
    chats = [r.messages for r in ift.to_records(examples)]
    return [{"input_ids": i, "labels": labels_of(i, m)} for i, m in render_all(tokenizer, chats)]


@cache
def tuned_padded(seed: int):
    """The model that later sections ask again, and its losses."""
    return tune(rows_for(seed), seed)


def both_ways(seed: int) -> dict:
    """What the padded and the packed run get right, and how far apart their losses ever are."""
    padded, losses = tuned_padded(seed)
    packed, others = tune(rows_for(seed), seed, as_packed)
    items = {name: ift.score(model, tokenizer, tests[seed]).items
             for name, model in {"padded": padded, "packed": packed}.items()}  # fmt: skip
    return items | {"apart": max(abs(a - b) for a, b in zip(losses, others, strict=True))}


runs = ift.each_seed(both_ways, seeds)
ways = {name: [run[name] for run in runs] for name in ("padded", "packed")}
print({name: [f"{sum(items) / len(items):.3f}" for items in way] for name, way in ways.items()})
print(f"largest difference of the loss in any step: {max(run['apart'] for run in runs):.4f}")

# %% [markdown]
# (`ift.each_seed` called the function for the first seed just now. What it gave for the others is
# stored. Change it, and all three are measured.)

# %%
ift.claim(
    "02.packing-changes-nothing",
    "Packing with separated records gives the model that padding gives.",
    subject=5,
    source="Krell et al. 2021, arXiv:2107.02027; Ding et al. 2024, arXiv:2404.10830",
    metric="strict accuracy on held-out entities, padded minus packed",
    arms=ways,
    effect=("padded", "packed"),
    at_least=-0.05,
    at_most=0.05,
)

# %% [markdown]
# ## 6. TRL's recipe, in today's API
#
# Almost every tutorial has this recipe: `SFTTrainer`, a Llama, UltraChat, packing, 2,048 tokens,
# gradient accumulation 4, learning rate 2e-5. Most of them no longer run. What changed:
#
# | in the tutorials | today (TRL 1.16) | if you leave it |
# | --- | --- | --- |
# | `tokenizer=` | `processing_class=` | TypeError |
# | `max_seq_length=` | `max_length=`, in `SFTConfig` | TypeError |
# | `dataset_text_field=` in the trainer | in `SFTConfig`; not needed for `messages` | TypeError |
# | `evaluation_strategy=` | `eval_strategy=` | TypeError |
# | `warmup_ratio=0.03` | `warmup_steps=0.03` (a share, if below 1) | TypeError |
# | `DataCollatorForCompletionOnlyLM` | `assistant_only_loss=True` | ImportError |
# | `setup_chat_format(model, tokenizer)` | set the template yourself | ImportError |
# | `TrainingArguments` on a CPU | `use_cpu=True, bf16=False` | ValueError, or ten times slower |
# | nothing | `assistant_only_loss=True` | **the user's words are trained too** |
#
# Here it is on the small model, with UltraChat-shaped data of our world. A small model wants larger
# steps than a billion parameters do, and shorter rows. All else is the recipe.

# %%
from transformers import PrinterCallback

chats = []
for first, second in zip(examples[::2], examples[1::2], strict=True):
    turns = [*ift.to_records([first])[0].messages, *ift.to_records([second])[0].messages]
    chats.append({"prompt": turns[0]["content"], "prompt_id": str(len(chats)), "messages": turns})
ultrachat = Dataset.from_list(chats).select_columns("messages")

recipe_model, _ = ift.load("base")
with quiet():
    trainer = SFTTrainer(
        model=recipe_model,
        args=SFTConfig(
            str(folder / "recipe"),
            max_length=128,  # 2048 in the recipe
            packing=True,
            per_device_train_batch_size=1,
            gradient_accumulation_steps=4,
            num_train_epochs=3,
            learning_rate=2e-4,  # 2e-5 in the recipe, for a model 200 times as large
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
        train_dataset=ultrachat,
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
history = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
del recipe_model.forward  # TRL replaces it with its own
print(f"{len(ultrachat)} conversations, {len(history)} steps, held-out: "
      f"{ift.score(recipe_model, tokenizer, tests[seeds[0]]).accuracy:.3f}")  # fmt: skip

# %%
ift.charts.loss_curve(history, title="TRL's recipe on UltraChat-shaped data")

# %% [markdown]
# ## 7. Silent failures
#
# ### 1. The user's words are trained too
#
# Give TRL `messages` and nothing else, and it trains on everything.

# %%

careless = trl_prepares([{"messages": conversation[:2]}])[0]
ift.show_batch(
    tokenizer, [careless["input_ids"]], [careless.get("labels") or careless["input_ids"]]
)

# %% [markdown]
# How to see it: count. If the share of trained tokens is 100 %, the mask is missing.
#
# ### 2. A template that does not say what the answer is
#
# Without `{% generation %}`, `transformers` returns a mask of zeros, and a *log line*. Some
# trainers go on. The loss is then NaN, or 0, or nothing is learned.

# %%
import copy

unmarked = copy.deepcopy(tokenizer)
for tag in ("{% generation %}", "{% endgeneration %}"):
    unmarked.chat_template = unmarked.chat_template.replace(tag, "")
with quiet():
    encoded = unmarked.apply_chat_template(
        conversation, return_dict=True, return_assistant_tokens_mask=True
    )
print("trained tokens by transformers:", sum(encoded["assistant_masks"]))
print("trained tokens by this course: ", sum(ift.render(unmarked, conversation)[1]))

# %% [markdown]
# The course's `render` finds the answers by comparing the text with and without each of them, and
# says so when it cannot.
#
# ### 3. The end is never learned
#
# Somebody masks the end-of-turn token, because it is "only a mark". Or the end token is also the
# padding token, and all padding is masked. The loss looks fine.
#
# **Claim: without a trained end, right answers are lost.** The model says the right word, and then
# something else happens: nobody taught it that this was the end.

# %%
end = tokenizer.convert_tokens_to_ids("<|im_end|>")


def endless(rows):
    return [r | {"labels": [IGNORE if x == end else x for x in r["labels"]]} for r in rows]


from statistics import fmean


@cache
def tuned_without_end(seed: int):
    """The same run, its end of turn masked."""
    return tune(endless(rows_for(seed)), seed)


def with_and_without_end(seed: int) -> dict[str, dict[str, list[float]]]:
    """For each question: right and nothing else, the right word anywhere, ended by itself."""
    scores = {}
    for name, run in {"end trained": tuned_padded, "end masked": tuned_without_end}.items():
        s = ift.score(run(seed)[0], tokenizer, tests[seed])
        scores[name] = {
            "strict": s.items,
            "right word": [
                float(ift.lenient(e, c.text))
                for e, c in zip(s.examples, s.completions, strict=True)
            ],
            "ended": [float(c.finished) for c in s.completions],
        }
    return scores


runs = ift.each_seed(with_and_without_end, seeds)
for name in runs[0]:
    right, ended = (
        fmean(item for run in runs for item in run[name][what]) for what in ("right word", "ended")
    )
    print(f"{name:11}  says the right word: {right:.2f}   ends by itself: {ended:.2f}")

# %%
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

# %%
from ift_course.plots.transcript import TranscriptRow

ask = [
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
]
replies = {
    name: ift.generate_replies(run(seeds[0])[0], tokenizer, ask, max_new_tokens=24)
    for name, run in {"end trained": tuned_padded, "end masked": tuned_without_end}.items()
}

ift.transcript(
    [
        TranscriptRow(a, {name: texts[i] for name, texts in replies.items()})
        for i, a in enumerate(ask)
    ]
)

# %% [markdown]
# Often the masked model does stop in the end, but not at the end of its answer: from pretraining it
# still knows how a *text* ends, and goes on until one does. A model without that habit runs to the
# limit. How to see it: look at the mask's last token, and count the answers that end by themselves.
#
# ### 4. Two beginnings
#
# Some templates write the begin-of-text token, and some tokenizers add one by themselves. Format
# with the one, encode with the other, and there are two. The model has never seen that. How to see
# it: print the first tokens. `apply_chat_template` does both steps in one and adds nothing.

# %%
from tokenizers.processors import TemplateProcessing

llama = with_chat_format(tokenizer, "llama-3")
begin = llama.bos_token
llama.backend_tokenizer.post_processor = TemplateProcessing(
    single=f"{begin} $A", special_tokens=[(begin, llama.bos_token_id)]
)
text = llama.apply_chat_template(conversation[:2], tokenize=False)
print("in two steps:", llama.convert_ids_to_tokens(llama(text)["input_ids"])[:3])
print("in one step: ", llama.convert_ids_to_tokens(ift.render(llama, conversation[:2])[0])[:3])

# %% [markdown]
# ### 5. Another template in use than in training
#
# The web page that serves the model formats its prompts a little differently. No error, and the
# model still says *something*. Two ways to get it wrong: forget the line that opens the assistant's
# turn, or use another family's format.
#
# **Claim: a model answers worse in another format than the one it was tuned in.** We call it true
# if the difference is surely above 0.05. (We first asked for 0.2, which three
# seeds could not decide.)

# %%
from ift_course.data.chat_templates import ALPACA

no_opening = copy.deepcopy(tokenizer)
no_opening.chat_template = tokenizer.chat_template.replace("add_generation_prompt", "false")
alpaca = copy.deepcopy(tokenizer)
alpaca.chat_template = ALPACA
formats = {"as trained": tokenizer, "opening forgotten": no_opening, "Alpaca's format": alpaca}


def asked_in_each(seed: int) -> dict[str, list[float]]:
    """What the padded run gets right when it is asked in each format."""
    model, _ = tuned_padded(seed)
    return {name: ift.score(model, asks, tests[seed]).items for name, asks in formats.items()}


runs = ift.each_seed(asked_in_each, seeds)
by_format = {name: [run[name] for run in runs] for name in formats}
ift.charts.bars_with_intervals(by_format, title="The same model, asked in three formats")

# %% [markdown]
# A forgotten opening costs something. Another family's format costs a great deal, and how much is
# a matter of luck: the three seeds differ widely, so the interval is wide.

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
# ### 6. Rows that vanish
#
# A filter drops what is too long, a loader skips what it cannot read, a trainer drops what has no
# label left. Each is reasonable, and none says a word. If the long rows are the interesting ones,
# the model learns without them. How to see it: rows in = rows used + rows dropped, with the
# reasons. `ift data convert` and `prepare` count for you. Do the same in your own code.
#
# ## Questions

# %%
ift.quiz("02")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Six functions, checked the moment you write them: an adapter for ShareGPT, a template, the mask of
# a long conversation, padding, packing, and a broken pipeline whose faults you find.
# [exercises/02_dataset_formatting.ipynb](../exercises/02_dataset_formatting.ipynb)
#
# ## To read
#
# - Taori et al. 2023, *Stanford Alpaca*,
#   [github.com/tatsu-lab/stanford_alpaca](https://github.com/tatsu-lab/stanford_alpaca).
# - Ding et al. 2023, *Enhancing Chat Language Models by Scaling High-quality Instructional
#   Conversations* (UltraChat), [arXiv:2305.14233](https://arxiv.org/abs/2305.14233).
# - Longpre et al. 2023, *The Flan Collection*, [arXiv:2301.13688](https://arxiv.org/abs/2301.13688).
# - Ding et al. 2024, *Fewer Truncations Improve Language Modeling*,
#   [arXiv:2404.10830](https://arxiv.org/abs/2404.10830): best-fit packing.
# - Krell et al. 2021, *Efficient Sequence Packing without Cross-contamination*,
#   [arXiv:2107.02027](https://arxiv.org/abs/2107.02027).
# - Sclar et al. 2023, *Quantifying Language Models' Sensitivity to Spurious Features in Prompt
#   Design*, [arXiv:2310.11324](https://arxiv.org/abs/2310.11324).
