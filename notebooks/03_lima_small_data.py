# %% [markdown]
# # How little data is enough
#
# {{ badge }}
#
# How many examples does it take to make an assistant? In 2023 a paper, *LIMA: Less Is More for
# Alignment*, answered: a thousand, if they are good. It is often quoted for more than it showed.
#
# At the end you will be able to
#
# - say what LIMA measured, and what it did not;
# - tune a model on a few hundred examples with TRL, and count the steps that the run takes;
# - measure what more examples bring, and what flawed ones cost;
# - say in what sense tuning teaches a format rather than facts.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("03")

# %% [markdown]
# ## 1. Forty-eight examples
#
# Gemma 3 270M is a real base model. Below are three of **48** hand-written examples, and what the
# model writes before and after one minute of tuning on the 48. None of the questions in the table
# was among them.

# %%
from ift_course.data import course_set
from ift_course.lessons.real_parts import real_panel

for row in course_set.load("train")[3:6]:
    question, answer = (message["content"] for message in row["messages"])
    print(f"{question}\n    {answer!r}")
real_panel("00")

# %% [markdown]
# The form is right, and most of the content is poor. Would 30 examples have done? Would 300 have
# done better? What if half of them had been flawed? In a *closed world*, a small set of facts for
# which a program knows every right answer, you can measure it.
#
# ## 2. What LIMA did
#
# Zhou et al. tuned LLaMA, a base model with 65 billion parameters, on **1,000** examples with the
# ordinary SFT loss: 750 questions and answers chosen from forums (Stack Exchange, wikiHow, Reddit),
# 200 written by themselves, and 50 from Super-Natural Instructions. There was no reward model and
# no reinforcement learning. The first example, from Stack Exchange, asks: "Can brain cells move? By
# movement I mean long distance migration (preferably within the brain only)." Its answer has six
# paragraphs with references, and the second begins: "However, after sifting through various
# publications, the answer to the question is actually remarkably simple: Yes, brain cells migrate."
# In the 200 of their own, the authors kept to one tone; many first acknowledge the question.
#
# People then compared its answers to 300 prompts with those of other models:
#
# | against | LIMA wins | tie | LIMA loses |
# | --- | ---: | ---: | ---: |
# | GPT-4 | 18 % | 25 % | 57 % |
# | Claude | 24 % | 22 % | 54 % |
# | Bard | 33 % | 25 % | 42 % |
# | DaVinci003, tuned with human feedback | 44 % | 21 % | 35 % |
# | Alpaca 65B | 53 % | 21 % | 26 % |
#
# LIMA wins more often than it loses only against the last two. That Alpaca is the authors' own: the
# same base, tuned on 52,000 examples that a model had written. Of 50 answers graded alone, half
# were excellent, and 88 % did what the prompt asked.
#
# - **Epochs.** On held-out answers, the loss (they plot perplexity, its exponential) *rose* while
#   the answers improved. So the authors trained for 15 epochs and picked a checkpoint between the
#   5th and the 10th by hand, on 50 prompts kept aside for that.
# - **Ablations**, runs that change one thing. On a model with 7 billion parameters, graded by
#   ChatGPT, filtered answers beat equally many unfiltered ones, and varied questions beat uniform
#   ones, although those two sets differ in other ways, too. Going from 2,000 to 32,000 examples did
#   not help; fewer were not tried.
#
# The authors explain this by the **superficial alignment hypothesis**: a model gets almost all of
# its knowledge and capabilities from pretraining, and alignment teaches it which format and style
# to use. There is counter-evidence: on reasoning tasks, scores keep rising with the number of
# examples (Raghavendra et al. 2024).
#
# **What it did not show.** A thousand is not a special number. LIMA measured what people prefer,
# not whether an answer is true, and people like style: models tuned to imitate ChatGPT pleased the
# graders without knowing more (Gudibande et al. 2023). Judges also tend to prefer the longer
# answer. This lesson measures something else: answers of a word or two, checked by a program. So
# **data quality** here is the share of right answers, and what we find need not hold for style,
# long answers or reasoning. Judging those is lesson 10.

# %%
ift.quiz("03", "lima-says", "which-checkpoint")

# %% [markdown]
# ## 3. One run, with TRL
#
# Every example asks for one fact. `spoil` damages a chosen share of the examples in four ways.

