# %% [markdown]
# # How little data is enough
#
# {{ badge }}
#
# How many examples does it take to make an assistant? In 2023 a paper answered: a thousand, if they
# are good. It was called *LIMA: Less Is More for Alignment*. It changed how people collect data,
# and it is often quoted as more than it showed.
#
# At the end you will be able to
#
# - say what LIMA measured, and what it did not;
# - tune a model on a few hundred examples with TRL, and know how many steps that needs;
# - measure what more examples are worth, and what flawed ones cost;
# - explain why tuning teaches a format rather than facts.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("03")

# %% [markdown]
# ## 1. Forty-eight examples
#
# Gemma 3 270M is a real base model. Below you see what it writes before and after one minute of
# tuning on **48** hand-written examples. None of these questions was among them.

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("00")

# %% [markdown]
# Forty-eight conversations turned a text predictor into something that answers and stops. Would 30
# have done? Would 300 have done better? And what if somebody had written half of them carelessly?
# You cannot answer that by reading four replies. In a closed world, where a program knows every
# right answer, you can measure it.
#
# ## 2. What LIMA did
#
# Zhou et al. tuned LLaMA, a base model with 65 billion parameters, on **1,000** examples with the
# ordinary SFT loss. They chose 750 questions and answers from community forums (Stack Exchange,
# wikiHow, Reddit), wrote 200 examples themselves, and took 50 from Super-Natural Instructions.
# There was no reward model and no reinforcement learning.
#
# People then compared its answers to 300 prompts with those of other models. The table shows how
# often they found LIMA's answer **equal or better**:
#
# | against | LIMA equal or better |
# | --- | ---: |
# | GPT-4 | 43 % |
# | Claude | 46 % |
# | Bard | 58 % |
# | DaVinci003, tuned with human feedback | 65 % |
#
# Read the first line twice: in 57 % of cases, people preferred GPT-4. LIMA also beat Alpaca, which
# was the same base tuned on 52,000 examples that a model had written.
#
# Three details matter in practice and are rarely quoted.
#
# - **Fifteen epochs.** LIMA saw every example up to 15 times. Its perplexity on held-out answers
#   *rose* while the quality of its answers improved, so the authors picked a checkpoint between the
#   5th and the 10th epoch by hand, on 50 prompts kept aside for that.
# - **Ablations.** On a model with 7 billion parameters, graded by ChatGPT, more varied prompts
#   helped and better answers helped. Up to sixteen times as many examples of the same kind did not.
# - **Conversations.** The 1,000 examples have one turn each. Adding 30 dialogues improved answers
#   in conversations a great deal (section 6).
#
# The authors explain this by the **superficial alignment hypothesis**: a model gets almost all of
# its knowledge from pretraining, and alignment teaches it which format and style to use.
#
# **What it did not show.** A thousand is not a special number. LIMA measured what people prefer,
# not whether an answer is true, and people like style: models tuned to imitate ChatGPT pleased the
# graders without knowing more (Gudibande et al. 2023). The paper did not cross quality with
# quantity either, so it left open how *many* flawed examples a good one is worth.
#
# We can cross them here. Keep the difference in mind, though: in our world an answer is a word or
# two, and a program checks it. So this lesson measures **data quality** as the share of right
# answers, not as style.
#
# ## 3. One run, with TRL
#
# Every example asks for one fact. `spoil` damages a chosen share of the examples in four ways, as
# careless annotators might.

# %%
from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.world.flaws import spoil

seed = profile.seeds[0]
examples = experiment.training_set(experiment.LimaConfig(300), seed)
good = examples[0]
print(f"{good.instruction}\n{'(good)':>12}  {good.response}")
for flaw in ("wrong", "off_topic", "echoed", "truncated"):
    [bad] = spoil([good], share=1.0, seed=seed, flaws=[flaw])
    print(f"{flaw:>12}  {bad.response}")

# %% [markdown]
# This is all the code that one run needs: rows with `prompt` and `completion`, an `SFTConfig`, an
# `SFTTrainer`. TRL takes the loss on the completion only, because the rows say which part that is.

# %%
import tempfile

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer


def to_rows(examples) -> Dataset:
    """Examples in TRL's conversational prompt-completion format."""
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": f"{e.instruction}\n{e.input}".strip()}],
                "completion": [{"role": "assistant", "content": e.response}],
            }
            for e in examples
        ]
    )


