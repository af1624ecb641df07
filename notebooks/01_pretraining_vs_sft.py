# %% [markdown]
# # Pretraining versus instruction tuning
#
# {{ badge }}
#
# In **pretraining**, a large language model (LLM) reads a great deal of text and learns to predict
# the next token. In **instruction tuning** it is shown instructions with good responses. At the end
# you will be able to
#
# - compute the next-token loss by hand and find the same number in a library;
# - ask a base model in three ways, and say what each one measures;
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
# Gemma 3 270M is a real **base model**: it was pretrained, and nobody has tuned it. Here are its
# answers to four requests, before and after it was tuned on 48 examples. **Before you read on**,
# look at one row: what did the tuning change?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("00")

# %% [markdown]
# Afterwards the answers have the form of answers, and they end. Their content is often still wrong:
# count the tips. Nobody can list what Gemma has read, so the course has a second instrument: a
# small Llama, pretrained on texts about a closed world in which a program knows every fact.
#
# ## 2. The next-token loss, by hand
#
# After each token, a language model gives a score, its **logit**, to every token of its vocabulary.
# Here are the logits that a model might give for a text of four tokens.

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
    p = probabilities[position, text[position + 1]]  # of the token that came next
    by_hand.append(-p.log())
    print(f"after {vocabulary[text[position]]:>4}: p({vocabulary[text[position + 1]]}) = {p:.3f}"
          f"   loss = {-p.log():.3f}")  # fmt: skip

in_one_line = F.cross_entropy(logits[:-1], text[1:])
print(f"mean by hand {torch.stack(by_hand).mean():.6f}   F.cross_entropy {in_one_line:.6f}")
assert torch.allclose(torch.stack(by_hand).mean(), in_one_line, atol=1e-6)

# %% [markdown]
# This is **cross-entropy**, in nats (natural logarithms) per token: 0 for a model that is always
# certain and right, and $\ln V$ for one that guesses evenly among $V$ tokens. Its exponential is
# the **perplexity**. Logits lose their last row and targets their first token: that shift is
# **next-token prediction**.
#
# Now with a library. `from_pretrained` opens a model folder, or downloads a model from the Hugging
# Face Hub by its name, such as `"Qwen/Qwen3-0.6B-Base"`. Given `labels`, the model does the shift
# itself.

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
# Pretraining is this loss on a great deal of text, step after step. We let a small Llama with
# random weights read prose about the world.

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


validation = read((1, 64, 128))[0]  # pages that the model is not trained on
reading = read((500, 4, 128))  # 500 steps of 4 sequences of 128 tokens

# %% [markdown]
# Now and then the loop measures the loss on pages that the model is not trained on (the
# **validation loss**) and lets it continue three openings. **Predict:** what will the texts look
# like when the loss is 8, 6 and 4?


# %%
@torch.no_grad()
def generate(model, prompts, max_new_tokens=32, **sampling):
    """The continuation of each prompt: greedy, unless `sampling` says do_sample=True."""
    model.eval()
    batch = tokenizer(
        prompts,
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=False,  # a chat template has written them already
    ).to(device)
    ids = model.generate(
        **batch,
        **({"do_sample": False} | sampling),
        max_new_tokens=max_new_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )
    texts = tokenizer.batch_decode(ids[:, batch["input_ids"].shape[1] :])
    return [text.replace(tokenizer.pad_token, "") for text in texts]


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
losses, validation_losses = [], {}
for step in range(len(reading) + 1):
    if step in (0, 50, 200, len(reading)):
        with torch.no_grad():
            validation_losses[step] = newborn.eval()(validation, labels=validation).loss.item()
        torch.manual_seed(0)
        print(f"step {step}: validation loss {validation_losses[step]:.2f}")
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
print(f"training loss {sum(losses[-50:]) / 50:.2f} in the last 50 steps; tokens read: "
      f"{reading.numel():,}; guessing evenly {math.log(len(tokenizer)):.2f}")  # fmt: skip

