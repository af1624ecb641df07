# %% [markdown]
# # Pretraining versus instruction tuning
#
# {{ badge }}
#
# A large language model (LLM) is trained twice. In **pretraining** it reads a great deal of text
# and learns to predict the next token. In **instruction tuning** it is shown instructions with good
# responses. At the end of this lesson you will be able to
#
# - compute the next-token loss by hand and find the same number in a library;
# - ask a base model in three fair ways, and say what each one measures;
# - tune a model with a bare loop and with TRL's `SFTTrainer`, and measure what changed;
# - recognize overfitting, and a bug that trains without an error.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("01")

# %% [markdown]
# ## 1. A real moment
#
# Gemma 3 270M is a real **base model**: it was pretrained on the web, and nobody has tuned it. Here
# are stored answers to four requests, before and after it was tuned on 48 examples. **Before you
# read on**, look at one row: what did the tuning change, and what did the model know already?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("00")

# %% [markdown]
# On a real model this is hard to decide: nobody can list what it has read. So the course has a
# second instrument: a closed world of countries, animals, objects and people, and a small Llama
# that was pretrained on texts about it. A program knows every fact of that world and can mark every
# answer. We use it to find out, and then return to Gemma.
#
# ## 2. The next-token loss, by hand
#
# After each token, a language model gives a score to every token of its vocabulary. These scores
# are called **logits**. Here are the logits that a model might give for a text of four tokens; the
# first row is what it expects after "the".

# %%
import torch
import torch.nn.functional as F

vocabulary = ["the", "cat", "sat", "down", "."]
text = torch.tensor([0, 1, 2, 3])  # the cat sat down
logits = torch.tensor(
    [
        [0.1, 2.0, 0.3, 0.0, -1.0],  # after "the"
        [0.0, 0.1, 1.5, 0.2, 0.3],  # after "the cat"
        [0.5, 0.0, 0.0, 1.0, 1.0],  # after "the cat sat"
        [0.0, 0.0, 0.0, 0.0, 3.0],  # after "the cat sat down": no next token, so left out
    ]
)

probabilities = logits.exp() / logits.exp().sum(dim=-1, keepdim=True)  # softmax
by_hand = []
for position in range(len(text) - 1):
    p = probabilities[position, text[position + 1]]  # of the token that really came next
    by_hand.append(-p.log())
    print(f"after {vocabulary[text[position]]:>4}: p({vocabulary[text[position + 1]]}) = {p:.3f}"
          f"   loss = {-p.log():.3f}")  # fmt: skip

in_one_line = F.cross_entropy(logits[:-1], text[1:])
print(f"mean by hand {torch.stack(by_hand).mean():.6f}   F.cross_entropy {in_one_line:.6f}")
assert torch.allclose(torch.stack(by_hand).mean(), in_one_line, atol=1e-6)

# %% [markdown]
# This is **cross-entropy**, in nats per token: 0 for a model that is always certain and right, and
# $\ln V$ for one that guesses evenly among $V$ tokens. Its exponential is the **perplexity**. Mind
# the two slices: the logits lose their last row, and the targets lose their first token. That shift
# is **next-token prediction**.
#
# Now with a library. `from_pretrained` opens a model folder, or downloads one from the Hugging Face
# Hub if you give it a name such as `"Qwen/Qwen3-0.6B-Base"`. Given `labels`, the model does the
# shift itself.

# %%
from transformers import AutoModelForCausalLM, AutoTokenizer

from ift_course.models.load import base_folder

folder = base_folder(profile)  # of the closed world's base model
device = "cuda" if torch.cuda.is_available() else "cpu"


