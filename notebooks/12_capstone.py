# %% [markdown]
# # The capstone: your own assistant
#
# {{ badge }}
#
# The same raw rows, the same base and the same budget for everybody: who makes the best assistant?
# This lesson goes the whole way once, from 2,000 raw rows to a certificate that anybody can check.
# Afterwards you go it yourself, and do better. At the end you will be able to
#
# - spend a fixed budget of data and steps, and say what the choice was worth;
# - tune a LoRA adapter with TRL and PEFT, and compare it with a baseline on the same questions;
# - hand in rows, settings, adapter and report so that somebody else can check them;
# - say what a certificate proves, and what it does not.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("12")

# %% [markdown]
# ## 1. The budget
#
# A project begins with its limits. Here they are files and numbers, and a program enforces them.
# `ift submit --begin` makes your folder:

# %%
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ift_course.capstone import rules

work = Path(tempfile.mkdtemp())
folder = work / "capstone"


def command(*words) -> str:
    """What a command of the course prints; `!ift …` does the same in a notebook of your own."""
    program = "from ift_course.cli import main; main()"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program, *map(str, words)],
                          cwd=work, env=os.environ | {"NO_COLOR": "1"}, capture_output=True,
                          text=True)  # fmt: skip
    return (done.stdout + done.stderr).replace(str(work), "~")


print(command("submit", "capstone", "--begin"))
print(f"{rules.MOST_ROWS} rows, {rules.MOST_STEPS} steps, rank {rules.MOST_RANK} at most")

# %% [markdown]
# ## 2. Read the pool
#
# The rows come from three sources, in Alpaca's columns. Before any statistics, read some of each.

# %%
from datasets import load_dataset

pool = load_dataset(
    "json", data_files=str(folder / "pool.jsonl"), split="train", cache_dir=str(work / "cache")
)
for source in dict.fromkeys(pool["source"]):
    rows = pool.filter(lambda row, source=source: row["source"] == source)
    print(f"\n{source}: {len(rows)} rows")
    for row in rows.shuffle(seed=1).select(range(5)):
        print(f"   {row['instruction']} {row['input']}"[:88])
        print(f"      ▸ {row['output'][:80]!r}")

# %% [markdown]
# **Predict.** You may keep 300 rows. Would you take the cleanest source alone? What would a model
# that is tuned on it not learn? Write down how many points you expect to gain over 300 random rows.
#
# ## 3. A baseline first
#
# Without a baseline, no score means anything. The fairest one costs no thought: 300 random rows,
# the same steps, the same settings. `tune` is all the code that this capstone needs, and it is
# TRL's and PEFT's.

# %%
import random
import warnings

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, Trainer
from trl import SFTConfig, SFTTrainer

warnings.simplefilter("ignore", FutureWarning)  # PEFT and TRL use old names of transformers
settings = {"steps": rules.MOST_STEPS, "batch_size": 16, "learning_rate": 2e-3}


def as_messages(row: dict) -> dict:
    """A row in TRL's conversational prompt-completion format."""
    question = f"{row['instruction']}\n{row['input']}".strip()
    return {"prompt": [{"role": "user", "content": question}],
            "completion": [{"role": "assistant", "content": row["output"]}]}  # fmt: skip


class PlainLossTrainer(SFTTrainer):
    """TRL's own loss would ignore the rows that PEFT trains in the output matrix."""

    def compute_loss(self, model, inputs, *args, **options):
        return Trainer.compute_loss(self, model, {**inputs, "use_cache": False}, *args, **options)


def tune(rows: list[dict], seed: int, adapter: Path) -> None:
    """Tune a LoRA adapter on rows of the pool, and save it."""
    torch.manual_seed(seed)
    model, tokenizer = ift.load("base")
    chat_tokens = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    trainer = PlainLossTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([as_messages(row) for row in rows]),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=16,
            lora_alpha=32,
            target_modules="all-linear",
            trainable_token_indices=chat_tokens,  # pretraining has never shown them
        ),
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(),
            max_steps=settings["steps"],
            per_device_train_batch_size=settings["batch_size"],
            learning_rate=settings["learning_rate"],
            lr_scheduler_type="cosine",
            warmup_steps=0.05,  # a share of all steps
            max_length=profile.max_length,
            seed=seed,
            bf16=False,
            use_cpu=not torch.cuda.is_available(),
            activation_checkpointing=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.model.save_pretrained(adapter)


def random_rows(seed: int) -> list[dict]:
    """300 rows of the pool, drawn at random."""
    return [pool[i] for i in random.Random(seed).sample(range(len(pool)), rules.MOST_ROWS)]


seed = profile.seeds[0]
tune(random_rows(seed), seed, folder / "random")
print(sorted(path.name for path in (folder / "random").iterdir()))

# %% [markdown]
# Those two files are the whole assistant, beside the base that everybody has. (`README.md` is
# PEFT's card.) Is it any good? The exam asks about *held-out* entities, half of it in wordings that
# no row has. Every seed is another exam; this one is for practice. The score is strict: the right
# answer, nothing else, and then the end of the turn.

