# %% [markdown]
# # Is it better?
#
# {{ badge }}
#
# You tuned a model and its score rose. Is the model better? One idea runs through this lesson: **a
# number without an interval and a control is not a result.** At the end you will be able to
#
# - score strictly and leniently, and say what each score hides;
# - compare two models on the same questions, and say how many questions you need;
# - measure a judge before you trust it, and turn votes into ratings;
# - recognize a leaked test, a lucky winner, and a regression that nobody tested for.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("10")

# %% [markdown]
# ## 1. A real moment
#
# Lesson 01 tuned Gemma 3 270M three times on 48 examples and three times on 300. Programs judged
# its answers to the same 100 test questions.

# %%
from ift_course.claims.results import item_scores
from ift_course.panels.store import stored_panel

gemma = stored_panel("gemma", "01")
right = {arm: [item_scores(run.scores["strict"]) for run in runs]
         for arm, runs in gemma.arms.items()}  # fmt: skip
few, many = right["SFT on 48 examples"], right["SFT on 300 examples"]
print(f"{gemma.model}, {gemma.origin}")
for name, arm in {"48 examples": few, "300 examples": many}.items():
    counts = [int(sum(run)) for run in arm]
    print(f"{name:>12}: {counts} of 100 right, mean {sum(counts) / len(counts):.0f} %")

# %% [markdown]
# **Predict.** Do 300 examples give a better model than 48? Would you have said so after the first
# run alone? Or after the second one?
#
# ## 2. What counts as right
#
# First, where do such numbers come from? Each row of the test names a **verifier**, a program that
# accepts or refuses an answer. By the strict score, an answer must also end by itself, before the
# token limit. The lenient score forgives that. Another model, SmolLM2-135M-Instruct, answered the
# same questions, and its answers are stored with the course:

# %%
from ift_course.data import course_set
from ift_course.evaluation.items import read_items
from ift_course.lessons.lesson_10 import figures, smollm2

panel = smollm2.stored()
[run] = panel.arms["answers"]
strict, lenient = (item_scores(run.scores[name]) for name in ("strict", "lenient"))
print(f"SmolLM2-135M-Instruct, {panel.origin}: strict {sum(strict):.0f} of 100, "
      f"lenient {sum(lenient):.0f}")  # fmt: skip
rows = read_items(course_set.path("test"), on_left_out=lambda _: None)  # some need if-verifiable
items = {item.number: item for item in rows}
for i in (1, 8, 72):
    reply, item = run.replies[i], items[i + 1]
    text = " ".join(reply.text.split())
    print(f"\n{reply.prompt}\n  {text[:90]}{'' if reply.finished else ' …'}\n  -> "
          f"{item.fault(reply.text, reply.finished) or 'right'}; lenient: "
          f"{item.fault(reply.text, reply.finished, accept_cut=True) or 'right'}")  # fmt: skip

# %% [markdown]
# The first answer is right and too long for the row's limit. The second one is accepted, because it
# contains the word *density*, and explains nothing. The third one answers the question, but was cut
# off at 64 tokens, so that only the lenient score has it. Every rule draws such a line somewhere.
# **Read what your rule accepts and refuses before you believe its number.**
#
# Many instructions can be verified by a program although the answer is free: "no comma", "at least
# 30 words". **IFEval** (Zhou et al. 2023) is a benchmark of such *verifiable instructions*. Its
# strict score takes the answer as it stands. Its *loose* score also accepts it without its first
# line ("Sure, here it is:"), its last line, or its asterisks. Both by hand, then with the library:

# %%
import re
from functools import partial
from importlib.util import find_spec
from itertools import product

CHECKS = {
    "punctuation:no_comma": lambda text: "," not in text,
    "length_constraints:number_words": lambda text, num_words, relation: (
        (len(re.findall(r"\w+", text)) < num_words) == (relation == "less than")
    ),
    "startend:end_checker": lambda text, end_phrase: (
        text.strip().strip('"').lower().endswith(end_phrase.lower())
    ),
    "detectable_format:number_bullet_lists": lambda text, num_bullets: (
        len(re.findall(r"^\s*(?:\*[^*]|-)", text, re.M)) == num_bullets
    ),
}