def open_base():
    """A fresh copy of the base in float32; it is stored in bfloat16, which is poor to train in."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device)


tokenizer = AutoTokenizer.from_pretrained(folder)
base = open_base()

batch = tokenizer("The capital of France is Paris.", return_tensors="pt").to(device)
with torch.no_grad():
    out = base(**batch, labels=batch["input_ids"])
ids = batch["input_ids"][0]
each = F.cross_entropy(out.logits[0, :-1], ids[1:], reduction="none")
for token, loss in zip(ids[1:], each, strict=True):
    print(f"{tokenizer.decode([token])!r:>12}  {loss:6.3f}  {'▇' * round(4 * loss.item())}")
print(f"mean {each.mean():.6f}   transformers {out.loss:.6f}")
assert torch.allclose(each.mean(), out.loss, atol=1e-5)

# %%
ift.quiz("01", "loss-of-guessing")

# %% [markdown]
# ## 3. Pretraining: a model from nothing
#
# Pretraining is this loss on all the text one can get, step after step. We start a Llama with
# random weights, smaller than the shipped one, and let it read prose about the world.

# %%
import itertools

from ift_course.world.corpus import documents

prose = documents(seed=3)
for page in itertools.islice(prose, 4):
    print("•", page.replace("\n", "\n  "))


def read(shape: tuple[int, int, int]) -> torch.Tensor:
    """Token ids of the pages that come next, of shape (steps, sequences, length)."""
    ids, n_tokens = [], shape[0] * shape[1] * shape[2]
    while len(ids) < n_tokens:
        ids += [*tokenizer(next(prose))["input_ids"], tokenizer.eos_token_id]
    return torch.tensor(ids[:n_tokens]).view(shape).to(device)


validation = read((1, 64, 128))[0]  # these pages are never trained on
reading = read((500, 4, 128))  # 500 steps of 4 sequences of 128 tokens

# %% [markdown]
# Now and then the training loop stops, measures the loss on pages that the model is not trained on
# (the **validation loss**), and lets the model continue three openings. **Predict:** what will the
# texts look like when the loss is 8, 6 and 4?


# %%
@torch.no_grad()
def generate(model, prompts, max_new_tokens=32, **sampling):
    """The continuation of each prompt: greedy, unless `sampling` says do_sample=True."""
    model.eval()
    batch = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left").to(device)
    ids = model.generate(
        **batch,
        **({"do_sample": False} | sampling),
        max_new_tokens=max_new_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )
    return tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1] :])


def first_line(text: str) -> str:
    """What stands before the first line break or the end of the text."""
    return text.split(tokenizer.eos_token)[0].strip().split("\n")[0]


import math

from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=len(tokenizer),
    hidden_size=128,
    intermediate_size=352,
    num_hidden_layers=4,
    num_attention_heads=4,
    tie_word_embeddings=True,
    bos_token_id=None,
    eos_token_id=tokenizer.eos_token_id,
)
newborn = LlamaForCausalLM(config).to(device)
optimizer = torch.optim.AdamW(newborn.parameters(), lr=4e-3, betas=(0.9, 0.95), weight_decay=0.1)
schedule = torch.optim.lr_scheduler.LambdaLR(  # 40 steps up to the rate above, then down to zero
    optimizer, lambda step: min((step + 1) / 40, (len(reading) - step) / (len(reading) - 40))
)

openings = ["The capital of", "The owl eats", "The opposite of"]
losses, unseen_loss = [], 0.0
for step in range(len(reading) + 1):
    if step in (0, 20, 60, 150, 300, len(reading)):
        with torch.no_grad():
            unseen_loss = newborn.eval()(validation, labels=validation).loss.item()
        torch.manual_seed(0)
        print(f"step {step}: validation loss {unseen_loss:.2f}")
        texts = generate(newborn, openings, 16, do_sample=True, temperature=0.8, top_k=0)
        for opening, text in zip(openings, texts, strict=True):
            print(f"    {opening} ▸{text.split(tokenizer.eos_token)[0]!r}")
    if step < len(reading):
        loss = newborn.train()(reading[step], labels=reading[step]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(newborn.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
print(f"validation loss {unseen_loss:.2f}, training loss {sum(losses[-50:]) / 50:.2f} in the last "
      f"50 steps; guessing evenly {math.log(len(tokenizer)):.2f}")  # fmt: skip

# %%

half = (losses[0] + unseen_loss) / 2
steps_to_half = next(step for step, loss in enumerate(losses, start=1) if loss < half)
ift.charts.loss_curve(
    losses,
    title=f"Half of the fall takes {steps_to_half} of {len(losses)} steps",
    marks={"guessing evenly": math.log(len(tokenizer)), "validation loss, end": unseen_loss},
    log=True,
)

# %% [markdown]
# The samples go from noise to frequent words and names, then to pieces of sentences. At the end
# most of them have the form of this world's sentences, and hardly any is true: each fact is met
# only now and then, so that facts come last. Every page is read once, so that training and
# validation loss fall together.
#
# **What the shipped base has read.** It has 5.9 million parameters and read 35 million tokens in
# six phases. The first is the prose you saw. The later ones mix in *worked tasks in prose*:
# somebody wants to know something, and the text has it. The field calls this **mid-training**;
# modern bases get a good deal of it, often as questions and answers. No phase has a chat token in
# it. [The model card](../ift_course/assets/base/README.md) shows ten documents of each.
#
# ### Sampling and greedy decoding
#
# **Greedy** decoding takes the likeliest token every time. **Sampling** draws one; before that, the
# logits are divided by the temperature: below 1 the likely tokens gain, above 1 the unlikely ones.
# (Exercise 01.4 adds nucleus sampling.) **Predict:** which of these two texts will differ from
# sample to sample?

# %%
prompts = ["The capital of France is", "Anna looked for"]
for temperature in (0, 0.8, 1.5):
    for number in range(1 if temperature == 0 else 3):
        torch.manual_seed(number)
        sampling = (
            {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {}
        )
        texts = map(first_line, generate(base, prompts, 16, **sampling))
        print(f"{'greedy' if temperature == 0 else f'T = {temperature}':8}", *texts, sep=" ▸ ")

# %% [markdown]
# Where the text has one likely continuation, a moderate temperature changes little. Where it has
# many, each sample is another one. When you compare models, decode greedily or draw many samples.
#
# ## 4. Three ways to ask a base model
#
# A base model that fails a question may lack the knowledge, or it may not see that it was asked. So
# ask it in three ways:
#
# - **in plain text**: the question, then a line break;
# - **after three examples** of the same kind of question: in-context learning, the simplest kind of
#   **prompt engineering**. No weight changes;
# - **through a chat template**, as an assistant is asked: with special tokens around each turn
#   (lesson 02). They are in the vocabulary, but no text that the base read contained them.
#
# A quarter of all countries, animals, objects and people is **held-out data**: no training example
# asks about them, nor do the three in the prompt. France is one.

# %%
from collections import defaultdict

from ift_course.world.tasks import FACT_TASKS

seeds = profile.seeds
n_questions = min(100, profile.eval_examples)
tests = {
    seed: ift.sample(n_questions, seed=100 + seed, split="test", tasks=FACT_TASKS) for seed in seeds
}


def question(example) -> str:
    return f"{example.instruction}\n{example.input}".strip()


def wording(example) -> str:
    return example.instruction.replace(example.entity, "…")


worked = defaultdict(list)
for example in ift.sample(6000, seed=7, tasks=FACT_TASKS):
    worked[wording(example)].append(f"{question(example)}\n{example.response}\n\n")


def chat(text: str) -> str:
    """The text of a conversation in which the assistant is to answer."""
    turn = {"role": "user", "content": text}
    return tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)


def through_template(example) -> str:
    return chat(question(example))


ways = {
    "plain text": lambda x: f"{question(x)}\n",
    "three examples": lambda x: "".join(worked[wording(x)][:3]) + f"{question(x)}\n",
    "chat template": through_template,
}
for name, ask in ways.items():
    print(
        f"--- {name}\n{ask(tests[seeds[0]][0])}▸ {generate(base, [ask(tests[seeds[0]][0])])[0]}\n"
    )

# %% [markdown]
# **Strict accuracy** counts an answer that is right, is all the model wrote, and was ended by the
# model. The **lenient** score counts the right words anywhere before the first empty line, as
# few-shot evaluations of base models do. **Predict** the six numbers.

# %%
import re

ENDS = re.compile("|".join(map(re.escape, ("<|im_end|>", tokenizer.eos_token))))


def strict(example, text: str) -> float:
    answer, *rest = ENDS.split(text)
    return float(bool(rest) and example.answer.accepts(answer.strip()))


def lenient(example, text: str) -> float:
    answer = ENDS.split(text)[0].strip().split("\n\n")[0]
    return float(bool(re.search(rf"\b{re.escape(example.response)}(?!\w)", answer, re.IGNORECASE)))


def ask_all(model, ask, rules=(strict,), examples=tests) -> list[list[list[float]]]:
    """For each rule and each seed, 1 or 0 for each question."""
    texts = {seed: generate(model, [ask(x) for x in xs]) for seed, xs in examples.items()}
    return [
        [
            [rule(x, text) for x, text in zip(xs, texts[seed], strict=True)]
            for seed, xs in examples.items()
        ]
        for rule in rules
    ]


def share(items: list[list[float]]) -> float:
    return sum(map(sum, items)) / sum(map(len, items))


by_strict, by_lenient = {}, {}
for name, ask in ways.items():
    by_strict[name], by_lenient[name] = ask_all(base, ask, (strict, lenient))
    print(f"{name:15} strict {share(by_strict[name]):.2f}   lenient {share(by_lenient[name]):.2f}")
ranked = sorted(ways, key=lambda name: share(by_lenient[name]))
gain = share(by_lenient["three examples"]) - share(by_lenient["plain text"])
print(f"\nThe same weights, the same questions: {share(by_lenient[ranked[0]]):.0%} right with the "
      f"{ranked[0]}, {share(by_lenient[ranked[-1]]):.0%} with {ranked[-1]} (lenient).\n"
      f"Against plain text, three examples change {100 * gain:+.0f} points.")  # fmt: skip

# %% [markdown]
# The knowledge is there, and the way of asking decides whether you see it. In plain text this base
# answers many questions, because it met worked tasks in mid-training; today's real bases do so,
# too. So three examples need not add much. What it does not do reliably is stop after the answer:
# compare strict with lenient. Through the template it prints unrelated text, because the embeddings
# of the chat tokens were never trained.
#
# **Claim 1.** Its strict score through the template is next to nothing. It could have been
# otherwise, had the model read past the unknown tokens.

# %%
ift.claim(
    "01.base-does-not-follow",
    "Through a chat template that it has never met, a base model does not answer.",
    subject=1,
    literature="Tokens that are hardly in the training data induce unwanted behavior.",
    source="Land and Bartolo 2024, arXiv:2405.05417",
    metric="strict accuracy on held-out entities",
    arms={"base": by_strict["chat template"]},
    effect="base",
    at_most=0.05,
)

# %% [markdown]
# ### The same on the real model
#
# Gemma is asked the 100 test questions of the course's own data set in the same three ways, and
# again after tuning on 48 and on 300 examples, with three seeds each. Is the order of the three
# ways the same as ours? Which of them stop?

# %%
real_panel("01")

# %%
ift.quiz("01", "knows-but-does-not-answer")

# %% [markdown]
# ## 5. Instruction tuning: the same loss, on the response only
#
# Supervised fine-tuning (**SFT**) continues the training of section 3 on demonstrations, with one
# change: **only the response counts**. The model reads the user's words, but is not trained to
# write them. The **end of turn** belongs to the response: a model that is never shown where to stop
# does not stop.

# %%
n_examples = min(500, profile.examples)
examples = ift.sample(n_examples, seed=seeds[0], tasks=FACT_TASKS)
records = ift.to_records(examples)
for example in examples[:4]:
    print(f"{example.instruction:55} {example.input:12} → {example.response}")
ift.show_mask(tokenizer, records[0].messages)

# %% [markdown]
# The **label** −100 makes PyTorch leave a position out. The **loss mask** comes from the chat
# template, which marks the assistant's words. The loss by hand, in PyTorch and in the library:


# %%
def encode(messages) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels of a conversation."""
    encoded = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True
    )
    ids = torch.tensor(encoded["input_ids"])
    return ids, ids.where(torch.tensor(encoded["assistant_masks"]).bool(), -100)


