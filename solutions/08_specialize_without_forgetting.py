# %% [markdown]
# # Exercises 08: specialize without forgetting
#
# {{ badge }}
#
# Six functions: three remedies against forgetting, and three ways to see whether one is needed and
# which is worth its price. Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 08](../notebooks/08_specialize_without_forgetting.ipynb) at any
# time.

# %%
import torch

import ift_course as ift

profile = ift.setup("08")
ift.progress("08")

# %% [markdown]
# ## 08.1 A replay mixture
#
# ●○○ · 15 minutes
#
# **Why it matters.** The oldest remedy against forgetting: keep showing a few of the earlier rows.
# It works with a few per cent, if they come *all along*. A mixture whose earlier rows all come
# first has been forgotten by the end, and nothing in the loss tells you so.
#
# **Given** are new rows, earlier rows, and how many of a hundred are to be earlier ones. The rule
# below spreads them evenly, without a random generator.
#
# **Example.** A quarter is replayed: every fourth row.
#
# ```python
# >>> replay_mixture(["new 1", "new 2"], ["old 1", "old 2"], percent=25, count=8)
# ['new 1', 'new 2', 'new 1', 'old 1', 'new 2', 'new 1', 'new 2', 'old 2']
# ```


# %%
def replay_mixture(new: list, earlier: list, percent: int, count: int) -> list:
    """`count` rows, of which `percent` of a hundred are earlier ones, evenly spread.

    Among the first n rows there are exactly n * percent // 100 earlier ones, for every n. Both
    kinds keep their order; one that is used up begins again.

    Raises ValueError if percent is not between 0 and 100, or if a row is needed of a kind that has
    none.
    """
    ### BEGIN SOLUTION
    if not 0 <= percent <= 100:
        raise ValueError("percent is between 0 and 100")
    used = {"new": 0, "earlier": 0}
    rows = []
    for n in range(1, count + 1):
        kind = "earlier" if n * percent // 100 > used["earlier"] else "new"
        source = earlier if kind == "earlier" else new
        if not source:
            raise ValueError(f"there are no {kind} rows")
        rows.append(source[used[kind] % len(source)])
        used[kind] += 1
    return rows
    ### END SOLUTION


# %%
ift.check(replay_mixture)

# %% [markdown]
# The last line of each mixture says when the earlier rows come, as a picture of a hundred rows:

# %%
if ift.passed(replay_mixture):
    for percent in (1, 5, 10, 33):
        rows = replay_mixture(["·"], ["█"], percent, 100)
        print(f"{percent:3} %  {''.join(rows)}")

# %% [markdown] tags=["hint"]
# Go through the places 1, 2, … `count`, and keep two numbers: how many rows of each kind have been
# used. At each place only one question is to be answered: is an earlier row due?

# %% [markdown] tags=["hint"]
# Place n is an earlier one if `n * percent // 100` is more than the number of earlier rows used so
# far. A list that begins again is `rows[i % len(rows)]`.

# %% [markdown] tags=["hint"]
# `source = earlier if due else new`, then refuse an empty `source`, append
# `source[used % len(source)]` with the number used of *that* kind, and add 1 to it.

# %% [markdown]
# ## 08.2 The distance to the reference
#
# ●●○ · 20 minutes
#
# **Why it matters.** One can let a model learn, and charge it for every word it would now say
# otherwise than before. The charge is the KL divergence to the model it started from. RLHF has it
# (Ouyang et al. 2022), and learning without forgetting is built on a near relative (Li & Hoiem
# 2016). Libraries for SFT do not have it; it takes four lines.
#
# **Given** are the scores of both models for the same rows, and labels as in 01.5: not shifted,
# −100 where there is no response.
#
# **Example.** The policy is sure, the reference tosses a coin: ln 2.
#
# ```python
# >>> sure, coin = torch.tensor([[[50.0, 0.0], [0.0, 0.0]]]), torch.zeros(1, 2, 2)
# >>> kl_to_reference(sure, coin, torch.tensor([[-100, 0]]))
# tensor(0.6931)
# ```