def trainer_for(examples, **options) -> SFTTrainer:
    """TRL's trainer for a fresh base; `options` are arguments of `SFTConfig`."""
    model, tokenizer = ift.load("base")
    args = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        learning_rate=profile.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # a share of all steps
        per_device_train_batch_size=profile.batch_size,
        max_length=profile.max_length,
        seed=seed,
        bf16=False,
        use_cpu=True,
        activation_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **options,
    )
    trainer = SFTTrainer(model, args, train_dataset=to_rows(examples), processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


trainer = trainer_for(examples, max_steps=63)
trainer.train()
questions = experiment.held_out(seed)
scores = ift.score(trainer.model, trainer.processing_class, questions)
print(f"{len(examples)} examples, {trainer.state.global_step} steps, "
      f"{trainer.state.epoch:.1f} passes: {scores.accuracy:.3f} right")  # fmt: skip

# %% [markdown]
# The questions ask about entities that no example mentions. The score is strict: the answer, only
# the answer, and then the end of the turn.
#
# The experiment needs dozens of such runs. `run_config` in
# `ift_course/lessons/lesson_03/experiment.py` makes one from a `LimaConfig` (so many examples, such
# a share flawed). It trains with `ift.sft`, this course's settings for the same trainer. Is that
# the same? `runs.of` returns the stored results of a configuration, one for each seed.

# %%
from ift_course.claims.grid_runs import GridRuns

runs = GridRuns("03", profile, experiment.LimaResult, experiment.run_config)
few = runs.of(experiment.LimaConfig(300))
same = sum(a == b for a, b in zip(scores.items, few[0].scores, strict=True))
print(f"TRL above {scores.accuracy:.3f}, run_config {few[0].accuracy:.3f}, "
      f"the same verdict on {same} of {len(questions)} questions")  # fmt: skip
assert abs(scores.accuracy - few[0].accuracy) < 0.08

# %% [markdown]
# Both runs see the same examples for the same number of steps. They meet them in another order, so
# the scores agree up to chance and not to the last digit.
#
# ### More, and worse
#
# **Equal compute.** Every run takes 63 steps, one pass over 1,000 examples. So "more examples"
# means more *different* ones, not more training.
#
# **Predict before you run.** With 63 steps each: (a) how far do 300 good examples fall behind 1,000
# good ones? (b) Which is better, 300 good examples or 1,000 of which 600 are flawed? (c) And 30
# good ones against those 1,000? Write three numbers down.
#
# Our own prediction: less than 0.15 for (a), and the 300 for (b).

# %%
thousand = runs.of(experiment.LimaConfig(1000))
noisy = runs.of(experiment.LimaConfig(1000, 0.6), now=True)  # the first seed, in front of you
for name, results in {"300 good": few, "1,000 good": thousand, "1,000, 60 % bad": noisy}.items():
    print(f"{name:>16}: " + "  ".join(f"{result.accuracy:.3f}" for result in results))

# %% [markdown]
# **Claim: little is enough.** Three hundred good examples do almost as well as a thousand.

# %%
if runs.decide(thousand, few):
    ift.claim(
        "03.little-is-enough",
        "Three hundred curated examples come close to a thousand, with the same number of steps.",
        subject=6,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5, quantity",
        metric="strict accuracy on held-out entities",
        arms={"1,000 curated": [row.scores for row in thousand],
              "300 curated": [row.scores for row in few]},
        effect=("1,000 curated", "300 curated"),
        at_most=0.15,
    )  # fmt: skip

# %% [markdown]
# **Claim: quality beats quantity.** Three hundred good examples beat a thousand of which 600 are
# flawed, although those contain 400 good ones.

# %%
if runs.decide(few, noisy):
    ift.claim(
        "03.quality-beats-quantity",
        "Three hundred curated examples beat a thousand of which 60 % are flawed.",
        subject=6,
        literature="Less is more: few curated examples beat many unfiltered ones.",
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5, quality",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={"300 curated": [row.scores for row in few],
              "1,000, 60 % flawed": [row.scores for row in noisy]},
        effect=("300 curated", "1,000, 60 % flawed"),
        at_least=0.0,
    )  # fmt: skip

# %% [markdown]
# ### The whole grid
#
# Four sizes, three shares, three seeds each: too long for a lesson, so the lines below are
# **stored** (`ift run 03 --full` computes them on your machine). Large marks were measured in this
# notebook. With a kernel, sliders show what each model was tuned on and what it answers.

# %%
figures.grid_view(runs)