rows = [encode(record.messages) for record in records]
for ids, labels in rows[:20]:
    with torch.no_grad():
        out = base.eval()(ids[None].to(device), labels=labels[None].to(device))
    log_p = out.logits[0].log_softmax(dim=-1).cpu()
    trained = [i for i in range(len(ids)) if labels[i] != -100]
    hand = -torch.stack([log_p[i - 1, ids[i]] for i in trained]).mean()
    in_torch = F.cross_entropy(out.logits[0, :-1].cpu(), labels[1:], ignore_index=-100)
    assert torch.allclose(hand, out.loss.cpu(), atol=1e-4) and torch.allclose(
        hand, in_torch, atol=1e-4
    )
print(f"{len(trained)} of {len(ids)} tokens count: by hand {hand:.5f}, PyTorch {in_torch:.5f}, "
      f"transformers {out.loss:.5f}; they agree on all 20")  # fmt: skip

# %% [markdown]
# ### A bare loop, and overfitting
#
# This loop is all there is to SFT. We run it for ten passes on only 64 examples and measure on
# held-out questions after each pass. **Predict:** the training loss will go to zero. Where will the
# validation loss go, and the share of right answers?

# %%
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader


def collate(rows):
    """A padded batch: ids, attention mask and labels, each of shape (rows, longest)."""
    ids, labels = zip(*rows, strict=True)
    mask = pad_sequence([torch.ones_like(i) for i in ids], batch_first=True)
    ids = pad_sequence(ids, batch_first=True, padding_value=tokenizer.pad_token_id)
    labels = pad_sequence(labels, batch_first=True, padding_value=-100)
    return ids.to(device), mask.to(device), labels.to(device)


