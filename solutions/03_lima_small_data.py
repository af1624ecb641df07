# %% [markdown]
# # Exercises 03: how little data is enough
#
# {{ badge }}
#
# Two functions for planning a small run and for saying honestly whether it helped, and an open
# question. Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 03](../notebooks/03_lima_small_data.ipynb) at any time.

# %%
import math
import tempfile

import torch

import ift_course as ift

profile = ift.setup("03")
ift.progress("03")

# %% [markdown]
# ## 03.1 How many steps?
#
# ●○○ · 15 minutes
#
# **Why it matters.** "I tuned on 50 examples and nothing changed": most such runs took three or
# four optimizer steps. Compute the number before you start, and choose the epochs so that it is
# enough.
#
# **Given** are the size of the data set and what `SFTConfig` calls `per_device_train_batch_size`,
# `gradient_accumulation_steps` and `num_train_epochs`, on one device.
#
# **Example.** Thirty examples are two batches of sixteen, so one epoch is one step of two batches.
#
# ```python
# >>> optimizer_steps(30, batch_size=16, accumulation=2, epochs=3)
# 3
# ```


# %%
def optimizer_steps(n_examples: int, batch_size: int, accumulation: int, epochs: float) -> int:
    """The number of optimizer steps that transformers' Trainer takes for this run.

    The last batch of an epoch may be smaller, and it counts. Gradients of `accumulation` batches
    make one step; what is left at the end of an epoch makes one more. `epochs` may be a fraction;
    the number of steps is rounded up at the end, once. Zero epochs are no steps.

    Raises ValueError if n_examples, batch_size or accumulation is less than 1, or epochs negative.
    """
    ### BEGIN SOLUTION
    if min(n_examples, batch_size, accumulation) < 1 or epochs < 0:
        raise ValueError("there are examples, batches and epochs")
    batches = math.ceil(n_examples / batch_size)
    steps_per_epoch = math.ceil(batches / accumulation)
    return math.ceil(epochs * steps_per_epoch)
    ### END SOLUTION


# %%
ift.check(optimizer_steps)

# %% [markdown]
# TRL's own trainer is the judge: it tunes the base on 40 examples, twice, and counts. What do the
# extra epochs bring?

# %%
if ift.passed(optimizer_steps):
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_03.experiment import LimaConfig, held_out, training_set

    rows = [
        {
            "prompt": [{"role": "user", "content": f"{e.instruction}\n{e.input}".strip()}],
            "completion": [{"role": "assistant", "content": e.response}],
        }
        for e in training_set(LimaConfig(40), seed=0)
    ]
    for epochs in (1, 12):
        model, tokenizer = ift.load("base")
        args = SFTConfig(
            output_dir=tempfile.mkdtemp(), num_train_epochs=epochs, learning_rate=1.5e-4,
            per_device_train_batch_size=8, gradient_accumulation_steps=2, use_cpu=True, bf16=False,
            activation_checkpointing=False, save_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(model, args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        share = ift.score(trainer.model, tokenizer, held_out(seed=0, questions=60)).accuracy
        print(f"{epochs:2} epochs: you say {optimizer_steps(40, 8, 2, epochs)} steps, "
              f"TRL took {trainer.state.global_step}; {share:.2f} right")  # fmt: skip

# %% [markdown] tags=["hint"]
# Go from the inside out: how many batches are one pass over the data? How many steps do these make?
# How many are all passes?

# %% [markdown] tags=["hint"]
# Twice something is left over: at the end of the data a smaller batch, at the end of an epoch fewer
# batches than `accumulation`. Both count, so both divisions are rounded up with `math.ceil`.

# %% [markdown] tags=["hint"]
# `batches = math.ceil(n_examples / batch_size)`, `steps = math.ceil(batches / accumulation)`, and
# at the end `math.ceil(epochs * steps)`. Check the arguments first.

# %% [markdown]
# ## 03.2 An interval for a difference
#
# ●●○ · 20 minutes
#
# **Why it matters.** "Ours is 2 points better" means nothing without an interval. Two models that
# answer the *same* questions are compared question by question: what is easy for one is easy for
# the other, and the paired interval is much narrower.
#
# **Given** are the scores of two models on the same questions, and the draws of a bootstrap: each
# row of `draws` says which questions are in one imagined test, with repetitions.
#
# **Example.** Two imagined tests, with differences of 0 and 0.5, and half of all is left out.
#
# ```python
# >>> draws = torch.tensor([[0, 0], [0, 1]])
# >>> paired_interval([1.0, 1.0], [1.0, 0.0], draws, level=0.5)
# (0.125, 0.375)
# ```


# %%
def paired_interval(
    a: list[float], b: list[float], draws: torch.Tensor, level: float = 0.95
) -> tuple[float, float]:
    """The bootstrap interval (low, high) of mean(a) - mean(b).

    a, b: scores of two models, of the same questions in the same order. draws: int64 (tests,
    questions), each row the indices of the questions in one imagined test. In every imagined test
    both models answer the same questions. The interval leaves out (1 - level) / 2 of the imagined
    differences on each side, by linear interpolation as `torch.quantile` has it. Computed in
    float64.

    Raises ValueError if a and b have different lengths, or are empty.
    """
    ### BEGIN SOLUTION
    if len(a) != len(b) or not a:
        raise ValueError("both models answer the same questions, and at least one")
    difference = torch.tensor(a, dtype=torch.float64) - torch.tensor(b, dtype=torch.float64)
    means = difference[draws].mean(dim=1)
    outside = (1 - level) / 2
    low, high = (torch.quantile(means, q).item() for q in (outside, 1 - outside))
    return low, high
    ### END SOLUTION


# %%
ift.check(paired_interval)

# %% [markdown]
# Two models, the second one a little better on the same 200 questions. Paired, and as if they had
# answered different questions:

# %%
if ift.passed(paired_interval):
    made = torch.Generator().manual_seed(0)
    easy = torch.rand(200, generator=made)
    first = (easy > 0.50).double()
    second = (easy > 0.47).double()
    draws = torch.randint(200, (2000, 200), generator=made)
    low, high = paired_interval(second.tolist(), first.tolist(), draws)
    print(f"paired       {low:+.3f} to {high:+.3f}")
    mixed = first[torch.randperm(200, generator=made)]
    low, high = paired_interval(second.tolist(), mixed.tolist(), draws)
    print(f"not paired   {low:+.3f} to {high:+.3f}")

# %% [markdown] tags=["hint"]
# Since both models answer the same questions, the difference of the means is the mean of the
# differences. So there is only one list to resample.

# %% [markdown] tags=["hint"]
# `difference[draws]` picks, for every imagined test, the differences of its questions: shape
# (tests, questions). Take the mean of each row.

# %% [markdown] tags=["hint"]
# With `outside = (1 - level) / 2`, the borders are `torch.quantile(means, outside)` and
# `torch.quantile(means, 1 - outside)`. Return them as floats.

# %% [markdown]
# {{ written 03.w1 }}