# %%
def kl_to_reference(
    policy: torch.Tensor, reference: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """The mean over response tokens of KL(policy || reference) = Σ p · log(p / q), in nats.

    policy, reference: logits (rows, length, vocabulary), of any floating dtype. labels: int64
    (rows, length), not shifted, -100 where a token is no response's; what the label is does not
    matter otherwise. A label in the first column has no scores and does not count. p and q are the
    probabilities of the policy and the reference. Every response token of the batch weighs the
    same.

    Returns a float32 scalar. Computed in float32, differentiable in the policy.

    Raises ValueError if no token counts.
    """
    ### BEGIN SOLUTION
    counts = labels[:, 1:] != -100
    if not counts.any():
        raise ValueError("no response token has scores")
    log_p = policy[:, :-1].float().log_softmax(dim=-1)
    log_q = reference[:, :-1].float().log_softmax(dim=-1)
    each = (log_p.exp() * (log_p - log_q)).sum(dim=-1)
    return each[counts].mean()
    ### END SOLUTION


# %%
ift.check(kl_to_reference)

# %% [markdown]
# How far is a model from itself when its scores are made a little sharper? A policy that is twice
# as sure as its reference is far from it only where the reference was not sure:

# %%
if ift.passed(kl_to_reference):
    made = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 2, 50, generator=made)
    for spread in (0.1, 1.0, 3.0, 10.0):
        there = spread * scores
        distance = kl_to_reference(2 * there, there, torch.tensor([[-100, 1]]))
        print(f"scores of ± {spread:4}: {distance:.3f} nats")

# %% [markdown] tags=["hint"]
# First the shift, as in 01.5: the scores at a place belong to the label at the next. Then one
# number for each place, and at the end only the places that count.

# %% [markdown] tags=["hint"]
# With logarithms of probabilities everything is a difference: log(p / q) = log p − log q, and
# p = exp(log p). Sum over the vocabulary, mean over the tokens.

# %% [markdown] tags=["hint"]
# `counts = labels[:, 1:] != -100`; `log_p = policy[:, :-1].float().log_softmax(dim=-1)`, and log q
# likewise; then `each = (log_p.exp() * (log_p - log_q)).sum(dim=-1)`, and `each[counts].mean()`.

# %% [markdown]
# ## 08.3 Between two models
#
# ●●○ · 20 minutes
#
# **Why it matters.** The cheapest remedy needs no training at all: a weighted mean of the weights
# before and after. It is one line, with traps in it: half precision, counters among the weights,
# and two models that do not fit together.
#
# **Given** are two state dicts: name → tensor.
#
# **Example.** A quarter of the way.
#
# ```python
# >>> start, tuned = {"w": torch.tensor([0.0, 4.0])}, {"w": torch.tensor([4.0, 0.0])}
# >>> interpolate(start, tuned, 0.25)
# {'w': tensor([1., 3.])}
# ```


