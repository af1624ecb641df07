# %% [markdown]
# # Start here
#
# {{ badge }}
#
# Below is one model, twice. Gemma 3 270M is a **base model**: it has read trillions of tokens, most
# of them from the web, and nobody has taught it to answer. On the left it continues four questions.
# On the right it has been tuned on 48 examples of a question with a good answer, which takes about
# a minute on a laptop.

# %%
import ift_course as ift
from ift_course.lessons.lesson_00.real import before_and_after

profile = ift.setup("00")
before_and_after()

# %% [markdown]
# (Where Gemma is installed, with `make real`, this cell tunes it while you watch. Elsewhere it
# shows the stored answers. A "…" means that the model was still writing when it was stopped. The
# base has no chat template, so it was asked in plain text.)
#
# Read each pair with two questions in mind. Does the model answer, and then stop? And could you use
# the answer? Count the "…" on each side. Forty-eight examples changed the *manner* of the model a
# great deal. They are far too few to have taught it much that it did not know.
#
# This step is called **supervised fine-tuning (SFT)**, or instruction tuning. Why are so few
# examples enough? What exactly do they teach, what do they not teach, and what do they break? This
# course answers such questions by measuring, and it needs neither a GPU nor a network for that.
#
# ## 1. A world in which every answer can be checked
#
# A model of the web is hard to take apart, because nobody knows all that it has read. So the course
# carries a second base model, with 5.9 million parameters. It has read 35 million tokens about a
# small closed world of countries, animals, objects, words and people, and a program knows every
# fact of that world. Let the base complete three sentences.

# %%
from transformers import AutoModelForCausalLM, AutoTokenizer

from ift_course.models.load import base_folder

folder = base_folder(profile)  # inside the package; the files are like those of any model
tokenizer = AutoTokenizer.from_pretrained(folder)
base = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")


def continuation(model, text: str, n_tokens: int = 3) -> str:
    inputs = tokenizer(text, return_tensors="pt")
    ids = model.generate(**inputs, max_new_tokens=n_tokens, do_sample=False)
    return tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


for text in ("The capital of France is", "The sound of the owl is a", "The opposite of hot is"):
    print(f"{text} ▸{continuation(base, text)}")

# %% [markdown]
# The base knows these facts. Now ask for them as a chat program does: it wraps your question in a
# **chat template**, whose special tokens say who is speaking. Predict before you run the cell: what
# will the base write?

# %%
questions = [
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
]
model, tokenizer = ift.load("base")  # the same files, and a tokenizer with a chat template