def loosely(check, text: str) -> bool:
    """Whether the text, or what is left without its first or last line or asterisks, passes."""
    lines = text.split("\n")
    parts = ("\n".join(lines[a:b]).strip() for a, b in product((0, 1), (None, -1)))
    return any(part and check(x) for part in parts for x in (part, part.replace("*", "")))


ANSWERS = ("Red roofs shine. See you there.", "Sure:\nRed roofs shine. See you there.",
           "Sure, here:\n* red\n* blue", "**Red, blue.**\nSee you there.")  # fmt: skip
ARGUMENTS = {"length_constraints:number_words": {"num_words": 7, "relation": "less than"},
             "startend:end_checker": {"end_phrase": "See you there."},
             "detectable_format:number_bullet_lists": {"num_bullets": 2}}  # fmt: skip
verdicts = {}
for name, check in CHECKS.items():
    options = ARGUMENTS.get(name, {})
    bound = partial(check, **options)
    verdicts[name] = [(bound(text), loosely(bound, text)) for text in ANSWERS]
    shown = "  ".join(f"{strict!s:>5}/{loose!s:5}" for strict, loose in verdicts[name])
    print(f"{name:40}{shown}")

if find_spec("if_verifiable"):  # pip install if-verifiable
    from if_verifiable.common import evaluate_instructions
    from if_verifiable.ifeval.instructions_registry import INSTRUCTION_DICT

    for name in CHECKS:
        for text, by_hand in zip(ANSWERS, verdicts[name], strict=True):
            [result], _ = evaluate_instructions(
                text, [name], [ARGUMENTS.get(name, {})], "", INSTRUCTION_DICT
            )
            assert (result.strict_pass, result.loose_pass) == by_hand, (name, text)

# %% [markdown]
# So write wrong answers for every row, and see that your verifier refuses them. The course's test
# has three for each.
#
# ## 3. Two models on the same questions
#
# Back to Gemma. Take the second run of each kind as models A and B. Each share of 100 has an
# interval of its own, and the two overlap. But both models answered the *same* questions, and most
# are hard for both. Questions that both get right, or both get wrong, say nothing about which model
# is better. So subtract question by question: $d_i$ is 1 where B alone is right, −1 where A alone
# is, and 0 otherwise. The standard error of the mean of $d$ is $s_d / \sqrt{n}$, and 1.96 of them
# to each side make a 95 % interval. The **bootstrap** needs no formula: it draws $n$ questions with
# replacement, again and again, and takes the middle 95 % of the means.

# %%
import numpy as np
from scipy.stats import binomtest, bootstrap

from ift_course.evaluation.paired import PairedCounts

a, b = np.array(few[1]), np.array(many[1])
n, d = len(a), b - a
only_a, only_b = int((d < 0).sum()), int((d > 0).sum())
print(f"both right {int((a * b).sum())}, only A {only_a}, only B {only_b}, "
      f"neither {int(((1 - a) * (1 - b)).sum())}")  # fmt: skip

unpaired = np.sqrt(a.var() / n + b.var() / n)
paired = np.sqrt(d.var() / n)
low, high = d.mean() - 1.96 * paired, d.mean() + 1.96 * paired
print(f"standard error: unpaired {unpaired:.3f}, paired {paired:.3f}")
print(f"by hand:  {d.mean():+.2f} ({low:+.3f} to {high:+.3f})")
resampled = bootstrap((d,), np.mean, method="percentile", rng=0).confidence_interval
print(f"bootstrap:      ({resampled.low:+.3f} to {resampled.high:+.3f})")
counts = PairedCounts(n, only_a, only_b)
p_value = binomtest(only_b, only_a + only_b).pvalue  # McNemar's exact test
assert np.isclose(p_value, counts.p_value)
print(f"McNemar's exact test: p = {p_value:.2f}\nift compare: {counts.verdict()}.")

# %% [markdown]
# **McNemar's test** looks only at the questions that one model alone got right, and asks how often
# a fair coin would split them as unevenly. `ift compare` gives the same verdict in words, and adds
# how many questions would do. All of this is about *other questions* for these two models. It says
# nothing about tuning again: the three runs in section 1 differ, too. For the statement "300
# examples are better than 48", the interval has to cover seeds *and* questions:

