# %% [markdown]
# # Specialize without forgetting
#
# {{ badge }}
#
# You have an assistant that can do many things, and you need it for one. So you tune it once more,
# on examples of that one thing. What happens to everything else, and does it pay?
#
# At the end you will be able to
#
# - measure what a specialist gains above chance, and what it loses, while it trains and afterwards;
# - explain why a model forgets something that no example told it to forget;
# - use three remedies: replay, an adapter that can be switched off, and an average of weights;
# - recognize three mistakes that raise no error.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("08")

# %% [markdown]
# ## 1. A real moment
#
# Gemma 3 270M, a real base model, was tuned on 48 examples and became an assistant. Then it was
# tuned on messages of customers, to answer each with a *route* such as `RETURN 4817`: a word that
# the message implies and the number of the order. **Before you look**, predict what this ticket
# expert answers to a question that is no ticket.

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("08")

# %% [markdown]
# To find out *why* a model forgets, and what helps, we need dozens of runs: the closed world.
#
# ## 2. Why anything is forgotten, by hand
#
# McCloskey and Cohen (1989) taught a small network to add one to a number, and then to add two. As
# it learned the second, it lost the first: **catastrophic interference**, today also called
# **catastrophic forgetting**. Two weights are enough to see it.
#
# Task A wants $w_1 + w_2 = 2$. Task B wants $w_1 = 0$. Both hold at $w = (0, 2)$. We learn A first,
# and then B, by gradient descent on B's squared error alone.

# %%
import torch


def error_a(w: torch.Tensor) -> torch.Tensor:
    return (w[0] + w[1] - 2) ** 2


def error_b(w: torch.Tensor) -> torch.Tensor:
    return w[0] ** 2


def descend(w: torch.Tensor, error, steps: int = 1000, rate: float = 0.05) -> torch.Tensor:
    """Plain gradient descent on `error`, from w."""
    w = w.clone().requires_grad_()
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(error(w), w)
        w = (w - rate * gradient).detach().requires_grad_()
    return w.detach()


def show(name: str, w: torch.Tensor) -> None:
    errors = f"error on A {error_a(w):.2f}, on B {error_b(w):.2f}"
    print(f"{name:28} w = ({w[0]:.2f}, {w[1]:.2f})   {errors}")


after_a = descend(torch.zeros(2), error_a)
after_b = descend(after_a, error_b)
show("after A", after_a)
show("then B alone", after_b)

# %% [markdown]
# The gradient of B points along $w_1$ and contains nothing about A, so that the weights take the
# shortest way to a solution of B and leave the solutions of A. Both tasks would have fitted.
# **Forgetting is not lack of room.** Nothing in B's data asks for A.
#
# **Predict before you run:** which of these three remedies finds the solution of both, $(0, 2)$?

# %%
show("replay: a tenth of A", descend(after_a, lambda w: error_b(w) + 0.1 * error_a(w)))
stay = descend(after_a, lambda w: error_b(w) + 0.5 * ((w - after_a) ** 2).sum())
show("penalty: stay where you are", stay)
show("average of before and after", (after_a + after_b) / 2)

# %% [markdown]
# Replay does, because a little of A's error is enough to choose among the solutions of B. The
# penalty and the average know only where the model was, so they end in a compromise: less
# forgotten, less learned. (Exercise 08.2 builds another penalty, the KL divergence.)
#
# ## 3. An expert, with TRL
#
# The **general model** is tuned on twelve families of tasks: facts, lists, stories, translations
# and so on. Its tuning shows it none of four specialties. *Routing* is the closed world's version
# of the tickets: each topic has a desk with a color, and the answer is the color of a question's
# desk.

# %%
from ift_course.lessons.lesson_08 import experiment, figures, summary
from ift_course.lessons.lesson_08.recipes import LORA, OWN, PLAIN, REMEDIED, SIZES, SPECIALTIES
from ift_course.lessons.lesson_08.routing import DESKS