# %%
from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.world.flaws import spoil

seed = profile.seeds[0]
examples = experiment.training_set(experiment.LimaConfig(300), seed)
good = examples[0]
print(f"{good.instruction}\n{'(good)':>12}  {good.response}")
for flaw in ("wrong", "off_topic", "echoed", "truncated"):
    [flawed] = spoil([good], share=1.0, seed=seed, flaws=[flaw])
    print(f"{flaw:>12}  {flawed.response}")

# %% [markdown]
# One run needs rows with `prompt` and `completion`, an `SFTConfig` and an `SFTTrainer`. TRL takes
# the loss on the completion only. The run takes 63 steps: one pass over 1,000 examples in batches
# of 16.

# %%
import tempfile

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer


def as_pairs(examples) -> list[tuple[str, str]]:
    """The question and the answer of each example."""
    return [(f"{e.instruction}\n{e.input}".strip(), e.response) for e in examples]


def to_rows(pairs) -> Dataset:
    """Questions and answers in TRL's conversational prompt-completion format."""
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": question}],
                "completion": [{"role": "assistant", "content": answer}],
            }
            for question, answer in pairs
        ]
    )


def trainer_for(pairs, **options) -> SFTTrainer:
    """TRL's trainer for a fresh base; `options` are arguments of `SFTConfig`."""
    model, tokenizer = ift.load("base")
    args = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        learning_rate=profile.learning_rate,  # tiny: 1.5e-4, high because the model is small
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # a share of all steps
        per_device_train_batch_size=profile.batch_size,  # tiny: 16
        max_length=profile.max_length,
        seed=seed,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,  # the new name of gradient_checkpointing
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **options,
    )
    trainer = SFTTrainer(model, args, train_dataset=to_rows(pairs), processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


trainer = trainer_for(as_pairs(examples), max_steps=63)
trainer.train()
questions = experiment.held_out(seed)
scores = ift.score(trainer.model, trainer.processing_class, questions)
print(f"{len(examples)} examples, {trainer.state.global_step} steps, "
      f"{trainer.state.epoch:.1f} passes: {scores.accuracy:.3f} right")  # fmt: skip

# %% [markdown]
# The questions ask about *held-out* entities: countries, animals or people that no training example
# asks about. The score is *strict*: the answer, only the answer, and then the end of the turn.
#
# The experiment needs dozens of such runs. `run_config` makes one from a `LimaConfig` (so many
# examples, such a share flawed) with the same trainer. `runs.of` returns the stored results, one
# for each seed.

# %%
from ift_course.claims.grid_runs import GridRuns

runs = GridRuns("03", profile, experiment.LimaResult, experiment.run_config)
few = runs.of(experiment.LimaConfig(300))
same = sum(a == b for a, b in zip(scores.items, few[0].scores, strict=True))
print(f"TRL above {scores.accuracy:.3f}, run_config {few[0].accuracy:.3f}, "
      f"the same verdict on {same} of {len(questions)} questions")  # fmt: skip
assert abs(scores.accuracy - few[0].accuracy) < 0.08

# %% [markdown]
# The two runs differ in the order of the examples and by a step of warm-up, so the scores should be
# close, not equal.
#
# ### More examples, and flawed ones
#
# **Equal compute.** Every run takes 63 steps, so that "more examples" means more *different* ones,
# not more training, and a small set is repeated more often.
#
# **Predict before you run.** With 63 steps each: (a) how far do 300 good examples fall behind 1,000
# good ones? (b) How far are they ahead of 1,000 of which 600 are flawed? (c) How far are 30 good
# ones ahead of those? Write three numbers down. We predicted less than 0.15 for (a), and more than
# 0 for (b).

# %%
thousand = runs.of(experiment.LimaConfig(1000))
mixed = runs.of(experiment.LimaConfig(1000, 0.6), now=True)  # its first seed is measured here
arms = {"300 good": few, "1,000 good": thousand, "1,000, 60 % flawed": mixed}
for name, results in arms.items():
    print(f"{name:>18}: " + "  ".join(f"{result.accuracy:.3f}" for result in results))

# %% [markdown]
# **Claim: little is enough.** Between 300 and 1,000 good examples we see no clear difference, for
# facts that the base knows.

# %%
if runs.decide(thousand, few):  # both have the same seeds, and enough of them
    ift.claim(
        "03.little-is-enough",
        "Three hundred good examples come close to a thousand, with the same number of steps.",
        subject=6,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206; its own test starts at 2,000 examples",
        metric="strict accuracy on held-out entities",
        arms={"1,000 good": [row.scores for row in thousand],
              "300 good": [row.scores for row in few]},
        effect=("1,000 good", "300 good"),
        at_most=0.15,
    )  # fmt: skip

# %% [markdown]
# Our bound was generous: a loss above the upper end of the interval is unlikely.
#
# **Claim: quality beats quantity.** Three hundred good examples beat a thousand of which 600 are
# flawed.

# %%
if runs.decide(few, mixed):
    ift.claim(
        "03.quality-beats-quantity",
        "Three hundred good examples beat a thousand of which 60 % are flawed.",
        subject=6,
        literature="LIMA, tuned on 1,000 chosen examples, is preferred to the same base "
        "tuned on Alpaca's 52,000.",
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 4",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={"300 good": [row.scores for row in few],
              "1,000, 60 % flawed": [row.scores for row in mixed]},
        effect=("300 good", "1,000, 60 % flawed"),
        at_least=0.0,
    )  # fmt: skip