# %%
first, last = validation_losses[0], validation_losses[len(reading)]
half = max(step for step, loss in validation_losses.items() if loss > (first + last) / 2)
then = min(step for step in validation_losses if step > half)
figure = ift.charts.loss_curve(
    losses,
    title=f"The validation loss (dots) falls from {first:.1f} to {last:.1f}, "
    f"and is halfway between steps {half} and {then}",
    marks={"guessing evenly": math.log(len(tokenizer))},
    xlabel="step (each factor of 10 takes the same width)",
    log=True,
)
for step, loss in validation_losses.items():
    figure.axes[0].plot(max(1, step), loss, "ko")
figure

# %% [markdown]
# The pale line is the loss of single batches, the thick one their moving mean. The samples go from
# noise to frequent words and names, then to sentences of this world's form. A fact on few pages
# takes longer to learn than a form on all of them. No page is read twice, so that both losses fall
# together.
#
# **What the course's base has read.** It read 35 million tokens, first prose such as this. Later
# phases mix in *worked tasks in prose*, such as "Carl wanted to know what the past of know is."
# and, on the next line, "knew". The field calls that **mid-training**. [The model
# card](../ift_course/assets/base/README.md) shows samples.
#
# The samples were drawn at random (exercise 01.4). From here on, decoding is **greedy**: it takes
# the likeliest token every time.
#
# ## 4. Three ways to ask a base model
#
# A base model that fails a question may lack the knowledge, or it may not see that it was asked. So
# we ask it
#
# - **in plain text**: the question, then a line break;
# - **after three examples** of the same kind of question: in-context learning, the simplest kind of
#   **prompt engineering**. No weight changes;
# - **through a chat template**, with special tokens around each turn (lesson 02). They are in the
#   vocabulary, but no text that the base read contained them. A control keeps the layout and leaves
#   the special tokens out.
#
# The base has read about all entities of its world. A quarter of them is **held-out data**: no
# tuning example asks about them, nor do the three in the prompt. France is one.

# %%
import re
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
    "its layout only": lambda x: re.sub(r"<\|im_(start|end)\|>", "", through_template(x)),
}
for name, ask in list(ways.items())[:3]:
    prompt = ask(tests[seeds[0]][0])
    print(f"--- {name}\n{prompt}▸ {generate(base, [prompt])[0]}\n")

# %% [markdown]
# **Strict accuracy** counts an answer that is right, is all the model wrote, and was ended by the
# model. The **lenient** score asks only for a right first line, as few-shot evaluations do, which
# stop a base at a line break. The three examples end with an empty line, so that only the lenient
# score is fair to them. Free answers need verifiers, judges or votes (lesson 10). **Predict** the
# eight numbers.

# %%
ENDS = re.compile("|".join(map(re.escape, ("<|im_end|>", tokenizer.eos_token))))


def strict(example, text: str) -> float:
    answer, *rest = ENDS.split(text)
    return float(bool(rest) and example.answer.accepts(answer.strip()))


def lenient(example, text: str) -> float:
    return float(example.answer.accepts(ENDS.split(text)[0].strip().split("\n")[0].strip()))


def ask_all(model, ask, questions) -> list[str]:
    """What the model writes to each question."""
    return generate(model, [ask(x) for x in questions])


def score(rule, questions, texts) -> list[float]:
    """1 or 0 for each question."""
    return [rule(x, text) for x, text in zip(questions, texts, strict=True)]


def mean_and_interval(by_seed: list[list[float]]) -> str:
    means, (low, high) = ift.charts.summarize_seeds(by_seed, (0, 1))
    return f"{sum(means) / len(means):.2f} ({low:.2f} to {high:.2f})"


def show(name: str) -> None:
    both = (mean_and_interval(scores[f"{name}, {rule}"]) for rule in ("strict", "lenient"))
    print("{:21} strict {}, lenient {}".format(name, *both))


