# %% [markdown]
# # Pretraining versus instruction tuning
#
# {{ badge }}
#
# A language model is trained twice. First it reads a great deal of text and learns to predict the
# next token. Then it is shown instructions with good responses. The first training gives it
# everything it knows. The second is short, and it is what makes an assistant.
#
# You will watch both happen on this machine. At the end you will be able to
#
# - compute the next-token loss by hand and find the same number in the library;
# - say what a base model can do with an instruction, and why it does not follow it;
# - tune a base model on 500 examples in less than a minute, and measure what changed;
# - recognize two bugs that train without an error.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("01")

# %% [markdown]
# ## 1. The next-token loss, by hand
#
# A language model reads tokens and gives, at every position, a score for each token of its
# vocabulary. The scores are called logits. The higher a score, the likelier the model finds that
# token *at the next position*.
#
# Take a vocabulary of five words and a text of four tokens. These are the numbers a model might
# give. Row 0 is what it thinks after reading "the": it expects "cat".

# %%
import torch

vocabulary = ["the", "cat", "sat", "down", "."]
text = torch.tensor([0, 1, 2, 3])  # the cat sat down

logits = torch.tensor(
    [
        [0.1, 2.0, 0.3, 0.0, -1.0],  # after "the"
        [0.0, 0.1, 1.5, 0.2, 0.3],  # after "the cat"
        [0.5, 0.0, 0.0, 1.0, 1.0],  # after "the cat sat"
        [0.0, 0.0, 0.0, 0.0, 3.0],  # after "the cat sat down"
    ]
)

# %% [markdown]
# To score the model we ask: what probability did it give to the token that really came? Three
# steps, and no more:
#
# 1. turn each row of logits into probabilities (softmax);
# 2. look up the probability of the *next* token, so row 0 is compared with token 1;
# 3. take the negative logarithm, and average.
#
# The last row has no next token. It is left out.

# %%
probabilities = logits.exp() / logits.exp().sum(dim=-1, keepdim=True)
by_hand = []
for position in range(len(text) - 1):
    upcoming = text[position + 1]
    p = probabilities[position, upcoming]
    by_hand.append(-p.log())
    print(f"after {vocabulary[text[position]]:>4}: p({vocabulary[upcoming]}) = {p:.3f}"
          f"   loss = {-p.log():.3f}")  # fmt: skip
print(f"mean loss: {torch.stack(by_hand).mean():.4f} nats per token")

# %% [markdown]
# A loss of 0 would mean that the model was certain each time, and right. A model that knows nothing
# and guesses evenly among $V$ tokens has a loss of $\ln V$. Here that is $\ln 5 \approx 1.61$.
#
# PyTorch has all of this in one function. Mind the two slices: logits lose their last row, targets
# lose their first token. That shift is the whole idea of next-token prediction, and forgetting it
# is a classic bug that we will meet at the end.

# %%
import torch.nn.functional as F

in_one_line = F.cross_entropy(logits[:-1], text[1:])
print(f"by hand {torch.stack(by_hand).mean():.6f}   F.cross_entropy {in_one_line:.6f}")
assert torch.allclose(torch.stack(by_hand).mean(), in_one_line, atol=1e-6)

# %% [markdown]
# ### The same on a real model
#
# The course carries its own base model: a small Llama that has read for an hour on two cores, and
# nothing but prose about a little world of countries, animals, objects and people. It is an
# ordinary `transformers` model. Give such a model `labels`, and it does the shift itself.

# %%
base, tokenizer = ift.load("base")
batch = tokenizer("The capital of France is Paris.", return_tensors="pt")

with torch.no_grad():
    out = base(**batch, labels=batch["input_ids"])

ids, scores = batch["input_ids"][0], out.logits[0]
ours = F.cross_entropy(scores[:-1], ids[1:])
print(f"ours {ours:.6f}   transformers {out.loss:.6f}")
assert torch.allclose(ours, out.loss, atol=1e-5)

# %% [markdown]
# The losses of the single tokens show where the model had to guess. It cannot know that the text
# will be about a capital, or about France. After that there is little left to guess.