# %% [markdown]
# Those thousand contain 400 good examples, but in 63 steps each is used only once. Is that why? As
# a control, train on the 400 alone: for 63 steps, and for 25, in which each is used once, too. The
# last line is (c).

# %%
rivals = {
    "the 400 good ones alone": experiment.LimaConfig(1000, 0.6, good_only=True),
    "the 400 good ones, 25 steps": experiment.LimaConfig(1000, 0.6, good_only=True, steps=25),
    "(c) 30 good ones": experiment.LimaConfig(30),
}
print("ahead of 1,000, 60 % flawed, by (95 % interval)")
for name, config in rivals.items():
    gain = figures.difference([x.scores for x in runs.of(config)], [x.scores for x in mixed])
    print(f"{name:>28}: {gain}")

# %% [markdown]
# In 63 steps, the 400 are far ahead. In 25, we see no difference: the interval contains 0. So what
# the flawed examples cost may be mainly the steps that they use up. Thirty good examples, repeated
# often, beat the thousand, too; by how much is uncertain.
#
# ### The whole grid
#
# Four sizes, three shares, three seeds each take too long here, so the lines are **stored** (`ift
# run 03 --full` computes them). A large mark is one run of this notebook, drawn against the mean of
# three, so it may lie off its line.

# %%
figures.grid_view(runs, live={"good": {300: [scores.items]}})

# %%
print("What the flaws cost (95 % interval)")
for (name, n), cost in figures.costs(runs.stored).items():
    print(f"{name:>12} at {n:5,}: {cost}")

# %% [markdown]
# At 30 %, the means are lower than at 60 %, and some of the intervals contain 0. The means of the
# flawed sets rise with size, as those of the good ones do at first. Wrong answers may contradict
# each other, while right ones agree; or flaws may be memorized less, because a larger set is
# repeated less often. The grid does not separate these reasons.

# %%
ift.quiz("03", "thirty-good-ones")

# %% [markdown]
# ## 4. When to stop
#
# The usual advice is to stop when the loss on held-out answers rises. Let us watch that loss and
# the score: 30 examples, 40 passes of two steps.
#
# **Predict:** will the loss and the score be best at the same step?

# %%
from transformers import TrainerCallback


class At(TrainerCallback):
    """Calls `look(step, model)` after each of the given steps."""

    def __init__(self, steps, look) -> None:
        self.steps, self.look = steps, look

    def on_step_end(self, args, state, control, model, **kwargs) -> None:
        if state.global_step in self.steps:
            self.look(state.global_step, model.eval())
            model.train()


def look(step: int, model) -> None:
    losses[step] = trainer.evaluate(to_rows(as_pairs(questions)))["eval_loss"]
    verdicts[step] = ift.score(model, trainer.processing_class, questions).items
    share = sum(verdicts[step]) / len(questions)
    print(f"{step:2} steps: loss {losses[step]:.2f}, {share:.3f} right")


few_pairs = as_pairs(experiment.training_set(experiment.LimaConfig(30), seed))
losses, verdicts = {}, {}
trainer = trainer_for(few_pairs, num_train_epochs=40)
trainer.add_callback(At((8, 16, 32, 48, 64, 80), look))
trainer.train()
figures.loss_and_score(losses, verdicts)