# %%
from ift_course.panels.summary import prediction, sentence

[contrast] = [x for x in gemma.contrasts if x.second == "SFT on 300 examples"]
print(sentence(gemma, contrast))
print(prediction(gemma, contrast))

# %% [markdown]
# So the answer to section 1 is that nobody knows yet.
#
# ## 4. How many questions?
#
# **Power** is the probability that a test finds a difference that is there. Suppose that one of two
# models alone is right on 20 % of all questions, and that B is 5 points better. **Predict:** how
# many questions does McNemar's test need to find that in four of five tries?
#
# Simulate it: draw many tests of $n$ questions, and count in how many p is below 0.05. The number
# of questions comes from `ift compare`, which saw a small test with such a disagreement.

# %%
from scipy.stats import binom


def outcome_shares(disagreement: float, effect: float) -> tuple[float, float]:
    """The probabilities that A alone and that B alone is right."""
    return (disagreement - effect) / 2, (disagreement + effect) / 2


def simulated_power(n: int, disagreement: float, effect: float, tests: int = 4000) -> float:
    alone_a, alone_b = outcome_shares(disagreement, effect)
    draws = np.random.default_rng(0).multinomial(n, [alone_a, alone_b, 1 - disagreement], tests)
    p = 2 * binom.cdf(draws[:, :2].min(axis=1), draws[:, :2].sum(axis=1), 0.5)
    return float((p < 0.05).mean())


def exact_power(n: int, disagreement: float, effect: float) -> float:
    """The same without drawing: a sum over how many questions tell the two models apart."""
    alone_b = outcome_shares(disagreement, effect)[1]
    m = np.arange(1, n + 1)
    largest = binom.ppf(0.025, m, 0.5) - 1  # count of the loser at which p is still below 0.05
    share = alone_b / disagreement
    found = binom.cdf(largest, m, share) + binom.cdf(largest, m, 1 - share)
    return float((binom.pmf(m, n, disagreement) * found).sum())


# Few questions with a disagreement of 20 %: what would `ift compare` ask for?
seen = {10: PairedCounts(20, 1, 3), 5: PairedCounts(40, 3, 5), 3: PairedCounts(200, 17, 23)}
needed = {points: counts.needed for points, counts in seen.items()}
for points, n in needed.items():
    by_draws, by_sum = (f(n, 0.2, points / 100) for f in (simulated_power, exact_power))
    print(f"{points:2} points: {n:5,} questions; power {by_draws:.2f} by simulation, "
          f"{by_sum:.2f} exactly")  # fmt: skip
    assert abs(by_draws - by_sum) < 0.025 and 0.75 < by_sum < 0.85

# %%
sizes = [25, 50, 100, 200, 400, 800, 1600, 3200]
figures.power(
    sizes,
    {points: [exact_power(n, 0.2, points / 100) for n in sizes] for points in needed},
    {points: [simulated_power(n, 0.2, points / 100) for n in sizes] for points in needed},
    needed,
)

# %% [markdown]
# The number that `ift compare` prints is a formula (Connor 1987), and both ways of computing come
# within a few points of the promised 80 %. Half the difference needs four times the questions. A
# test of 100 questions finds 10 points about every second time, and 3 points hardly ever.

# %%
ift.quiz("10", "hundred-questions")

# %% [markdown]
# ## 5. A model as the judge
#
# Where no program can verify an answer, a model may judge: **LLM-as-a-judge**. It reads a question
# and two answers, and names the better one. Can you trust it? Ask it about pairs where you *know*
# which answer is right. Our judge is SmolLM2-135M-Instruct, a very weak one, and each pair is an
# ideal answer of the test and a wrong one, both written by hand. The code compares how likely the
# letters are as the first token of the reply, so that there always is a verdict:

# %%
import inspect

from ift_course.lessons.lesson_10 import judge

print(inspect.getsource(judge.asking))
pair = smollm2.written_pairs(0)[0]
print(judge.judge_prompt(pair.question, pair.right, pair.other))

# %% [markdown]
# **Predict.** The judge sees each pair twice, in both orders. How often does it choose the right
# answer? How often the one in the first place? Both would be 50 % by a coin. **Cohen's kappa** is
# the agreement with the truth beyond that: 1 if it is perfect, and 0 for a coin.

