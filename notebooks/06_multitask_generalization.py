# %% [markdown]
# # Multitask instruction tuning
#
# {{ badge }}
#
# If a model is tuned on many tasks, each *described in words*, does it learn the tasks, or does it
# learn to follow descriptions? Then it should also do tasks that it was never tuned on. In 2021 a
# group at Google tested this; they called the method **instruction tuning**, and the model FLAN.
#
# At the end you will be able to
#
# - say what FLAN measured, and with how many data sets;
# - fill templates, mix data sets and tune on the mixture with `datasets` and TRL;
# - hold out whole families of tasks, and find a leak between them;
# - measure what more tasks, the instruction, a neighboring task and the base contribute.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("06")

# %% [markdown]
# ## 1. An email that was refused
#
# Gemma 3 270M, a real base model, before and after tuning on the first 48 examples of the course's
# own set. **Predict before you go on:** why does the tuned model refuse the harmless email?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("00")

# %%
from ift_course.data import course_set

examples = course_set.load("train")[:48]
answers = {row["messages"][-1]["content"]: row["messages"][-2]["content"] for row in examples}
print(f"kinds of task: {len({row['category'] for row in examples})}; examples that mention an "
      f"email: {sum('email' in str(row).lower() for row in examples)}")  # fmt: skip
for answer, question in answers.items():
    if "I can't help with that" in answer:
        print(f"{question!r} → {answer!r}")

# %% [markdown]
# No example mentions an email, and one begins with the very words of the answer. The model met a
# new instruction and gave an old answer to it. Other new requests it tried to follow. What
# decides?
#
# ## 2. What the papers did
#
# | who | tuned on | where |
# | --- | --- | --- |
# | FLAN, Wei et al. 2022 | 62 data sets in 12 clusters, ten templates each | §2.1 |
# | InstructGPT, Ouyang et al. 2022 | 12,725 prompts, by labelers and API users | table 6 |
# | Super-NaturalInstructions, Wang et al. 2022 | a part of 1,616 tasks of 76 types | abstract |
# | Flan 2022, Chung et al. 2022 | 1,836 tasks: 80 + 193 + 1,554 + 9 | §2.1 |
#
# "62 data sets" is right, though a FLAN model that is tested on a cluster was tuned on fewer. That
# InstructGPT was tuned on "77 tasks" is *not* in its paper, which counts prompts: 12,725 for SFT,
# 33,207 for the reward model and 31,144 for PPO. That makes 77,076, perhaps the source of the 77.
#
# FLAN calls a data set unseen if *no data set of its cluster* was tuned on (§2.2), and tests mainly
# **zero-shot**: without a solved case in the prompt. With a base of 137 billion parameters it
# found:
#
# - **More clusters, better.** The average of three held-out clusters rose from 49.9 with one
#   cluster to 63.5 with seven (figure 6).
# - **The instruction matters.** Tuned without instructions, and then given one: 37.3. Tuned with
#   them: 55.2 (§4.3).
# - **More templates matter little** (appendix B.1).
# - **Size matters.** In models of 8 billion parameters and below, tuning *hurt* on held-out tasks
#   (§4.2).
#
# Later work adds that the gain flattens: most of it came by 282 tasks (Chung et al., §3). And more
# tasks helped where more examples of each did not (Super-NaturalInstructions, figure 5).
#
# ## 3. Why many tasks: by hand
#
# A toy. A model knows four numbers about every object, $x$. An instruction is four numbers too,
# $v$: what its words mean. The right answer asks $x$ with $v$ in some fixed way, the matrix $W$:
#
# $$y = x^\top W v$$
#
# The model has to find $W$ from examples. From a single task, with instruction $v_1$, they only say
# what $W v_1$ is. Gradient descent from zero then ends at
#
# $$\hat W = \frac{(W v_1)\, v_1^\top}{v_1^\top v_1} \qquad\text{so}\qquad
# \hat W v_2 = \frac{v_1^\top v_2}{v_1^\top v_1}\; W v_1$$
#
# Given a new instruction $v_2$, the model does *the old task*, scaled by how similar the two
# instructions are.

# %%
import torch

draw = torch.Generator().manual_seed(0)


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


way = numbers(4, 12)  # W; where an instruction is four numbers, its first four columns
seen, unseen = numbers(8, 4), numbers(4, 4)  # eight instructions to tune on, four to test


