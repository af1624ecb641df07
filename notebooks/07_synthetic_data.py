# %% [markdown]
# # Synthetic data
#
# {{ badge }}
#
# Much of today's instruction data was written by models: one model answers, something decides which
# answers are good, and another model learns from what is left. It is often said: *keep the best
# tenth, and the student will be better than on everything*. You will test it.
#
# At the end you will be able to
#
# - write the pipeline with transformers and TRL: sample, filter, deduplicate, decontaminate, tune;
# - measure a judge before you let it choose data, and find its preference for a position;
# - compare "the best tenth" with everything at equal compute, and use a verifier if you have one;
# - say what is lost when models learn from models, and what keeps it.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("07")

# %% [markdown]
# ## 1. A model writes instructions
#
# In **Self-Instruct** (Wang et al. 2022), people wrote 175 tasks. GPT-3 was shown eight tasks at a
# time, wrote another, and what was new joined the pool. Of 200 of its instructions that were
# checked, 92 % described a valid task, but only 54 % of the examples were right in all parts.
#
# Here SmolLM2-135M-Instruct does the same: it was shown three instructions of people and asked for
# a different one. **Before you read on**, decide for each line: would you keep it?

# %%
from ift_course.lessons.lesson_07 import judging

smol = judging.stored()
print(f"({smol.origin})")
for text in smol.written[:12]:
    print("•", text.replace("\n", " / ")[:110])

# %% [markdown]
# Some lines are not requests at all, and some repeat an instruction that was shown. So instructions
# have to be filtered, too. (Exercise 07.1 is Self-Instruct's own filter, ROUGE-L.) From here on the
# questions are given, and we look at the answers.
#
# ## 2. The pipeline
#
# In the closed world a program can mark every answer. The **teacher** is the course's base, tuned
# for a few seconds on right answers. The **student** is the same base, untuned; section 4 has a
# weaker one. Some of the questions below are about entities of the exam, as some questions from the
# web would be.

# %%
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.world.tasks import FACT_TASKS

sizes, seed = SIZES[profile.name], profile.seeds[0]
teacher, tokenizer = pipeline.tune_teacher(profile, seed)
exam = held_out(seed, sizes.exam)
of_the_web = ift.sample(20, seed=seed, split="test", unseen_wording=True, tasks=FACT_TASKS)
asked = [*pipeline.questions(sizes, seed)[:60], *exam[:6], *of_the_web]
scores = ift.score(teacher, tokenizer, exam, max_new_tokens=sizes.tokens)
print(f"tuned for {sizes.teacher_steps} steps on {sizes.demonstrations} examples, the teacher "
      f"answers {scores.accuracy:.0%} of the exam\nif it takes the likeliest token each time; "
      f"{len(asked)} questions for the student's training set")  # fmt: skip

# %% [markdown]
# **Sampling.** To get different answers to one question, each token is drawn at random. The scores
# are divided by a **temperature** before the softmax: below 1, the likeliest token becomes likelier
# still; above 1, all tokens become more alike. `top_k` keeps the k likeliest tokens only. Without
# it, one of the thousands of unlikely ones would often be drawn.

# %%
import torch

logits = torch.tensor([2.0, 1.0, 0.0])
for temperature in (0.5, 1.0, 1.5):
    by_hand = torch.exp(logits / temperature) / torch.exp(logits / temperature).sum()
    assert torch.allclose(by_hand, torch.softmax(logits / temperature, 0))
    print(f"T = {temperature}: ", "  ".join(f"{p:.3f}" for p in by_hand))

# %% [markdown]
# Now the whole pipeline. Replace the teacher by any instruct model, and the questions by yours.

# %%
import json
import re
import tempfile
from pathlib import Path

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