def tune(rows, passes: int, shift: int = 1):
    """Tune a copy of the base; yields it after each pass with the losses of that pass."""
    model = open_base()
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    for _ in range(passes):
        losses = []
        for ids, mask, labels in DataLoader(rows, batch_size=16, shuffle=True, collate_fn=collate):
            logits = model.train()(ids, attention_mask=mask).logits
            logits = logits[:, : logits.shape[1] - shift].flatten(0, 1)
            loss = F.cross_entropy(logits, labels[:, shift:].flatten(), ignore_index=-100)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        yield model, losses


unseen = tests[seeds[0]][:100]
unseen_ids, unseen_mask, unseen_labels = collate(
    [encode(record.messages) for record in ift.to_records(unseen)]
)
by_pass, by_step = defaultdict(list), []
for model, losses in tune(rows[:64], passes=10):
    with torch.no_grad():
        out = model.eval()(unseen_ids, attention_mask=unseen_mask, labels=unseen_labels)
    by_step += losses
    by_pass["training"].append(sum(losses) / len(losses))
    by_pass["validation"].append(out.loss.item())
    by_pass["right"].append(share(ask_all(model, through_template, examples={0: unseen})[0]))
    print("pass {:2}: training {:.2f}, validation {:.2f}, right {:.0%}".format(
        len(by_pass["right"]), *(values[-1] for values in by_pass.values())))  # fmt: skip