# %%
for name, points in figures.means(runs.stored).items():
    print(f"{name:>12}: " + "  ".join(f"{mean:.2f} at {n:,}" for n, mean in points.items()))
for name, points in figures.means(runs.stored).items():
    if name != "curated":
        cost = figures.means(runs.stored)["curated"][1000] - points[1000]
        print(f"{name} costs {cost:.2f} at 1,000 examples")

# %% [markdown]
# Sixty percent is a very bad data set. At thirty percent, which is more usual, the printed cost
# tells you what cleaning could bring at most. Note also that the flawed sets improve with size. One
# reason is that wrong answers contradict each other, while right ones agree.
#
# **Think.** Everything above was at equal compute. A colleague compares 300 with 1,000 examples at
# three epochs each, finds the 1,000 better, and concludes that size matters.
#
# <details><summary>What is wrong with the conclusion?</summary>
#
# At equal epochs, the larger set also gets more than three times the optimizer steps. Size and
# training are mixed up. Equal steps have their own bias: the small set is repeated more often. Say
# which one you held fixed.
# </details>
#
# ## 4. When to stop
#
# With few examples you go through them many times. The usual advice is to stop when the loss on
# held-out answers rises. LIMA's authors could not use it. Let us watch both: 30 examples, 40
# passes, and after every eighth of them the loss on held-out answers and the score on the same
# questions.
#
# **Predict:** does the pass with the lowest loss have the highest score?

# %%
from transformers import TrainerCallback

few_rows = experiment.training_set(experiment.LimaConfig(30), seed)
trainer = trainer_for(few_rows, num_train_epochs=40)
losses, shares = {}, {}


class Look(TrainerCallback):
    """After every eighth pass: the loss on held-out responses, and the strict score."""

    def on_epoch_end(self, args, state, control, **kwargs):
        if (passes := round(state.epoch)) % 8 == 0:
            losses[passes] = trainer.evaluate(to_rows(questions))["eval_loss"]
            shares[passes] = ift.score(trainer.model, trainer.processing_class, questions).accuracy
            trainer.model.train()


trainer.add_callback(Look())
trainer.train()
by_loss, by_score = min(losses, key=losses.get), max(shares, key=shares.get)
print(f"highest score: {shares[by_score]:.2f}, after pass {by_score}")
print(f"lowest loss:   {losses[by_loss]:.2f}, after pass {by_loss}: scores {shares[by_loss]:.2f}")
figures.loss_and_score(
    losses, shares,
    title=f"The loss is lowest after pass {by_loss}, the score is highest after pass {by_score}",
)  # fmt: skip

# %% [markdown]
# The loss and the score are two instruments. The loss asks how probable the reference answer is,
# token by token. The score asks whether the model's own answer is right. Early on both improve,
# because the model is learning the format. Later they can part, in either direction: in LIMA the
# loss got worse while the answers got better. (This is one run; another seed may draw the curves a
# little differently.) So choose a checkpoint by what you care about, on questions that you do not
# report afterwards.
#
# ## 5. Format, not facts
#
# If tuning teaches a format, then the base is the bound: the tuned model can answer what the base
# already knows. Test it. Let the *base* complete the facts that the tuned model is asked for, as in
# "The capital of France is". And ask the tuned model about countries that our world does not have.

# %%
base, tokenizer = ift.load("base")
fresh = runs.of(experiment.LimaConfig(1000), seeds=profile.more_seeds(2)[len(profile.seeds) :])
known = [experiment.base_completes(base, tokenizer, experiment.held_out(x.seed)) for x in fresh]
tuned = [result.scores for result in fresh]
print(f"the base completes {sum(map(sum, known)):,.0f} of {sum(map(len, known)):,} facts; "
      f"tuned on 1,000 examples, it answers {sum(map(sum, tuned)):,.0f}")  # fmt: skip

# %% [markdown]
# **Claim: the base is the bound.** A thousand examples do not lift the model above what the base
# completes: at most by 0.02, we predicted. The three seeds of the grid left this undecided, with an
# interval up to 0.03. So it is decided here by three other seeds, which nobody had looked at.

# %%
if runs.decide(fresh):
    ift.claim(
        "03.the-base-is-the-bound",
        "Tuning does not take the model past what the base knows.",
        subject=6,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
        metric="accuracy on the same held-out facts, "
        "asked after tuning minus completed by the base",
        arms={"tuned on 1,000": tuned, "base completes": known},
        effect=("tuned on 1,000", "base completes"),
        at_most=0.02,
    )