# 1. Prompt: the questions, in the teacher's chat template.
exam_texts = {words(pipeline.text_of(x)) for x in exam}
prompts = [pipeline.text_of(x) for x in asked]
# 2. Deduplication and decontamination of the questions.
prompts = [text for text in dict.fromkeys(prompts) if words(text) not in exam_texts]
# 3. Sample four answers to each.
tokenizer.padding_side = "left"
batch = tokenizer.apply_chat_template(
    [[{"role": "user", "content": text}] for text in prompts],
    add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt",
).to(teacher.device)  # fmt: skip
torch.manual_seed(seed)
ids = teacher.generate(
    **batch, do_sample=True, temperature=sizes.temperature, top_k=sizes.top_k,
    num_return_sequences=4, max_new_tokens=sizes.tokens, pad_token_id=tokenizer.pad_token_id,
)[:, batch["input_ids"].shape[1] :]  # fmt: skip
end = tokenizer.convert_tokens_to_ids("<|im_end|>")
# 4. Filter: ended by itself, and without special tokens. 5. Deduplication of the answers.
rows, seen = [], set()
for i, row in enumerate(ids.tolist()):
    question = prompts[i // 4]
    answer = tokenizer.decode(row[: row.index(end)]).strip() if end in row else ""
    if answer and "<|" not in answer and (question, words(answer)) not in seen:
        seen.add((question, words(answer)))
        rows.append({"prompt": [{"role": "user", "content": question}],
                     "completion": [{"role": "assistant", "content": answer}]})  # fmt: skip
# 6. Write a JSONL file, and a card that says how it was made.
folder = Path(tempfile.mkdtemp())
(folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
card = f"""---
license: cc0-1.0
---
{len(rows)} answers of the course's teacher (seed {seed}) to {len(prompts)} questions, sampled at
temperature {sizes.temperature}, up to 4 each. Removed: unfinished answers, answers with special
tokens, repetitions. The questions were searched for the exam word for word, and not for other
wordings. The answers were not verified.
"""
(folder / "README.md").write_text(card, encoding="utf-8")
# 7. Tune the student.
student, student_tokenizer = pipeline.student_base(profile)
args = SFTConfig(
    output_dir=str(folder / "student"), max_steps=sizes.steps, learning_rate=sizes.rate or 2e-5,
    per_device_train_batch_size=sizes.batch, lr_scheduler_type="cosine", bf16=False, seed=seed,
    use_cpu=not torch.cuda.is_available(), activation_checkpointing=False,
    save_strategy="no", report_to="none", disable_tqdm=True,
)  # fmt: skip
data = Dataset.from_list(rows)  # or load_dataset("json", data_files="train.jsonl")
trainer = SFTTrainer(student, args, train_dataset=data, processing_class=student_tokenizer)
trainer.remove_callback(PrinterCallback)
trainer.train()
taught = ift.score(trainer.model, student_tokenizer, exam, max_new_tokens=sizes.tokens)

print(card)
print(
    f"of {len(ids)} samples, {len(rows)} are left\n{json.dumps(rows[0])}\n"
    f"the student answers {taught.accuracy:.0%} of the exam, its teacher {scores.accuracy:.0%}"
)

# %% [markdown]
# The student learned from answers alone: nobody wrote a single one for it.
#
# `pipeline.pool_of` is steps 1 and 3 with the settings of the experiment below: more questions, ten
# answers to each, and no filter yet. So the shares of right answers need not be equal.

# %%
from statistics import fmean

from ift_course.lessons.lesson_07 import figures

pool = pipeline.pool_of(profile, teacher, tokenizer, seed, sizes)
verdicts = figures.verify_rows(asked, rows)
print(f"right: {fmean(verdicts):.0%} of the {len(verdicts)} answers above, "
      f"{figures.share_of_right(pool):.0%} of the pool's "
      f"{sum(len(x.answers) for x in pool):,}")  # fmt: skip
print(figures.fault_sentence(pool))
shown = figures.most_mixed(pool)
print(f"\n{pipeline.text_of(shown.question)}")
for answer, right in sorted(set(zip((x.text for x in shown.answers), shown.right, strict=True))):
    print("  ✓" if right else "  ✗", answer.replace("\n", " / "))

# %%
ift.quiz("07", "how-synthetic-data-is-made")

# %% [markdown]
# ## 3. May this judge choose?
#
# A **verifier** is a program that knows what is right. Most tasks have none, so pipelines ask a
# model: **LLM-as-a-judge** (Zheng et al. 2023). Here is a judge's prompt, with its rubric.

# %%
from ift_course.evaluation.judge import AnswerPair, judge_prompt

case = smol.judgments[0]
print(judge_prompt(AnswerPair(case.question, case.first, case.second)))

# %% [markdown]
# SmolLM2 read many such pairs, each in both orders. In each pair, a verifier accepts one answer and
# refuses the other, so a perfect judge would name the same answer twice. A small model does not
# always reply with a letter, so we take how probable each letter is as the first token:
#
# ```python
# batch = tokenizer.apply_chat_template(
#     [{"role": "user", "content": prompt}],
#     add_generation_prompt=True, return_dict=True, return_tensors="pt",
# )
# letters = [tokenizer.encode(x, add_special_tokens=False)[-1] for x in "ABC"]
# opinion = model(**batch).logits[0, -1].log_softmax(-1)[letters]
# ```
#
# **Predict:** how often does it name the answer that is shown first?

# %%
for case in smol.judgments[:3]:
    print(f"{case.question}\n  first: {case.first}  second: {case.second}  right: {case.right}")
    for order in ("forward", "swapped"):
        opinion = getattr(case, order)
        letters = "  ".join(f"log p({x}) = {logp:.2f}" for x, logp in opinion.items())
        print(f"  {order}: {letters}  → {max(opinion, key=opinion.get)}")
print(figures.judge_sentence(smol.verdicts, smol.truth))

# %% [markdown]
# **Position bias** shows only if you ask in both orders. (Here it may be the place or the letter A;
# other letters would tell.) An answer counts as the winner if it wins in both orders; otherwise the
# verdict is a tie. If a bias is the same in both, it cancels in their *sum*: the *leaning*.
#
# Agreement alone flatters: two raters who toss coins agree on half of the pairs. **Cohen's κ**
# subtracts what chance would give:

# %%
from collections import Counter

from ift_course.evaluation.judge import cohens_kappa

for name, said in {
    "asked once, in one order": figures.one_order(smol.verdicts),
    "winner of both orders": [x.winner for x in smol.verdicts],
    "leaning": [x.leaning for x in smol.verdicts],
}.items():
    agreed = fmean(a == b for a, b in zip(said, smol.truth, strict=True))
    by_chance = sum(Counter(said)[x] * n for x, n in Counter(smol.truth).items()) / len(said) ** 2
    kappa = (agreed - by_chance) / (1 - by_chance)
    assert abs(kappa - cohens_kappa(said, smol.truth)) < 1e-12
    print(f"{name:27} agrees with the verifier on {agreed:.0%}, by chance {by_chance:.0%}: "
          f"κ = {kappa:+.2f}")  # fmt: skip
print(figures.kappa_sentence(smol.verdicts, smol.truth))

# %% [markdown]
# A judge that is no better than a coin must not choose data. Large judges agree with people far
# more often, and have biases, too: for places, for length, for their own answers (Zheng et al.).
#
# **A judge without a prompt.** Our models are too small to read a rubric, so the experiment uses
# another judge: how probable the *teacher itself* finds each answer. Is that a good judge? Of a
# right and a wrong answer to the same question, how often does it prefer the right one? A coin gets
# one half. By hand, and as SciPy's rank test for one question:

# %%
from scipy.stats import mannwhitneyu

good, bad = ([r for r, is_right in zip(shown.rewards, shown.right, strict=True) if is_right == x]
             for x in (True, False))  # fmt: skip
by_hand = fmean((1 + (a > b) - (a < b)) / 2 for a in good for b in bad)
assert abs(by_hand - mannwhitneyu(good, bad).statistic / len(good) / len(bad)) < 1e-9
print(f"“{pipeline.text_of(shown.question)}”: {by_hand:.2f}")
well = figures.ranked_well(pool)
print(f"all questions: {well:.3f} of the pairs; if errors were independent, "
      f"{well:.3f} ** 9 = {well**9:.3f} of the choices of one right among nine wrong")  # fmt: skip

# %% [markdown]
# ## 4. The best tenth, at equal compute
#
# Every student takes the same number of steps, whatever it learns from:
#
# | name | keeps |
# | --- | --- |
# | all | all ten answers to each question |
# | random of each | one of ten by chance |
# | judge's best of each | the answer that the judge prefers, of each question's ten |
# | verified of each | one that the verifier accepts: **rejection sampling** |
#
# **Predict** the order of the four before you look. What does each keep? (First seed.)

# %%
from ift_course.lessons.lesson_07.selection import CHOICES, share_right

print(f"{'':22}{'answers':>9}{'right':>7}{'questions':>11}{'kinds':>7}")
for name, choose in CHOICES.items():
    picks = choose(pool, seed)
    left = {i for i, _ in picks}
    kinds = {pool[i].question.task for i in left}
    print(f"{name:22}{len(picks):9,}{share_right(pool, picks):7.2f}{len(left):11}{len(kinds):7}")

# %% [markdown]
# "Best of all" takes the tenth with the highest rewards, whichever questions they answer. It loses
# questions, because **rewards of different questions do not compare**: an easy question has ten
# probable answers, a hard one none. No student is trained on it.

# %%
from ift_course.claims.grid_runs import GridRuns
from ift_course.lessons.lesson_07 import experiment

runs = GridRuns("07", profile, experiment.StudentResult, experiment.run_config)
arms = {
    name: [x.generations[0].scores for x in runs.of(experiment.StudentConfig(name))]
    for name in experiment.CHOSEN
}
figures.students(arms)

# %%
ALL, RANDOM, JUDGE, VERIFIED = experiment.CHOSEN
for first, second in ((JUDGE, RANDOM), (JUDGE, ALL), (VERIFIED, JUDGE), (VERIFIED, ALL)):
    print(figures.comparison_sentence(first, second, arms))

# %% [markdown]
# We had predicted that the judge's choice beats a random one, and that it beats everything:

# %%
for other in (RANDOM, ALL):
    print(figures.prediction_sentence(JUDGE, other, arms))
if runs.decide(*(runs.of(experiment.StudentConfig(name)) for name in (JUDGE, ALL))):
    ift.claim(
        "07.best-tenth-beats-all",
        "The judge's best tenth makes a better student than all ten tenths at equal compute.",
        subject=8,
        source="Chen et al. 2023 (AlpaGasus), arXiv:2307.08701; there, the smaller set also "
        "takes fewer steps",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={JUDGE: arms[JUDGE], ALL: arms[ALL]},
        effect=(JUDGE, ALL),
        at_least=0.0,
    )

# %% [markdown]
# ### A weaker student
#
# What if the same answers, chosen by the same judge, teach a base that has read less? It is the
# course's base early in its pretraining, when it had read prose only. **Predict** its score.

# %%
weaker = runs.of(experiment.WEAKER)
print(figures.weaker_sentence(runs.of(experiment.StudentConfig(JUDGE)), weaker))

# %% [markdown]
# **Distillation** passes on form sooner than knowledge or skill: where neither the base nor the
# training set holds the answer, a student can only guess. This base may lack the skill as well as
# the facts, because it has read no text in which somebody looks something up (lesson 06). Models
# that imitate ChatGPT show such a gap, too (Gudibande et al. 2023).
#
# ### What a filter can do
#
# A filter can only remove what differs between the answers *and* what the judge sees. Ask both
# questions of your own data before you pay for a judge. And for this judge there is a shortcut: the
# answer that a teacher finds most probable is the one it writes at a low temperature, without ten
# samples.
#
# **Rejection sampling** needs no taste, only a verifier: unit tests for code, the result of a sum,
# a JSON schema. Keep what passes, tune on it, and sample again (STaR, Zelikman et al. 2022).

# %%
ift.quiz("07", "best-tenth-of-what", "when-does-filtering-help")

# %% [markdown]
# ## 5. Generations
#
# Today's student is tomorrow's teacher. If each generation learns from the one before it alone,
# what is rare is lost first, because it is not drawn, and errors add up: **model collapse**
# (Shumailov et al. 2024). By hand: of a thousand kinds, the second is half as frequent as the
# first, the third a third, and so on. Nobody makes a mistake, and each generation writes 2,000.

# %%
import random

draw, kinds = random.Random(0), range(1000)
shares = [1 / (kind + 1) for kind in kinds]
for generation in range(4):
    print(f"generation {generation}: {sum(share > 0 for share in shares):4} kinds")
    written = Counter(draw.choices(kinds, shares, k=2000))
    shares = [written[kind] for kind in kinds]

# %% [markdown]
# Now with models. The first generation learns from answers of people (here: of the world). Each
# later one is a fresh student that learns from one answer of the previous generation to each
# question, sampled at temperature 1. In one chain these answers *replace* the people's; in the
# other they *join* them, as Gerstgrasser et al. (2024) propose. **Predict** the accuracy of
# generation 4 in both. We predicted that the second chain ends higher.

# %%
chains = {name: runs.of(config) for name, config in experiment.CHAINS.items()}
figures.generations(chains)

# %%
print(figures.generations_table(chains))
print(figures.collapse_sentence(chains))
print(figures.cause_sentence(chains["replace"]))
last = {name: [x.generations[-1].scores for x in results] for name, results in chains.items()}
print(figures.prediction_sentence("join", "replace", last))

# %% [markdown]
# Every student starts from the same base and is asked about what that base has read. With models
# that have nothing but the data, less would be left.
#
# ## 6. Is the exam in it?
#
# Section 2 searched the questions for the exam word for word. How many of the questions that were
# left ask for the very fact that some exam question asks for?

# %%
facts = {(x.task, x.entity) for x in exam}
leaks = [x for x in asked if (x.task, x.entity) in facts]
left = [x for x in leaks if pipeline.text_of(x) in set(prompts)]
print(f"{len(leaks)} questions ask for facts of the exam; {len(left)} passed the search:")
for x in left[:4]:
    print("  ", pipeline.text_of(x).replace("\n", " / "))

# %% [markdown]
# A search for shared words finds copies. The same question in other words slips through, and its
# answer is just as much a leak: Yang et al. (2023) trained on rephrased test questions, and the
# scores rose. Here a program knows what a question means. Elsewhere, search with several methods,
# test on questions that are younger than the teacher, and say in the card what was searched.
#
# **Whose data is it?** Read three texts: the terms of whoever sold you the answers (in 2023,
# OpenAI's forbade using output "to develop models that compete with OpenAI"), the license of a
# model that you ran yourself (Llama 3.1's, of July 23, 2024, asks that a model tuned on outputs has
# "Llama" at the beginning of its name), and the licenses of what went in. [Our data
# cards](../docs/datasets.md) show how differently the same kind of data is tagged. This is no legal
# advice.
#
# ## 7. The same on real models
#
# SmolLM2-135M-Instruct answers 100 questions four times each, and Gemma 3 270M, a base model,
# learns from the answers. **Predict:** does verifying them help, and does the student reach its
# teacher?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("07")

# %% [markdown]
# ## 8. Silent failures
#
# ### Answers that broke off
#
# A sampled answer ends when the model says so, or at the limit of tokens, and the text does not
# show which. The chat template adds an end of turn to both, so that a student learns to stop in the
# middle. Say that somebody allows three tokens.

# %%
from dataclasses import replace

short = pipeline.sample_answers(
    teacher, tokenizer, pipeline.questions(sizes, seed)[:40], seed=seed,
    sizes=replace(sizes, tokens=3), answers=1,
)  # fmt: skip
cut = [x for x in short if not x.answers[0].finished]
print(f"{len(cut)} of {len(short)} answers reached the limit:")
for x in cut[:4]:
    print(f"  {pipeline.text_of(x.question).replace(chr(10), ' / ')[:60]:62}{x.answers[0].text}")

# %% [markdown]
# To see it, keep the reason why each answer ended (`finish_reason` in most APIs), as step 4 does.
#
# ### Only right answers, so only easy questions
#
# A verifier keeps what is right. Then the questions to which the teacher never gave a right answer
# are gone, and nobody notices.

# %%
print(figures.lost_sentence(pool))
print(figures.lost_sentence([replace(x, answers=x.answers[:1]) for x in pool]))

# %% [markdown]
# Count kinds before and after the filter. Where a kind is gone, sample more often, ask a better
# teacher, or write those answers by hand.
#
# ## Questions

# %%
ift.quiz("07", "how-good-is-the-judge", "judge-names-the-first", "paraphrased-leak",
         "what-collapses", "license-of-generated-data")  # fmt: skip

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# [exercises/07_synthetic_data.ipynb](../exercises/07_synthetic_data.ipynb): Self-Instruct's filter,
# the best of each with a real trainer, decontamination, how good a judge is, a reward without its
# length, what a generation loses, and an open question.
#
# ## To read
#
# - Wang et al. 2022, *Self-Instruct*, [arXiv:2212.10560](https://arxiv.org/abs/2212.10560).
# - Zheng et al. 2023, *Judging LLM-as-a-Judge*,
#   [arXiv:2306.05685](https://arxiv.org/abs/2306.05685).
# - Chen et al. 2023, *AlpaGasus*, [arXiv:2307.08701](https://arxiv.org/abs/2307.08701): 9,000 of
#   Alpaca's 52,000, chosen by a judge.
# - Zelikman et al. 2022, *STaR*, [arXiv:2203.14465](https://arxiv.org/abs/2203.14465).
# - Gudibande et al. 2023, *The False Promise of Imitating Proprietary LLMs*,
#   [arXiv:2305.15717](https://arxiv.org/abs/2305.15717).
# - Xu et al. 2024, *Magpie*, [arXiv:2406.08464](https://arxiv.org/abs/2406.08464): instructions
#   out of nothing but the chat template.
# - Shumailov et al. 2024, *AI models collapse when trained on recursively generated data*, Nature
#   631, [doi:10.1038/s41586-024-07566-y](https://doi.org/10.1038/s41586-024-07566-y).
# - Gerstgrasser et al. 2024, *Is Model Collapse Inevitable?*,
#   [arXiv:2404.01413](https://arxiv.org/abs/2404.01413).
# - Yang et al. 2023, *Rethinking Benchmark and Contamination for Language Models with Rephrased
#   Samples*, [arXiv:2311.04850](https://arxiv.org/abs/2311.04850).
