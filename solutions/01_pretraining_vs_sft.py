# %% [markdown]
# # Exercises 01: pretraining and instruction tuning
#
# {{ badge }}
#
# Five functions. Each is a few lines, and each is one that you will need at work. Write the
# function, run its cell, run the cell below it. The card says what is right and what is not yet.
#
# You may look into [lesson 01](../notebooks/01_pretraining_vs_sft.ipynb) at any time.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from IPython.display import display

import ift_course as ift

profile = ift.setup("01")
ift.progress("01")

# %% [markdown]
# ## 01.1 The next-token loss
#
# ●○○ · 10 minutes
#
# **Why it matters.** This number is what a language model is trained on, in pretraining and in
# tuning. Compute it by hand once, and you will spot at once when a training loop computes
# something else.
#
# **Given** are the scores of a model for one text and the tokens of that text. Row *i* of the
# scores is what the model thought *after* token *i*.
#
# **Example.** A model that gives every token the same score has a loss of ln V.
#
# ```python
# >>> next_token_loss(torch.zeros(3, 4), torch.tensor([0, 1, 2]))
# tensor(1.3863)
# ```


# %%
def next_token_loss(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The mean loss of a text's tokens, each predicted from those before it, in nats.

    logits: (length, vocabulary), any floating dtype; tokens: int64 (length,).
    The loss is computed in float32, and returned as a tensor without dimensions.

    Raises ValueError for a text of fewer than two tokens: nothing in it is predicted.
    """
    ### BEGIN SOLUTION
    if len(tokens) < 2:
        raise ValueError("a text of one token has nothing to predict")
    return F.cross_entropy(logits[:-1].float(), tokens[1:])
    ### END SOLUTION


# %%
ift.check(next_token_loss)

# %% [markdown] tags=["hint"]
# Write down a text of three tokens. Which rows of the logits say something about a token that you
# know? Which token is each of these rows about?

# %% [markdown] tags=["hint"]
# The last row predicts a token that is not there, and the first token is predicted by no row. So
# both lose one: `logits[:-1]` belongs to `tokens[1:]`.

# %% [markdown] tags=["hint"]
# `F.cross_entropy(logits[:-1].float(), tokens[1:])` is the loss. What is left is the refusal of
# texts with fewer than two tokens.

# %% [markdown]
# ## 01.2 Perplexity of several documents
#
# ●○○ · 10 minutes
#
# **Why it matters.** Perplexity is how pretrained models are compared. Two teams that average in
# different ways get different numbers from the same model, and then argue about the model.
#
# **Given** are the losses of single tokens, a list for each document. Documents have different
# lengths. A token is a token: a long document counts for more than a short one.
#
# **Example.** Three tokens without a loss and one with 2 make e^0.5.
#
# ```python
# >>> perplexity([[0.0, 0.0, 0.0], [2.0]])
# 1.6487
# ```


# %%
def perplexity(losses: list[list[float]]) -> float:
    """exp of the mean loss over all tokens of all documents.

    losses: of each token in nats, a list for each document. A document may be empty.

    Raises ValueError if there is no token at all.
    """
    ### BEGIN SOLUTION
    tokens = [loss for document in losses for loss in document]
    if not tokens:
        raise ValueError("there is no token in these documents")
    return math.exp(sum(tokens) / len(tokens))
    ### END SOLUTION


# %%
ift.check(perplexity)

# %% [markdown] tags=["hint"]
# How many tokens are there in the example, and what is their mean loss? What would you get if you
# first took the mean of each document?

# %% [markdown] tags=["hint"]
# Put the losses of all documents into one list. Take the mean, and then the exponential: in this
# order.

# %% [markdown] tags=["hint"]
# `tokens = [loss for document in losses for loss in document]`, then
# `math.exp(sum(tokens) / len(tokens))`. An empty list of tokens is refused before the division.

# %% [markdown]
# ## 01.3 Greedy decoding
#
# ●●○ · 15 minutes
#
# **Why it matters.** Every answer of a model comes out of this loop. Whether an answer ends, and
# whether the prompt is repeated in it, is decided here and not in the model.
#
# **Given** is a model as a function: it takes the tokens so far, and returns the scores of the
# next one.
#
# **Example.** A model that always finds the number after the last one likeliest.
#
# ```python
# >>> count = lambda ids: F.one_hot(torch.tensor(ids[-1] + 1), 9).float()
# >>> greedy_decode(count, prompt=[3], max_new_tokens=10, end=6)
# [4, 5]
# ```


# %%
def greedy_decode(
    next_logits: Callable[[list[int]], torch.Tensor],
    prompt: list[int],
    max_new_tokens: int,
    end: int,
) -> list[int]:
    """The new tokens, each the likeliest after all before it, without the prompt and the end.

    next_logits: takes token ids, returns float scores of shape (vocabulary,).
    Stops when the likeliest token is `end`, or after max_new_tokens tokens. Of tokens that are
    equally likely, the lowest id is taken. `prompt` is left as it is. The result holds plain ints.
    """
    ### BEGIN SOLUTION
    ids = list(prompt)
    for _ in range(max_new_tokens):
        likeliest = int(next_logits(ids).argmax())
        if likeliest == end:
            break
        ids.append(likeliest)
    return ids[len(prompt) :]
    ### END SOLUTION


# %%
ift.check(greedy_decode)

# %% [markdown]
# Your loop, with the course's base model behind it:

# %%
if ift.passed(greedy_decode):
    base, tokenizer = ift.load("base")

    @torch.no_grad()
    def after(ids: list[int]) -> torch.Tensor:
        return base(torch.tensor([ids])).logits[0, -1]

    for text in ("The capital of France is", "The sound of the owl is", "A baby cow is called"):
        new = greedy_decode(after, tokenizer(text)["input_ids"], 12, tokenizer.eos_token_id)
        print(f"{text} ▸{tokenizer.decode(new)}")

# %% [markdown] tags=["hint"]
# The model must see its own new tokens. So you need a list that begins as the prompt and grows, and
# it must not be the caller's list.

# %% [markdown] tags=["hint"]
# In each round: ask `next_logits` about all tokens so far, take the `argmax`, stop if it is the
# end, and otherwise put it on the list.

# %% [markdown] tags=["hint"]
# `ids = list(prompt)`; in `for _ in range(max_new_tokens):` take
# `int(next_logits(ids).argmax())`, `break` at the end, else `ids.append(...)`. Return
# `ids[len(prompt):]`.

# %% [markdown]
# ## 01.4 Nucleus sampling
#
# ●●○ · 20 minutes
#
# **Why it matters.** Sampling from all tokens now and then picks nonsense, because there are many
# unlikely tokens. Nucleus sampling (Holtzman et al. 2019, arXiv:1904.09751) only picks among the
# likeliest ones, which together have the probability `top_p`. It is what most chat services use.
#
# **Given** are the scores of one position and a random number, so that the same call gives the same
# token.
#
# **Example.** The nucleus is the first two tokens. Renormalized they have 0.625 and 0.375.
#
# ```python
# >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
# >>> sample_nucleus(logits, top_p=0.7, temperature=1.0, u=0.6)
# 0
# >>> sample_nucleus(logits, top_p=0.7, temperature=1.0, u=0.7)
# 1
# ```


# %%
def sample_nucleus(logits: torch.Tensor, top_p: float, temperature: float, u: float) -> int:
    """A token id out of the smallest set of likeliest tokens whose probability is at least top_p.

    logits: float (vocabulary,). Probabilities are softmax(logits / temperature). Tokens are taken
    from the likeliest on; where two are equally likely, the lower id comes first. Within the set,
    probabilities are made to sum to 1, and the token is the first one at which the running sum is
    greater than u.
    u: in [0, 1).

    Raises ValueError unless temperature > 0 and 0 < top_p <= 1.
    """
    ### BEGIN SOLUTION
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError("temperature must be above 0, and top_p above 0 and at most 1")
    probabilities = torch.softmax(logits / temperature, 0).tolist()
    nucleus, mass = [], 0.0
    for token in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if mass < top_p:
            nucleus.append(token)
            mass += probabilities[token]
    running = 0.0
    for token in nucleus:
        running += probabilities[token]
        if running > u * mass:
            break
    return token
    ### END SOLUTION


# %%
ift.check(sample_nucleus)

# %% [markdown]
# Your sampler, with the course's base model behind it. Change `top_p` and the temperature, and say
# in one sentence what each of them does to the text:

# %%
if ift.passed(sample_nucleus):
    import random

    base, tokenizer = ift.load("base")
    for top_p in (0.2, 0.9, 1.0):
        ids, rng = list(tokenizer("On a good day")["input_ids"]), random.Random(0)
        for _ in range(20):
            with torch.no_grad():
                logits = base(torch.tensor([ids])).logits[0, -1].float()
            ids.append(sample_nucleus(logits, top_p, temperature=1.0, u=rng.random()))
        print(f"top_p={top_p}: {tokenizer.decode(ids)!r}")

# %% [markdown] tags=["hint"]
# Work through the example on paper: sort, add up, cut, renormalize, add up again, compare with u.

# %% [markdown] tags=["hint"]
# A token is in the nucleus if the tokens *before* it do not yet reach `top_p`. So the token that
# crosses the line belongs to it, and the nucleus is never empty.

# %% [markdown] tags=["hint"]
# `order = sorted(range(len(p)), key=lambda i: -p[i])`. Go along it and collect tokens while their
# sum is below `top_p`; call the sum `mass`. Then go along the collected ones, add up again, and
# stop when the sum is greater than `u * mass`.

# %% [markdown]
# ## 01.5 The loss of the response
#
# ●●● · 30 minutes
#
# **Why it matters.** This is supervised fine-tuning: the loss of exercise 01.1, for a batch, over
# the response tokens only. Three things go wrong in real training code, without any error: the
# shift is forgotten, every row is averaged by itself, or a batch without a response makes the loss
# NaN and with it all weights.
#
# **Given** are the scores for a padded batch, and labels in the way of `transformers`: the token id
# where it is trained, −100 elsewhere, *not shifted*.
#
# At the end, TRL's `SFTTrainer` tunes a base model with your function.
#
# **Example.** Two tokens are trained, and the model guesses evenly among five words: ln 5.
#
# ```python
# >>> response_loss(torch.zeros(1, 4, 5), torch.tensor([[-100, -100, 2, 3]]))
# tensor(1.6094)
# ```


# %%
def response_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean loss over all trained tokens of a batch, in nats: the loss of SFT.

    logits: (rows, length, vocabulary), any floating dtype; labels: int64 (rows, length), the token
    ids, not shifted, and -100 where nothing is trained. Each trained token counts the same, in
    whatever row it is. Computed in float32, differentiable, returned as a tensor without
    dimensions. It is 0 if no token is trained.
    """
    ### BEGIN SOLUTION
    wanted = labels[:, 1:].flatten()
    scores = logits[:, :-1].flatten(0, 1).float()
    total = F.cross_entropy(scores, wanted, ignore_index=-100, reduction="sum")
    return total / (wanted != -100).sum().clamp(min=1)
    ### END SOLUTION


# %%
ift.check(response_loss)

# %% [markdown]
# Your loss, in a real trainer: TRL calls `compute_loss` for each batch, so a subclass that
# overrides it trains with any loss you like. It tunes the base model on 320 examples, in about half
# a minute. (The argument `compute_loss_func` does the same, but TRL 2 will drop it.)

# %%
if ift.passed(response_loss):
    import tempfile
    import warnings

    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.world.tasks import FACT_TASKS, sample

    warnings.filterwarnings("ignore", category=FutureWarning)  # an option is being renamed

    class MyTrainer(SFTTrainer):
        loss_is_scaled_for_ga = False  # a mean over one batch, whatever is accumulated

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            labels = inputs.pop("labels")
            outputs = model(**inputs)  # without labels, the model computes no loss
            loss = response_loss(outputs.logits, labels)
            return (loss, outputs) if return_outputs else loss

    model, tokenizer = ift.load("base")
    questions = sample(8, seed=1, split="test", tasks=FACT_TASKS)
    before = ift.score(model, tokenizer, questions)

    records = ift.to_records(sample(320, seed=0, tasks=FACT_TASKS))
    trainer = MyTrainer(
        model=model,
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(),
            num_train_epochs=2,
            per_device_train_batch_size=16,
            learning_rate=5e-4,
            assistant_only_loss=True,  # the labels are -100 outside the response
            use_cpu=not torch.cuda.is_available(),
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([{"messages": x.messages} for x in records]),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    model.eval()
    display(ift.transcript({"base": before, "yours": ift.score(model, tokenizer, questions)}))

# %% [markdown] tags=["hint"]
# First do it for one row, as in 01.1, with some labels struck out. Then ask what the mean over a
# batch should be when one row has 2 trained tokens and another 20.

# %% [markdown] tags=["hint"]
# Shift along the second dimension, and then put all rows behind each other: scores of shape
# (rows · (length − 1), vocabulary), labels of shape (rows · (length − 1),).

# %% [markdown] tags=["hint"]
# `F.cross_entropy(..., ignore_index=-100, reduction="sum")` gives the sum. Divide it by the number
# of labels that are not −100, or by 1 if there are none: `.clamp(min=1)`.