# %%
name = smollm2.JUDGES[0]
seeds = [run.seed for run in panel.arms[name]]  # three sets of wrong answers
right_first, right_second = (
    np.array(x) for x in zip(*(smollm2.verdicts(panel, name, s) for s in seeds), strict=True)
)
takes_first = (right_first + right_second) / 2  # of each pair, over both orders
takes_right = (right_first + 1 - right_second) / 2
kappa = 2 * takes_right.mean() - 1  # Cohen's kappa: agreement beyond chance, which is one half here
print(f"{right_first.size} pairs, each in both orders ({panel.origin})\n"
      f"takes the first place {takes_first.mean():.0%}, the right answer {takes_right.mean():.0%}, "
      f"kappa {kappa:.2f}\n"
      f"the same answer in both orders {(right_first != right_second).mean():.0%}")  # fmt: skip
for other in smollm2.JUDGES[1:]:  # other wordings of the request, on the first set
    x, y = map(np.array, smollm2.verdicts(panel, other))
    print(f"{other}: takes the first place {(x + y).mean() / 2:.0%}, "
          f"the right answer {(x + 1 - y).mean() / 2:.0%}")  # fmt: skip

# %% [markdown]
# **Claim 1: position bias.** A box tests an expectation. Its bound was written down before the
# judge was asked.

# %%
if profile.seeds == tuple(seeds):
    ift.claim(
        "10.judge-prefers-first",
        "A small judge prefers the answer in the first place, whichever that is.",
        subject=12,
        literature="LLM judges favor the answer in a certain position, mostly the first.",
        source="Zheng et al. 2023 (MT-Bench), arXiv:2306.05685, section 3.3",
        metric="share of verdicts for the first place minus that for the second, both orders",
        arms={"first": takes_first.tolist(), "second": (1 - takes_first).tolist()},
        effect=("first", "second"),
        at_least=0.1,
    )

# %% [markdown]
# Where the place decides, the letter says little about the answers. The logits may say more: take
# the log-odds of A in one order minus those in the other, and a constant preference for a place
# cancels (Wang et al. 2023 average scores for this reason). With that measure we can look for two
# more biases. Judges are known to like **long** answers, so two polite sentences were added to the
# wrong one. And they are known to like their **own** (*self-preference*), so the ideal answer was
# compared with what the judge itself had written, where that is wrong.

# %%
balanced = np.array([smollm2.balanced(panel, name, s) for s in seeds])
right_if_padded = np.array(smollm2.balanced(panel, smollm2.PADDED))
right_against_own = np.array(smollm2.balanced(panel, smollm2.OWN))
own_is_wrong = np.array([not lenient[i] for i in smollm2.judged_rows()])
figures.judge(
    {
        "the first place": takes_first,
        "the right answer": takes_right,
        "… by the logits of both orders": balanced,
        "… in the first set": balanced[:1],
        "… there, the wrong one padded": right_if_padded[None],
        "… on questions it got wrong": balanced[:, own_is_wrong],
        "… there, against its own answer": right_against_own[own_is_wrong][None],
    }
)

# %%
from ift_course.evaluation.intervals import items_interval, two_level_interval

low, high = two_level_interval(balanced)
print(f"by the logits of both orders, right {balanced.mean():.0%} ({low:.0%} to {high:.0%}): "
      f"{'better than a coin' if low > 0.5 else 'not shown to be better than a coin'}")  # fmt: skip
for bias, difference in {
    "length": balanced[0] - right_if_padded,
    "self-preference": (balanced.mean(axis=0) - right_against_own)[own_is_wrong],
}.items():
    low, high = items_interval(difference)
    found = "found" if low > 0 else "the reverse" if high < 0 else "not decided"
    print(f"{bias}: the right answer loses {difference.mean():+.2f} ({low:+.2f} to {high:+.2f}, "
          f"{len(difference)} questions): {found}")  # fmt: skip