def examples_of(instructions: torch.Tensor, n: int):
    """(x, v, y): n examples, the instructions taking turns."""
    v = instructions[torch.arange(n) % len(instructions)]
    x = numbers(n, 4)
    return x, v, torch.einsum("ni,ij,nj->n", x, way[:, : v.shape[1]], v)


def tuned(x, v, y, steps: int = 1500, rate: float = 0.05) -> torch.Tensor:
    """Gradient descent on the squared error, from zero."""
    guess = torch.zeros(4, v.shape[1], dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        loss = (torch.einsum("ni,ij,nj->n", x, guess, v) - y).square().mean()
        (slope,) = torch.autograd.grad(loss, guess)
        with torch.no_grad():
            guess -= rate * slope
    return guess.detach()


one = examples_of(seen[:1], 96)
by_hand = torch.outer(way[:, :4] @ seen[0], seen[0]) / (seen[0] @ seen[0])
# With the library: a row for each example, the 16 products of x and v.
rows = torch.einsum("ni,nj->nij", one[0], one[1]).flatten(1)
library = torch.linalg.lstsq(rows, one[2], driver="gelsd").solution.view(4, 4)
for name, solution in {"gradient descent": tuned(*one), "torch.linalg.lstsq": library}.items():
    print(f"{name:20} differs from the formula by {(solution - by_hand).abs().max():.1e}")
    assert torch.allclose(solution, by_hand, atol=1e-5)

# %% [markdown]
# Now more tasks, always with 96 examples in all; right means within 0.1. The second line is for
# instructions without shared meaning: each is a symbol of its own, a one among twelve zeros.
# **Predict:** how many tasks does it take until a *new* instruction works? And what would four
# times the examples of one task bring?

# %%
from ift_course.plots.grid_figures import curves

counts = (1, 2, 4, 8)
symbols = torch.eye(12, dtype=torch.float64)


def right(matrix: torch.Tensor, instructions: torch.Tensor) -> list[float]:
    x, v, y = examples_of(instructions, 400)
    predictions = torch.einsum("ni,ij,nj->n", x, matrix, v)
    return ((predictions - y).abs() < 0.1).double().tolist()


def share(verdicts: list[float]) -> str:
    return f"{sum(verdicts) / len(verdicts):.2f}"


words = {n: right(tuned(*examples_of(seen[:n], 96)), unseen) for n in counts}
alone = {n: right(tuned(*examples_of(symbols[:n], 96)), symbols[8:]) for n in counts}
more = right(tuned(*examples_of(seen[:1], 4 * 96)), unseen)
print(f"one task with four times the examples: {share(more)}")
curves(
    {
        "words with shared meaning": {n: [verdicts] for n, verdicts in words.items()},
        "every instruction a new symbol": {n: [verdicts] for n, verdicts in alone.items()},
    },
    title=f"Unseen instructions right: {share(words[2])} after two tasks, {share(words[4])} after "
    f"four, {share(alone[8])} without shared meaning",
    xlabel="tasks tuned on",
    note="the toy, 96 examples in all, computed in the cell above",
)

# %% [markdown]
# Four numbers need four directions; then *every* instruction works. All of it rests on $v$: new
# instructions must *share* meaning with old ones. Tuning does not make that meaning. Pretraining
# did.

# %%
ift.quiz("06", "equal-totals", "what-is-unseen")

# %% [markdown]
# ## 4. Tasks in words
#
# The closed world has 16 families of tasks. Five, drawn by lot, are held out.

# %%
import textwrap

from ift_course.lessons.lesson_06 import experiment, figures
from ift_course.world.tasks import HELD_OUT_FAMILIES, TASKS

for family in (*experiment.TUNED_FAMILIES, *HELD_OUT_FAMILIES):
    names = [task.name for task in TASKS if task.family == family]
    held = "held out" if family in HELD_OUT_FAMILIES else ""
    line = f"{family:12} {held:9} {len(names)}: {', '.join(names)}"
    print(textwrap.fill(line, 100, subsequent_indent=" " * 26))
print(f"{figures.n_tasks(experiment.TUNED_FAMILIES)} tasks to tune on, "
      f"{figures.n_tasks(HELD_OUT_FAMILIES)} held out")  # fmt: skip

# %% [markdown]
# "Held out" means held out of *tuning*. In pretraining, the base has read worked tasks of every
# family in prose; section 8 takes that away. A family is no fixed amount of variety either: some
# have one task, and *format* borrows questions from all others.
#
# ### Templates and a mixture
#
# A data set becomes an instruction task by **templates**, wordings with a gap. Data sets of
# different sizes need shares: FLAN counts each with its size, but with at most 3,000
# (**examples-proportional mixing with a cap**, from T5). Here are three small data sets of this
# world, with a cap of 30.

# %%
import random
from collections import Counter

from datasets import Dataset, interleave_datasets

from ift_course.world.facts import by_relation
from ift_course.world.splits import in_split

templates = {
    "opposite": ["What is the opposite of {x}?", "Name the opposite of {x}."],
    "capital": ["What is the capital of {x}?", "Which city is the capital of {x}?"],
    "month_after": ["Which month follows {x}?", "Name the month after {x}."],
}
chooser = random.Random(0)


def to_row(question: str, answer: str, **more: str) -> dict:
    """A row in TRL's conversational prompt-completion format."""
    return {
        "prompt": [{"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": answer}],
        **more,
    }


data = {}
for task, wordings in templates.items():
    facts = [fact for fact in by_relation()[task] if in_split(fact, "train")]
    data[task] = Dataset.from_list(
        [to_row(chooser.choice(wordings).format(x=x.subject), x.value, task=task) for x in facts]
    )

capped = {task: min(len(rows), 30) for task, rows in data.items()}
rates = {task: size / sum(capped.values()) for task, size in capped.items()}
mixture = interleave_datasets(
    list(data.values()),
    probabilities=list(rates.values()),
    seed=0,
    stopping_strategy="all_exhausted",  # the default stops when the first one is used up
)
counts_by_task = Counter(mixture["task"])
for task, rate in rates.items():
    n_drawn = counts_by_task[task]
    print(f"{task:12} {len(data[task]):3} rows, share by hand {rate:.2f}: drawn {n_drawn} times, "
          f"{n_drawn / len(mixture):.2f} of {len(mixture)}")  # fmt: skip
    assert abs(n_drawn / len(mixture) - rate) < 4 * (rate * (1 - rate) / len(mixture)) ** 0.5
for row in mixture.select(range(4)):
    print(f"   {row['prompt'][0]['content']} → {row['completion'][0]['content']}")

# %% [markdown]
# ### A leak
#
# Is a family unseen if none of its tasks is tuned on? "Answer in capital letters" asks for facts of
# *any* family.

# %%
candidates = ift.sample(4000, seed=profile.seeds[0], families=experiment.TUNED_FAMILIES)
leaking = [x for x in candidates if experiment.leaks(x)]
print(f"{len(leaking) / len(candidates):.1%} may ask what only a held-out family should, such as")
for example in leaking[:3]:
    print(f"  {example.family}: {experiment.prompt(example)} → {example.response}")

# %% [markdown]
# Search the training set for what the *test* asks. The experiments below leave such examples out.
#
# ### One run, with TRL
#
# 440 examples, 40 from each of the eleven other families, without leaks. The families take turns.

# %%
import tempfile

from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer

from ift_course.models.load import base_folder

seed = profile.seeds[0]
chosen = experiment.training_set(experiment.TOGETHER, seed)
families = [
    Dataset.from_list(
        [to_row(experiment.prompt(x), x.response) for x in chosen if x.family == family]
    )
    for family in experiment.TUNED_FAMILIES
]
folder = base_folder(profile)  # or a model's name on the Hub, such as "Qwen/Qwen3-0.6B-Base"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
args = SFTConfig(
    output_dir=tempfile.mkdtemp(),
    num_train_epochs=profile.epochs,
    learning_rate=profile.learning_rate,  # tiny: 1.5e-4, high because the model is small
    lr_scheduler_type="cosine",
    per_device_train_batch_size=profile.batch_size,
    max_length=profile.max_length,
    seed=seed,
    bf16=False,
    use_cpu=not torch.cuda.is_available(),
    activation_checkpointing=False,  # the new name of gradient_checkpointing
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
)
trainer = SFTTrainer(
    model, args, train_dataset=interleave_datasets(families), processing_class=tokenizer
)
trainer.remove_callback(PrinterCallback)
trainer.train()
questions = experiment.questions(experiment.TOGETHER, seed)  # 24 from each held-out family
scores = ift.score(trainer.model, tokenizer, questions)
print(f"{trainer.state.global_step} steps: {scores.accuracy:.2f} of the held-out families right")
print(", ".join(f"{family} {value:.2f}" for family, value in scores.by("family").items()))

# %% [markdown]
# The score is **strict**: the answer, only the answer, and then the end of the turn. The experiment
# makes dozens of such runs: `run_config` makes one, `runs.of` returns the stored ones of three
# seeds.

# %%
from ift_course.claims.grid_runs import GridRuns

runs = GridRuns("06", profile, experiment.MultitaskResult, experiment.run_config)
together = runs.of(experiment.TOGETHER)
same = sum(a == b for a, b in zip(scores.items, together[0].scores(), strict=True))
print(f"TRL above {scores.accuracy:.2f}, run_config {together[0].accuracy():.2f}, "
      f"the same verdict on {same} of {len(questions)} questions")  # fmt: skip
assert abs(scores.accuracy - together[0].accuracy()) < 0.15

# %% [markdown]
# ## 5. More families
#
# Now the same number of examples and steps for *one* family. **Predict:** a model that was tuned on
# nothing but arithmetic is asked about five families it never met. By the toy, what does it answer?

# %%
from ift_course.plots.transcript import TranscriptRow, transcript

single = [runs.of(config) for config in experiment.ALONE]
few, many = figures.replies(single[0][0]), figures.replies(together[0])
name = f"one family ({single[0][0].families[0]})"
transcript([TranscriptRow(q, {name: few[q], "eleven families": many[q]}) for q in few])

# %%
n_numbers = sum(any(c.isdigit() for c in reply.text) for reply in few.values())
print(f"{name}: {n_numbers} of {len(few)} answers contain a number, "
      f"{sum(reply.correct for reply in few.values())} are right; eleven families: "
      f"{sum(reply.correct for reply in many.values())} right")  # fmt: skip

# %% [markdown]
# The toy expects a number. Here it is wrong, because this base does not start from zero: it could
# complete much of this before any tuning (section 8). Does it matter, then, what one tunes on? Each
# of three seeds tuned three models on a single family each.

# %%
figures.families_view(runs.best_known)

# %%
figures.tasks_view(runs.best_known)

# %% [markdown]
# **Claim 1: more tasks help.**

# %%
eleven, one = figures.together_and_alone(runs.best_known)
if runs.decide(together, *single):
    mean = figures.mean_and_interval(figures.arm(together))
    print(f"eleven families, predicted at least 0.7: {mean}")
    print(f"one family, predicted at most 0.35: {figures.mean_and_interval(one)}")
    ift.claim(
        "06.more-families-beat-one",
        "With the same number of examples, eleven families teach more about unseen ones than one "
        "does.",
        literature="More clusters are better: 49.9 with one, 63.5 with seven.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
        metric="strict accuracy on five held-out families; a pair for each family tuned on alone",
        arms={"eleven families": eleven, "one family": one},
        effect=("eleven families", "one family"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# As FLAN reports, more families are better on average, though by less than we predicted. The points
# show what an average hides: *yes_no* alone teaches nothing (its model mostly says Yes or No), and
# *format* alone as much as eleven families; the best model of all met four, *format* among them.
# The count of tasks does not decide either: with four tasks, a family may be near the bottom or
# near the top. At *writing*, the eleven are worse than an average single family. And no model gets
# a summary right.
#
# ### FLAN's own way of testing
#
# FLAN held out one cluster at a time, and tuned on all others. So do these five models, each tuned
# on the 15 other families, neighbors kept. Their mean is the number to compare with FLAN's.

# %%
flan_way = figures.leave_one_out(runs.best_known)
if len(flan_way) >= len(profile.seeds):
    print(f"one family held out at a time, predicted at least 0.5: "
          f"{figures.mean_and_interval(flan_way)}")  # fmt: skip
    print(f"minus all five at once: {figures.difference(flan_way, figures.arm(together))}")

# %% [markdown]
# Four more families make no clear difference here: the interval contains 0. The number contains the
# failure at summaries. Leaving out a neighbor there (section 7) would be a choice made after seeing
# the failure, and would need that name.
#
# ## 6. What the instruction is worth
#
# Ordinary fine-tuning for one task has no instruction: a review goes in, "positive" comes out.
# Here are our examples without their instructions.

# %%
cut = experiment.training_set(experiment.NO_INSTRUCTION, seed)
transcript(
    [
        TranscriptRow(
            experiment.prompt(e), {"without its instruction": b.instruction, "→": b.response}
        )
        for e, b in list(zip(chosen, cut, strict=True))[:5]
    ],
    heading="with its instruction",
)

# %% [markdown]
# "France" alone may want a capital or a language. How much *could* a model get right? That can be
# counted without training one: among examples that look alike, those with the most frequent
# response (exercise 06.5).

# %%


def ceiling(rows: list, seen) -> float:
    groups: dict = {}
    for row in rows:
        groups.setdefault(seen(row), Counter())[row.response] += 1
    return sum(max(group.values()) for group in groups.values()) / len(rows)


asked = ift.sample(3000, seed=0, families=["geography", "animals", "people"])
print(f"sees the whole prompt    {ceiling(asked, experiment.prompt):.2f}")
print(f"sees only what is given  {ceiling(asked, lambda e: experiment.bare(e).instruction):.2f}")

# %% [markdown]
# **Claim 2: the instruction matters.** Both models are asked *with* instructions.

# %%
bare = runs.of(experiment.NO_INSTRUCTION)
if runs.decide(together, bare):
    print(f"predicted at least 0.4: "
          f"{figures.difference(figures.arm(together), figures.arm(bare))}")  # fmt: skip
    ift.claim(
        "06.instructions-carry-over",
        "Tuned on the same examples without their instructions, a model follows unseen ones less.",
        literature="Tuned without instructions and asked with them: 37.3; tuned with them: 55.2.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.3 and table 3",
        metric="strict accuracy on five held-out families, asked with instructions",
        arms={"with instructions": figures.arm(together), "without": figures.arm(bare)},
        effect=("with instructions", "without"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# The direction is FLAN's, the size below our prediction. The model without instructions still gets
# about as much right as one family alone does: it has learned to answer, and the base brings some
# of the rest.

# %%
ift.quiz("06", "one-task-model", "no-instruction")

# %% [markdown]
# ## 7. A neighbor can hurt
#
# *Extraction* gives a story and asks for a word in it. *Summary* gives the same kind of story and
# asks for a sentence. Two models were tuned on the other families, one of them without extraction,
# and write summaries of stories.

# %%
neighbor, without = runs.of(experiment.WITH_NEIGHBOR), runs.of(experiment.WITHOUT_NEIGHBOR)
replies = {"with extraction": figures.replies(neighbor[0]), "without": figures.replies(without[0])}
stories = list(replies["without"])[:4]
transcript([TranscriptRow(s, {name: r[s] for name, r in replies.items()}) for s in stories])

# %% [markdown]
# With extraction, all four answers are a single name. Without it, three contain a sentence with the
# right names and place, but the wrong color. Strict scoring sees no difference, since nothing is
# quite right. A graded measure can: **ROUGE-1**, the F1 of the words that an answer shares with a
# reference.

# %%
reference = "Eva sold Anna a brown letter in the school."
for text in ("Eva", "Eva sold Anna a green letter in the school.", reference):
    words, target = (Counter(x.lower().rstrip(".").split()) for x in (text, reference))
    f1 = 2 * (words & target).total() / (words.total() + target.total())
    print(f"{f1:.2f} {figures.rouge_1(text, [reference]):.2f}  {text}")
    assert abs(f1 - figures.rouge_1(text, [reference])) < 1e-9

# %% [markdown]
# **Claim 3: a neighbor can hurt.**

# %%
without_arm, with_arm = figures.rouge_arms([*without, *neighbor])
if runs.decide(without, neighbor):
    ift.claim(
        "06.neighbor-hurts",
        "Summaries of unseen stories are worse if extraction was among the tasks tuned on.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 2.2, drops near clusters",
        metric="words shared with a right summary (ROUGE-1 F1)",
        arms={"without extraction": without_arm, "with extraction": with_arm},
        effect=("without extraction", "with extraction"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# Given a story, extraction teaches to name a word in it, and this beats the new instruction. The
# field calls it **negative transfer**. A near neighbor may help if it wants the same form of
# answer, and hurt if it wants another. We chose this pair after seeing summaries fail, so it shows
# that a neighbor *can* hurt, and not how often one does. FLAN left out near clusters for the
# opposite reason: they would have made its test too easy.
#
# ## 8. What the base must bring
#
# The toy said that tuning finds the way from a meaning to an answer, and that the meaning has to be
# there. The prose base is the course's base after its first phase of pretraining: it has read
# statements, tables and stories, but no worked task ("Carl wanted to know what the past of know is.
# knew"). FLAN compared its models with the base *before* tuning, asked as suits a base, and so do
# we: the base completes "The color of the lamp is", the tuned model answers "What color is the
# lamp?". **Predict** the four bars.

# %%
figures.bases_view(runs.best_known)

# %% [markdown]
# **Claim 4: the base must have met worked tasks.**

# %%
reads, prose = figures.paired(runs.best_known, experiment.TOGETHER, experiment.PROSE_TOGETHER)
if len(prose) >= len(profile.seeds):
    print(f"prose base, predicted at most 0.2: {figures.mean_and_interval(prose)}")
    ift.claim(
        "06.reading-comes-first",
        "The same tuning carries less over to unseen families if the base has read prose only.",
        literature="Tuning hurts models of 8 billion parameters and below on held-out tasks.",
        source="section 3; Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.2, for small models",
        metric="strict accuracy on five held-out families, eleven tuned on",
        arms={"shipped base": reads, "prose base": prose},
        effect=("shipped base", "prose base"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# The prose base completes about half of the sentences, and after the same tuning it answers almost
# nothing. Tuning brings out what pretraining has left; it does not replace it. Two limits. The
# prose base has read a seventh of the tokens, so worked tasks are not the only difference. And the
# worked tasks cover the held-out families, too. FLAN's finding about size is not refuted: size
# stands for many things, among them what a base has learned.
#
# ## 9. The same on a real model
#
# Gemma again, where it was measured, with 26 examples for 56 steps: all from one category,
# *answering*, or two or three from each of eleven. Seven other categories are held out, among them
# **verifiable constraints** ("in fewer than 12 words") as in the benchmark IFEval. Programs check
# their 41 test questions.

# %%
real_panel("06")

# %% [markdown]
# ## 10. Silent failures
#
# ### The average over questions
#
# Give the test ten times as many questions from the family that is done best.

# %%
means = scores.by("family")
best = max(means, key=means.get)
weights = {name: 10 if name == best else 1 for name in means}
skewed = sum(weights[name] * means[name] for name in means) / sum(weights.values())
print(f"over families {scores.accuracy:.2f}; with ten times the questions on {best} {skewed:.2f}")

# %% [markdown]
# The number rose, and no model became better. Average over families, and take the interval over
# families too (exercise 06.6).
#
# ### A training loss that says nothing
#
# It tells how well a model does what it was tuned on.

# %%
everything = [row for rows in (*single, together) for row in rows]
for row in sorted(everything, key=lambda row: row.loss):
    print(f"last loss {row.loss:.3f}, unseen families {row.accuracy():.2f}: "
          f"{row.families[0] if len(row.families) == 1 else 'eleven families'}")  # fmt: skip

# %% [markdown]
# The three lowest losses belong to single families, and every model of eleven families does better
# on unseen ones. A held-out *family* in the evaluation shows it; the loss cannot.
#
# ## Questions

# %%
ift.quiz("06", "what-is-multitask", "paper-counts", "format-alone", "a-leak", "small-models")

# %% [markdown]
# **An open question.** A colleague has 2,000 examples of one task, invoices in and amounts out. "We
# want an assistant for all our office work, so we will collect 2,000 more invoices." Reply in four
# sentences: what would you collect, and how would you show that it helped?
#
# <details><summary>Rubric: one point for each</summary>
#
# 1. More *different* tasks instead of more examples of one, each with its instruction in words.
# 2. A test on kinds of tasks that are held out, searched for leaks, neighbors named.
# 3. A comparison at the same number of examples and steps, with several seeds.
# 4. A limit: tasks may disagree about the form of an answer, or the base may lack the skill.
#
# </details>
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Six functions, one of which then feeds TRL's trainer: mixing rates, equal shares, a split without
# leaks, templates, what an instruction is worth, and an average over families.
# [exercises/06_multitask_generalization.ipynb](../exercises/06_multitask_generalization.ipynb)
#
# ## To read
#
# - Wei et al. 2022, *Finetuned Language Models Are Zero-Shot Learners* (FLAN),
#   [arXiv:2109.01652](https://arxiv.org/abs/2109.01652). Sections 2 and 4.
# - Chung et al. 2022, *Scaling Instruction-Finetuned Language Models*,
#   [arXiv:2210.11416](https://arxiv.org/abs/2210.11416). It reports gains for Flan-T5 from 80
#   million parameters on.
# - Wang et al. 2022, *Super-NaturalInstructions*,
#   [arXiv:2204.07705](https://arxiv.org/abs/2204.07705).
# - Ouyang et al. 2022, *Training Language Models to Follow Instructions with Human Feedback*,
#   [arXiv:2203.02155](https://arxiv.org/abs/2203.02155).
# - Zhou et al. 2023, *Instruction-Following Evaluation for Large Language Models* (IFEval),
#   [arXiv:2311.07911](https://arxiv.org/abs/2311.07911).