# %%
model_64 = model
valley = min(range(10), key=by_pass["validation"].__getitem__)
peak = max(range(10), key=by_pass["right"].__getitem__)
rise = by_pass["validation"][-1] - by_pass["validation"][valley]
print(f"From pass {valley + 1} to pass 10 the training loss fell by "
      f"{by_pass['training'][valley] - by_pass['training'][-1]:.2f}, the validation loss rose by "
      f"{rise:.2f}.\nThe share of right answers was best after pass {peak + 1} "
      f"({by_pass['right'][peak]:.0%}); in the end it was {by_pass['right'][-1]:.0%}.")  # fmt: skip
ift.charts.loss_curve(
    {f"{name} loss": by_pass[name] for name in ("training", "validation")},
    title=f"64 examples: the validation loss is lowest after pass {valley + 1} of 10",
    xlabel="pass over the 64 examples",
)

# %% [markdown]
# When the training loss falls and the validation loss no longer does, the model is **overfitting**:
# it gets more certain about the examples, and about its mistakes. More examples help, or fewer
# passes. But the loss is not the goal, so stop by the measure that you care about: InstructGPT's
# SFT models overfit in validation loss after one epoch, and people still preferred the answers of
# models that were trained for more.
#
# ### TRL's `SFTTrainer`
#
# These lines are what you would write at work, with your model's name and your conversations.