# %% [markdown]
# Averaging over both orders removes a preference for a place. It adds no knowledge: compare the
# second and the third bar. And neither of the comparisons below them is clean, because polite
# sentences are not only long, and a model's own wrong answers differ from hand-written ones in more
# than their author. Larger judges are much better, and have these biases, too (Zheng et al. 2023,
# Panickssery et al. 2024). So whatever judge you use: ask in both orders, and count contradicting
# verdicts as a tie; control for length (Dubois et al. 2024); let no model judge itself; and report
# its agreement with labels that you trust.
#
# ## 6. From votes to ratings
#
# With more than two models, pairwise votes become a ranking. The **Bradley–Terry model** (lesson
# 05) gives each model a strength $p_i$, and $i$ beats $j$ with probability $p_i/(p_i+p_j)$. The
# likeliest strengths come from repeating one line (Zermelo 1929). Our votes: of two models, the one
# wins a question that alone is right (lenient, so that the base with examples takes part).

# %%
from itertools import permutations

from scipy.optimize import minimize

players = {
    "base, three examples": item_scores(gemma.arms["base, three examples"][0].scores["lenient"]),
    **{arm: item_scores(gemma.arms[arm][0].scores["lenient"])
       for arm in ("SFT on 48 examples", "SFT on 300 examples")},
    "SmolLM2-135M-Instruct": lenient,
}  # fmt: skip
results = np.array(list(players.values()))


def count_wins(results):
    return (results[:, None] > results[None]).sum(axis=2)  # wins[i, j]: i right, j wrong


def strengths(wins, steps: int = 2000):
    """Bradley–Terry by hand."""
    p, played = np.ones(len(wins)), wins + wins.T
    for _ in range(steps):
        p = wins.sum(axis=1) / (played / (p[:, None] + p)).sum(axis=1)
        p /= np.exp(np.log(p).mean())
    return p


def rating(p):
    return 400 * np.log10(p)  # the Elo scale: 400 points are odds of 10 to 1


def loss(theta):
    return np.sum(wins * np.log1p(np.exp(theta[None] - theta[:, None])))


wins = count_wins(results)
by_scipy = minimize(loss, np.zeros(len(wins)), tol=1e-10).x
assert np.allclose(np.log(strengths(wins)), by_scipy - by_scipy.mean(), atol=1e-3)


def elo(games, k: int = 16):
    """Elo's ratings after the games (winner, loser), one by one."""
    ratings = np.zeros(len(players))
    for winner, loser in games:
        change = k / (1 + 10 ** ((ratings[winner] - ratings[loser]) / 400))
        ratings[winner] += change
        ratings[loser] -= change
    return ratings


games = [x for x in permutations(range(len(wins)), 2) for _ in range(wins[x])]
rng = np.random.default_rng(0)
draws = rng.integers(0, results.shape[1], (300, results.shape[1]))
resampled = np.array([rating(strengths(count_wins(results[:, x]) + 1e-3, 200)) for x in draws])
orders = np.array([elo(rng.permutation(games)) for _ in range(200)])
best = np.bincount(resampled.argmax(axis=1), minlength=len(players)) / len(resampled)
for i, name in enumerate(players):
    low, high = np.quantile(resampled[:, i], (0.025, 0.975))
    print(f"{name:22} {rating(strengths(wins))[i]:+4.0f} ({low:+.0f} to {high:+.0f}), best in "
          f"{best[i]:.0%} of the resampled tests; Elo {orders[:, i].min():+.0f} to "
          f"{orders[:, i].max():+.0f} by order")  # fmt: skip

# %% [markdown]
# The strengths by hand and by `scipy` agree. An **Elo rating** is updated after each vote, so it
# depends on the order of the same votes; Chatbot Arena uses Bradley–Terry (Chiang et al. 2024). The
# intervals come from resampled questions, and they leave the first place open. (The mean of all
# ratings is 0. A model that never wins has no finite rating.)
#
# ### Vote yourself
#
# On open questions, no program votes. **Predict** which of the two you will prefer. You will not
# see which model wrote which answer, and the result comes with an interval.

# %%
from ift_course.lessons import ballots
from ift_course.plots.blind_votes import vote
from ift_course.plots.widgets import display_both