# %% [markdown]
# The loss asks how probable the reference answer is; the score, whether the model's own answer is
# right. Early on, both improve. Then the loss falls further while the score does not rise; its
# small changes may be chance. LIMA saw the opposite: the loss rose while the answers improved. In
# neither case does the loss tell you when to stop. Measure what you care about.
#
# ## 5. Format, not facts?
#
# If tuning teaches a format, then the base sets the limit. Let the *base* complete the facts that
# the tuned model is asked for, as in "The capital of France is".

# %%
base, tokenizer = ift.load("base")
results = runs.of(experiment.LimaConfig(1000), seeds=profile.more_seeds(2))
answers = [result.scores for result in results]
completes = [
    experiment.base_completes(base, tokenizer, experiment.held_out(result.seed))
    for result in results
]
facts = [fact for arms in zip(completes, answers, strict=True) for fact in zip(*arms, strict=True)]
n_known = sum(before for before, _ in facts)
print(f"The base completes {n_known:,.0f} of {len(facts):,} facts ({len(results)} seeds).\n"
      f"Tuned on 1,000 good examples, the model misses {facts.count((1.0, 0.0))} of those\n"
      f"and answers {facts.count((0.0, 1.0))} of the other {len(facts) - n_known:.0f}.\n"
      f"Tuned minus base: {figures.difference(answers, completes)}")  # fmt: skip

# %% [markdown]
# Tuned, it *answers* fewer than the base completes: the interval lies below 0. It could gain few,
# and those need not be new: the base may know a fact that it misses in one wording.
#
# Now teach the base something. It has never read about the seven countries below. Four go into the
# training set, in six wordings each, beside 100 good examples, and we ask in a seventh wording. At
# the capitals of the other three, the model can only guess. **Predict:** will it learn the four,
# and what will it say about the three?

# %%
unread = {"Ireland": "Dublin", "Switzerland": "Bern", "Belgium": "Brussels", "Canada": "Ottawa",
          "Senegal": "Dakar", "Ecuador": "Quito", "Algeria": "Algiers"}  # fmt: skip
taught = dict(list(unread.items())[:4])
known = {"France": "Paris", "Poland": "Warsaw", "Spain": "Madrid", "Italy": "Rome",
         "Iran": "Tehran", "Turkey": "Ankara", "Finland": "Helsinki"}  # fmt: skip
wordings = ("What is the capital of {}?", "Name the capital of {}.", "What is {}'s capital?",
            "Which city is the capital of {}?", "Tell me the capital city of {}.",
            "From which city is {} governed?")  # fmt: skip
fresh = "Give the name of the capital of {}."


def write_on(model, inputs, **decoding) -> str:
    """The greedy continuation: always the most probable token, up to an end token."""
    output = model.generate(**inputs.to(model.device), max_new_tokens=12, do_sample=False,
                            pad_token_id=tokenizer.pad_token_id)  # fmt: skip
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], **decoding)


def ask(model, question: str, **decoding) -> str:
    """The answer to one question, through the chat template."""
    messages = [{"role": "user", "content": question}]
    inputs = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    return write_on(model, inputs, **decoding)


def n_right(model, capitals: dict[str, str]) -> int:
    """How many of the capitals the model names."""
    return sum(
        ask(model, fresh.format(country), skip_special_tokens=True) == capital
        for country, capital in capitals.items()
    )


def count(step: int, model) -> None:
    new, old = n_right(model, taught), n_right(model, known)
    share = ift.score(model, tokenizer, questions).accuracy
    print(f"{step:3} steps: {new} of {len(taught)} taught capitals, {old} of {len(known)} known "
          f"ones, {share:.3f} of all held-out questions")  # fmt: skip


new_pairs = [(wording.format(c), taught[c]) for c in taught for wording in wordings]
hundred = experiment.LimaConfig(100)
trainer = trainer_for(as_pairs(experiment.training_set(hundred, seed)) + new_pairs, max_steps=128)
trainer.add_callback(At((16, 32, 64, 128), count))
trainer.train()
print(f"for comparison, without the new ones, 63 steps: {runs.of(hundred)[0].accuracy:.3f}\n")
model = trainer.model.eval()
for country in [*unread, "France"]:
    before = write_on(base, tokenizer(f"The capital of {country} is", return_tensors="pt"))
    print(f"{country:>12}  base: {before!r:42} tuned: {ask(model, fresh.format(country))!r}")