# %%
each = F.cross_entropy(scores[:-1], ids[1:], reduction="none")
for token, loss in zip(ids[1:], each, strict=True):
    print(f"{tokenizer.decode([token])!r:>12}  {loss:6.3f}  {'▇' * round(4 * loss.item())}")

# %% [markdown]
# ## 2. Pretraining: a model from nothing
#
# Pretraining is this loss, on all the text one can get, step after step. We start a new model with
# random weights, smaller than the shipped one, and let it read for less than a minute. The training
# loop is the bare one of `ift_course/from_scratch/training_loop.py`: it fits on a screen.
#
# We stop now and then and let the model go on from the same three words.

# %%
import itertools
from dataclasses import replace

from ift_course.from_scratch.training_loop import text_batches
from ift_course.training.pretrain import PROSE, PretrainConfig, corpus_ids, new_model
from ift_course.world.corpus import documents

for page in itertools.islice(documents(seed=3), 4):
    print("•", page.replace("\n", "\n  "))

# %% [markdown]
# That is what it reads: prose. There is no question in it, and no instruction.

# %%
small = PretrainConfig(hidden_size=128, layers=4, heads=4, intermediate_size=352,
                       length=128, batch_size=8, warmup=40)  # fmt: skip
prose = replace(PROSE, tokens=480_000)
_, own = ift.load("base", profile="tiny")  # a small vocabulary, whatever the profile
reading, _ = corpus_ids(small.seed, prose, own)
newborn = new_model(small, own)

openings = ["The capital of", "The owl eats", "Anna wanted to know"]
steps = len(reading) // (8 * 128)
looks = [0, 30, 120, steps]
samples = {opening: {} for opening in openings}


def look(step: int, loss: float = 0.0) -> None:
    if step in looks:
        for opening, completion in zip(
            openings, ift.complete(newborn, own, openings, max_new_tokens=14), strict=True
        ):
            samples[opening][f"step {step}"] = completion.text.split("\n")[0]


look(0)
losses = ift.train(newborn, text_batches(reading, batch_size=8, length=128), steps=steps,
               learning_rate=4e-3, warmup=small.warmup, on_step=look)  # fmt: skip
print(f"{sum(p.numel() for p in newborn.parameters()) / 1e6:.1f} million parameters, "
      f"{steps * 8 * 128:,} tokens read")  # fmt: skip

# %%
import math

ift.charts.loss_curve(
    losses,
    title="A new model learns to predict",
    marks={"guessing evenly": math.log(len(own))},
)

# %%
from ift_course.plots.transcript import TranscriptRow

ift.transcript(
    [TranscriptRow(opening, texts) for opening, texts in samples.items()], heading="goes on from"
)

# %% [markdown]
# First noise, then words, then grammar, then sentences about the world, most of them wrong. The
# curve falls fast at first and then slowly. Facts come last, because each of them is met only now
# and then. The shipped base model is this, larger and with far more to read; its card, beside the
# weights in `ift_course/assets/base`, has the figures.
#
# ## 3. The base model: it knows, but it does not answer
#
# The shipped base completes sentences of its world almost without error.

# %%
prompts = ["The capital of France is", "The sound of the owl is a", "The opposite of hot is",
           "In Spanish, the word dog is", "A baby cow is called a"]  # fmt: skip
for prompt, completion in zip(
    prompts, ift.complete(base, tokenizer, prompts, max_new_tokens=12), strict=True
):
    print(f"{prompt} ▸ {completion.text.strip().splitlines()[0]}")

# %% [markdown]
# Now ask it. A conversation reaches a model as one text with marks that say who speaks. The model
# has to go on where the assistant's turn begins. (How that text is made is lesson 02.)

# %%
question = [{"role": "user", "content": "What is the capital of France?"}]
print(tokenizer.apply_chat_template(question, tokenize=False, add_generation_prompt=True))
print("▸", ift.generate_replies(base, tokenizer, [question], max_new_tokens=40)[0].text)