# %%
import tempfile
import warnings

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

warnings.filterwarnings("ignore", category=FutureWarning)  # an option is about to be renamed
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
data = Dataset.from_list([{"messages": record.messages} for record in records])
args = SFTConfig(
    output_dir=tempfile.mkdtemp(),
    num_train_epochs=profile.epochs,
    learning_rate=profile.learning_rate,
    per_device_train_batch_size=profile.batch_size,
    assistant_only_loss=True,  # without it, TRL trains the user's words, too
    max_length=profile.max_length,
    use_cpu=device == "cpu",
    bf16=False,  # SFTConfig's default is True
    gradient_checkpointing=False,  # saves memory, costs time: not worth it for a small model
    logging_steps=1,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
    seed=seeds[0],
)
trainer = SFTTrainer(
    model=model,
    args=args,
    train_dataset=data,
    eval_dataset=data.select(range(8)),
    processing_class=tokenizer,
)
trainer.remove_callback(PrinterCallback)
loss_before = trainer.evaluate()["eval_loss"]
trainer.train()
trainer.save_model(args.output_dir)  # model.save_pretrained and tokenizer.save_pretrained

tuned = AutoModelForCausalLM.from_pretrained(args.output_dir).to(device)
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "What is the capital of France?"}],
    add_generation_prompt=True, return_dict=True, return_tensors="pt",
).to(device)  # fmt: skip
reply = tuned.generate(**prompt, max_new_tokens=16, pad_token_id=tokenizer.pad_token_id)
print(tokenizer.decode(reply[0]))

# %% [markdown]
# Given `messages` and nothing else, TRL 1.16 would train on the whole conversation. Axolotl,
# LLaMA-Factory and open-instruct leave the prompt out unless you ask for it (lesson 02).
#
# **`ift.sft` is the same with this course's settings.** It runs a subclass of `SFTTrainer` that
# computes logits only where there are labels, batches sequences of similar length, and uses a
# warm-up and a cosine schedule. Do both train the same tokens and compute the same loss?

# %%
assert [labels.tolist() for _, labels in rows] == trainer.train_dataset["labels"][:]

ids, mask, labels = collate(rows[:8])
with torch.no_grad():
    logits = base.eval()(ids, attention_mask=mask).logits[:, :-1].flatten(0, 1)
hand = F.cross_entropy(logits, labels[:, 1:].flatten(), ignore_index=-100).item()
course = ift.sft(open_base(), tokenizer, records[:8], max_steps=1, batch_size=8, progress=False)
print(f"first loss on eight examples: bare loop {hand:.3f}, SFTTrainer {loss_before:.3f}, "
      f"ift.sft {course.losses[0]:.3f}")  # fmt: skip
assert math.isclose(hand, loss_before, rel_tol=1e-3)
assert math.isclose(hand, course.losses[0], rel_tol=1e-2)  # in bfloat16 where the CPU is fast at it

# %% [markdown]
# ### Three runs
#
# One run may be luck. So we tune three copies, each on its own examples in its own order (three
# **seeds**), and ask each one held-out questions and questions that it was tuned on. The 95 %
# **interval** says how far the mean might move with other seeds and other questions. The first seed
# runs now, and the others are stored.


# %%
def tune_and_ask(seed: int) -> list[list[float]]:
    """1 or 0 for each held-out question, and for each question that it was tuned on."""
    examples = ift.sample(n_examples, seed=seed, tasks=FACT_TASKS)
    result = ift.sft(
        open_base(),
        tokenizer,
        ift.to_records(examples),
        seed=seed,
        epochs=profile.epochs,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        progress=False,
    )
    below_1 = next(i for i, loss in enumerate(result.losses, start=1) if loss < 1)
    print(f"seed {seed}: first loss {result.losses[0]:.1f}, below 1 from step {below_1} on, "
          f"{len(result.losses)} steps in {result.seconds:.0f} s")  # fmt: skip
    questions = tests[seed], examples[:n_questions]
    return [ask_all(result.model, through_template, examples={seed: x})[0][0] for x in questions]


