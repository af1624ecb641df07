# %% [markdown]
# # Synthetic data
#
# {{ badge }}
#
# Most instruction data of today was written by models. One model thinks up the questions, one
# answers them, one says which answers are good, and yours learns from what is left. It is cheap,
# and it works, and there is a sentence about it that everybody knows: *let a teacher answer, let a
# judge keep the best 5 to 10 %, and the student will be better than on all of it.*
#
# In this lesson you build all of that, small enough to check every single answer. At the end you
# will be able to
#
# - make thousands of instructions out of a few, and say what is wrong with them;
# - measure how good a judge is *before* it chooses your data, and what it likes besides quality;
# - compare the best tenth with a random tenth and with everything, at equal compute;
# - watch what is lost when models learn from models, and what a filter saves;
# - look for your exam in generated data, and say what such a search cannot find;
# - read the license question of generated data without being fooled by the tag on a card.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("07")

# %% [markdown]
# ## What do you expect?
#
# Decide before you read on. Three predictions, which sections 4 and 5 test:
#
# 1. Of ten answers to each instruction, the one that a judge likes best makes a better student than
#    a random one.
# 2. Without a filter, the second generation asks about fewer facts than the first.
# 3. With a filter, the second generation is right more often than without one.
#
# ## 1. Instructions out of a few
#
# In December 2022 Wang et al. took 175 tasks that people had written and let GPT-3 go on from
# there. **Self-Instruct** shows the model eight instructions, six from people and two of its own,
# and asks for another. What is new joins the pool, and may be shown in the next round. They got
# 52,445 instructions that way. Three months later Alpaca did the same with a better model.
#
# Ours begins with four instructions of each kind that this world knows. A model that can read
# instructions has to continue from there: our teacher. It is the SFT model of lesson 05, tuned on
# flawed demonstrations. A model of this size does not pick up a task from examples in its prompt,
# as GPT-3 did. So a copy of the teacher is tuned for a few seconds on the seed instructions to do
# one thing: shown three instructions, write a fourth. (Teacher and student have the same base here.
# In practice the teacher is usually the stronger model.)

# %%
from ift_course.lessons.lesson_07 import figures, pipeline, teacher_pool
from ift_course.lessons.lesson_07.sizes import SIZES

sizes = SIZES[profile.name]
seed = profile.seeds[0]
seeds = pipeline.seed_instructions(sizes, seed)
teacher, tokenizer = pipeline.teacher_stage(profile, seed)
writer, _ = pipeline.writer_stage(profile, (teacher, tokenizer), seeds, seed)
print(pipeline.writer_prompt(seeds[:3]))

# %% [markdown]
# We let it write until there are enough that are new. What is new in one round is among what it is
# shown in the next.

# %%
harvest = teacher_pool.collect_instructions(sizes, writer, tokenizer, seeds, seed)
to_question = pipeline.to_question
print(f"{harvest.n_written} drawn, {len(harvest.fresh)} of them new; by round {harvest.by_round}")
for text in harvest.fresh[:12]:
    line = text.replace("\n", " / ")
    print(f"  {'makes sense' if to_question(text) else 'nonsense   '}  {line}")

# %% [markdown]
# Read them. Which ask something sensible, about things that no seed mentions? (The names come from
# the base's own reading.) And which ask nonsense? Nobody told the writer. In Self-Instruct, people
# looked at 200: 92 % of the instructions described a valid task, and only 54 % of the examples were
# right in all their parts (table 2 of the paper). Here nobody has to guess, because the world knows
# every question that can be asked about its facts.

# %%
sense = sum(bool(to_question(text)) for text in harvest.fresh) / len(harvest.fresh)
understood = [x for x in map(to_question, harvest.fresh) if x]
before = {(x.task, x.entity) for x in map(to_question, seeds)}
now = {(x.task, x.entity) for x in understood}
kinds = {x.task for x in understood}
print(f"{sense:.0%} make sense; they ask about {len(now)} facts of {len(kinds)} "
      f"kinds; the seeds asked about {len(before)}")  # fmt: skip

# %% [markdown]
# ### What counts as new
#
# "New" is a word for a number. Self-Instruct takes **ROUGE-L**: the longest common subsequence of
# words, as a share of both texts' words. By hand, for two of our own:

# %%
one, other = "What is the capital of Spain?", "What is the capital of Italy?"
common = "What is the capital of".split()  # in this order, in both
by_hand = 2 * len(common) / (len(one.split()) + len(other.split()))
print(f"by hand {by_hand:.3f}   by program {pipeline.rouge_l(one, other):.3f}")
assert abs(by_hand - pipeline.rouge_l(one, other)) < 1e-12

# %% [markdown]
# The paper refuses what is 0.7 like anything in the pool. These two are more alike than that, and
# yet they ask about different things: the paper's instructions were long and of many kinds, and
# ours are short. A limit is part of its data. Here we refuse only what is word for word in the
# pool. (Exercise 07.1 is this filter, and counts what each limit leaves.)
#
# ## 2. The teacher answers
#
# The flawed demonstrations of lesson 05 ramble about places, animals and people, and the teacher
# imitates them. We let it answer not with its likeliest word each time but **by chance**, so that
# its answers differ. How much they differ is the **temperature**: the scores are divided by it
# before the softmax. On a toy:

# %%
import torch

scores = torch.tensor([2.0, 1.0, 0.0])
for temperature in (0.1, 0.5, 1.0, 2.0):
    by_hand = torch.exp(scores / temperature) / torch.exp(scores / temperature).sum()
    assert torch.allclose(by_hand, torch.softmax(scores / temperature, 0))
    print(f"T = {temperature}: ", "  ".join(f"{p:.3f}" for p in by_hand))

# %% [markdown]
# Below 1 the likeliest becomes likelier, above 1 all become alike. Now on the teacher: several
# answers to each of a few sensible instructions. How many different ones are there, how many are
# right and nothing else, and for how many instructions is there at least one right one?

# %%
from dataclasses import replace

few = harvest.sensible[:40]
for temperature in (0.3, 1.0, 1.5):
    warm = replace(sizes, temperature=temperature)
    answered = pipeline.sample_answers(
        teacher, tokenizer, few, seed=seed, sizes=warm, answers=sizes.answers
    )
    different = sum(len({answer.text for answer in x.answers}) for x in answered) / len(answered)
    right = sum(sum(x.right) for x in answered) / len(answered) / sizes.answers
    some = sum(any(x.right) for x in answered) / len(answered)
    print(f"T = {temperature}: {different:.1f} different answers, {right:.0%} right, "
          f"at least one right for {some:.0%}")  # fmt: skip

# %% [markdown]
# Cold, a teacher repeats itself, and there is little to choose from. Hot, there is more to choose
# from, and less of it is right.
#
# ### The pool
#
# Everything that follows needs a pool of answers, marked by a judge, for each seed. That takes
# longer than a lesson may, so pools and students are **stored results** of `ift run 07 --full`,
# made by the functions above at the temperature of 1. Where none is stored for your base, the next
# cell makes the first seed's pool now.

# %%
pools = {s: stored.pool for s, stored in teacher_pool.available_pools(profile).items()}
pool = pools[seed]
print(f"first seed: {len(pool)} instructions, {sum(len(x.answers) for x in pool):,} answers")
shares = {s: figures.shares_by_type(of_seed) for s, of_seed in pools.items()}
for sort in figures.ANSWER_TYPES:
    print(f"{sort:16}", "  ".join(f"{of_seed[sort]:.2f}" for of_seed in shares.values()))

# %% [markdown]
# "Right" is the right answer and nothing else. "And more" is a teacher that goes on talking. (The
# columns are seeds. Questions that make no sense are left out here, and stay in the pool: in real
# life nobody would know.)
#
# ## 3. The judge
#
# Many pipelines ask a large language model to grade each answer. A model of our size cannot read a
# grading prompt, so our judge is a reward model as in lesson 05, on the teacher's body. Half of its
# pairs compare a right answer with a wrong one, the other half a short answer with the same one and
# more behind it. In some of them the wrong one is marked, as happens to human annotators.
#
# ### How good is it? Ask before it chooses
#
# A judge may be excellent on its own pairs and useless on your teacher's answers. So take *these*
# answers, verify some, and count: of a right and a wrong answer to one instruction, how often does
# the right one get the higher reward? A coin gets one half. By hand for one instruction, and with
# SciPy's rank test, which knows the same number as the area under the ROC curve:

# %%
from scipy.stats import mannwhitneyu