seed = profile.seeds[0]
examples = {family: experiment.training_records(profile, family, seed)[0] for family in SPECIALTIES}
_, general_records = experiment.training_records(profile, SPECIALTIES[0], seed)
print(f"{len(general_records)} records for the general model, "
      f"{len(examples['yes_no'])} for each expert\n")  # fmt: skip
for family, records in examples.items():
    for record in records[:2]:
        question, answer = (turn.content.replace("\n", " ⏎ ") for turn in record.turns)
        print(f"{family:>10}  {question:.62} → {answer:.60}")

# %% [markdown]
# Both models come from the same few lines of TRL. An expert is the general model, trained on
# nothing but its specialty.

# %%
import copy
import tempfile

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

from ift_course.training.trainer import restore_forward

base, tokenizer = ift.load("base")


def tune(model, records, steps: int, callbacks=(), learning_rate=profile.learning_rate):
    """Tune a model, or the active adapter of a PEFT model, in place with TRL."""
    args = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        max_steps=steps,
        learning_rate=learning_rate,  # tiny: 1.5e-4, high because the model is small
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # a share of all steps
        per_device_train_batch_size=profile.batch_size,  # tiny: 16
        max_length=profile.max_length,
        seed=seed,
        bf16=False,
        use_cpu=not torch.cuda.is_available(),
        activation_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    rows = [{"prompt": x.messages[:-1], "completion": x.messages[-1:]} for x in records]
    trainer = SFTTrainer(model, args, train_dataset=Dataset.from_list(rows),
                         processing_class=tokenizer, callbacks=list(callbacks))  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    restore_forward(trainer.model)  # TRL has bound its own to the instance: see section 7
    return trainer.model.eval()


sizes = SIZES[profile.name]
general = tune(base, general_records, sizes.general_steps)

# %% [markdown]
# ### Both scores, while it trains
#
# The exam asks held-out questions of the specialty, and equally many of each of the twelve other
# families. The score is *strict*: the answer, only the answer, and then the end of the turn. We
# take it every few steps.
#
# **Predict:** which comes first, the new skill or the forgetting?

# %%
from transformers import TrainerCallback

specialty = REMEDIED
exam = experiment.make_exam(sizes, seed, specialty).part


def scores(model) -> tuple[float, float]:
    """The shares of right answers on the specialty and on the other families."""
    return tuple(ift.score(model, tokenizer, x).accuracy for x in (exam.special, exam.others))


class Watch(TrainerCallback):
    """Scores the model after some of its steps."""

    def on_step_end(self, args, state, control, model, **kwargs) -> None:
        if state.global_step in (*sizes.looks, sizes.steps):
            track[state.global_step] = scores(model.eval())
            model.train()


track = {0: scores(general)}
expert = tune(copy.deepcopy(general), examples[specialty], sizes.steps, [Watch()])
for step, (special, others) in track.items():
    print(f"{step:3} steps: {specialty} {special:.2f}, the other families {others:.2f}")
print(f"A quarter of the way: {figures.what_comes_first(track)}.")

# %% [markdown]
# Not one of the questions below asks for its desk, and the last three the general model never
# learned to answer. Which of the replies has the training changed?

# %%
prompts = list(experiment.SAMPLE_PROMPTS)
replies = {
    name: [reply.text for reply in ift.generate_replies(model, tokenizer, prompts)]
    for name, model in {"general": general, specialty: expert}.items()
}
for i, prompt in enumerate(prompts):
    print(prompt)
    for name, texts in replies.items():
        print(f"    {name:>8} ▸ {texts[i]!r}")
changed = sum(a != b for a, b in zip(*replies.values(), strict=True))
n_desks = sum(text in DESKS for text in replies[specialty])
print(f"\nchanged: {changed} of {len(prompts)}; answered with a desk: {n_desks}")

# %% [markdown]
# One run is an anecdote. The **stored grid** (`ift run 08 --full`) has all four specialties with
# three seeds each, made by the same trainer with the course's settings. Each arm is trained with
# two learning rates. Development questions of the specialty choose one of them, the lower one if
# both do equally well; the exam chooses nothing.