# %%
from ift_course.capstone.exam import Exam
from ift_course.capstone.examine import examine_own
from ift_course.capstone.packing import load_adapter

practice = Exam(seed=1)
baseline = examine_own(load_adapter(folder / "random"), practice)
low, high = baseline.interval
print(f"300 random rows: {baseline.n_right} of {len(baseline.correct)} right, "
      f"{baseline.score:.0%} ({low:.0%} to {high:.0%})")  # fmt: skip
misses = [i for i, right in enumerate(baseline.correct) if not right]
for i in misses[:5]:
    print(f"   {practice.questions[i][:60]!r} → {baseline.replies[i].text[:40]!r}")

# %% [markdown]
# **Think.** Which of these misses would better rows repair, and which would only more knowledge in
# the base repair?
#
# ## 4. Curate
#
# Lesson 09 compared ways of choosing. Where many answers are wrong and the base knows the facts,
# the rows whose question makes the answer easy for the base (the lowest IFD) are often the better
# ones, and diversity keeps them from being all alike. `curate` drops malformed rows and copies, and
# then does both.

# %%
from collections import Counter

from ift_course.data import curation


def curated_rows(seed: int) -> list[dict]:
    """300 rows of the pool, chosen with the base's help."""
    model, tokenizer = ift.load("base")
    records = [ift.Record.from_instruction(r["instruction"], r["input"], r["output"]) for r in pool]
    selection = curation.curate(records, rules.MOST_ROWS, seed=seed, model=model,
                                tokenizer=tokenizer, prefer="low_ifd")  # fmt: skip
    return [pool[d.index] for d in selection.decisions if d.selected]


chosen = curated_rows(seed)
for name, rows in {"random": random_rows(seed), "curated": chosen}.items():
    print(f"{name:>8}: {dict(Counter(row['source'] for row in rows))}")

# %% [markdown]
# A program has chosen. Now somebody has to read. Ten rows that were kept:

# %%
for row in random.Random(seed).sample(chosen, 10):
    print(f"   {row['instruction']} {row['input']}"[:70], "▸", repr(row["output"][:40]))

# %%
ift.quiz("12", "clean-but-narrow", "why-a-baseline")

# %% [markdown]
# ## 5. Tune and compare
#
# The same function, other rows. Compare on the *same* questions: what counts is how often one of
# the two adapters alone is right (McNemar's test, lesson 10).
#
# **Predict.** Will the interval of the difference exclude zero?

# %%
from ift_course.capstone.places import paired

tune(chosen, seed, folder / "adapter")
curated = examine_own(load_adapter(folder / "adapter"), practice)
counts = paired(baseline.correct, curated.correct)
low, high = counts.interval
print(f"random {baseline.score:.0%}, curated {curated.score:.0%}: {100 * counts.difference:+.0f} "
      f"points ({100 * low:+.0f} to {100 * high:+.0f})")  # fmt: skip
print(f"random alone right: {counts.only_a}, curated alone: {counts.only_b}. "
      f"{counts.verdict('random', 'curated')}.")  # fmt: skip

# %% [markdown]
# One seed is one draw of 300 rows. **Claim: curation by program beats a random choice**, with three
# seeds of the choice and the training.

# %%
taken = {("random", seed): baseline.correct, ("curated", seed): curated.correct}


def contest(seed: int) -> dict[str, list[float]]:
    """Verdicts on the practice exam after 300 random and 300 curated rows."""
    for name, choose in {"random": random_rows, "curated": curated_rows}.items():
        if (name, seed) not in taken:
            tune(choose(seed), seed, work / f"{name}-{seed}")
            result = examine_own(load_adapter(work / f"{name}-{seed}"), Exam(seed=1))
            taken[name, seed] = result.correct
    return {name: [float(x) for x in taken[name, seed]] for name in ("random", "curated")}


by_seed = ift.each_seed(contest, profile.seeds)
ift.claim(
    "12.curated-beats-random",
    "In this raw pool, 300 rows chosen with the base's help make a better adapter than 300 random "
    "ones.",
    subject=14,
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5; Chen et al. 2023 (AlpaGasus), "
    "arXiv:2307.08701",
    metric="strict accuracy on 200 questions about held-out entities, the same number of steps",
    arms={name: [x[name] for x in by_seed] for name in ("curated", "random")},
    effect=("curated", "random"),
    at_least=0.0,
)

# %% [markdown]
# ## 6. Report
#
# Half a page, four titles. A good report says what failed. The numbers of this one are the measured
# ones; yours is written by you, and `ift submit` refuses the empty template.

# %%
import json