# %% [markdown]
# It goes on, because that is what it was made for. It does not answer, because no text it has read
# ever contained somebody being asked and answering in this form. The knowledge is there and the
# behavior is not.
#
# How often does it answer? We ask about things of 29 kinds and score strictly: the answer, *only*
# the answer, and then the end of the turn. Strictness matters. A score that looks for the right
# word anywhere in the text, a lenient one, can give points for rambling.

# %%
from ift_course.world.tasks import FACT_TASKS

seeds = profile.seeds
n_questions = min(200, profile.eval_examples)
tests = {
    seed: ift.sample(n_questions, seed=100 + seed, split="test", tasks=FACT_TASKS) for seed in seeds
}
base_scores = {seed: ift.score(base, tokenizer, tests[seed]) for seed in seeds}

strict = [scores.accuracy for scores in base_scores.values()]
loose = [
    sum(ift.lenient(e, c.text) for e, c in zip(s.examples, s.completions, strict=True))
    / len(s.examples)
    for s in base_scores.values()
]
print(f"strict  {[f'{x:.3f}' for x in strict]}")
print(f"lenient {[f'{x:.3f}' for x in loose]}")

# %% [markdown]
# ## 4. Instruction tuning: the same loss, on the response only
#
# Supervised fine-tuning, SFT, shows the model instructions with good responses and trains on the
# same next-token loss. One thing is new: **only the response counts**. The user's words are given.
# The model reads them, but is not trained to produce them.

# %%

n_examples = min(500, profile.examples)  # 500, where the machine is not too small for the model
lessons_to_learn = ift.sample(n_examples, seed=seeds[0], tasks=FACT_TASKS)
for example in lessons_to_learn[:6]:
    print(f"{example.instruction:55} {example.input:12} → {example.response}")

# %% [markdown]
# In tokens, with the part that is trained marked. The end-of-turn token belongs to it: a model that
# is never shown where to stop does not stop.

# %%
ift.show_mask(tokenizer, ift.to_records(lessons_to_learn)[0].messages)

# %% [markdown]
# The label −100 tells `transformers` and PyTorch to leave a position out. So the loss of SFT is the
# loss of section 1 with most rows struck out. By hand, in PyTorch, and in the library:

# %%
from ift_course.data.loss_mask import labels

row_ids, mask = ift.render(tokenizer, ift.to_records(lessons_to_learn)[0].messages)
row = torch.tensor([row_ids])
target = torch.tensor([labels(row_ids, mask)])

with torch.no_grad():
    out = base(input_ids=row, labels=target)
log_p = out.logits[0].log_softmax(dim=-1)
trained = [i for i in range(1, len(row_ids)) if mask[i]]
hand = -torch.stack([log_p[i - 1, row_ids[i]] for i in trained]).mean()
torch_loss = F.cross_entropy(out.logits[0, :-1], target[0, 1:], ignore_index=-100)
print(f"{len(trained)} of {len(row_ids)} tokens count")
print(f"by hand {hand:.5f}   PyTorch {torch_loss:.5f}   transformers {out.loss:.5f}")
assert torch.allclose(hand, out.loss, atol=1e-5)
assert torch.allclose(torch_loss, out.loss, atol=1e-5)

# %% [markdown]
# One record might agree by accident. **Claim: the loss of SFT is cross-entropy on the response, and
# on nothing else.** Twenty records for each seed: how far is the library's loss from the mean over
# the response's tokens, and how far from the mean over all tokens?


# %%
def distances(seed: int) -> tuple[float, float]:
    """The largest distance of the library's loss from both means, in nats per token."""
    far = {"response": 0.0, "all tokens": 0.0}
    for record in ift.to_records(ift.sample(20, seed=seed, tasks=FACT_TASKS)):
        ids, mask = ift.render(tokenizer, record.messages)
        with torch.no_grad():
            out = base(input_ids=torch.tensor([ids]), labels=torch.tensor([labels(ids, mask)]))
        each = F.cross_entropy(out.logits[0, :-1], torch.tensor(ids[1:]), reduction="none")
        counted = each[torch.tensor(mask[1:], dtype=torch.bool)]
        for name, mean in {"response": counted.mean(), "all tokens": each.mean()}.items():
            far[name] = max(far[name], abs(out.loss - mean).item())
    return far["response"], far["all tokens"]