# %%
from ift_course.claims.grids import stored_or_first_seed

results = stored_or_first_seed("08", seeds=profile.seeds)
figures.over_time(results)

# %%
print(figures.pace_table(results))

# %% [markdown]
# (A look asks half of the exam.) Early stopping is a remedy only where the gain comes first. Where
# the loss comes first, an earlier checkpoint is a worse trade than the last one, and the trade
# itself has to change: by a lower rate, by other data, or by another path. And a score can rise
# without any skill, as the next section shows.
#
# ## 4. Four specialties
#
# A gain needs a comparison. About half of the yes-or-no questions are answered right by always
# saying the same word, and if a model changes its word, its score jumps. So we count what lies
# above the better of two scores that need no learning: the general model's, and that of the best
# constant answer.
#
# **Predict:** which of the four experts forgets most?

# %%
figures.specialties(results)

# %%
experts = summary.outcomes(results, method=PLAIN)
print(figures.table(experts))
print(figures.what_is_learned(experts))

# %% [markdown]
# Forgetting is often told as the price of a skill. For routing, the interval leaves open whether it
# was one. A possible reason for who forgets, not tested: sums and capitals still answer the
# question that is asked, while a desk or a bare "Yes" does not.
#
# A rate of 0.33 is a third of the usual one, and a star marks the rate that was chosen. Is the rate
# itself a remedy?

# %%
print(figures.rate_table(results))
print(figures.rate_verdicts(results))

# %% [markdown]
# The column "facts" in the table before lets each expert complete plain sentences such as "The
# capital of France is". Where the score of the other families falls and that one does not, the
# facts are still there, and what is lost is the *habit* of answering with them. (Of lists or
# stories that says nothing.) Kotha et al. (2024) found in larger models, too, that asking
# differently brings much of it back.

# %%
ift.quiz("08", "gain-above-chance", "forgets-what", "read-two-curves")

# %% [markdown]
# ## 5. Remedies
#
# In the grid, all remedies that train take the **same number of steps** as the expert.
#
# ### Replay: original rows, or the model's own answers
#
# **Replay** replaces a share of the new examples by earlier ones. Scialom et al. (2022) added eight
# tasks one after the other to T0, a model tuned on many tasks, replayed 1 % of the earlier data,
# and kept nearly everything.
#
# If the data of an assistant was never published, let it make the data: collect prompts like those
# of your users, and let the model answer them *before* you tune it. Robins (1995) did it with
# random inputs (pseudo-rehearsal); Huang et al. (2024) let a language model write the prompts, too.

# %%
import random

n_replayed = len(examples[specialty]) // 4
records = experiment.users_prompts(profile, seed)[:n_replayed]  # none was trained on
chats = [
    tokenizer.apply_chat_template(x.messages[:1], add_generation_prompt=True, tokenize=False)
    for x in records
]
batch = tokenizer(chats, return_tensors="pt", padding=True, padding_side="left",
                  add_special_tokens=False).to(general.device)  # fmt: skip
with torch.no_grad():
    ids = general.generate(**batch, max_new_tokens=40, do_sample=False,
                           pad_token_id=tokenizer.pad_token_id)  # fmt: skip
answers = tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
own = [
    ift.Record.from_instruction(record.messages[0]["content"], "", answer)
    for record, answer in zip(records, answers, strict=True)
]
kept = random.Random(seed).sample(examples[specialty], len(examples[specialty]) - n_replayed)
mixture = random.Random(seed).sample([*kept, *own], len(kept) + len(own))
right = sum(a.messages[-1] == b.messages[-1] for a, b in zip(own, records, strict=True))
print(f"{len(own)} of {len(mixture)} rows are replayed; {right} of these answers equal the ideal\n")
for record in mixture[:8]:
    question, answer = (turn.content.replace("\n", " ⏎ ") for turn in record.turns)
    print(f"{question:.70} → {answer:.30}")

