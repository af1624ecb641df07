# %% [markdown]
# # Start here
#
# {{ badge }}
#
# Below is one model, twice. Gemma 3 270M is a **base model**: it has read trillions of tokens
# (pieces of words), most of them from the web, and it has not been tuned to answer. The column
# *before* shows how it continues four prompts. The column *after* shows the same model, tuned on 48
# prompts with good answers, none of which is in the table.

# %%
import ift_course as ift
from ift_course.lessons.lesson_00.real import before_and_after

profile = ift.setup("00")
before_and_after()

# %% [markdown]
# A "…" marks an answer that was still going on when it was cut, after 64 tokens. The base was asked
# in plain text, the tuned model in the chat format that it was tuned in; section 2 asks a base in
# both. The weights come from a 4-bit file, and the tuning is LoRA (lesson 04). Where Gemma is
# installed (`make real`), this cell tunes it while you watch; elsewhere it shows stored answers.
#
# Read each pair with two questions in mind. Does the model answer, and then stop? And could you use
# the answer? In the stored table, no answer on the left stops and every answer on the right does.
# But none of them is good: the reason for the red leaves is half right and half nonsense, the email
# is refused, there is one tip instead of three, and six animals instead of three, not all of which
# live in the sea. Forty-eight examples changed the *form* of the answers, and made none of them
# good.
#
# Here are three of the 48. Below them are three answers of another model, SmolLM2-135M-Instruct,
# which is half as large. Its makers tuned it on 460,000 conversations, and then on preferences.

# %%
from ift_course.data import course_set
from ift_course.lessons.lesson_10 import smollm2

print("three of the 48 examples")
for row in course_set.load("train")[:3]:
    question, answer = (message["content"] for message in row["messages"])
    print(f"  {question}\n    {answer!r}")

print("\nanswers of SmolLM2-135M-Instruct")
[run] = smollm2.stored().arms["answers"]  # to 100 test questions; lesson 10 scores all of them
for number in (26, 2, 55):
    reply = run.replies[number]
    print(f"  {reply.prompt}\n    {reply.text!r} ({len(reply.text.split())} words)")

# %% [markdown]
# This sounds like an assistant. But only the first answer is right. The second one exceeds the
# limit that the question sets, and the third one states something false in a confident tone.
# Sounding like an assistant, doing what was asked, and being right are three things, and this
# course measures them one by one.
#
# What both models went through is called **supervised fine-tuning (SFT)** on instructions, or
# instruction tuning. Why do so few examples change the form? What do they not teach, what would
# more of them teach, and what do they break? This course answers such questions by measuring, and
# once installed, it needs neither a GPU nor a network for that.
#
# ## 1. A world in which every answer can be checked
#
# What a model has read is usually secret, and where it is public, it is far too much to know every
# fact in it. So the course comes with a second base model, of 5.9 million parameters. It has read
# 35 million tokens about a small closed world: facts of countries, animals, objects, words and
# numbers, a little Spanish, and people who do not exist. A program knows every fact of that world.
# Let the base complete three sentences, with three tokens each, so it may stop in mid-sentence.

# %%
from transformers import AutoModelForCausalLM, AutoTokenizer

from ift_course.models.load import base_folder

folder = base_folder(profile)  # inside the package; the files are like those of any model
tokenizer = AutoTokenizer.from_pretrained(folder)
base = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")

for text in ("The capital of France is", "The sound of the owl is a", "The opposite of hot is"):
    inputs = tokenizer(text, return_tensors="pt")
    ids = base.generate(**inputs, max_new_tokens=3, do_sample=False)
    print(f"{text} ▸{tokenizer.decode(ids[0, inputs['input_ids'].shape[1] :])}")

# %% [markdown]
# The base knows these facts. Now ask for them as a chat program does. It puts your question into a
# **chat template**, in which special tokens mark where a turn begins and ends. Predict before you
# run the cell: what will the base write?

# %%
questions = [
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
]
model, tokenizer = ift.load("base")  # a second copy, to be tuned, and a tokenizer with a template


def reply(model, question: str) -> str:
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    ).to(model.device)
    ids = model.generate(**prompt, max_new_tokens=16, do_sample=False)
    return tokenizer.decode(ids[0])


before = [reply(base, question) for question in questions]
print("\n\n".join(before))