votes = vote(*ballots.open_results(gemma, "SFT on 48 examples", "SFT on 300 examples"))
display_both(votes.box, ballots.first_ballot(votes.poll), hint="Run this cell to vote.")
for for_b in (6, 8, 9):
    low, high = ((1 + x) / 2 for x in PairedCounts(10, 10 - for_b, for_b).interval)
    print(f"{for_b} of 10 votes for B: {for_b * 10} % ({100 * low:.0f} to {100 * high:.0f})")

# %% [markdown]
# Ten votes decide only a landslide.
#
# ## 7. Silent failures
#
# ### The test is in the training data
#
# In the closed world, one model is tuned on 30 facts and on the 40 questions of its own exam, with
# their answers: **contamination**. The control gets 40 other facts instead, so that both have seen
# as many. Both training sets also hold 20 **canaries**, made-up facts about people who do not
# exist, which nobody can know: those of the exam for the one, others for the control. **Predict**
# the six shares.

# %%
from dataclasses import replace

from ift_course.world.preferences import preferences
from ift_course.world.tasks import FACT_TASKS
from ift_course.world.verify import Answer


def tune(model, tokenizer, examples, seed: int, steps: int, **options):
    """Tune the model in place with the profile's settings."""
    ift.sft(model, tokenizer, ift.to_records(examples), seed=seed, max_steps=steps,
            learning_rate=profile.learning_rate, batch_size=profile.batch_size,
            progress=False, **options)  # fmt: skip
    return model.eval()


def made_up(n: int, seed: int) -> list:
    """Questions about people who do not exist, each with an invented answer."""
    pairs = preferences(n, seed=seed, failings=("invention",))
    return [
        replace(x.example, response=x.rejected, answer=Answer("value", (x.rejected,)))
        for x in pairs
    ]


def leak(seed: int) -> dict[str, list[float]]:
    """The verdicts on three tests, by a model that has trained on two of them and by a control."""
    practice = ift.sample(70, seed=seed, tasks=FACT_TASKS)
    distinct = {(x.task, x.entity): x for x in ift.sample(300, seed=700 + seed, split="test",
                                                          tasks=FACT_TASKS)}  # fmt: skip
    exam, fresh = list(distinct.values())[:40], list(distinct.values())[40:80]
    canaries, others = made_up(20, 700 + seed), made_up(20, 800 + seed)
    tests = {"exam": exam, "fresh questions": fresh, "canaries": canaries}
    scores = {}
    for name, data in {"leaked": [*practice[:30], *exam, *canaries],
                       "control": [*practice, *others]}.items():  # fmt: skip
        model, tokenizer = ift.load("base")
        tune(model, tokenizer, data, seed, steps=60)
        for test, questions in tests.items():
            scores[f"{name}, {test}"] = ift.score(model, tokenizer, questions).items
    return scores


by_seed = ift.each_seed(leak, profile.more_seeds(2))
leaks = {name: [x[name] for x in by_seed] for name in by_seed[0]}
print(f"{len(by_seed)} seeds          leaked  control  difference")
for test in ("exam", "fresh questions", "canaries"):
    leaked, control = (leaks[f"{name}, {test}"] for name in ("leaked", "control"))
    low, high = two_level_interval(leaked, control)
    print(f"{test:16} {np.mean(leaked):6.2f} {np.mean(control):8.2f}  "
          f"{np.mean(leaked) - np.mean(control):+.2f} ({low:+.2f} to {high:+.2f})")  # fmt: skip

n = len(profile.seeds)
first = [leaks[f"{name}, exam"][:n] for name in ("leaked", "control")]
low, high = two_level_interval(*first)
print(f"the exam, the first {n} seeds: predicted at least +0.02, measured "
      f"{np.mean(first[0]) - np.mean(first[1]):+.3f} ({low:+.3f} to {high:+.3f}): "
      f"{'as predicted' if low >= 0.02 else 'not decided'}")  # fmt: skip

# %% [markdown]
# The leak makes the exam look better, and fresh questions do not follow. But a model that was good
# before has little to gain, and a high score alone proves no leak. The canaries give it away.
#
# **Claim 2**, tested on the three seeds that were not used before:

# %%
ift.claim(
    "10.canaries-show-a-leak",
    "A model that was tuned on its exam answers the exam's canaries, and a control does not.",
    subject=12,
    literature="Random sequences that were inserted into the training data can be extracted from "
    "the model.",
    source="Carlini et al. 2019 (The Secret Sharer), arXiv:1802.08232",
    metric="share of 20 made-up facts answered as the exam has them, leaked minus control",
    arms={name: leaks[f"{name}, canaries"][n:] for name in ("leaked", "control")},
    effect=("leaked", "control"),
    at_least=0.4,
)

# %% [markdown]
# How to see it: search the training data for the test's questions before you tune (lesson 09), and
# keep canaries in your test. A model that "knows" them has seen it.
#
# ### The best of ten
#
# One run, ten checkpoints, scored on 40 questions. The best one is published with its score. Then
# somebody asks it 80 other questions. One exam could be an accident, so draw the 40 of the 120
# questions a thousand times.

# %%
from transformers import TrainerCallback


class Examine(TrainerCallback):
    """Keeps the verdicts of the model after certain steps."""

    def __init__(self, steps, tokenizer, questions) -> None:
        self.steps, self.tokenizer, self.questions, self.items = steps, tokenizer, questions, []

    def on_step_end(self, args, state, control, model, **kwargs) -> None:
        if state.global_step in self.steps:
            self.items.append(ift.score(model.eval(), self.tokenizer, self.questions).items)
            model.train()


def ten_checkpoints(seed: int) -> list[list[float]]:
    """The verdicts of ten checkpoints of one run on the same 120 held-out questions."""
    model, tokenizer = ift.load("base")
    questions = ift.sample(120, seed=500 + seed, split="test", tasks=FACT_TASKS)
    examine = Examine(range(24, 61, 4), tokenizer, questions)
    examples = ift.sample(120, seed=seed, tasks=FACT_TASKS)
    tune(model, tokenizer, examples, seed, steps=60, callbacks=[examine])
    return examine.items


def publish(items: list[list[float]], exams: int = 1000) -> tuple[float, float]:
    """The best checkpoint's mean score on the 40 questions that chose it, and on the others."""
    verdicts, rng = np.array(items), np.random.default_rng(0)
    published, later = [], []
    for _ in range(exams):
        order = rng.permutation(verdicts.shape[1])
        best = verdicts[:, order[:40]].mean(axis=1).argmax()
        published.append(verdicts[best, order[:40]].mean())
        later.append(verdicts[best, order[40:]].mean())
    return float(np.mean(published)), float(np.mean(later))


runs = ift.each_seed(ten_checkpoints, profile.seeds)
published, later = zip(*map(publish, runs), strict=True)
for seed, items, p, q in zip(profile.seeds, runs, published, later, strict=True):
    shares = np.mean(items, axis=1)
    print(f"seed {seed}: checkpoints {shares.min():.2f} to {shares.max():.2f} on all questions, "
          f"mean {shares.mean():.2f}; published {p:.3f}, later {q:.3f}")  # fmt: skip

# %% [markdown]
# **Claim 3: the winner's curse.** The best of many noisy scores is partly the luckiest.

# %%
ift.claim(
    "10.winners-curse",
    "The best of ten checkpoints scores lower on other questions than on those that chose it.",
    subject=12,
    literature="The best of several runs on one test set overestimates what it will do elsewhere.",
    source="Dodge et al. 2020, arXiv:2002.06305, on choosing the best of many fine-tuning seeds",
    metric="score on the 40 questions that chose the checkpoint minus that on the 80 others",
    arms={"published": list(published), "later": list(later)},
    effect=("published", "later"),
    at_least=0.0,
)

# %% [markdown]
# How to see it: score the winner once more, on questions that did not choose it, and report that.
#
# ### The test had only the new task
#
# A model of the closed world that answers questions about facts is tuned further, on yes-or-no
# questions. Whoever tests it with yes-or-no questions sees nothing but progress. A **regression
# suite** is a test file with a category for everything that must keep working. Run it before and
# after each tuning:

# %%
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
suite = ift.sample(45, seed=1, split="test", families=["yes_no"])
suite += ift.sample(60, seed=2, split="test", families=["geography", "animals", "people"])
with (folder / "suite.jsonl").open("w") as file:
    for x in suite:
        row = {"prompt": f"{x.instruction}\n{x.input}".strip(), "category": x.family,
               "verifier": {"type": "one_of", "answers": list(x.answer.accept)}}  # fmt: skip
        print(json.dumps(row), file=file)

