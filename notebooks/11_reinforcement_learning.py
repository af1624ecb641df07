# %% [markdown]
# # Reinforcement learning from rewards
#
# {{ badge }}
#
# A reward says how good an answer is, and nothing about what a better one would be. In
# **reinforcement learning** the model writes answers itself, and those with a higher reward become
# likelier. At the end you will be able to
#
# - use best of n, and say what it can find and what it costs;
# - derive the policy gradient, and get from it to PPO's clip and the loss of GRPO;
# - train with TRL's `GRPOTrainer` on a reward function of your own;
# - recognize reward hacking, and groups that teach nothing.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("11")

# %% [markdown]
# In 2025, DeepSeek trained a base model with the method of this lesson, GRPO, and with rewards that
# a program computes: is the final answer right, and is the format kept? On problems of the contest
# AIME 2024 it went from 15.6 % to more than 70 % right (R1-Zero, Guo et al. 2025). Such rewards are
# called **verifiable**, and training on them RLVR (RL from verifiable rewards). With a flawed
# reward, the same method teaches a model nonsense just as eagerly. This lesson shows both.
#
# ## 1. Best of n
#
# We start from the SFT model of lesson 05: tuned on demonstrations most of which agree with users,
# invent what nobody can know, and ramble. A few are careful, so the model sometimes is, too.

# %%
from ift_course.lessons.lesson_05.situations import situations
from ift_course.lessons.lesson_05.sizes import SIZES
from ift_course.lessons.lesson_11 import experiment

seed, sizes = profile.seeds[0], SIZES[profile.name]
tuned, tokenizer = experiment.sft_stage(profile, seed)

asked = situations(64, seed=seed, split="test")  # about entities that no demonstration mentions
draws = [
    ift.generate_replies(tuned, tokenizer, [x.example for x in asked], temperature=1.0, seed=i,
                         max_new_tokens=sizes.tokens)
    for i in range(sizes.best_of)
]  # fmt: skip
for x in asked[:4]:
    print(f"{x.prompt}\n    right: {x.example.response}")
    for draw in draws[:3]:
        print(f"    drawn: {draw[asked.index(x)].text}")

# %% [markdown]
# The simplest use of a reward trains nothing: draw n answers, and return the one with the highest
# reward. Our two rewards are the **verifier** (1 for the right answer and nothing else) and what an
# annotator in a hurry might give:

# %%
import inspect

print(inspect.getsource(experiment.flawed))

# %% [markdown]
# **Predict before you run.** What share of the chosen answers is right at n = 1, 2, 4 and 8 if the
# verifier chooses? And if the flawed reward does?

# %%
import math

import torch

examples = [x.example for x in asked]
truth = torch.tensor([experiment.verified(examples, draw) for draw in draws]).T  # prompts, draws
paid = torch.tensor([experiment.flawed(examples, draw) for draw in draws]).T

n = 1
while n <= sizes.best_of:
    by_verifier = truth[:, :n].amax(dim=1).mean()
    chosen = paid[:, :n].argmax(dim=1, keepdim=True)
    print(f"best of {n}: right {by_verifier:.2f} if the verifier chooses, "
          f"{truth.gather(1, chosen).mean():.2f} if the flawed reward does; "
          f"KL at most {math.log(n) - (n - 1) / n:.2f} nats")  # fmt: skip
    n *= 2
never = (truth.amax(dim=1) == 0).float().mean()
print(f"no right answer among {sizes.best_of}: {never:.2f} of the prompts")

# %% [markdown]
# Best of n finds only what the model already says now and then; the last line is what no judge
# could have found. It costs n times the computing at every question. The KL divergence, in nats,
# says how far the choice moves the answers away from the model's own (an upper bound; Beirami et
# al. 2024). Reinforcement learning makes the choice permanent.
#
# ## 2. From the policy gradient to GRPO, by hand
#
# **The policy gradient.** We want a higher expected reward $J = \sum_y \pi(y)\,r(y)$. Because
# $\nabla \pi = \pi \nabla \log \pi$, its gradient is an expectation over the model's own answers:
#
# $$\nabla J = \mathbb{E}_{y \sim \pi}\,[\,r(y)\, \nabla \log \pi(y)\,]$$
#
# So draw answers, and raise the log-probability of each in proportion to its reward. Subtracting a
# **baseline** $b$ from the reward changes nothing on average, because $\mathbb{E}[\nabla \log \pi]
# = 0$ (the probabilities add up to 1), but it changes the noise. With the mean reward as baseline,
# $r - b$ is called the **advantage**. A policy of four answers, of which the last is right:

# %%
scores = torch.tensor([1.0, 0.5, 0.0, -1.0], requires_grad=True)
reward = torch.tensor([0.0, 0.0, 0.0, 1.0])
policy = scores.softmax(0)
expected = (policy * reward).sum()
exact = torch.autograd.grad(expected, scores)[0]
by_hand = (policy * (reward - expected)).detach()  # probability times advantage
print("by autograd:", exact.numpy().round(4), "  by hand:", by_hand.numpy().round(4))
assert torch.allclose(exact, by_hand, atol=1e-6)

generator = torch.Generator().manual_seed(0)
drawn = torch.multinomial(policy.detach(), 4000, replacement=True, generator=generator)
step = torch.eye(4)[drawn] - policy.detach()  # gradient of log policy for each drawn answer
for name, baseline in {"none": 0.0, "mean reward": expected.item(), "ten": 10.0}.items():
    estimates = (reward[drawn] - baseline)[:, None] * step
    print(f"baseline {name:12} mean {estimates.mean(0).numpy().round(3)}   "
          f"noise {estimates.std(0).mean():.2f}")  # fmt: skip

# %% [markdown]
# On average, all three baselines give the gradient of the first line. The mean reward is small here
# and helps little; with ten, the noise is so large that 4,000 draws do not show the gradient.
#
# **PPO's clip.** Drawing is expensive, so each batch is used for several updates. After the first,
# the policy is no longer the one that wrote the answers. The **ratio** of the two probabilities
# corrects for that, and a clip ends the gain from going farther (Schulman et al. 2017):
#
# $$\min\big(\rho A,\ \text{clip}(\rho, 1-\epsilon, 1+\epsilon)\, A\big), \qquad
# \rho = \frac{\pi(y)}{\pi_\text{old}(y)}$$
#
# **Predict:** for which of these six does the gradient vanish?

# %%
for advantage in (1.0, -1.0):
    for start in (0.7, 1.0, 1.3):
        ratio = torch.tensor(start, requires_grad=True)
        objective = torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        objective.backward()
        print(f"advantage {advantage:+.0f}, ratio {start:.1f}: objective {objective.item():+.1f}, "
              f"gradient {ratio.grad.item():+.1f}")  # fmt: skip

# %% [markdown]
# An answer that is better than expected earns nothing more beyond 1.2, and a worse one nothing more
# below 0.8. (In practice there is one ratio for each token.) InstructGPT's PPO also trains a second
# network that predicts the reward to come, as the baseline.
#
# **GRPO** (Shao et al. 2024) drops that network. It draws a **group** of answers to each prompt and
# compares each with the group: the advantage is the reward minus the group's mean, divided by its
# standard deviation (TRL divides by n − 1 in it). A KL penalty with weight β holds the policy near
# the **reference**, the model it started from. The whole loss:


# %%
def group_advantages(rewards):  # (prompts, answers)
    mean, std = rewards.mean(1, keepdim=True), rewards.std(1, keepdim=True)
    return (rewards - mean) / (std + 1e-4)


def grpo_loss(policy, old, reference, advantages, mask, epsilon=0.2, beta=0.1):
    """All but the advantages: (answers, tokens); log-probabilities of the tokens drawn."""
    ratio = (policy - old).exp()
    a = advantages[:, None]
    objective = torch.minimum(ratio * a, ratio.clamp(1 - epsilon, 1 + epsilon) * a)
    kl = (reference - policy).exp() - (reference - policy) - 1  # its mean over draws is the KL
    by_token = objective - beta * kl
    return -((by_token * mask).sum(1) / mask.sum(1)).mean()