mixed = figures.most_mixed(pool)
good, bad = (
    [r for r, right in zip(mixed.rewards, mixed.right, strict=True) if right == is_right]
    for is_right in (True, False)
)
pairs = [(a, b) for a in good for b in bad]
by_hand = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
library = mannwhitneyu(good, bad).statistic / len(pairs)
print(mixed.instruction.replace("\n", " / "))
for text, reward, right in sorted(
    {(answer.text, reward, right) for answer, reward, right in
     zip(mixed.answers, mixed.rewards, mixed.right, strict=True)},
    key=lambda x: -x[1],
):  # fmt: skip
    print(f"  {reward:+.2f}  {'✓' if right else '✗'}  {text[:80]}")
print(f"by hand {by_hand:.6f}   SciPy {library:.6f}")
assert abs(by_hand - library) < 1e-9

# %% [markdown]
# Now for all instructions, and with a finer question: *which* fault does it see? Which of the last
# three bars do you expect to be the longest?

# %%
from math import isnan

RIGHT, MORE, WRONG, WRONG_MORE = figures.ANSWER_TYPES
questions = {
    "right answers before all others": ((RIGHT,), (MORE, WRONG, WRONG_MORE)),
    "right before the same with more behind it": ((RIGHT,), (MORE,)),
    "right before wrong, both short": ((RIGHT,), (WRONG,)),
    "right but rambling before wrong but short": ((MORE,), (WRONG,)),
}
ranked_well = {}
for question, sides in questions.items():
    of_seeds = [figures.preferred(of_seed, *sides) for of_seed in pools.values()]
    if not any(map(isnan, of_seeds)):  # a pool may have no such pair of answers
        ranked_well[question] = of_seeds
ift.charts.bars_with_intervals(
    ranked_well,
    title="What the judge sees in this teacher's answers",
    xlabel="share of pairs ranked well (a coin: 0.5)",
)

# %% [markdown]
# To tell a right name from a wrong one, a judge has to know the fact; to tell short from long, it
# only has to look. And a share of pairs flatters a judge that has to choose. To find the one right
# answer among ten, it must be right nine times at once:

# %%
from statistics import fmean

measured = ranked_well.get("right answers before all others")
for of_pairs in (0.8, 0.9, *([fmean(measured)] if measured else ())):
    print(f"{of_pairs:.2f} of the pairs → {of_pairs:.2f} ** 9 = {of_pairs**9:.2f} of the choices, "
          "if errors were independent")  # fmt: skip

# %% [markdown]
# ### What else does it like?
#
# A judge may go by length, in one direction or the other (Singhal et al. 2023). In this pool long
# answers often *are* worse, so some of a correlation is earned. (Exercise 07.5 takes the length
# out.) It also likes some *questions*. A reward compares two answers to one prompt; nothing in its
# training fixes where the rewards of a prompt lie. Here are the prompts with the lowest and the
# highest mean reward:

# %%
from scipy.stats import spearmanr

words, rewards = (
    [len(answer.text.split()) for x in pool for answer in x.answers],
    [reward for x in pool for reward in x.rewards],
)
print(f"rank correlation of reward and number of words: {spearmanr(words, rewards).statistic:+.2f}")
by_prompt = sorted((fmean(x.rewards), x.instruction.replace("\n", " / ")) for x in pool)
for mean, text in [*by_prompt[:3], *by_prompt[-3:]]:
    print(f"{mean:+.2f}  {text}")

# %% [markdown]
# ## 4. Which tenth?
#
# The student gets a tenth of the answers. Which? Ways to choose:
#
# | name | keeps |
# | --- | --- |
# | all | everything |
# | random, one each | any one answer to each instruction |
# | judge's best of all | the tenth with the highest rewards, whatever they answer |
# | judge's best of each | to each instruction the answer with the highest reward |
# | shortest of each | to each instruction the answer with the fewest words: no judge at all |
# | verifier's best | right answers only: what a perfect judge would keep |
#
# Before any training, look at what each of them keeps. How many of its answers are right, how many
# instructions and how many kinds are left? (First seed.)

# %%
from ift_course.lessons.lesson_07.selection import CHOICES, share_right