held_out, tuned_on = zip(*ift.each_seed(tune_and_ask, seeds), strict=True)
after = {"held out": list(held_out), "tuned on": list(tuned_on)}
print(f"Guessing evenly would give a loss of {math.log(len(tokenizer)):.1f}.")
[by_trl] = ask_all(tuned, through_template, examples={0: tests[seeds[0]]})

ift.charts.bars_with_intervals(
    {f"base, {name}": items for name, items in by_strict.items()}
    | {"SFTTrainer, one seed": by_trl}
    | {f"ift.sft, {name}": items for name, items in after.items()},
    title=f"{n_examples} examples: strict accuracy goes to {share(after['held out']):.2f}",
    xlabel="strict accuracy",
)

# %% [markdown]
# The first loss is about as high as that of even guessing: in this format, whose special tokens it
# has never seen, the base gives our answers almost no probability.
#
# **Claim 2.** A little tuning makes the same weights answer through the template.

# %%
ift.claim(
    "01.sft-follows",
    f"The same weights follow instructions after SFT on {n_examples} examples.",
    subject=(1, 2),
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206",
    metric="strict accuracy on held-out entities, SFT minus base",
    arms={"SFT": after["held out"], "base": by_strict["chat template"]},
    effect=("SFT", "base"),
    at_least=0.85,
)
print(f"The base at its best, {ranked[-1]} and lenient: {share(by_lenient[ranked[-1]]):.2f}. "
      f"After SFT, strict: {share(after['held out']):.2f}.")  # fmt: skip

# %% [markdown]
# The template is the hardest way to ask the base, so the last line has the fair comparison.
#
# **Claim 3.** What was tuned was the format, not the facts. If SFT had taught the facts, the model
# would know what it was tuned on and nothing else. **Predict** the gap between the two.

# %%
ift.claim(
    "01.format-not-facts",
    "SFT teaches the format; the facts come from pretraining.",
    subject=(1, 6),
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
    metric="strict accuracy, examples tuned on minus held-out entities",
    arms={"tuned on": after["tuned on"], "held out": after["held out"]},
    effect=("tuned on", "held out"),
    at_most=0.15,
)

# %% [markdown]
# ### A sentence in Spanish
#
# "Hello, how are you?" may be among the examples. The sentences below it are held out, and each is
# asked for in several wordings.

# %%
hello = "Translate the following English sentence into Spanish.\nHello, how are you?"
mentions = sum("Hello, how are you?" in question(x) for x in examples)
print(f"{hello!r} ▸ {generate(tuned, [chat(hello)])[0]}  (in {mentions} training examples)")

spanish = {question(x): x for x in ift.sample(300, seed=0, split="test", tasks=["phrase"])}
right = dict.fromkeys(sorted({x.entity for x in spanish.values()}), ())
for x, text in zip(spanish.values(), generate(tuned, list(map(chat, spanish))), strict=True):
    right[x.entity] += (strict(x, text),)
for sentence, items in right.items():
    print(f"{sentence:22} right in {sum(items):.0f} of {len(items)} wordings")

# %% [markdown]
# ### Ask it yourself
#
# Change the list and run the cell. Try to break the tuned model: ask about a stranger, add "Answer
# in capital letters.", or greet it. It was tuned on no such request; see lessons 05 and 06.

# %%
my_questions = [
    "What is the capital of France?",
    "What is the capital of France? Answer in capital letters.",
    "Which pet does Albert Einstein keep?",
    "Good morning!",
]
for text in my_questions:
    print(text)
    print("    base, plain text ▸", first_line(generate(base, [f"{text}\n"])[0]))
    print("    tuned            ▸", generate(tuned, [chat(text)])[0])