def as_chat(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


print(as_chat(questions[0]))
before = [continuation(base, as_chat(question), 16) for question in questions]
for question, text in zip(questions, before, strict=True):
    print(f"{question} ▸ {text!r}")

# %% [markdown]
# The facts are still there, but the base has never met these special tokens, so it does not know
# what is expected behind them.
#
# ## 2. Tune it
#
# Here are five of 500 examples. `ift.sft` is the course's shorthand for TRL's `SFTTrainer`;
# lesson 01 writes the library's code out and shows that it does the same.

# %%
seed = profile.seeds[0]
examples = ift.sample(profile.examples // 2, seed=seed)
for example in examples[:5]:
    print(f"{example.instruction} {example.input} → {example.response!r}")

result = ift.sft(model, tokenizer, ift.to_records(examples), seed=seed, progress=False)
print(f"\n{len(examples)} examples, {result.steps} steps, {result.seconds:.0f} seconds")

# %%
from ift_course.plots.transcript import TranscriptRow

after = [continuation(result.model, as_chat(question), 16) for question in questions]
ift.transcript(
    [
        TranscriptRow(question, {"base": was, "tuned": now})
        for question, was, now in zip(questions, before, after, strict=True)
    ]
)

# %% [markdown]
# Did the model learn the answers from the examples? Count the examples that mention France, the
# owl, or the word hot.

# %%
import re

for word in ("France", "owl", "hot"):
    n_mentions = sum(bool(re.search(rf"\b{word}\b", str(example))) for example in examples)
    print(f"examples that mention {word}: {n_mentions}")

# %% [markdown]
# They are **held out**: no example mentions them. The facts come from pretraining, and the examples
# taught the model to give them as an answer. This is how the course tells learning from
# remembering, and nearly every score in it is on held-out things.
#
# How often is it right? We ask a hundred other held-out questions and count an answer only if it is
# right and complete, and the model stopped by itself. To be fair to the base, we also ask it in
# plain text, and there we look at the first line alone. Which of the three will be best?

# %%
exam = ift.sample(100, seed=100 + seed, split="test")
plain = [f"{example.instruction}\n{example.input}".strip() + "\n" for example in exam]
lines = [c.text.split("\n")[0].strip() for c in ift.complete(base, tokenizer, plain)]
n_right = {
    "base, chat template": sum(ift.score(base, tokenizer, exam).correct),
    "base, plain text, first line": sum(map(ift.verify, exam, lines)),
    "tuned, chat template": sum(ift.score(result.model, tokenizer, exam).correct),
}
for way, count in n_right.items():
    print(f"{way:30} {count:3} of {len(exam)} right")

# %% [markdown]
# So this base is not helpless. What it has read contains notes with a phrase on one line and the
# answer on the next, as the web does, and plain text reminds it of them. Lesson 01 measures all the
# ways of asking.
#
# Talk to both models. (Without a running kernel you see example answers. In a terminal, the same is
# `ift chat`.)

# %%
ift.playground({"base": (base, tokenizer), "tuned": (result.model, tokenizer)})

# %% [markdown]
# ## 3. What you will build
#
# You will take a base model all the way to an assistant that people prefer. You write each step by
# hand once, so that you could write it again on an empty sheet, and then with the libraries that
# everybody uses.

# %%
ift.charts.pipeline()

# %% [markdown]
# **A lesson** is a notebook. It shows something on a real model, takes it apart in the closed
# world, first by hand and then with the library, and measures it.
#
# **A claim** is a statement of the field with a bound that was written down before the
# measurement. It is measured on several seeds, and it holds only if the whole 95 % interval keeps
# the bound. All of them are in [docs/claims.md](../docs/claims.md). A prediction that failed
# stays in its lesson, beside what was measured. Often the first seed runs in front of you, and
# the others are stored and marked as stored.
#
# **Silent failures** are bugs that train without an error. Most lessons end with some, and with how
# to see them.
#
# **Exercises** are in [exercises/](../exercises), one notebook for each lesson. You write a
# function, and `ift.check` in the next cell tells you at once whether it is right. `ift hint 02.3`
# helps in three steps, and `ift progress` shows how far you are. Each lesson also has a **quiz**,
# and its terms are in the [glossary](../docs/glossary.md).
#
# ## 4. The lessons
#
# The time is what the machine computes; reading takes longer. All outputs are already in the
# notebooks, so you can read first and run later.

# %%
from ift_course.lessons.lesson_00.overview import course_map, verdict

course_map()

# %%
overview = course_map()
print(f"All lessons compute for {overview.seconds / 60:.0f} minutes; the exercises take about "
      f"{overview.exercise_minutes / 60:.0f} hours.")  # fmt: skip

# %% [markdown]
# **One evening?** Take lessons 01 and 03. **A weekend?** Take all of them in order, with the easier
# exercises. Lesson 02 saves the most trouble later. Then turn to your own data: `ift data inspect
# FILE`, `ift diagnose FILE`, `ift sft`. **Teaching a class?**
# [docs/instructors.md](../docs/instructors.md) says how to hand out, collect and grade exercises
# without trusting anybody's code.
#
# ## 5. Can your machine run it?
#
# The default profile, `tiny`, runs on any laptop. Set `IFT_PROFILE` to run the same notebooks on
# another model: `smollm2` and `gemma` are real models on a CPU, `t4` is for a free Colab GPU, and
# `gpu24` is for a GPU with 24 GB. In a terminal, `ift doctor` says the same as this cell.

# %%
verdict()

# %% [markdown]
# What this notebook cost to run:
#
# {{ cost }}
#
# Continue with [01, pretraining versus instruction tuning](01_pretraining_vs_sft.ipynb).