print(f"{'':22}{'answers':>9}{'right':>7}{'instructions':>14}{'kinds':>7}")
for name, choose in CHOICES.items():
    picks = choose(pool, seed)
    left = {pool[i].instruction for i, _ in picks}
    kinds = {x.task for x in map(to_question, left) if x}
    print(f"{name:22}{len(picks):9,}{share_right(pool, picks):7.2f}{len(left):14}{len(kinds):7}")

# %% [markdown]
# **Rewards of different prompts do not compare.** Look at how many instructions and kinds "best of
# all" leaves. So we train no student on it.
#
# ### One student, step by step
#
# A fresh base, tuned on the choice. Every student gets the same number of steps, whatever it learns
# from: equal compute. The student of "all" does not get through its answers even once. Then comes
# an exam about entities that no instruction in the pool mentions.

# %%
from ift_course.lessons.lesson_07 import experiment
from ift_course.lessons.lesson_07.selection import records

best = CHOICES["judge's best of each"](pool, seed)
student, tokenizer = pipeline.fine_tune(profile, records(pool, best), seed, max_steps=sizes.steps)
held = experiment.held_out(seed, sizes.exam)
ours = ift.score(student, tokenizer, held, max_new_tokens=sizes.tokens)
print(f"{sizes.steps} steps on {len(best)} answers: {ours.accuracy:.3f}")

# %% [markdown]
# The students of the other choices come from the stored grid.

# %%
from ift_course.claims.grids import stored_or_first_seed
from ift_course.claims.results import origin

students = stored_or_first_seed("07", seeds=profile.seeds, profile=profile.name)
arms = figures.arms(students)
decided = len(arms["all"]) > 2  # one seed gives no interval, so it decides no claim
print(origin(students))
ift.charts.bars_with_intervals(
    dict(sorted(arms.items(), key=lambda arm: -fmean(map(fmean, arm[1])))),
    title="Students: strict accuracy after the same number of steps",
    xlabel="share of the exam right, and nothing else",
)

# %% [markdown]
# Look at the lengths of the intervals before you look at the bars. What these seeds decide, and
# what they do not:

# %%
from ift_course.evaluation.intervals import seeds_interval, two_level_interval

BEST, RANDOM, SHORTEST = "judge's best of each", "random, one each", "shortest of each"
for name, against in ((BEST, RANDOM), (BEST, "all"), (BEST, SHORTEST), ("verifier's best", BEST)):
    difference = fmean(map(fmean, arms[name])) - fmean(map(fmean, arms[against]))
    verdict = "one seed"
    if decided:
        low, high = two_level_interval(arms[name], arms[against])
        verdict = "better" if low > 0 else "worse" if high < 0 else "not decided"
        verdict = f"({low:+.2f} to {high:+.2f})  {verdict}"
    print(f"{name:20} against {against:20} {difference:+.2f} {verdict}")

# %% [markdown]
# We predicted that the judge's choice beats a random one at equal size and equal compute. Its line
# says whether these seeds decide it. The line about "all" is the sentence that everybody knows, at
# equal compute. The line about the shortest answers says how much of the result is the judge's
# merit: counting words needs no judge. And the verifier's line says how much a better judge could
# gain.
#
# ### Why
#
# A filter removes what varies and what the judge sees, and nothing else. Where some of the ten
# answers go on after the right one and others do not, a judge or a count of words can choose. What
# is wrong in all ten answers stays. Compare how many of the answers were right with how many
# *begin* rightly in the exam, and with the words of an answer there:

# %%
print(f"{'':22}{'right, kept':>12}{'strict':>8}{'begins rightly':>16}{'words':>7}")
for name in arms:
    of_choice = [of_seed[0] for of_seed in figures.generations(students, name)]
    begins = fmean(fmean(map(int, x.knows)) for x in of_choice)
    right, accuracy = fmean(x.right for x in of_choice), fmean(x.accuracy for x in of_choice)
    print(f"{name:22}{right:12.2f}{accuracy:8.2f}"
          f"{begins:16.2f}{fmean(x.words for x in of_choice):7.1f}")  # fmt: skip