# %% [markdown]
# ## 6. Where this fits
#
# | stage | data | objective | output |
# | --- | --- | --- | --- |
# | pretraining | raw text | the next token, every token | a base model: continues text |
# | mid-training | selected text, worked tasks | the same | a base that answers more often |
# | SFT | instructions, responses | the next token, response only | follows instructions |
# | RLHF, DPO | pairs, one preferred | preferred ones likelier | what people like better |
# | RL with verifiable rewards | tasks with a checker | right answers likelier | solves more tasks |
#
# **Ordinary fine-tuning** takes one task, such as telling good reviews from bad ones, and never
# names it. **Instruction tuning** takes many tasks and says in words which one is wanted, so that
# the model has to read the instruction; lesson 06 measures what that is worth. **Prompting** can
# only elicit what the model already does under some prompt, and it costs tokens at every use.
# Tuning makes that the default.
#
# ## 7. A silent failure: labels that are not shifted
#
# Somebody writes their own loss and forgets the shift, so that position $i$ has to predict token
# $i$, which the model can see. Nothing crashes. In our loop it is `shift=0`.

# %%
runs = list(tune(rows[:64], passes=5, shift=0))
broken, broken_losses = runs[-1][0], [loss for _, losses in runs for loss in losses]

for text in ("What is the capital of France?", "What is the opposite of hot?"):
    print(f"{text}\n    shifted     ▸ {generate(model_64, [chat(text)])[0]}\n"
          f"    not shifted ▸ {generate(broken, [chat(text)])[0]}")  # fmt: skip
print(f"first loss: shifted {by_step[0]:.2f}, not shifted {broken_losses[0]:.2f}")
ift.charts.loss_curve(
    {"shifted": by_step[: len(broken_losses)], "not shifted": broken_losses},
    title=f"Without the shift the loss falls, too: from {broken_losses[0]:.1f} "
    f"to {broken_losses[-1]:.2f}",
)

# %% [markdown]
# A falling loss proves nothing: copying can be learned, too. How to see the bug: both runs start
# from the same weights on the same batch, so their first losses should be equal. Compute the first
# loss by hand, and read what the model writes.
#
# ## Questions

# %%
ift.quiz("01", "it-and-sft", "it-and-fine-tuning", "end-of-turn", "first-loss-too-low")

# %% [markdown]
# **An open question.** A colleague tunes a new base model on 2,000 support dialogues and reports:
# "The base scored 0 % on our 50 questions, the tuned model 70 %. So the dialogues taught it our
# products." Reply in three or four sentences: what would you ask, and what would you measure?
#
# <details><summary>Rubric: one point for each</summary>
#
# 1. It asks how the base was asked, and wants it asked in plain text and with examples, too.
# 2. It asks for strict and lenient scores, or whether the base's answers were read.
# 3. It tests the conclusion: questions about products that no dialogue mentions.
# 4. It names the uncertainty: 50 questions and one run, so an interval and more seeds.
#
# </details>
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# The shifted loss, perplexity, greedy decoding, nucleus sampling, and the loss on the response,
# which then tunes the base model:
# [exercises/01_pretraining_vs_sft.ipynb](../exercises/01_pretraining_vs_sft.ipynb)
#
# ## To read
#
# - Ouyang et al. 2022, *Training language models to follow instructions with human feedback*
#   (InstructGPT), [arXiv:2203.02155](https://arxiv.org/abs/2203.02155). Sections 1 and 3.
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206). Lesson 03 takes it apart.
# - Lin et al. 2023, *The Unlocking Spell on Base LLMs* (URIAL): how far three examples go,
#   [arXiv:2312.01552](https://arxiv.org/abs/2312.01552).
# - Land and Bartolo 2024, *Fishing for Magikarp*, on under-trained tokens,
#   [arXiv:2405.05417](https://arxiv.org/abs/2405.05417).
# - Shi et al. 2024, *Instruction Tuning With Loss Over Instructions*: when the loss on the prompt
#   helps, [arXiv:2405.14394](https://arxiv.org/abs/2405.14394).