# %% [markdown]
# Now the countries it has never read about. The answers come from `generate`, as you would write it
# at work.

# %%
unread = {"Ireland": "Dublin", "Switzerland": "Bern", "Belgium": "Brussels", "Canada": "Ottawa",
          "Senegal": "Dakar", "Ecuador": "Quito", "Algeria": "Algiers"}  # fmt: skip


def ask(model, question: str) -> str:
    """The model's greedy answer to one question, through the chat template."""
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt"
    )
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    output = model.generate(**inputs, max_new_tokens=12, do_sample=False, eos_token_id=end,
                            pad_token_id=tokenizer.pad_token_id)  # fmt: skip
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


model = trainer.model.eval()
answers = {country: ask(model, f"What is the capital of {country}?") for country in unread}
right = sum(answers[country].strip() == capital for country, capital in unread.items())
print("  ".join(f"{country} → {answer}" for country, answer in answers.items()))
print(f"{right} of {len(unread)} right; France → {ask(model, 'What is the capital of France?')}")

# %% [markdown]
# Look at the form of these answers before you look at their truth. The form is what the examples
# taught: one word, then the end of the turn. Whatever the model answers about a country it has
# never read about is a **hallucination**: an invented answer in the form of a known one.
#
# Can one not *tune in* new facts? One can, at a price. Gekhman et al. (2024) found that a model
# learns such examples slowly, and that it invents more about other things as it learns them.
#
# ## 6. The same on a real model
#
# Gemma again, now measured: 30, 100 and 300 examples of the course's own set, and the same 300 with
# 60 % of the answers swapped, echoed or cut off. All models take about 150 steps. The panel has 100
# test questions with verifiers, intervals, and ten answers side by side to judge for yourself.
# **Predict the order first.**

# %%
real_panel("03")

# %% [markdown]
# ## 7. Silent failures
#
# ### Fifty examples, one epoch, and nothing changed
#
# "I tuned on my examples and the model behaves as before." Usually the number of optimizer steps is
# to blame. Here are 30 examples for one epoch, everything else as above.

# %%
trainer = trainer_for(few_rows, num_train_epochs=1)
trainer.train()
share = ift.score(trainer.model, trainer.processing_class, questions).accuracy
logged = [entry for entry in trainer.state.log_history if "loss" in entry]
assert trainer.state.global_step < 10 and not logged
print(
    f"{trainer.state.global_step} optimizer steps, {len(logged)} losses logged, {share:.2f} right"
)

# %% [markdown]
# The run ends without an error. It did not even log a loss, because TRL logs every tenth step by
# default. How to see it: print `trainer.state.global_step`. With $n$ examples, batches of $b$ and
# $a$ accumulated batches it is $\lceil \lceil n/b \rceil / a \rceil$ for each epoch. With small
# data, choose the number of *steps* first, 50 to a few hundred, and let the epochs follow.
#
# ### The test chose the checkpoint
#
# In section 4 we looked at five checkpoints on one set of questions. If we now published the
# highest of the five scores, we would report partly luck. LIMA's authors kept 50 prompts aside for
# the choice and used 300 others for the result. Do the same.
#
# ## Questions

# %%
ift.quiz("03")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Two functions and an open question: how many steps a trainer will take, with TRL's own trainer as
# the judge; an interval for a difference; and a plan for a data set of your own.
# [exercises/03_lima_small_data.ipynb](../exercises/03_lima_small_data.ipynb). How to *find* the
# good examples in a large set is [lesson 09](09_curating_a_data_set.ipynb).
#
# ## To read
#
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206). Sections 2, 5 and 6, and appendix B.
# - Gudibande et al. 2023, *The False Promise of Imitating Proprietary LLMs*,
#   [arXiv:2305.15717](https://arxiv.org/abs/2305.15717).
# - Gekhman et al. 2024, *Does Fine-Tuning LLMs on New Knowledge Encourage Hallucinations?*,
#   [arXiv:2405.05904](https://arxiv.org/abs/2405.05904).
# - Lin et al. 2023, *The Unlocking Spell on Base LLMs*,
#   [arXiv:2312.01552](https://arxiv.org/abs/2312.01552): three examples in the prompt, no tuning.
# - Jha et al. 2023, *LIMIT: Less Is More for Instruction Tuning Across Evaluation Paradigms*,
#   [arXiv:2311.13133](https://arxiv.org/abs/2311.13133).