texts, scores = {}, {}
for name, ask in ways.items():
    texts[name] = {seed: ask_all(base, ask, tests[seed]) for seed in seeds}
    for rule in (strict, lenient):
        scores[f"base, {name}, {rule.__name__}"] = [
            score(rule, tests[seed], texts[name][seed]) for seed in seeds
        ]
for name in ways:
    show(f"base, {name}")
for x, text in zip(tests[seeds[0]], texts["plain text"][seeds[0]], strict=True):
    if lenient(x, text) > strict(x, text):
        print(f"\nright by lenient only: {question(x)!r} ▸ {text!r}")
        break

# %% [markdown]
# In brackets is the 95 % **interval**: the wider of two, one from the means of three sets of
# questions, one from the single questions.
#
# The same weights and questions: the way of asking decides what you see. In plain text this base
# answers most questions, and three examples bring nothing that the intervals show. Strict is lower
# than lenient, because the base often writes on after the answer.
#
# Through the template it prints unrelated text. The control without the unknown tokens does hardly
# better, so the unknown layout alone is almost enough. Do not expect this of every base: models
# such as Qwen3 have read questions with answers in pretraining, and often answer a plain question,
# sometimes even through a template.
#
# **Claim 1.** A box tests an expectation. Its bound was written down before the measurement, and
# the claim holds only if the whole interval keeps to it.

# %%
ift.claim(
    "01.base-does-not-follow",
    "Through a chat template that it has never met, this base does not answer.",
    subject=1,  # the heading of docs/claims.md under which it stands
    source="measured here; related, on undertrained tokens: Land and Bartolo 2024, "
    "arXiv:2405.05417",
    metric="strict accuracy on held-out entities",
    arms={"base": scores["base, chat template, strict"]},  # what is compared, by seed and question
    effect="base",  # the arm, or the difference of two, that the bound is about
    at_most=0.05,
)

# %% [markdown]
# ### The same on the real model
#
# Gemma is asked 100 test questions in the same three ways, and again after SFT on 48 and on 300
# examples. Some answers have several lines, so lenient means here: right up to some line end,
# whatever follows. **Predict** the order of the five.

# %%
real_panel("01")

# %% [markdown]
# In the stored run, Gemma stops in none of the three ways. In plain text it mostly loops, through
# the template it repeats the question, and after three examples it goes on with further ones. Tuned
# on 48 examples, it answers and *stops*. After 300 some answers read better (compare the three
# tips). Whether more are right stands under the table.

# %%
ift.quiz("01", "knows-but-does-not-answer")

# %% [markdown]
# ## 5. Instruction tuning: the same loss, on the response only
#
# Supervised fine-tuning (**SFT**) continues the training of section 3 on demonstrations, with one
# change: **only the response counts**. The model reads the user's words, but is not trained to
# write them. The **end of turn** belongs to the response, so that the model learns to stop.

# %%
n_examples = min(500, profile.examples)
examples = ift.sample(n_examples, seed=seeds[0], tasks=FACT_TASKS)
records = ift.to_records(examples)
for example in examples[:3]:
    print(f"{example.instruction:52} {example.input:12} → {example.response}")
print("\nas messages:", records[0].messages)
print("in the chat template:")
print("\n".join(line for line in tokenizer.chat_template.split("\n") if "content" in line))