report = f"""# Report

## What I chose

300 of 2,000 rows with the course's pipeline: rules of form, exact and near copies, the lowest IFD
under the base, then diversity. I read ten of the rows that were kept before I trained on them.

## How I tuned

LoRA of rank 16 on all linear layers and two chat tokens, {settings["steps"]} steps of
{settings["batch_size"]} rows, and a peak learning rate of {settings["learning_rate"]}. I tried
no other settings.

## What I measured

On the same {len(curated.correct)} questions, 300 random rows reach {baseline.score:.0%} and mine
{curated.score:.0%}, a difference of {100 * counts.difference:+.0f} points
({100 * counts.interval[0]:+.0f} to {100 * counts.interval[1]:+.0f}), by the strict score.

## What failed

The base judges its own knowledge, so rows that it does not know may be dropped although they are
right; I did not count them. With another week I would correct wrong answers by hand instead of
dropping their questions.
"""
(folder / "report.md").write_text(report, encoding="utf-8")
# JSON is YAML, too. `ift submit` reads these, data.jsonl, and the adapter in adapter/.
(folder / "config.yaml").write_text(json.dumps(settings | {"seed": seed}), encoding="utf-8")
lines = [json.dumps(row, ensure_ascii=False) for row in chosen]
(folder / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
print(command("submit", "capstone", "--check"))

# %% [markdown]
# ## 7. Hand in
#
# The zip holds data and no code: JSON, Markdown, and tensors as safetensors, with the SHA-256 of
# each. A pickle could run a program on the grader's machine, so it is refused.

# %%
print(command("submit", "capstone", "--title", "Curated by the base", "--out", "mine.zip"))
print(command("exam", "mine.zip", "--seed", "2026", "--name", "A learner"))

# %% [markdown]
# That was another exam than the one for practice. (Without `--seed`, it is drawn at random.) The
# certificate is one page that can be printed, made from a *statement*, data that stands in it.
# Anybody can check it, with no network:

# %%
print(command("verify", "certificate.html", "--adapter", "mine.zip"))

# %% [markdown]
# ## 8. Silent failures
#
# ### A changed certificate
#
# **Predict.** Somebody puts another name on the page, in the text and in the statement. Will `ift
# verify` notice?

# %%
page = (work / "certificate.html").read_text(encoding="utf-8")
(work / "changed.html").write_text(page.replace("A learner", "A master"), encoding="utf-8")
print(command("verify", "changed.html"))

# %% [markdown]
# Only the printed hash of the statement gives it away. A forger who computes that anew gets a page
# that verifies: **a hash shows changes, not authorship.** The *score* is safe only with
# `--adapter`, because then the adapter has to give the printed answers again; right answers can be
# forged, too.
#
# ### Training on the exam
#
# The other way to a high score is to train on what is asked. A few rows about held-out countries:

# %%
capitals = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Poland": "Warsaw",
            "Finland": "Helsinki", "Iceland": "Reykjavik", "Turkey": "Ankara"}  # fmt: skip
leaked = [{"instruction": f"What is the capital of {country}?", "output": capital}
          for country, capital in capitals.items()]  # fmt: skip
lines[-len(leaked) :] = [json.dumps(row) for row in leaked]
(folder / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
print(command("submit", "capstone", "--check"))

# %% [markdown]
# It would be accepted, and the leaderboard and the certificate would say why nobody should believe
# it. What no program can see is an adapter that was trained on rows that are not in its zip. For
# that, an instructor asks the best to train theirs again.
#
# ## 9. How a class is graded
#
# `ift grade --capstone zips` reads every zip without unpacking it, with a limit on every size. Each
# adapter answers the same hidden exam in a process of its own, which knows the questions and none
# of the answers. If a zip is damaged or breaks a rule, its author gets one sentence, and nobody
# else notices.
#
# The leaderboard holds four baselines beside the entries: the first 300 rows, 300 random ones, the
# pipeline above, and all 2,000 rows. The last one breaks the budget and shows whether choosing rows
# was worth it at all. A place is one more than the number of entries that are clearly better, which
# means that the interval of the difference on the same questions excludes zero. Two entries on one
# place were not told apart, and the order within a place means nothing.
#
# ## Questions

# %%
ift.quiz("12", "best-of-ten-adapters", "what-a-hash-proves", "ties-on-a-leaderboard")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Your turn
#
# There is no notebook of exercises: the capstone is the exercise. Begin with `ift submit --begin`,
# and beat the pipeline above. Correct wrong answers; write rows that the pool lacks (`--check`
# warns of entities that are in exams); look at what your adapter misses; try a preference stage
# (lesson 05). The rules are in [docs/capstone.md](../docs/capstone.md). A class gets a leaderboard
# with `ift grade --capstone`, in which only a difference beyond the interval costs a place.
#
# ## To read
#
# - Zhou et al. 2023, *LIMA*, [arXiv:2305.11206](https://arxiv.org/abs/2305.11206).
# - Li et al. 2024, *DataComp-LM*, [arXiv:2406.11794](https://arxiv.org/abs/2406.11794): a
#   competition with a fixed model and free choice of the data.
# - Chiang et al. 2024, *Chatbot Arena*, [arXiv:2403.04132](https://arxiv.org/abs/2403.04132): ranks
#   that count the models that are clearly better.