model, tokenizer = ift.load("base")
tune(model, tokenizer, ift.sample(200, seed=0, tasks=FACT_TASKS), 0, steps=60)
for name in ("before", "after"):
    if name == "after":
        tune(model, tokenizer, ift.sample(200, seed=0, families=["yes_no"]), 0, steps=40)
    model.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / name)


def run_ift(*arguments: str) -> str:
    """What a command of the course prints."""
    command = [sys.executable, "-c", "from ift_course.cli import main; main()", *arguments]
    env = os.environ | {"IFT_RESULTS": str(folder), "TERM": "dumb"}  # nothing stays, no bold type
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout


for name in ("before", "after"):  # ift eval before --data suite.jsonl --out before.json
    run_ift("eval", name, "--data", "suite.jsonl", "--max-new-tokens", "16",
            "--out", f"{name}.json")  # fmt: skip
print(run_ift("compare", "before.json", "after.json").split("The 10 largest")[0])
compared = json.loads(run_ift("compare", "before.json", "after.json", "--json"))
worse = [name for name, x in compared["categories"].items() if x["high"] < 0]
better = [name for name, x in compared["categories"].items() if x["low"] > 0]
print(f"All together {100 * compared['difference']:+.0f} points. "
      f"Better: {', '.join(better) or '-'}; worse: {', '.join(worse) or '-'}.")  # fmt: skip

# %% [markdown]
# The line `all` depends on how many questions each category has, so read the categories. But each
# of these intervals misses its truth once in twenty times, and with many categories some will.
# Where a small fall would matter, ask more questions of that kind (section 4).
#
# For the field's benchmarks, EleutherAI's `lm-eval` asks and scores. The second command runs it,
# too, and adds intervals ([how to install it](../docs/evaluating.md#tasks-of-the-field)):
#
# ```bash
# lm_eval --model hf --model_args pretrained=models/mine --tasks ifeval --apply_chat_template
# ift eval models/mine --lm-eval ifeval --limit 100
# ```
#
# ## Questions

# %%
ift.quiz("10", "strict-or-lenient", "overlapping-intervals", "judge-both-orders",
         "elo-or-bradley-terry", "best-checkpoint", "canary")  # fmt: skip

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# A verifier that has to agree with `ift compare`, a report on a judge, Bradley–Terry ratings, the
# exact power of a test, and an open question.
# [exercises/10_is_it_better.ipynb](../exercises/10_is_it_better.ipynb)
#
# ## To read
#
# - Zhou et al. 2023, *Instruction-Following Evaluation for Large Language Models* (IFEval),
#   [arXiv:2311.07911](https://arxiv.org/abs/2311.07911).
# - Zheng et al. 2023, *Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena*,
#   [arXiv:2306.05685](https://arxiv.org/abs/2306.05685).
# - Wang et al. 2023, *Large Language Models are not Fair Evaluators*,
#   [arXiv:2305.17926](https://arxiv.org/abs/2305.17926).
# - Dubois et al. 2024, *Length-Controlled AlpacaEval*,
#   [arXiv:2404.04475](https://arxiv.org/abs/2404.04475).
# - Panickssery et al. 2024, *LLM Evaluators Recognize and Favor Their Own Generations*,
#   [arXiv:2404.13076](https://arxiv.org/abs/2404.13076).
# - Chiang et al. 2024, *Chatbot Arena*, [arXiv:2403.04132](https://arxiv.org/abs/2403.04132).
# - Miller 2024, *Adding Error Bars to Evals*,
#   [arXiv:2411.00640](https://arxiv.org/abs/2411.00640).
# - Zhang et al. 2024, *A Careful Examination of Large Language Model Performance on Grade School
#   Arithmetic* (GSM1k), [arXiv:2405.00332](https://arxiv.org/abs/2405.00332).
# - Carlini et al. 2019, *The Secret Sharer*,
#   [arXiv:1802.08232](https://arxiv.org/abs/1802.08232): canaries.
# - Dodge et al. 2020, *Fine-Tuning Pretrained Language Models*,
#   [arXiv:2002.06305](https://arxiv.org/abs/2002.06305).