of_response, of_all = zip(*(distances(seed) for seed in seeds), strict=True)
ift.claim(
    "01.loss-of-the-response",
    "The loss of SFT is cross-entropy on the tokens of the response, the end of turn included.",
    source="Shi et al. 2024, arXiv:2405.14394, where the loss on the prompt is added to it",
    metric="largest distance of the library's loss from the mean by hand, nats per token",
    arms={"response only": of_response, "all tokens": of_all},
    effect="response only",
    at_most=1e-4,
    subject=2,
)

# %% [markdown]
# The library that most people use for this is TRL. `ift.sft` is its `SFTTrainer` with this mask and
# with settings that suit a small model. We tune three copies of the base, each on its own 500
# examples in its own order, so that we can say how much of the result is luck.
#
# Three runs take longer than most people care to wait. So `ift.each_seed` runs the first now, and
# takes what the others gave from `results/`, where this very function put it. Change the
# function, and all three are run.
#
# A quarter of all countries, animals, objects and people are **held out**: no example ever asks
# about them. France is one of them.

# %%
tuned = {}


def tune_and_ask(seed: int) -> dict[str, list[float]]:
    """Tunes a copy of the base. Returns its losses, and 1 or 0 for each question it is asked."""
    model, _ = ift.load("base")
    examples = ift.sample(n_examples, seed=seed, tasks=FACT_TASKS)
    result = ift.sft(
        model,
        tokenizer,
        ift.to_records(examples),
        seed=seed,
        epochs=profile.epochs,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        progress=False,
    )
    held_out = ift.score(result.model, tokenizer, tests[seed])
    tuned[seed] = result.model, held_out
    known = ift.score(result.model, tokenizer, examples[:n_questions])
    return {"losses": result.losses, "held out": held_out.items, "tuned on": known.items}


after = ift.each_seed(tune_and_ask, seeds)
held_out = [result["held out"] for result in after]
tuned_on = [result["tuned on"] for result in after]
for seed, result, items in zip(seeds, after, held_out, strict=True):
    print(f"seed {seed}: {len(result['losses'])} steps, held-out {sum(items) / len(items):.3f}")

# %%
ift.charts.loss_curve(
    {f"seed {seed}": result["losses"] for seed, result in zip(seeds, after, strict=True)},
    title=f"SFT on {n_examples} examples: the loss of the response tokens",
)

# %% [markdown]
# The first loss is *higher* than that of an even guess: the base model is sure that no text goes on
# like this. A few steps later the form is learned, and the rest was there before.
#
# ### What changed
#
# The same questions, before and after:

# %%
model, tuned_scores = tuned[seeds[0]]
ift.transcript({"base": base_scores[seeds[0]], "SFT": tuned_scores}, limit=8)

# %% [markdown]
# **Claim: a base model does not follow instructions.** Its strict score on held-out instructions
# should be next to nothing.

# %%
ift.claim(
    "01.base-does-not-follow",
    "A base model does not follow instructions.",
    subject=1,
    literature="A larger language model does not for that follow its user's intent better.",
    source="Ouyang et al. 2022, arXiv:2203.02155, section 1",
    metric="strict accuracy on held-out entities",
    arms={"base": [base_scores[seed].items for seed in seeds]},
    effect="base",
    at_most=0.05,
)

# %% [markdown]
# **Claim: a little supervised tuning makes it follow them.** The difference should be nearly all
# there is to gain: surely above 0.85. (We first asked for 0.9. Three of four runs with other seeds
# keep that too. In the fourth the mean is the same, and the interval of its three seeds reaches a
# little farther: [all numbers](../docs/claims.md).)