def encode(messages) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels of a conversation."""
    encoded = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True
    )
    ids = torch.tensor(encoded["input_ids"])
    return ids, ids.where(torch.tensor(encoded["assistant_masks"]).bool(), -100)


rows = [encode(record.messages) for record in records]
print("\nthe tokens in [ ] are trained:")
pieces = [(tokenizer.decode([token]), label) for token, label in zip(*rows[0], strict=True)]
print("".join(text if label == -100 else f"[{text}]" for text, label in pieces))

# %% [markdown]
# The **label** −100 makes PyTorch leave a position out. The **loss mask** comes from the chat
# template: what stands between `generation` and `endgeneration` is trained. The loss in three ways:

# %%
ends, others = [], []
for ids, labels in rows[:20]:
    with torch.no_grad():
        out = base.eval()(ids[None].to(device), labels=labels[None].to(device))
    log_p = out.logits[0].log_softmax(dim=-1).cpu()
    hand = torch.stack([-log_p[i - 1, ids[i]] for i in range(len(ids)) if labels[i] != -100])
    in_torch = F.cross_entropy(out.logits[0, :-1].cpu(), labels[1:], ignore_index=-100)
    assert torch.allclose(hand.mean(), out.loss.cpu(), atol=1e-4)
    assert torch.allclose(hand.mean(), in_torch, atol=1e-4)
    ends += [hand[-1].item()]
    others += hand[:-1].tolist()
print(f"by hand {hand.mean():.5f}, PyTorch {in_torch:.5f}, transformers {out.loss:.5f}; "
      f"they agree on all 20\nmean of the ends of turn {sum(ends) / len(ends):.1f}, of the others "
      f"{sum(others) / len(others):.1f}; guessing {math.log(len(tokenizer)):.1f}")  # fmt: skip

# %% [markdown]
# ### A bare loop, and overfitting
#
# This loop is the core of SFT. We run it for ten passes over only 64 examples. After each pass we
# ask **development questions**: no example asks for these facts, and no claim uses them.
# **Predict** three curves: training loss, validation loss, and share of wrong answers.

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


def response_loss(model, ids, mask, labels, shift=1) -> torch.Tensor:
    logits = model(ids, attention_mask=mask).logits
    logits = logits[:, : logits.shape[1] - shift]
    return F.cross_entropy(logits.flatten(0, 1), labels[:, shift:].flatten(), ignore_index=-100)


def tune(model, rows, passes: int, shift=1):
    """Tune the model; yields the losses of each pass after it."""
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    for _ in range(passes):
        losses = []
        for batch in DataLoader(rows, batch_size=16, shuffle=True, collate_fn=collate):
            loss = response_loss(model.train(), *batch, shift)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        yield losses


facts = {(x.task, x.entity) for x in examples}
candidates = ift.sample(3000, seed=99, tasks=FACT_TASKS)
development = [x for x in candidates if (x.task, x.entity) not in facts][:100]
development_records = ift.to_records(development)
development_rows = [encode(record.messages) for record in development_records]

model_64, by_step = open_base(), []
curves = {"training loss": [], "validation loss": [], "share wrong": []}
for number, losses in enumerate(tune(model_64, rows[:64], passes=10), start=1):
    by_step += losses
    with torch.no_grad():
        training = response_loss(model_64.eval(), *collate(rows[:64])).item()
        validation = response_loss(model_64, *collate(development_rows)).item()
    texts = ask_all(model_64, through_template, development)
    wrong = 1 - sum(score(strict, development, texts)) / len(development)
    for name, value in zip(curves, (training, validation, wrong), strict=True):
        curves[name].append(value)
    error = 2 * math.sqrt(wrong * (1 - wrong) / len(development))
    print(f"after pass {number:2}: training {training:.3f}, validation {validation:.3f}, "
          f"wrong {wrong:.0%} ± {error:.0%}")  # fmt: skip

# %%
lowest = curves["validation loss"].index(min(curves["validation loss"])) + 1
fewest = curves["share wrong"].index(min(curves["share wrong"])) + 1
ift.charts.loss_curve(
    curves,
    title=f"64 examples, one run: the validation loss is lowest after pass {lowest} of 10, "
    f"the share of wrong answers after pass {fewest}",
    xlabel="pass over the 64 examples",
    ylabel="loss (nats per token), or share",
)

# %% [markdown]
# When the training loss falls and the validation loss no longer does, the model is **overfitting**.
# More examples or fewer passes help, but loss and accuracy need not agree. InstructGPT's SFT models
# overfit in validation loss after one epoch, yet people preferred the answers after more. So choose
# by the measure that you care about, on development data.
#
# ### TRL's `SFTTrainer`

# %%
import tempfile
import warnings

from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

warnings.filterwarnings("ignore", category=FutureWarning)  # an option is about to be renamed
train, unseen = (
    Dataset.from_list([{"messages": record.messages} for record in part])
    for part in (records, development_records[:16])
)
args = SFTConfig(
    output_dir=tempfile.mkdtemp(),
    num_train_epochs=profile.epochs,
    learning_rate=profile.learning_rate,  # lesson 04 compares rates
    per_device_train_batch_size=profile.batch_size,
    assistant_only_loss=True,  # without it, TRL trains the user's words, too
    max_length=profile.max_length,
    bf16=False,  # SFTConfig's default is True
    gradient_checkpointing=False,  # the default saves memory and costs time
    seed=seeds[0],
    use_cpu=device == "cpu",  # only without an NVIDIA GPU
    # The rest is only for this page.
    per_device_eval_batch_size=16, save_strategy="no", report_to="none", disable_tqdm=True,
)  # fmt: skip
print(f"{args.num_train_epochs:g} epochs, learning rate {args.learning_rate}, "
      f"batch size {args.per_device_train_batch_size}, max_length {args.max_length}")  # fmt: skip
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
    args=args,
    train_dataset=train,
    eval_dataset=unseen,
    processing_class=tokenizer,
)
trainer.remove_callback(PrinterCallback)
loss_before = trainer.evaluate()["eval_loss"]
trainer.train()
print(f"validation loss {loss_before:.3f} → {trainer.evaluate()['eval_loss']:.3f}")
trainer.save_model(args.output_dir)  # model.save_pretrained and tokenizer.save_pretrained

tuned = AutoModelForCausalLM.from_pretrained(args.output_dir).to(device)
prompt = tokenizer.apply_chat_template(
    [{"role": "user", "content": "What is the capital of France?"}],
    add_generation_prompt=True, return_dict=True, return_tensors="pt",
).to(device)  # fmt: skip
reply = tuned.generate(**prompt, max_new_tokens=16, pad_token_id=tokenizer.pad_token_id)
print(tokenizer.decode(reply[0]))

# %% [markdown]
# For a real base, take your own `messages`, and keep some for evaluation. Give the tokenizer a chat
# template with `generation` blocks if it has none (lesson 02), and set `eos_token` to its end of
# turn. On a GPU keep `bf16` and `gradient_checkpointing` at their defaults.
#
# **`ift.sft` is a subclass of this trainer with the course's settings**: logits only where there
# are labels, batches of similar length, a cosine schedule. The first losses agree:

# %%
assert [labels.tolist() for _, labels in rows] == trainer.train_dataset["labels"][:]

with torch.no_grad():
    bare = response_loss(base.eval(), *collate(development_rows[:16])).item()
course = ift.sft(
    open_base(), tokenizer, development_records[:16], max_steps=1, batch_size=16, progress=False
)
print(f"16 rows: bare loop {bare:.3f}, SFTTrainer {loss_before:.3f}, "
      f"ift.sft {course.losses[0]:.3f} (in bfloat16 on some machines)")  # fmt: skip
assert math.isclose(bare, loss_before, rel_tol=1e-3)
assert math.isclose(bare, course.losses[0], rel_tol=1e-2)

# %% [markdown]
# ### Three runs
#
# One run may be luck. So we tune three copies, each on its own examples in its own order (three
# **seeds**), and ask each one held-out questions and some that it was tuned on.


# %%
def tune_and_ask(seed: int) -> dict[str, list[float]]:
    """The scores on held-out questions, and on questions that the model was tuned on."""
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
    print(f"seed {seed}: first loss {result.losses[0]:.1f}, last {result.losses[-1]:.2f}, "
          f"{len(result.losses)} steps in {result.seconds:.0f} s")  # fmt: skip
    answers = {}
    for name, questions in (("held out", tests[seed]), ("tuned on", examples[:n_questions])):
        texts = ask_all(result.model, through_template, questions)
        for rule in (strict, lenient):
            answers[f"SFT, {name}, {rule.__name__}"] = score(rule, questions, texts)
    return answers


runs = ift.each_seed(tune_and_ask, seeds)
scores |= {name: [run[name] for run in runs] for name in runs[0]}
for name in (*(f"base, {way}" for way in ways), "SFT, held out", "SFT, tuned on"):
    show(name)
left_out = ("its layout only", "tuned on, lenient")  # to keep the figure small
sft, through = scores["SFT, held out, strict"], scores["base, chat template, strict"]
ift.charts.bars_with_intervals(
    {name: x for name, x in scores.items() if not any(part in name for part in left_out)},
    title=f"{n_examples} examples, strict accuracy through the template: from "
    f"{mean_and_interval(through)[:4]} to {mean_and_interval(sft)[:4]}",
    xlabel="share correct",
)

# %% [markdown]
# A dot is one set of questions: for the base, three sets asked of one model. The first loss is high
# for the answers, and higher for the end of turn, which no text contained.
#
# **Claim 2.** Does it answer through the template now?

# %%
ift.claim(
    "01.sft-follows",
    f"After SFT on {n_examples} fact questions, the model answers held-out fact questions "
    "through the template.",
    subject=(1, 2),
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206",
    metric="strict accuracy on held-out entities, SFT minus base",
    arms={"SFT": sft, "base": through},
    effect=("SFT", "base"),
    at_least=0.85,
)

# %% [markdown]
# That is the hardest way to ask the base. For a fair comparison, take its best lenient score in the
# table and the lenient one after SFT.
#
# **Claim 3.** If the answers came from the examples, the model would do much better on questions it
# was tuned on. **Predict** the gap.

# %%
ift.claim(
    "01.format-not-facts",
    "Held-out facts are answered almost as well as those tuned on, so these answers come from "
    "pretraining.",
    subject=(1, 6),
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
    metric="strict accuracy, examples tuned on minus held-out entities",
    arms={"tuned on": scores["SFT, tuned on, strict"], "held out": sft},
    effect=("tuned on", "held out"),
    at_most=0.15,
)

# %% [markdown]
# This does not say that SFT cannot teach facts: pretraining had covered all of these. Lesson 03
# tests it.
#
# ### A sentence in Spanish
#
# The other sentences are held out. Was the skill there before the tuning?

# %%
hello = "Translate the following English sentence into Spanish.\nHello, how are you?"
mentions = sum("Hello, how are you?" in question(x) for x in examples)
print(f"{hello!r} ▸ {generate(tuned, [chat(hello)])[0]}  (in {mentions} training examples)")

spanish = {question(x): x for x in ift.sample(300, seed=0, split="test", tasks=["phrase"])}
questions = list(spanish.values())
by_base = score(lenient, questions, ask_all(base, ways["plain text"], questions))
by_tuned = score(strict, questions, ask_all(tuned, through_template, questions))
print(f"{len({x.entity for x in questions})} sentences in {len(questions)} wordings")
print(f"right: base (plain text, lenient) {sum(by_base):.0f}, tuned (strict) {sum(by_tuned):.0f}")

# %% [markdown]
# ### Ask it yourself
#
# Change the list, and try to break the tuned model.

# %%
my_questions = [
    "What is the capital of France?",
    "What is the capital of France? Answer in capital letters.",
    "Which pet does Albert Einstein keep?",
    "Good morning!",
]
for text in my_questions:
    print(text)
    print("    base, plain text ▸", generate(base, [f"{text}\n"])[0].split("\n")[0])
    print("    tuned            ▸", generate(tuned, [chat(text)])[0])

# %% [markdown]
# To a request unlike its examples, the tuned model may write what fits some other task, such as the
# past of "keep" or a translation; here the base does, too (lessons 05 and 06). Lesson 08 measures
# what tuning makes a model forget.
#
# ## 6. Where this fits
#
# | stage | data | objective |
# | --- | --- | --- |
# | pretraining | raw text | the next token, every token |
# | mid-training | selected text, worked tasks | the same |
# | SFT | instructions, responses | the next token, response only |
# | DPO | pairs, one preferred | a larger margin for the preferred one |
# | RLHF | prompts, a reward model from pairs | a higher learned reward |
# | RL | tasks with a checker | right answers |
#
# DPO is direct preference optimization, RLHF reinforcement learning (RL) from human feedback.
# **Single-task fine-tuning** need not name the task. **Instruction tuning** says in words which of
# many tasks is wanted, so that the model has to read the instruction (lesson 06). **Prompting**
# changes no weight and costs tokens at every use; tuning makes a behavior the default.
#
# ## 7. A silent failure: labels that are not shifted
#
# Somebody writes their own loss and forgets the shift, so that position $i$ has to predict token
# $i$, which the model can see. In our loop that is `shift=0`. **Predict** the first loss.

# %%
ids, mask, labels = collate(rows[:16])
with torch.no_grad():
    library = base.eval()(ids, attention_mask=mask, labels=labels).loss
    for shift in (1, 0):
        own = response_loss(base, ids, mask, labels, shift)
        print(f"one batch, shift={shift}: own loss {own:.2f}, the library's {library:.2f}")

broken, broken_losses = open_base(), []
for losses in tune(broken, rows[:64], passes=10, shift=0):
    broken_losses += losses
for text in ("What is the capital of France?", "What is the opposite of hot?"):
    print(f"{text}\n    shifted     ▸ {generate(model_64, [chat(text)])[0]}\n"
          f"    not shifted ▸ {generate(broken, [chat(text)])[0]!r}")  # fmt: skip
ift.charts.loss_curve(
    {"shifted": by_step, "not shifted": broken_losses},
    title=f"Without the shift the loss falls, too: from {broken_losses[0]:.1f} "
    f"to {broken_losses[-1]:.2f}",
)

# %% [markdown]
# The base was trained to predict the next token, not to repeat this one, so the broken loss begins
# too *high*, and falls as the model learns to copy. To see the bug, compare your loss with the
# library's on one batch, and read what the model writes.
#
# ## Questions

# %%
ift.quiz("01", "it-and-sft", "it-and-fine-tuning", "end-of-turn", "first-loss-too-low")

# %% [markdown]
# **An open question.** A colleague tunes a new base model on 2,000 support dialogues and reports:
# "The base scored 0 % on our 50 questions, the tuned model 70 %. So the dialogues taught it our
# products." Reply in four sentences: what would you ask, and what would you measure?
#
# <details><summary>Rubric: one point for each</summary>
#
# 1. How was the base asked? It wants plain text and examples, too.
# 2. How was it scored, strictly or leniently? Did anybody read its answers?
# 3. It tests the conclusion: questions about products that no dialogue mentions.
# 4. It names the uncertainty: 50 questions and one run.
#
# </details>
#
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# The shifted loss, perplexity, greedy decoding, nucleus sampling, and the loss on the response,
# which then works in `SFTTrainer`:
# [exercises/01_pretraining_vs_sft.ipynb](../exercises/01_pretraining_vs_sft.ipynb)
#
# ## To read
#
# - Ouyang et al. 2022, *Training language models to follow instructions with human feedback*
#   (InstructGPT), [arXiv:2203.02155](https://arxiv.org/abs/2203.02155).
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206).
# - Lin et al. 2023, *The Unlocking Spell on Base LLMs* (URIAL),
#   [arXiv:2312.01552](https://arxiv.org/abs/2312.01552).
# - Land and Bartolo 2024, *Fishing for Magikarp*,
#   [arXiv:2405.05417](https://arxiv.org/abs/2405.05417).
