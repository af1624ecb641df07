# %% [markdown]
# # Start here
#
# {{ badge }}
#
# Five minutes. You will turn a model that only continues texts into one that answers, on this
# machine, without a network. Then you see what the course has, what it costs, and where to begin.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("00")

# %% [markdown]
# ## 1. Will this machine do?
#
# On the command line this is `ift doctor`. The default profile, `tiny`, needs no GPU: the course
# carries its own small model. It has read prose about a little world of countries, animals, objects
# and people, of which a program knows every fact. So every answer can be marked right or wrong.

# %%
from ift_course.lessons.lesson_00.overview import course_map, verdict

verdict()

# %% [markdown]
# ## 2. A first win
#
# This is the base model. It has read a great deal, and nobody has taught it to answer.

# %%
base, tokenizer = ift.load("base")

ask = [
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
]
before = ift.generate_replies(base, tokenizer, ask, max_new_tokens=16)
for question, reply in zip(ask, before, strict=True):
    print(f"{question} ▸ {reply.text.strip()!r}")

# %% [markdown]
# It goes on with something, and answers nothing. Now show it a few hundred questions with good
# answers. This is **supervised fine-tuning**, and on this model it takes seconds.

# %%

seed = profile.seeds[0]
lessons_to_learn = ift.sample(profile.examples // 2, seed=seed)
for example in lessons_to_learn[:5]:
    print(f"{example.instruction} {example.input} → {example.response!r}")

model, _ = ift.load("base")
result = ift.sft(model, tokenizer, ift.to_records(lessons_to_learn), seed=seed, progress=False)
print(f"\n{len(lessons_to_learn)} examples, {result.steps} steps, {result.seconds:.0f} seconds")

# %%
from ift_course.plots.transcript import TranscriptRow

after = ift.generate_replies(result.model, tokenizer, ask, max_new_tokens=16)
ift.transcript(
    [
        TranscriptRow(question, {"base": was, "tuned": now})
        for question, was, now in zip(ask, before, after, strict=True)
    ]
)

# %% [markdown]
# Did it learn this from the examples? Count how many of them mention France or the owl.

# %%
import re

for word in ("France", "owl"):
    times = sum(bool(re.search(rf"\b{word}\b", str(x))) for x in lessons_to_learn)
    print(f"examples that mention {word}: {times}")

# %% [markdown]
# They are **held out**. The model knew these facts before. What it has learned is to answer.
#
# How often is it right? We ask about other things that no example mentions, and count an answer
# only if it is the right one, nothing else, and finished.

# %%
exam = ift.sample(100, seed=100 + seed, split="test")
for name, who in {"base": base, "tuned": result.model}.items():
    right = sum(ift.score(who, tokenizer, exam).correct)
    print(f"{name:6} {right:3} of {len(exam)} right")

# %% [markdown]
# Talk to both. (Without a running kernel you see example answers. On the command line it is `ift
# chat`.)

# %%
ift.playground({"base": (base, tokenizer), "tuned": (result.model, tokenizer)})

# %% [markdown]
# **The same on a real model.** Gemma 3 270M is a base model that has read the web. Where it is
# installed (`make real`), the next cell tunes it on 48 examples while you watch, in about a minute.
# Elsewhere it shows stored answers. The base has no chat template, so it is asked in plain text,
# and the tuned model in the form in which it was tuned. Read each answer with two questions in
# mind: does the model answer the question and then stop, and could you use the answer? Forty-eight
# examples change the manner first. A "…" behind an answer says that the model was still writing
# when it was stopped.

# %%
from ift_course.lessons.lesson_00.real import before_and_after

before_and_after()

# %% [markdown]
# ## 3. What you will build
#
# An assistant, from a base model to one that people prefer, each step twice: by hand, so that you
# could write it again on an empty sheet, and with the libraries that everybody uses. In between you
# measure what the field says about it.

# %%
ift.charts.pipeline()

# %% [markdown]
# ## 4. How the course works
#
# **A lesson** is a notebook. It does the idea by hand on a few numbers, then in a few lines of
# PyTorch, then with the library, and a cell shows that the three agree. Then comes an experiment.
#
# **A claim** is a sentence of the field with a bound, measured on several seeds. Its card says
# whether the whole 95 % interval keeps the bound. One that does not hold is reported as such. All
# of them are in [docs/claims.md](../docs/claims.md). Often the first seed is run in front of you,
# and the others are stored and marked as stored; change the code, and all of them are run.
#
# **Silent failures** close each lesson: bugs that train without an error, and how to see them.
#
# **Exercises** are in [exercises/](../exercises), one notebook for each lesson. You write a
# function, and `ift.check` in the next cell says at once what is right and what is not. A wrong
# answer that many people give gets a word about just that mistake. `ift hint 02.3` helps in three
# steps, and `ift progress` shows how far you are.
#
# **A quiz** ends each lesson, and new words are in the [glossary](../docs/glossary.md).
#
# **One switch**, `IFT_PROFILE`, runs the same notebooks on other models: `smollm2` is a real one on
# a CPU, `t4` is for free Colab, `gpu24` for a card with 24 GB.
#
# ## 5. The lessons
#
# All of them on the default profile. The time is what the machine computes; reading takes you
# longer. (In the notebooks as you got them, all outputs are there already: you can read first and
# run later.)

# %%
course_map()

# %%
whole = course_map()
print(f"All lessons compute for {whole.seconds / 60:.0f} minutes; the cards of all exercises "
      f"together say {whole.exercise_minutes / 60:.0f} hours.")  # fmt: skip

# %% [markdown]
# ## 6. Three ways through
#
# **An evening.** Read and run 01: what pretraining and instruction tuning are. Then 03: why few
# good examples may beat many bad ones. Skip the exercises, do the quizzes, and play with the models
# at the end of 01.
#
# **A weekend.** All lessons in their order, and of each the exercises with one and two dots. 02 is
# the one that saves you the most trouble later; 04 is for those who want to tune models of a real
# size; 05 goes on to preferences, and each later lesson asks one question more. Afterwards take
# your own data: `ift data inspect FILE`, then `ift sft`.
#
# **Teaching a class.** A lesson makes a session: the first half of it together, the exercises alone
# with their checks, the quiz in the end. [docs/instructors.md](../docs/instructors.md) says how to
# hand out, collect and grade without trusting anybody's code.
#
# Go on with [01, pretraining versus instruction tuning](01_pretraining_vs_sft.ipynb).