# %%
def interpolate(
    start: dict[str, torch.Tensor], tuned: dict[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """(1 - share) times the weights of `start` plus share times those of `tuned`.

    Names in the order of `start`. Floating tensors are mixed in float32 and returned in the dtype
    that they have in `start`; all others (counters, masks) are those of `start`. A share below 0 or
    above 1 goes beyond one of the two. New tensors; both inputs are left as they were.

    Raises ValueError if the names of the two differ, or the shapes under some name.
    """
    ### BEGIN SOLUTION
    if set(start) != set(tuned):
        raise ValueError(f"not in both: {', '.join(sorted(set(start) ^ set(tuned)))}")
    mixed = {}
    for name, weight in start.items():
        if weight.shape != tuned[name].shape:
            raise ValueError(f"{name} has two shapes")
        if weight.is_floating_point():
            between = (1 - share) * weight.float() + share * tuned[name].float()
            mixed[name] = between.to(weight.dtype)
        else:
            mixed[name] = weight.clone()
    return mixed
    ### END SOLUTION


# %%
ift.check(interpolate)

# %% [markdown]
# Your function on the course's base model and a copy of it that has learned one sentence by heart.
# Along the way from one to the other:

# %%
if ift.passed(interpolate):
    import copy

    base, tokenizer = ift.load("base")
    ids = tokenizer("The lion plays the piano.", return_tensors="pt")["input_ids"]
    tuned = copy.deepcopy(base).train()
    optimizer = torch.optim.SGD(tuned.parameters(), lr=0.05)
    for _ in range(8):
        tuned(ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    between = copy.deepcopy(base)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        mixed = interpolate(dict(base.state_dict()), dict(tuned.state_dict()), share)
        between.load_state_dict(mixed)
        with torch.no_grad():
            print(f"{share:4.0%} of the way: loss {between(ids, labels=ids).loss:.2f}")

# %% [markdown] tags=["hint"]
# Two refusals, then a loop over the names. In the loop there are two cases: floating tensors, and
# all the others.

# %% [markdown] tags=["hint"]
# `set(a) != set(b)` compares names. `tensor.is_floating_point()` tells the cases apart, and
# `.to(weight.dtype)` brings the result back to the dtype it should have.

# %% [markdown] tags=["hint"]
# `((1 - share) * weight.float() + share * tuned[name].float()).to(weight.dtype)`, and
# `weight.clone()` for the others. Do not write into the tensors of `start`.

# %% [markdown]
# ## 08.4 The matrix of forgetting
#
# ●○○ · 15 minutes
#
# **Why it matters.** Train on one task after the other, and test on all of them after each. The
# table that results says everything about forgetting, and two numbers sum it up: how good the model
# is at the end, and what later tasks did to earlier ones (Lopez-Paz & Ranzato 2017,
# arXiv:1706.08840, section 2).
#
# **Given** is the table: row i are the accuracies on all tasks after the i-th was learned.
#
# **Example.** Task 1 falls from 0.9 to 0.3 as task 2 is learned.
#
# ```python
# >>> forgetting([[0.9, 0.1], [0.3, 0.8]])
# (0.55, -0.6, 0.6)
# ```


# %%
def forgetting(matrix: list[list[float]]) -> tuple[float, float, float]:
    """(average accuracy, backward transfer, worst forgetting) of T tasks learned in turn.

    matrix[i][j]: the accuracy on task j after task i was learned, T rows of T numbers.

    Average accuracy: the mean of the last row. Backward transfer: the mean, over all tasks but the
    last, of their accuracy at the end minus that just after they were learned; below 0 when they
    were forgotten. Worst forgetting: the largest drop, over all tasks but the last, from the best
    accuracy a task ever had *before the end* to that at the end. With one task both are 0.

    Raises ValueError if there is no task, or the matrix is not square.
    """
    ### BEGIN SOLUTION
    tasks = len(matrix)
    if not tasks or any(len(row) != tasks for row in matrix):
        raise ValueError("as many rows as tasks, and as many numbers in each")
    last = matrix[-1]
    average = sum(last) / tasks
    if tasks == 1:
        return average, 0.0, 0.0
    earlier = range(tasks - 1)
    backward = sum(last[j] - matrix[j][j] for j in earlier) / (tasks - 1)
    worst = max(max(row[j] for row in matrix[:-1]) - last[j] for j in earlier)
    return average, backward, worst
    ### END SOLUTION


# %%
ift.check(forgetting)

# %% [markdown]
# Three invented students of four subjects: one forgets everything, one forgets slowly, and one
# learns better and better.

# %%
if ift.passed(forgetting):
    students = {
        "forgets everything": [[0.9 if i == j else 0.1 for j in range(4)] for i in range(4)],
        "forgets slowly": [[0.9 - 0.1 * max(i - j, 0) for j in range(4)] for i in range(4)],
        "learns more": [[0.6 + 0.1 * i - 0.2 * max(j - i, 0) for j in range(4)] for i in range(4)],
    }
    for name, table in students.items():
        average, backward, worst = forgetting(table)
        print(f"{name:20} average {average:.2f}  backward {backward:+.2f}  worst {worst:+.2f}")

# %% [markdown] tags=["hint"]
# Draw a table of three tasks. Average accuracy is its last row. Backward transfer compares the last
# row with the diagonal.

# %% [markdown] tags=["hint"]
# The last task has had no time to be forgotten, so only the columns before it count, T − 1 of them.
# For the worst forgetting, look down each of these columns without its last number.

# %% [markdown] tags=["hint"]
# `sum(last[j] - matrix[j][j] for j in range(tasks - 1)) / (tasks - 1)` and
# `max(max(row[j] for row in matrix[:-1]) - last[j] for j in range(tasks - 1))`.

# %% [markdown]
# ## 08.5 What is worth its price
#
# ●●○ · 20 minutes
#
# **Why it matters.** Each remedy gains something and costs something. No single number says which
# is best, but some are never the best choice: another gains as much and costs less. What is left
# is the Pareto front, and the choice among it is yours, not the mathematics'.
#
# **Given** are the gain and the loss of each remedy. A gain should be high, a loss low.
#
# **Example.** The third gains less than the first and loses more.
#
# ```python
# >>> pareto_front(gain=[0.8, 0.5, 0.7], loss=[0.3, 0.1, 0.4])
# [1, 0]
# ```


# %%
def pareto_front(gain: list[float], loss: list[float]) -> list[int]:
    """The indices of the remedies that no other one beats, by rising loss.

    One beats another if it gains at least as much *and* loses at most as much, and is better in one
    of the two. Two remedies with the same gain and loss do not beat each other. Those with equal
    loss are in the order of their index.

    Raises ValueError if the two lists differ in length.
    """
    ### BEGIN SOLUTION
    if len(gain) != len(loss):
        raise ValueError("each remedy has a gain and a loss")

    def beats(i, j):
        no_worse = gain[i] >= gain[j] and loss[i] <= loss[j]
        return no_worse and (gain[i], loss[i]) != (gain[j], loss[j])

    everyone = range(len(gain))
    front = [j for j in everyone if not any(beats(i, j) for i in everyone)]
    return sorted(front, key=lambda j: loss[j])
    ### END SOLUTION


# %%
ift.check(pareto_front)

# %% [markdown]
# The front of this lesson's own stored runs, over all seeds: the experts for routing, with and
# without a remedy.

# %%
if ift.passed(pareto_front):
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_08 import summary
    from ift_course.lessons.lesson_08.experiment import ForgettingResult

    stored = grid_store.read(profile, "08", ForgettingResult)
    measured = summary.gains_and_losses(stored, "routing")
    if not measured:
        print("No runs are stored for this base model: `ift run 08 --full` computes them.")
    names = list(measured)
    gains, losses = ([measured[name][i] for name in names] for i in (0, 1))
    for i in pareto_front(gains, losses):
        print(f"loses {losses[i]:.3f}, gains {gains[i]:+.3f} above chance   {names[i]}")

# %% [markdown] tags=["hint"]
# Write down first when remedy i beats remedy j. The front are all j that nobody beats.

# %% [markdown] tags=["hint"]
# "At least as good in both" would let equal remedies beat each other, and each would beat itself.
# So add: and not equal in both. Then no special case is needed for i = j.

# %% [markdown] tags=["hint"]
# `[j for j in everyone if not any(beats(i, j) for i in everyone)]`, then
# `sorted(front, key=lambda j: loss[j])`: sorting keeps the order of equal ones.

# %% [markdown]
# ## 08.6 Stop before it is forgotten
#
# ●●○ · 20 minutes
#
# **Why it matters.** The gain and the loss need not keep the same pace, and lesson 08 shows that
# neither has to come first. So measure both as you train, keep the checkpoint that has gained most
# *without* having lost too much, and stop when there is no hope. The usual early stopping watches
# only the new task. Where the loss comes first, the rule keeps the start: then it takes another
# remedy.
#
# **Given** is how many questions were answered rightly at each look: first before any training,
# then after every so many steps.
#
# **Example.** The third look has lost more than 2 answers; the second is kept.
#
# ```python
# >>> keep_checkpoint([0, 1, 3], [9, 8, 5], tolerance=2, patience=1)
# (1, 3)
# ```


# %%
def keep_checkpoint(
    special: list[int], retained: list[int], tolerance: int, patience: int
) -> tuple[int, int]:
    """(which look is kept, how many looks are taken before training stops).

    special, retained: right answers on the new task and on the earlier ones, at each look; the
    first look is before any training. A look is *in bounds* if it retained at most `tolerance`
    right answers less than the first. Training stops after `patience` looks in a row that are out
    of bounds, or when there are no more. Kept is the look in bounds with the most special answers
    among those taken; of equal ones the earliest.

    Raises ValueError if there is no look, the lists differ in length, tolerance is below 0, or
    patience below 1.
    """
    ### BEGIN SOLUTION
    if not special or len(special) != len(retained) or tolerance < 0 or patience < 1:
        raise ValueError("two scores at each look, nothing below 0, and patience for one")
    floor = retained[0] - tolerance
    kept, out_of_bounds = 0, 0
    for i in range(1, len(special)):
        if retained[i] < floor:
            out_of_bounds += 1
            if out_of_bounds == patience:
                return kept, i + 1
        else:
            out_of_bounds = 0
            if special[i] > special[kept]:
                kept = i
    return kept, len(special)
    ### END SOLUTION


# %%
ift.check(keep_checkpoint)

# %% [markdown]
# Now your rule decides over a real run. TRL tunes the course's base to answer questions of fact,
# and then to name their desks instead. A callback scores both every 3 steps, asks your function,
# and ends the training by `control.should_training_stop`. Run it, then change `TOLERANCE` and the
# learning rate of the second training: which checkpoint would you ship?

# %%
TOLERANCE = 3  # right answers of 40

if ift.passed(keep_checkpoint):
    import tempfile

    from datasets import Dataset
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_08.routing import draw
    from ift_course.training.trainer import restore_forward

    def train(model, examples, steps, callbacks=(), learning_rate=1.5e-4):
        """Tune the model in place with TRL; the rows are questions and answers."""
        rows = [
            {
                "prompt": [{"role": "user", "content": f"{x.instruction}\n{x.input}".strip()}],
                "completion": [{"role": "assistant", "content": x.response}],
            }
            for x in examples
        ]
        args = SFTConfig(
            output_dir=tempfile.mkdtemp(), max_steps=steps, learning_rate=learning_rate,
            per_device_train_batch_size=8, use_cpu=True, bf16=False, save_strategy="no",
            activation_checkpointing=False, report_to="none", disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(model, args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer, callbacks=list(callbacks))  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        restore_forward(trainer.model)  # TRL has bound its own to the model, which is trained again
        return trainer

    class StopInTime(TrainerCallback):
        """Looks at both scores every 3 steps, and stops when your rule takes no further look."""

        def look(self, model):
            special.append(sum(ift.score(model, tokenizer, new_questions).items))
            retained.append(sum(ift.score(model, tokenizer, old_questions).items))

        def on_train_begin(self, args, state, control, model, **kwargs):
            self.look(model.eval())
            model.train()

        def on_step_end(self, args, state, control, model, **kwargs):
            if state.global_step % 3 == 0:
                self.look(model.eval())
                model.train()
                padded = [*special, special[-1]], [*retained, retained[-1]]
                _, taken = keep_checkpoint(*padded, TOLERANCE, patience=2)
                control.should_training_stop = taken <= len(special)

    model, tokenizer = ift.load("base")
    families = ["geography", "animals", "words"]
    old_questions = ift.sample(40, seed=100, split="test", families=families)
    new_questions = draw("routing", 40, seed=100, split="test", families=families)
    train(model, ift.sample(200, seed=0, families=families), steps=50)
    special, retained = [], []
    routed = draw("routing", 96, seed=0, families=families)
    trainer = train(model, routed, 24, [StopInTime()], learning_rate=1.5e-4)
    kept, taken = keep_checkpoint(special, retained, TOLERANCE, patience=2)
    for i, (new, old) in enumerate(zip(special, retained, strict=True)):
        print(f"{3 * i:2} steps: {new:2.0f} new, {old:2.0f} old" + "  ← kept" * (i == kept))
    print(f"stopped after {trainer.state.global_step} of 24 steps")

# %% [markdown] tags=["hint"]
# One loop over the looks, with two things to remember: the best look so far, and how many looks in
# a row have been out of bounds.

# %% [markdown] tags=["hint"]
# A look in bounds sets the count back to 0, and may become the best. A look out of bounds is never
# the best, however good it is at the new task.

# %% [markdown] tags=["hint"]
# Begin with `kept = 0`: the first look is always in bounds.
# Compare with `>` and the earliest of equals stays. When the count reaches `patience`, return
# `(kept, i + 1)`.

# %% [markdown]
# {{ written 08.w1 }}