# %% [markdown]
# Where "begins rightly" is much higher than "strict", the student knows the fact and does not stop:
# it has copied a habit of form.
#
# ## 5. Generations
#
# The student of today is the teacher of tomorrow. What if all there is was written by models?
# Shumailov et al. (2024) trained language models on the output of language models, over and over,
# and called what happens **collapse**: first the rare things go, then everything becomes alike.
#
# By hand first. Even without a single mistake variety shrinks. Say there are a thousand kinds of
# instruction, the second half as frequent as the first, the third a third as frequent, and so on.
# Each generation writes 2,000 instructions with the shares it has seen. A kind of share $p$ is
# written at least once with probability $1 - (1 - p)^{2000}$; what is not written is gone.

# %%
import random

draw = random.Random(0)
kinds = list(range(1000))
shares = [1 / (kind + 1) for kind in kinds]
for generation in range(5):
    left = sum(share > 0 for share in shares)
    chance = sum(1 - (1 - share / sum(shares)) ** 2000 for share in shares)
    print(f"generation {generation}: {left:4} kinds, of which the next may expect {chance:.0f}")
    written = draw.choices(kinds, shares, k=2000)
    shares = [float(written.count(kind)) for kind in kinds]

# %% [markdown]
# Now with models. Two chains, each of two generations: the teacher's student, and that student's
# student. In both, a new writer learns from the instructions of the first generation, the first
# student answers what it writes, and a new student is tuned on that, from the same base.
#
# - **Without a filter**: instructions as they come, one answer each, as it comes.
# - **With a filter**: only instructions that are not there yet, ten answers each, and the shortest
#   is kept.
#
# Which of the two do you expect to lose more, and does either keep everything?

# %%
chains = {"without a filter": experiment.UNFILTERED, "with a filter": experiment.FILTERED}
numbers = list(range(1, experiment.GENERATIONS + 1))
scores = {
    name: figures.over_generations(students, choice, "scores") for name, choice in chains.items()
}
ift.charts.lines_with_intervals(
    numbers, scores, title="Accuracy over generations", xlabel="generation"
)

# %%
columns = {
    "right": ".2f", "sense": ".2f", "different": ".0f", "facts": ".0f", "kinds": ".1f",
    "words": ".1f",
}  # fmt: skip
print(f"{'':18}{'generation':>11}" + "".join(f"{name:>10}" for name in columns))
for name, choice in chains.items():
    measured = {c: figures.over_generations(students, choice, c) for c in columns}
    for g, number in enumerate(numbers):
        means = "".join(f"{fmean(measured[c][g]):10{digits}}" for c, digits in columns.items())
        print(f"{name:18}{number:11}{means}")

# %% [markdown]
# Read the table from left to right: how many of the answers that a generation learns from are
# right, how many of its instructions make sense, how many are different, how many facts and kinds
# they ask about, how long its students' answers are. A rising share of sense alone would look like
# progress; read it together with the number of different instructions, because what is repeated is
# what was frequent. And look at the last column before you call a fall in accuracy a loss of rare
# knowledge: a student that copies rambling fails the strict exam at once.
#
# This filter counts words and cannot see errors, so it slows the loss of right answers at best. The
# literature's remedy is to keep real data in the mixture (Gerstgrasser et al. 2024). It is not
# measured here.
#
# Every student starts from the same base, and the exam is about facts that the base knows. With
# models that have nothing but the data, less would be left.

# %%
if decided:
    asked_about = figures.over_generations(students, experiment.UNFILTERED, "facts")
    lost = [a - b for a, b in zip(asked_about[0], asked_about[-1], strict=True)]
    low, high = seeds_interval(lost)
    print("predicted: without a filter the second generation asks about fewer facts; measured "
          f"{fmean(lost):.1f} fewer (95 % interval {low:.1f} to {high:.1f})")  # fmt: skip
    ift.claim(
        "07.filter-keeps-accuracy",
        "With a filter, the second generation is right more often than without one.",
        source="Shumailov et al. 2024, Nature 631, 755–759",
        metric="strict accuracy on held-out entities of the second generation",
        arms={name: of_chain[-1] for name, of_chain in scores.items()},
        effect=("with a filter", "without a filter"),
        at_least=0.0,
        subject=8,
    )

# %% [markdown]
# An interval that contains zero decides nothing: in one of the three seeds, the number of facts
# went up. The third prediction is decided, and most of it is form: look again at the words of an
# answer in the table.
#
# ## 6. Is the exam in it?
#
# The writer was never shown an exam question. But it knows the same world, and may write some. With
# large models this is the rule: the teacher has read the web, and the exams on it. Everything about
# entities of the exam was therefore left out of the pool. What would the usual searches have found
# of it, and how much of the clean pool would they have thrown out?