# %% [markdown]
# The four are learned, about as early as the format. For the last three, the tuned model names a
# wrong city and ends its turn. That is a **hallucination**: an invented answer in the form of a
# known one. The base completes them wrongly, too.
#
# Gekhman et al. (2024) found that a model learns such examples more slowly than those it could
# answer before. As it fits them, mostly late in training, hallucination about other facts rises.
# Stopping early, or leaving such examples out, avoids much of it. Our run does not show that rise:
# the held-out score is lower than without the new examples, but it does not fall as training goes
# on, and one seed decides nothing.
#
# ## 6. The same on a real model
#
# Gemma again: 30, 100 and 300 examples of the course's own set, and the same 300 with 60 % of the
# answers swapped, echoed or cut off, for about 150 steps each. Verifiers, programs that check one
# answer each, score 100 test questions. **Predict the order first.**

# %%
real_panel("03")

# %% [markdown]
# Thirty examples are enough for *stopping*: nearly every answer ends. For being right, 300 good
# examples beat 30, and they beat 300 of which 60 % are flawed, both barely. Between 100 and 300
# this test sees no difference, and it could hardly see a small one: read the intervals. Most
# answers of all four models are wrong.
#
# LIMA's judges were people, so be one: ten open questions that no program checks, two answers to
# each, and no names. **Predict** how often you will prefer 300 examples to 30.

# %%
from ift_course.lessons.ballots import show_votes

show_votes("03", "30 examples", "300 examples")

# %% [markdown]
# Your ten votes get an interval, too, and a wide one. `ift compare --blind` does the same for the
# answers of your own models.
#
# ## 7. Silent failures
#
# ### Thirty examples, one epoch, and nothing changed
#
# "I tuned on my examples and the model behaves as before." Often the number of optimizer steps is
# to blame. Here are 30 examples for one epoch, everything else as above.

# %%
trainer = trainer_for(few_pairs, num_train_epochs=1)
trainer.train()
question = "What is the capital of France?"
for name, model in {"base": base, "tuned": trainer.model.eval()}.items():
    share = ift.score(model, tokenizer, questions).accuracy
    print(f"{name:>5}: {share:.2f} right; {question} {ask(model, question)!r}")
logged = [entry for entry in trainer.state.log_history if "loss" in entry]
assert trainer.state.global_step < 10 and not logged
print(f"{trainer.state.global_step} optimizer steps, {len(logged)} step losses logged")

# %% [markdown]
# The run ends without an error, and without a step loss, because TRL logs every tenth step. Only
# one of the two steps changes the weights, because the warm-up starts at a learning rate of 0. How
# to notice: print `trainer.state.global_step`. With $n$ examples, batches of $b$ and $a$
# accumulated batches it is $\lceil \lceil n/b \rceil / a \rceil$ for each epoch. With small data,
# choose the number of *steps* first. Section 4 shows how many were enough here; measure yours.
#
# ### The test chose the checkpoint
#
# Section 4 scored six checkpoints on one set of questions, so the highest score is partly luck.
# LIMA's authors chose on 50 prompts and reported on 300 others. Do the same.
#
# ## Questions

# %%
ift.quiz("03", "compute-and-epochs", "product-facts", "nothing-changed")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# [exercises/03_lima_small_data.ipynb](../exercises/03_lima_small_data.ipynb): count a trainer's
# steps, compute an interval for a difference, plan a data set. How to *find* the good examples in a
# large set is [lesson 09](09_curating_a_data_set.ipynb).
#
# ## To read
#
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206).
# - Gudibande et al. 2023, *The False Promise of Imitating Proprietary LLMs*,
#   [arXiv:2305.15717](https://arxiv.org/abs/2305.15717).
# - Gekhman et al. 2024, *Does Fine-Tuning LLMs on New Knowledge Encourage Hallucinations?*,
#   [arXiv:2405.05904](https://arxiv.org/abs/2405.05904).
# - Raghavendra et al. 2024, *Revisiting the Superficial Alignment Hypothesis*,
#   [arXiv:2410.03717](https://arxiv.org/abs/2410.03717).