# %%
ift.claim(
    "01.sft-follows",
    f"The same weights follow instructions after SFT on {n_examples} examples.",
    subject=1,
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206",
    metric="strict accuracy on held-out entities, SFT minus base",
    arms={"SFT": held_out, "base": [base_scores[seed].items for seed in seeds]},
    effect=("SFT", "base"),
    at_least=0.85,
)

# %% [markdown]
# **Claim: what was tuned was the format, not the facts.** If SFT had taught the facts, the model
# would know what it was tuned on and nothing else: the gap between the two would be close to 1. So
# compare the very examples it was tuned on with entities that no example mentioned. We call the
# claim true if the gap is surely below 0.15. It need not be zero: the tuned ones it has seen. (We
# first asked for 0.05, then for 0.1. The gap itself is always near 0.03. But three seeds tell
# little about its size, and in one of four runs the interval reached past 0.1.)

# %%
ift.claim(
    "01.format-not-facts",
    "SFT teaches the format; the facts come from pretraining.",
    subject=(1, 6),
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
    metric="strict accuracy, examples tuned on minus held-out entities",
    arms={"tuned on": tuned_on, "held out": held_out},
    effect=("tuned on", "held out"),
    at_most=0.15,
)

# %%
ift.charts.bars_with_intervals(
    {
        "base, strict": strict,
        "base, lenient": loose,
        "SFT, held out": held_out,
        "SFT, tuned on": tuned_on,
    },
    title=f"Answers before and after SFT on {n_examples} examples",
)

# %% [markdown]
# ## 5. The whole pipeline
#
# Pretraining and SFT are two of three stages. The third, preference tuning, is lesson 05.

# %%
ift.charts.pipeline()

# %% [markdown]
# | stage | data | objective | output |
# | --- | --- | --- | --- |
# | pretraining | raw text | the next token, every token | a base model: completes text |
# | SFT | instructions, responses | the next token, response only | follows instructions |
# | RLHF, DPO | pairs, one preferred | preferred ones likelier | what people like better |
#
# ### How does this differ from ordinary fine-tuning?
#
# Ordinary fine-tuning takes one task, say telling good reviews from bad ones, and trains the model
# on many examples of it. The task is never named, for there is only one. The result does that task,
# and nothing else.
#
# Instruction tuning takes many tasks and *says in words which one is wanted*. The model cannot
# succeed by knowing the task in advance. It has to read. That is why an instruction-tuned model can
# do tasks nobody tuned it on, and a single-task model cannot. Lesson 06 measures it.
#
# **Prompt engineering** changes no weights. One looks for words, solved examples among them, that
# make a model do the task as it is. It needs no training, costs tokens at every use, and brings out
# only what the model already does on some prompt. Tuning makes it do so on the plain one.
#
# ## 6. Ask it yourself
#
# Try things it was never tuned on. Try to break it: ask about a person who does not exist, or add
# "Answer in capital letters." What you see is what lessons 05 and 06 are about. (The greeting in
# the table may have been among the 500 examples. France was not.)

# %%
ift.playground({"base": (base, tokenizer), "SFT": (model, tokenizer)})

# %% [markdown]
# ## 7. Silent failures
#
# Training code that crashes is easy to mend. These two bugs do not crash, and the loss falls.
#
# ### Labels that are not shifted
#
# Somebody writes their own loss and forgets the two slices. Position $i$ is now asked for token
# $i$, which it can see. The model learns to repeat its input.

# %%


def batches(examples, size=16):
    """Padded batches of token ids and labels, the labels -100 outside the responses."""
    rows = []
    for record in ift.to_records(examples):
        ids, mask = ift.render(tokenizer, record.messages)
        rows.append({"input_ids": ids, "labels": labels(ids, mask)})
    for start in range(0, len(rows), size):
        yield ift.collate(rows[start : start + size], tokenizer.pad_token_id)


def tune_by_hand(shift: bool):
    model, _ = ift.load("base")
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4)
    losses = []
    for batch in batches(lessons_to_learn):
        logits = model(batch["input_ids"]).logits
        if shift:
            logits, targets = logits[:, :-1], batch["labels"][:, 1:]
        else:
            targets = batch["labels"]
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