# %%
from ift_course.data.curation import exact_duplicates, near_duplicates
from ift_course.data.records import Record, user_text

exam = [user_text(x.instruction, x.input) for x in held]
facts_asked = {(x.task, x.entity) for x in held}
leaked = [text for text in harvest.leaked
          if (to_question(text).task, to_question(text).entity) in facts_asked]  # fmt: skip
print(f"{len(harvest.leaked)} of {len(harvest.fresh)} new instructions are about entities of the "
      f"exam; {len(leaked)} ask for the very fact that some exam question asks for")  # fmt: skip
for text in leaked[:8]:
    print("  ", text.replace("\n", " / "))

texts = [*exam, *leaked, *harvest.clean]
instructions = [Record.from_instruction(text, "", "") for text in texts]
print(f"\n{'':24}{'leaks found':>12}{'clean ones lost':>17}")
for method, twins in {
    "word for word": exact_duplicates(instructions),
    "near duplicates (0.8)": near_duplicates(instructions),
    "near duplicates (0.5)": near_duplicates(instructions, threshold=0.5),
    "near duplicates (0.3)": near_duplicates(instructions, threshold=0.3),
}.items():
    hits = [twin is not None and twin < len(exam) for twin in twins[len(exam) :]]
    print(f"{method:24}{sum(hits[: len(leaked)]):12}{sum(hits[len(leaked) :]):17}")

# %% [markdown]
# A few leaks are examples and no measurement: read them. A search for shared words finds copies.
# The same question *in other words* slips through, and its answer is just as much a leak (Yang et
# al. 2023 trained on rephrased test questions, which no search of that kind found, and the scores
# rose). A lower threshold catches more, and more that is innocent.
#
# Here a program knows what a question means. Elsewhere nobody does. So search with several
# thresholds, look at what was found, test on questions that are younger than the teacher, and say
# in the card what was searched. (Exercise 07.3.)
#
# ## 7. Whose data is it?
#
# A tag on a card says which license the uploader chose. With generated data there are at least
# three more things to read. **Look at today's text before you build on it.** None of this is legal
# advice.
#
# - **The terms of who sold you the answers.** OpenAI's terms of use as quoted in many places in
#   2023: "You may not … (iii) use output from the Services to develop models that compete with
#   OpenAI". The same terms assign the rights in the output to you. Both are true at once: you may
#   own a text and have promised not to do something with it.
# - **The license of the model, if you ran it yourself.** Llama 3.1's license (July 23, 2024) allows
#   outputs to be used to improve other models, and asks that a model made with "outputs or results
#   of the Llama Materials" which is distributed "include 'Llama' at the beginning of any such AI
#   model name" (section 1.b.i).
# - **The license of what went in.** Seeds, documents and user prompts have authors. ShareGPT's
#   conversations carry tags by people who did not write them ([data
#   cards](../docs/datasets.md#sharegpt)).
#
# So the same kind of data stands under very different tags: Alpaca, by text-davinci-003, is CC
# BY-NC 4.0 (and its card said CC BY 4.0 at first); UltraChat 200K, both sides by ChatGPT, says MIT;
# OpenHermes 2.5, mostly by GPT-4, states none. [Our data cards](../docs/datasets.md) say where each
# was read. Whether a contract binds somebody who only downloaded the data, and whether generated
# text has an author at all, differs from country to country.
#
# What you can do in any case: write down which model, which version, on which day, under which
# terms; keep that with the data; and where it matters, choose a teacher whose license says in words
# that you may.
#
# ## 8. Silent failures
#
# All of these run to the end.
#
# ### Answers that broke off
#
# A sampled answer ends when the model says so, or when it has reached the limit of tokens. The text
# looks the same. Put it into a training set, and the chat template adds an end of turn to both: the
# student learns to stop in the middle. Say somebody saves money and allows six tokens.

# %%
short = replace(sizes, tokens=6)
answered = pipeline.sample_answers(teacher, tokenizer, few, seed=seed, sizes=short, answers=4)
cut = [(x.instruction, answer) for x in answered for answer in x.answers if not answer.finished]
print(f"{len(cut)} of {4 * len(few)} answers reached the limit, and nothing in them says so:")
for text, answer in cut[:5]:
    print(f"  {text.replace(chr(10), ' / ')[:60]:62}{answer.text}")