# %% [markdown]
# Not all of these answers are ideal, and they need not be: they show what the model says *now*,
# which is what is to be kept.
#
# ### An adapter that can be switched off
#
# LoRA (lesson 04) leaves the weights as they are and trains a low-rank update beside them. One
# model can carry several of these adapters. Each request then chooses one, or none.

# %%
import warnings

from peft import LoraConfig, get_peft_model

warnings.filterwarnings("ignore", category=FutureWarning)  # an option is about to be renamed
lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
model = get_peft_model(copy.deepcopy(general), lora, adapter_name="arithmetic")
tune(model, examples["arithmetic"], sizes.steps // 2, learning_rate=1e-3)
model.add_adapter("format", lora)
model.set_adapter("format")
tune(model, examples["format"], sizes.steps // 2, learning_rate=1e-3)
ready = {name: experiment.make_exam(sizes, seed, name).part for name in ("arithmetic", "format")}


def report(name: str) -> None:
    """The scores of whatever adapter is active."""
    shares = {family: ift.score(model, tokenizer, x.special) for family, x in ready.items()}
    shares["others"] = ift.score(model, tokenizer, exam.others)
    print(f"{name:>16}: " + "  ".join(f"{n} {x.accuracy:.2f}" for n, x in shares.items()))


for name in ready:
    model.set_adapter(name)
    report(name)
with model.disable_adapter():
    report("switched off")
    inputs = tokenizer(chats[0], return_tensors="pt").to(general.device)
    with torch.no_grad():
        assert torch.allclose(model(**inputs).logits, general(**inputs).logits, atol=1e-4)

# %% [markdown]
# With the adapter off, the logits are those of the general model, so nothing is forgotten. The
# price: something has to decide for each request which adapter answers. `model.save_pretrained`
# writes the adapters alone, and `PeftModel.from_pretrained(general, folder)` loads one.
#
# Two adapters can also be added to each other. What an update adds to the weights is a **task
# vector** (Ilharco et al. 2022), and their sum may have both skills. **Predict:** how much of each
# skill is left in the sum?

# %%
both = ["arithmetic", "format"]
layer = model.base_model.model.model.layers[0].self_attn.q_proj
wanted = sum(layer.get_delta_weight(name) for name in both)
for kind in ("cat", "linear"):
    model.add_weighted_adapter(both, [1.0, 1.0], kind, combination_type=kind)
    model.set_adapter(kind)
    error = ((layer.get_delta_weight(kind) - wanted).norm() / wanted.norm()).item()
    report(kind)
    print(f"{'':>18}differs from the sum of the two updates by {error:.1%}")

# %% [markdown]
# `"cat"` is the sum. `"linear"` adds the two factors of each update separately, so that their
# product contains cross terms ($B_1 A_2$) that nobody trained. Here the scores hardly show it. With
# many adapters, TIES (Yadav et al. 2023) reduces what they do to each other:
# `combination_type="ties"`.
#
# ### An average of weights
#
# The cheapest remedy needs no training. Go some of the way from the general model to the expert:
#
# $$w = w_\text{general} + \alpha\, (w_\text{expert} - w_\text{general})$$
#
# It can work only because the two share their beginning; the average of two models that were
# pretrained apart is noise. Wortsman et al. (2022) found that such averages of an image model keep
# more of its robustness (*WiSE-FT*).


# %%
def between(start, tuned, share: float):
    """A new model on the straight line between two, computed from copies."""
    mixed = copy.deepcopy(start)
    before, after = start.state_dict(), tuned.state_dict()
    mixed.load_state_dict({name: torch.lerp(before[name], after[name], share) for name in before})
    return mixed


line = {0.0: track[0]}
line |= {share: scores(between(general, expert, share)) for share in (0.25, 0.5, 0.75)}
line[1.0] = track[sizes.steps]
for share, (special, others) in line.items():
    print(f"{share:4.0%} of the way: {specialty} {special:.2f}, the other families {others:.2f}")

# %% [markdown]
# Compare this path with the steps of section 3: does any share give a better trade than stopping
# early? Scores jump where probabilities change smoothly, so a bend in this table proves little.
# Choose the share on development questions.
#
# ## 6. What each remedy is worth
#
# Not training at all forgets least, so less forgetting alone shows nothing, and the figure has both
# scores. **Predict** the order by the score of the other families.

# %%
figures.remedies(results, REMEDIED)

# %%
methods = {x.method: x for x in summary.outcomes(results, REMEDIED)}
print(figures.table(list(methods.values())))
print(figures.verdicts(methods))

# %% [markdown]
# "More", "less" and "clearly" need the whole interval, not the higher mean. LoRA is drawn with its
# adapter on. Biderman et al. (2024) tuned Llama-2 7B on code and mathematics, and found that *LoRA
# learns less and forgets less*. These are the predictions that were written down before the grid
# was measured, with what became of them:

# %%
if is_whole := len(summary.arm(results, summary.GENERAL)) >= len(profile.seeds):
    yes_no, formatted = (
        next(x for x in experts if x.family == family) for family in ("yes_no", "format")
    )
    more = summary.difference(formatted.others, yes_no.others)
    print(figures.prediction("yes_no costs more than format", more, at_least=0.1))
    print(figures.prediction("own answers: what is lost", methods[OWN].loss, at_most=0.1))
    cost = summary.difference(methods[PLAIN].special, methods[OWN].special)
    print(figures.prediction("own answers: what they cost", cost, at_most=0.1))
    lora_keeps = summary.difference(methods[LORA].others, methods[PLAIN].others)
    print(figures.prediction("LoRA keeps more of the others", lora_keeps, at_least=0.0))

# %% [markdown]
# Replay of original rows keeps a part, and not nearly everything as in Scialom's runs. LoRA, with
# its adapter on, forgets as much as full tuning; with the adapter off it has lost nothing.
#
# **Claim: an expert forgets.** We chose the desks in a trial on another seed, because there they
# could be learned and cost much. Twelve topics with longer names, our first choice, were not
# learned in these steps.

# %%
if is_whole:
    expert_runs = methods[PLAIN]
    ift.claim(
        "08.experts-forget",
        "Tuning a general model on nothing but routing makes it lose other families.",
        source="McCloskey & Cohen 1989; Luo et al. 2023, arXiv:2308.08747",
        metric="strict accuracy on the other families",
        arms={"general model": expert_runs.others_before, "expert": expert_runs.others},
        effect=("general model", "expert"),
        at_least=0.3,
        subject=11,
    )

# %% [markdown]
# ## 7. Silent failures
#
# ### Only the new task is tested
#
# The training loss falls, and the report has one line: the specialty. This is the report, and what
# it leaves out:

# %%
for i, name in enumerate(("in the report", "not in the report")):
    print(f"{name}: {track[0][i]:.2f} before, {track[sizes.steps][i]:.2f} after")

# %% [markdown]
# How to see it: before you tune, write down questions that must not get worse. Ask them before and
# after.
#
# ### A reference that is the model itself
#
# `get_peft_model(model, …)` puts its adapters *into* the model that it is given. If you go on to
# use `model` as "the model before", you are comparing the expert with itself: nothing ever seems
# forgotten, and a KL penalty is always 0.

# %%
before = copy.deepcopy(general)
moved = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"],
                   init_lora_weights=False)  # fmt: skip
policy = get_peft_model(before, moved)  # as after some steps of training
with torch.no_grad():
    logits = policy(**inputs).logits
    for name, reference in {"the model that was given": before, "the original": general}.items():
        distance = (logits - reference(**inputs).logits).abs().max()
        print(f"largest difference to the logits of {name:24} {distance:7.3f}")

# %% [markdown]
# How to see it: the difference must not stay 0 after the first step. Use a copy, or
# `disable_adapter()`. A copy can deceive, too: TRL 1.16 binds its own `forward` to the model that
# it trains, so a `copy.deepcopy` of that model keeps computing with the *original's* weights. That
# is why `tune` removes it. Saving the model and loading it again removes it, too.
#
# ### A tied weight that moves twice
#
# In many models the input embedding and the output matrix are one tensor with two names. Average
# *in place*, name by name, and it is averaged twice: half way becomes three quarters.

# %%
twice = copy.deepcopy(general)
state = twice.state_dict()
with torch.no_grad():
    for name, weight in expert.state_dict().items():
        state[name].copy_(torch.lerp(state[name], weight, 0.5))
start, end, wrong = (m.get_input_embeddings().weight for m in (general, expert, twice))
moved = ((wrong - start).norm() / (end - start).norm()).item()
print(f"the embedding went {moved:.2f} of the way, all other weights 0.50")
print("half way, as it should be: {} {:.2f}, others {:.2f}".format(specialty, *line[0.5]))
print("with the embedding moved twice: {} {:.2f}, others {:.2f}".format(specialty, *scores(twice)))
assert abs(moved - 0.75) < 0.01

# %% [markdown]
# Nothing raises an error, and the scores hardly move. How to see it: read from copies, write into
# new tensors, and check that every weight lies where it should.
#
# ## 8. What to do at work
#
# - Write the regression questions first, and score them while you train.
# - Check that the specialty is learned at all, above what needs no learning.
# - Try a lower rate first, and check that the specialty is still learned.
# - Mix in general rows that show each kind of task that has to stay. Here they kept a part; for the
#   model's own answers that is not decided.
# - Or keep the expert as an adapter, and switch it on for its own requests only.
# - Shenfeld et al. (2025) found that reinforcement learning, which trains on samples of the model's
#   own, forgets less than SFT at an equal gain. We have not measured it.
#
# ## Questions

# %%
ift.quiz("08", "specific-or-general", "replay-share", "average-of-strangers", "equal-compute")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# A replay mixture, the KL to the reference, the way between two models, the matrix of forgetting,
# the Pareto front, a rule that stops a real `SFTTrainer` before too much is lost, and an open
# question: [exercises/08…](../exercises/08_specialize_without_forgetting.ipynb)
#
# ## To read
#
# - McCloskey & Cohen 1989, *Catastrophic Interference in Connectionist Networks: The Sequential
#   Learning Problem*, Psychology of Learning and Motivation 24.
# - Robins 1995, *Catastrophic Forgetting, Rehearsal and Pseudorehearsal*, Connection Science 7.
# - Luo et al. 2023, *An Empirical Study of Catastrophic Forgetting in Large Language Models During
#   Continual Fine-tuning*, [arXiv:2308.08747](https://arxiv.org/abs/2308.08747).
# - Scialom et al. 2022, *Fine-tuned Language Models are Continual Learners*,
#   [arXiv:2205.12393](https://arxiv.org/abs/2205.12393).
# - Huang et al. 2024, *Mitigating Catastrophic Forgetting in Large Language Models with
#   Self-Synthesized Rehearsal*, [arXiv:2403.01244](https://arxiv.org/abs/2403.01244).
# - Wortsman et al. 2022, *Robust fine-tuning of zero-shot models* (WiSE-FT),
#   [arXiv:2109.01903](https://arxiv.org/abs/2109.01903).
# - Ilharco et al. 2022, *Editing Models with Task Arithmetic*,
#   [arXiv:2212.04089](https://arxiv.org/abs/2212.04089).
# - Biderman et al. 2024, *LoRA Learns Less and Forgets Less*,
#   [arXiv:2405.09673](https://arxiv.org/abs/2405.09673).
# - Kotha et al. 2024, *Understanding Catastrophic Forgetting in Language Models via Implicit
#   Inference*, [arXiv:2309.10105](https://arxiv.org/abs/2309.10105).
# - Shenfeld et al. 2025, *RL's Razor: Why Online Reinforcement Learning Forgets Less*,
#   [arXiv:2509.04259](https://arxiv.org/abs/2509.04259).