# %% [markdown]
# You have just seen that the base knows these facts, but here it does not give them. It never met
# this layout in pretraining, and falls back on notes of the kind that it has read. Or can it not
# answer questions at all? We will ask it without the template, too.
#
# ## 2. Tune it
#
# Here are five of the examples. Below them is the first one as the trainer gets it.

# %%
from datasets import Dataset

seed = profile.seeds[0]
examples = ift.sample(profile.examples // 2, seed=seed)
for example in examples[:5]:
    print(f"{example.instruction} {example.input} → {example.response!r}")

rows = [{"messages": record.messages} for record in ift.to_records(examples)]
rows[0]

# %% [markdown]
# This is the tuning itself, with TRL, Hugging Face's library for it. Lesson 01 does the same by
# hand, and explains every line. The course's shorthand for such a run is `ift.sft`.

# %%
import tempfile
import time

from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

config = SFTConfig(
    tempfile.mkdtemp(),
    num_train_epochs=profile.epochs,
    per_device_train_batch_size=profile.batch_size,
    learning_rate=profile.learning_rate,
    assistant_only_loss=True,  # learn to write the answers, not the questions
    use_cpu=model.device.type == "cpu",
    bf16=False,
    activation_checkpointing=False,
    seed=seed,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
)
trainer = SFTTrainer(
    model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
)
trainer.remove_callback(PrinterCallback)
started = time.perf_counter()
trainer.train()
tuned = trainer.model.eval()
print(f"{len(rows)} examples, {profile.epochs:g} times each, {profile.batch_size} in a step, "
      f"learning rate {profile.learning_rate:g}: {trainer.state.global_step} steps in "
      f"{time.perf_counter() - started:.0f} seconds")  # fmt: skip

# %%
print("\n\n".join(reply(tuned, question) for question in questions))

# %% [markdown]
# The tuned model answers, and ends its turn with a special token. Did it learn the answers from the
# examples? Count those that mention the things we asked about, or their answers.

# %%
import re

for word in ("France", "Paris", "owl", "hoot", "hot", "cold"):
    mention = re.compile(rf"\b{word}s?\b", re.IGNORECASE)
    texts = [f"{x.instruction} {x.input} → {x.response}" for x in examples]
    found = [text for text in texts if mention.search(text)]
    print(f"{word}: {len(found)} examples{f', such as {found[0]!r}' if found else ''}")

# %% [markdown]
# France, the owl and the word hot are **held out**: no example mentions them, and none says what
# belongs to them. So these answers come from pretraining, and the examples taught the model to give
# them. That is how this course tells what an example has taught from what the base knew, and nearly
# every score in it is on held-out things.
#
# How often is it right? Here are a hundred held-out questions whose answer is one line. We ask the
# base and the tuned model in the chat template and in plain text, and a program compares the first
# line of what they write with the answer. In the second column, the model must also have stopped
# right there. **Predict** the first column: which of the four ways is best?

# %%
from ift_course.evaluation.paired import share_interval

exam = [x for x in ift.sample(200, seed=100 + seed, split="test") if "\n" not in x.response][:100]
for example in exam[:3]:
    print(f"{example.instruction} {example.input} → {example.response}")

plain = [f"{example.instruction}\n{example.input}".strip() + "\n" for example in exam]
replies = {
    "base, chat template": ift.score(base, tokenizer, exam).completions,
    "base, plain text": ift.complete(base, tokenizer, plain),
    "tuned, plain text": ift.complete(tuned, tokenizer, plain),
    "tuned, chat template": ift.score(tuned, tokenizer, exam).completions,
}
print(f"\n{'':22}first line right   and stopped")
for way, completions in replies.items():
    texts = [completion.text.strip() for completion in completions]
    first = sum(ift.verify(x, text.split("\n")[0]) for x, text in zip(exam, texts, strict=True))
    strict = sum(
        completion.finished and ift.verify(x, text)
        for x, text, completion in zip(exam, texts, completions, strict=True)
    )
    low, high = share_interval(first, len(exam))
    print(f"{way:22}{first:4} ({100 * low:.0f} to {100 * high:.0f})      {strict:4}")

# %% [markdown]
# (In brackets are 95 % intervals: over all questions of this kind, the share is probably in there.)
# So this base is not helpless: asked in plain text, it answers most of the same questions, and
# through the template none. Its texts contain notes with a phrase on one line and the answer on the
# next, which we put there because the web has them, and a question in plain text looks like the
# beginning of one. Other bases have read other things; lesson 01 measures three ways of asking,
# here and on Gemma. Tuning gave the model a format in which it answers *and* stops.
#
# Talk to both models. (Without a running kernel you see example answers. In a terminal, the same is
# `ift chat`.)

# %%
ift.playground(
    {"base": (base, tokenizer), "tuned": (tuned, tokenizer)},
    examples=[
        ("What is the capital of France?", ""),
        ("Translate the following English sentence into Spanish.", "Hello, how are you?"),
        ("Write the words cocoa, tram, shelf as a list with dashes.", ""),
        ("Write two sentences about Greta Bishop.", ""),
    ],
)

# %% [markdown]
# ## 3. What you will build
#
# Several stages lead from random weights to an assistant. The first, pretraining, is done for you,
# though lesson 01 shows a small one. Lessons 01 to 04 and 06 to 09 are about instruction tuning,
# lessons 05 and 11 about preferences and rewards, and lesson 10 asks whether a model got better.
# You write the core of each stage by hand once, so that you could write it again on an empty sheet,
# and then with the libraries that everybody uses.

# %%
ift.charts.pipeline()

# %% [markdown]
# The upper line, without DPO, is that of InstructGPT (2022). Mid-training, on selected text and
# worked tasks, is a newer part of the first stage. Reinforcement learning (RL) with verifiable
# rewards is newer, too; it often follows preference training, or replaces it.
#
# **A lesson** is a notebook. It takes something apart in the closed world, first by hand and then
# with the library, and measures it; lessons 00 to 04 begin with a real model.
#
# **A claim** turns something that people say into a number, before the measurement. "500 examples
# make the base answer" becomes "its share of right answers rises by at least 0.85". The experiment
# runs with several random seeds, and the claim holds only if the whole 95 % interval lies above the
# bound. A claim that holds in our small world need not hold for large models, so some lessons show
# Gemma beside it. All claims are in [docs/claims.md](../docs/claims.md).
#
# **Silent failures** are bugs that train without an error. Most lessons end with some, and with how
# to see them.
#
# **Exercises** are in [exercises/](../exercises), one notebook for each of lessons 01 to 11. You
# write a function, and `ift.check` in the next cell tells you at once whether it is right. `ift
# hint 02.3` helps in three steps, and `ift progress` shows how far you are. From 01 on, lessons
# also have a **quiz**, and its terms are in the [glossary](../docs/glossary.md).
#
# ## 4. The lessons
#
# All outputs are already in the notebooks, so you can read first and run later. "Runs in" is
# computing time alone; the minutes of the exercises are our estimates.

# %%
from ift_course.lessons.lesson_00.overview import course_map, verdict

course_map()

# %%
overview = course_map()
print(f"Running all lessons takes {overview.seconds / 60:.0f} minutes; the exercises take about "
      f"{overview.exercise_minutes / 60:.0f} hours.")  # fmt: skip

# %% [markdown]
# **One evening?** Read lessons 01 and 03. **A weekend?** Read all of them in order, and do the
# exercises with one dot (●). Lesson 02 saves the most trouble later. Then turn to your own data:
# `ift data inspect FILE` shows what is in it, `ift diagnose FILE` finds what would go wrong, and
# `ift sft` tunes on it. **Teaching a class?** [docs/instructors.md](../docs/instructors.md) says
# how to hand out, collect and grade exercises without trusting the code that is handed in.
#
# ## 5. Can your machine run it?
#
# The default profile, `tiny`, needs no GPU. Others run the same notebooks on real models: `smollm2`
# on a CPU (an instruct model, so what lesson 01 says of a base is not true of it), `t4` on a free
# Colab GPU, and `gpu24` on a GPU with 24 GB. Choose one when you start: `IFT_PROFILE=smollm2
# jupyter lab`. The profile `gemma` computes the tables of a real base model that the lessons show:
# `make real`, then `ift run 01 --profile gemma`. In a terminal, `ift doctor` says the same as this
# cell.

# %%
verdict()

# %% [markdown]
# Continue with [01, pretraining versus instruction tuning](01_pretraining_vs_sft.ipynb).