torch.manual_seed(0)
correct, correct_losses = tune_by_hand(shift=True)
broken, broken_losses = tune_by_hand(shift=False)
ift.charts.loss_curve({"shifted": correct_losses, "not shifted": broken_losses},
                      title="Nothing in the curve says that one run is broken")  # fmt: skip

# %%
ask = [
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
]
replies = {name: ift.generate_replies(model, tokenizer, ask, max_new_tokens=12)
        for name, model in {"shifted": correct, "not shifted": broken}.items()}  # fmt: skip
ift.transcript(
    [
        TranscriptRow(a, {name: texts[i] for name, texts in replies.items()})
        for i, a in enumerate(ask)
    ]
)

# %% [markdown]
# Both losses fall, for copying can be learned too. How to see it: the two runs start from the same
# weights on the same batch, so their first losses should be equal, and only one of them is what you
# get by hand. Compute it, as in section 4. And read what the model writes.
#
# ### The loss on the prompt too
#
# Somebody passes the ids themselves as labels. Now the model is also trained to write the *user's*
# words. Most of the tokens are the user's, so most of the training goes there.

# %%
all_tokens, response_only = [], []
for record in ift.to_records(lessons_to_learn):
    row_ids, mask = ift.render(tokenizer, record.messages)
    all_tokens.append(len(row_ids))
    response_only.append(sum(mask))
share = sum(response_only) / sum(all_tokens)
print(f"the response is {share:.0%} of the tokens; the rest is the user's words and the template")


# %%
def everything(batch):
    """The bug: the ids are the labels, and only the padding is left out."""
    return batch | {"labels": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)}


few = min(160, profile.examples)


def with_and_without(seed: int) -> dict[str, list[float]]:
    """What two copies get right: one tuned on the response only, one on the prompt too."""
    items = {}
    for name, change in {"response only": dict, "prompt too": everything}.items():
        model, _ = ift.load("base")
        examples = ift.sample(few, seed=seed, tasks=FACT_TASKS)
        three_passes = [change(batch) for _ in range(3) for batch in batches(examples)]
        ift.train(model, three_passes, steps=len(three_passes), learning_rate=2e-4, warmup=3)
        items[name] = ift.score(model, tokenizer, tests[seed]).items
    return items


on_few = ift.each_seed(with_and_without, seeds)
ift.charts.bars_with_intervals(
    {name: [result[name] for result in on_few] for name in on_few[0]},
    title=f"{few} examples, three passes, the same steps",
)

# %% [markdown]
# The picture shows what it costs here, at 160 examples. With long responses and short instructions
# it costs less, and there are cases where the loss on the prompt helps a little (Shi et al. 2024).
# What matters is that you *choose* it. How to see it: look at the mask, as in section 4. Most
# trainers, given `messages`, train on everything unless told otherwise. Lesson 02 shows which.
#
# ## Questions

# %%
ift.quiz("01")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Five functions, checked the moment you write them: the shifted loss, perplexity, greedy decoding,
# nucleus sampling, and the loss on the response, which then tunes the base model before your eyes.
# [exercises/01_pretraining_vs_sft.ipynb](../exercises/01_pretraining_vs_sft.ipynb)
#
# ## To read
#
# - Ouyang et al. 2022, *Training language models to follow instructions with human feedback*
#   (InstructGPT), [arXiv:2203.02155](https://arxiv.org/abs/2203.02155). Sections 1 and 3.
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206). Lesson 03 takes it apart.
# - Wei et al. 2021, *Finetuned Language Models Are Zero-Shot Learners* (FLAN),
#   [arXiv:2109.01652](https://arxiv.org/abs/2109.01652). Lesson 06.
# - Zhang et al. 2023, *Instruction Tuning for Large Language Models: A Survey*,
#   [arXiv:2308.10792](https://arxiv.org/abs/2308.10792).
# - Shi et al. 2024, *Instruction Tuning With Loss Over Instructions*,
#   [arXiv:2405.14394](https://arxiv.org/abs/2405.14394).