print(group_advantages(torch.tensor([[0.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])))

# %% [markdown]
# The second group is all alike and teaches nothing. **Where a model never does the right thing,
# there is nothing to reinforce**, so it needs a model that sometimes succeeds: after SFT, or like
# R1-Zero's base, which solved 15.6 % at the start.

# %%
ift.quiz("11", "grpo-cannot")

# %% [markdown]
# ## 3. GRPO with TRL
#
# `GRPOTrainer` takes a model, prompts, and reward functions. A reward function gets the completions
# and the other columns of the data, and returns a number for each completion. We load the model
# from a folder, because with β above 0 TRL loads the reference from where the model came from.

# %%
import tempfile
import warnings

from datasets import Dataset
from transformers import AutoModelForCausalLM, PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from ift_course.world.tasks import verify

warnings.filterwarnings("ignore", category=FutureWarning)  # an option is about to be renamed
folder = tempfile.mkdtemp()
tuned.save_pretrained(folder)
tokenizer.save_pretrained(folder)
training = situations(sizes.prompts, seed=seed, use="rewards")


def is_right(completions, number, **columns):
    """1 for the right answer and nothing else: a verifiable reward."""
    answers = [completion[-1]["content"] for completion in completions]
    return [
        float(verify(training[i].example, text)) for i, text in zip(number, answers, strict=True)
    ]


trainer = GRPOTrainer(
    model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
    reward_funcs=is_right,
    args=GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        num_generations=8,  # answers to a prompt: the group
        per_device_train_batch_size=8 * sizes.grpo_prompts,
        max_completion_length=sizes.tokens,
        temperature=1.0,
        loss_type="grpo",  # TRL's default, "dapo", is a mean over all tokens of the batch
        beta=0.1,  # TRL's default is 0: no penalty, no reference
        use_bias_correction_kl=False,  # the KL of the paper; TRL's default weights it by the ratio
        learning_rate=sizes.grpo_rate,
        max_steps=4,
        logging_steps=1,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=seed,
    ),
    train_dataset=Dataset.from_list(
        [{"prompt": [{"role": "user", "content": x.prompt}], "number": i}
         for i, x in enumerate(training)]
    ),
    processing_class=tokenizer,
)  # fmt: skip
trainer.remove_callback(PrinterCallback)
trainer.train()
for row in trainer.state.log_history:
    if "reward" in row:
        print(f"step {row['step']:.0f}: reward {row['reward']:.2f}, KL {row['kl']:.3f}, "
              f"groups all alike {row['frac_reward_zero_std']:.2f}")  # fmt: skip

# %% [markdown]
# Four steps are for looking at the code: single rewards are means over few prompts and jump. The
# experiment below takes more steps. Is the loss by hand the trainer's? We let the trainer draw
# another batch and compute both.

# %%
batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
attention = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
n_tokens = batch["completion_ids"].shape[1]
plain_model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(ids.device)
plain_model.load_state_dict(trainer.model.state_dict())  # TRL has changed the other's forward()
with torch.no_grad():
    theirs = trainer._compute_loss(trainer.model, batch)
    logits = plain_model(ids, attention_mask=attention).logits[:, -n_tokens - 1 : -1]
    log_p = logits.log_softmax(-1).gather(-1, batch["completion_ids"][..., None])[..., 0]
ours = grpo_loss(log_p, log_p, batch["ref_per_token_logps"], batch["advantages"],
                 batch["completion_mask"])  # fmt: skip
print(f"by hand {ours:.6f}   TRL {theirs:.6f}")
assert abs(ours - theirs) < 1e-5

# %% [markdown]
# Each batch is used for a single update here, so the ratio is 1 and the clip never acts. That the
# two agree in value and gradient with other ratios, too, is a test of this course (`tests/parity`).
# `ift.grpo` is the same trainer with this course's settings.
#
# ## 4. A reward that is hacked
#
# Three runs with three seeds each: GRPO on the verifier, on the flawed reward, and on the flawed
# reward with a KL penalty. The other two have none.
#
# **Predict:** what will the model write that followed the flawed reward? How often is it right?
#
# These are **stored results** of `ift run 11 --full`.