# %% [markdown]
# How to see it: keep the reason why each answer ended (`finished` here, `finish_reason` in most
# APIs), and drop those that did not end by themselves. Length alone does not tell.
#
# ### Only right answers, so only easy questions
#
# A perfect judge keeps what is right. Then the instructions to which the teacher never gave a right
# answer are gone, and nobody notices. Which kinds are they?

# %%
from collections import Counter

sensible = figures.sensible(pool)
all_kinds = Counter(to_question(x.instruction).task for x in sensible)
lost_kinds = Counter(to_question(x.instruction).task for x in sensible if not any(x.right))
print(f"{lost_kinds.total()} of {len(sensible)} sensible instructions have no right answer")
for kind, count in lost_kinds.most_common(6):
    print(f"  {kind:16} {count} of {all_kinds[kind]} lost")

# %% [markdown]
# How to see it: count kinds before and after the filter. Where a kind is gone, ask more often, ask
# a better teacher, or write those answers by hand.
#
# ## 9. What this means
#
# - The sentence about the best tenth needs two conditions: the answers differ in something that
#   matters, and the judge sees that something, even among its own favorites. Measure the second
#   before you believe the first: verify a hundred of the answers that the filter keeps, and a
#   hundred chosen by chance, before you train on any.
# - Compare at equal compute, and compare with the cheapest filter that sees the fault. Where
#   brevity is the matter, count words. Where facts are, verify. A reward model earns its price
#   where nobody can write the rule down.
# - Keep the best of *each*, not of all, and count what is left: instructions, kinds, facts.
# - Our world is kind in one respect: a program marks every answer. It is unkind in another: our
#   teacher is a small model, and teachers of today write better questions. Their answers have
#   habits too, judges have tastes, and tastes are learned from pairs.
# - What a student gets from its teacher by such **distillation** is form sooner than knowledge. It
#   cannot learn more than base and data hold together (Gudibande et al. 2023).
#
# ## Exercises
#
# Six functions, checked the moment you write them: what is new, the best share of each prompt,
# decontamination, how good a judge is, a reward without its length, and what a generation loses.
# [exercises/07_synthetic_data.ipynb](../exercises/07_synthetic_data.ipynb)
#
# ## Questions

# %%
ift.quiz("07")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## To read
#
# - Wang et al. 2022, *Self-Instruct: Aligning Language Models with Self-Generated Instructions*,
#   [arXiv:2212.10560](https://arxiv.org/abs/2212.10560). Section 2, and table 2 with its honest
#   look at 200 examples.
# - Chen et al. 2023, *AlpaGasus: Training A Better Alpaca with Fewer Data*,
#   [arXiv:2307.08701](https://arxiv.org/abs/2307.08701): 9,000 of Alpaca's 52,000, by a judge.
# - Li et al. 2023, *From Quantity to Quality*,
#   [arXiv:2308.12032](https://arxiv.org/abs/2308.12032): 5 to 10 %, by the model itself.
# - Xu et al. 2024, *Magpie*, [arXiv:2406.08464](https://arxiv.org/abs/2406.08464): instructions
#   out of nothing but the chat template.
# - Singhal et al. 2023, *A Long Way to Go: Investigating Length Correlations in RLHF*,
#   [arXiv:2310.03716](https://arxiv.org/abs/2310.03716).
# - Shumailov et al. 2024, *AI models collapse when trained on recursively generated data*, Nature
#   631, [doi:10.1038/s41586-024-07566-y](https://doi.org/10.1038/s41586-024-07566-y).
# - Gerstgrasser et al. 2024, *Is Model Collapse Inevitable?*,
#   [arXiv:2404.01413](https://arxiv.org/abs/2404.01413): not if real data stays in the mixture.
# - Yang et al. 2023, *Rethinking Benchmark and Contamination for Language Models with Rephrased
#   Samples*, [arXiv:2311.04850](https://arxiv.org/abs/2311.04850).
# - Gudibande et al. 2023, *The False Promise of Imitating Proprietary LLMs*,
#   [arXiv:2305.15717](https://arxiv.org/abs/2305.15717): distillation copies style sooner than
#   knowledge.