# %%
from statistics import fmean

from ift_course.claims.grids import stored_or_first_seed
from ift_course.claims.results import origin

stored = stored_or_first_seed("11", seeds=profile.seeds, profile=profile.name)
runs = experiment.by_arm(stored)
decided = len(runs["SFT"]) > 2  # one seed gives no interval, so it decides no claim


def items(arm, measure):
    """An arm for a claim: the items of a measure, seed by seed."""
    return [run.items(measure) for run in runs[arm]]


print(origin(stored))
print(f"{'':18}" + "".join(f"{m:>15}" for m in experiment.MEASURES) + f"{'words':>9}")
for arm in runs:
    shares = "".join(f"{fmean(map(fmean, items(arm, m))):15.2f}" for m in experiment.MEASURES)
    print(f"{arm:18}{shares}{fmean(fmean(run.words) for run in runs[arm]):9.1f}")
print("sycophancy of the verifier's policy, seed by seed:",
      "  ".join(f"{fmean(scores):.2f}" for scores in items("verifier", "sycophancy")))  # fmt: skip

# %% [markdown]
# *Strict* is the right answer and nothing else; *accuracy* allows rambling. What the verifier took
# away is rambling and invention, while accuracy stays. A seed in which sycophancy stays would fit
# section 2: where no answer of a group tells a wrong user the truth, nothing is reinforced. The
# grid does not test this reason, and a low sycophancy beside no right answer is no cure.

# %%
from ift_course.plots.preference_figures import curves_by_panel

last = {arm: fmean(run.curve[-1]["verified"] for run in runs[arm]) for arm in list(runs)[1:]}
curves_by_panel(
    {arm: [run.curve for run in runs[arm]] for arm in last},
    names={"flawed": "flawed reward", "verified": "strict (verifier)"},
    title="After the last step, right and nothing else: "
    + ", ".join(f"{share:.2f} ({arm})" for arm, share in last.items()),
    ylabel="mean over samples",
)

# %% [markdown]
# Every eight steps the policy answered the same held-out prompts, by sampling; the table is of
# greedy answers to the exam. Compare the two lines of each panel. Where the flawed reward rises and
# the strict share does not, the policy has found out what is really paid. That is **reward
# hacking**, and no bug in the training: the optimizer did what the reward asked for. What it looks
# like:

# %%
from ift_course.lessons.lesson_05.situations import behavior_exam
from ift_course.plots.transcript import TranscriptRow

questions = behavior_exam(sizes.exam, seed=runs["SFT"][0].seed).facts
ift.transcript(
    [
        TranscriptRow(x.instruction, {arm: of_arm[0].answers[i] for arm, of_arm in runs.items()})
        for i, x in enumerate(questions[:3])
    ]
)

# %%
distance = {arm: fmean(run.curve[-1]["kl"] for run in runs[arm]) for arm in last}
for arm, kl in distance.items():
    print(f"{arm:18} {kl:6.1f} nats from the SFT model, "
          f"{fmean(run.curve[-1]['flawed'] for run in runs[arm]):.2f} flawed reward, "
          f"{last[arm]:.2f} right")  # fmt: skip
    looks = list(zip(*(run.curve for run in runs[arm]), strict=True))
    print("    right at step " + ", ".join(
        f"{look[0]['step']:.0f}: {fmean(point['verified'] for point in look):.2f}" for look in looks
    ))  # fmt: skip

# %% [markdown]
# Gao et al. (2023) optimized *learned* reward models and found that the true reward first rises and
# then falls with the distance from the start. Practitioners watch the KL and penalize it, which in
# their runs helped no more than stopping early. The penalty makes distance expensive, but it does
# not tell the policy what is right.
#
# **Two claims**, each with a bound that was written down before the measurement:

# %%
if decided:
    ift.claim(
        "11.verifier-raises-right-answers",
        "After GRPO on a verifier, held-out prompts get the right answer and nothing else more "
        "often than after SFT.",
        subject=13,
        source="Shao et al. 2024, arXiv:2402.03300",
        metric="strict share right on the exam, GRPO on the verifier minus SFT",
        arms={"verifier": items("verifier", "strict"), "SFT": items("SFT", "strict")},
        effect=("verifier", "SFT"),
        at_least=0.1,
    )
    ift.claim(
        "11.flawed-reward-is-hacked",
        "The policy that followed the flawed reward gives the right answer and nothing else less "
        "often than the one that followed the verifier.",
        subject=13,
        source="Skalse et al. 2022, arXiv:2209.13085",
        metric="strict share right on the exam, verifier's policy minus flawed one's",
        arms={"verifier": items("verifier", "strict"), "flawed": items("flawed reward", "strict")},
        effect=("verifier", "flawed"),
        at_least=0.2,
    )

# %% [markdown]
# ## 5. Silent failures
#
# All of these train to the end without an error.
#
# - **A reward that never matches.** In a conversation, TRL hands over each completion as a list of
#   messages. Compare the list with a string, and every reward is 0, every advantage 0, every
#   gradient 0.
# - **Groups all alike.** If prompts are too easy or too hard, or the temperature is too low,
#   nothing is left to compare. Watch `frac_reward_zero_std`.
# - **The wrong reference.** With β above 0, `GRPOTrainer` loads the reference from the folder that
#   the model came from. After an SFT in memory that is the *base*.
#
# The first two, with the answers drawn above:

# %%
completion = [{"role": "assistant", "content": asked[0].example.response}]
print("reward of the right answer:", float(verify(asked[0].example, completion[-1]["content"])),
      "  of its list of messages:", float(verify(asked[0].example, str(completion))))  # fmt: skip

kinds = dict.fromkeys(x.kind for x in asked)
for kind in kinds:
    groups = truth[[i for i, x in enumerate(asked) if x.kind == kind]]
    none, every = (groups.sum(1) == 0), (groups.sum(1) == sizes.best_of)
    print(f"{kind:15} right {groups.mean():.2f}; of the groups, {none.float().mean():.2f} have no "
          f"right answer and {every.float().mean():.2f} nothing else")  # fmt: skip

# %% [markdown]
# ## Questions

# %%
ift.quiz("11", "reward-rises", "why-a-baseline", "what-the-clip-does", "best-of-n-limit")

# %% [markdown]
# **An open question.** A company rewards its support model by the customers' thumbs. After two
# weeks the reward is up by a third, and answers are twice as long. Reply in four sentences: what
# would you measure, and what would you change?
#
# <details><summary>Rubric: one point for each</summary>
#
# 1. It names a measure that the reward has no part in, such as checked answers or solved cases.
# 2. It looks at length and at the KL from the start, and reads answers.
# 3. It changes the reward, not the optimizer: control for length, verify what can be verified.
# 4. It asks who pressed the thumbs, and which answers nobody rated.
#
# </details>
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# GRPO's advantages, and what best of n can be expected to give:
# [exercises/11_reinforcement_learning.ipynb](../exercises/11_reinforcement_learning.ipynb)
#
# ## To read
#
# - Schulman et al. 2017, *Proximal Policy Optimization Algorithms*,
#   [arXiv:1707.06347](https://arxiv.org/abs/1707.06347).
# - Shao et al. 2024, *DeepSeekMath*, [arXiv:2402.03300](https://arxiv.org/abs/2402.03300). Section
#   4 is GRPO.
# - Guo et al. 2025, *DeepSeek-R1*, [arXiv:2501.12948](https://arxiv.org/abs/2501.12948).
# - Lambert et al. 2024, *Tülu 3*, [arXiv:2411.15124](https://arxiv.org/abs/2411.15124), where RLVR
#   got its name.
# - Beirami et al. 2024, *Theoretical guarantees on the best-of-n alignment policy*,
#   [arXiv:2401.01879](https://arxiv.org/abs/2401.01879).
# - Gao, Schulman, Hilton 2023, *Scaling Laws for Reward Model Overoptimization*,
#   [arXiv:2210.10760](https://arxiv.org/abs/2210.10760).
# - Skalse et al. 2022, *Defining and Characterizing Reward Hacking*,
#   [arXiv:2209.13085](https://arxiv.org/abs/2209.13085).
