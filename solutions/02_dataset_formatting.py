# %% [markdown]
# # Exercises 02: dataset formatting
#
# {{ badge }}
#
# Seven functions between a data set and a model. Most bugs of instruction tuning live in one of
# them, and hardly any raises an error. Write the function, run its cell, run the cell below it. The
# last one feeds TRL's trainer.
#
# You may look into [lesson 02](../notebooks/02_dataset_formatting.ipynb) at any time.

# %%
import torch
from IPython.display import display

import ift_course as ift

profile = ift.setup("02")
ift.progress("02")

# %% [markdown]
# ## 02.1 An adapter for ShareGPT
#
# ●○○ · 15 minutes
#
# **Why it matters.** Every data set has its own columns, and scraped ones are dirty. The adapter is
# where that ends: behind it, all code sees one layout.
#
# **Given** is a row as ShareGPT has it. Some rows begin with an answer, because a long conversation
# was cut in two. Some end with a question that nobody answered. In some, one side speaks twice.
#
# **Example.** The first answer has no question, and the last question has no answer.
#
# ```python
# >>> said = ["gpt", "… and so on."], ["human", "Hi "], ["gpt", "Hello."], ["user", "Well?"]
# >>> adapt_sharegpt({"conversations": [{"from": who, "value": text} for who, text in said]})
# [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]
# ```


# %%
def adapt_sharegpt(row: dict) -> list[dict[str, str]]:
    """A ShareGPT row as messages {"role", "content"}, from a question to the last answer.

    row: {"conversations": [{"from": ..., "value": ...}, ...]}. The names in "from" become roles:
    system → system; human, user → user; gpt, chatgpt → assistant.

    - White space around a value is removed.
    - An answer with no question anywhere before it is left out.
    - Neighbors of the same role become one message, joined by an empty line (two newlines).
    - Whatever follows the last answer is left out. A row without any answer left gives [].

    The row is left as it is. Raises ValueError for any other name in "from".
    """
    ### BEGIN SOLUTION
    roles = {"system": "system", "human": "user", "user": "user"}
    roles |= {"gpt": "assistant", "chatgpt": "assistant"}
    messages = []
    asked = False
    for said in row["conversations"]:
        if said["from"] not in roles:
            raise ValueError(f"an unknown speaker: {said['from']}")
        role, content = roles[said["from"]], said["value"].strip()
        asked = asked or role == "user"
        if role == "assistant" and not asked:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += "\n\n" + content
        else:
            messages.append({"role": role, "content": content})
    while messages and messages[-1]["role"] != "assistant":
        messages.pop()
    return messages
    ### END SOLUTION


# %%
ift.check(adapt_sharegpt)

# %% [markdown] tags=["hint"]
# Take the rules one by one, in the order in which the docstring has them. A table (a dict) from
# names to roles takes care of the first and of the ValueError.

# %% [markdown] tags=["hint"]
# Go through the turns once and build the list of messages. For each turn there are three cases:
# leave it out, join it to the last message, or append a new one.

# %% [markdown] tags=["hint"]
# Remember in a variable whether a user has spoken. After the loop:
# `while messages and messages[-1]["role"] != "assistant": messages.pop()`.

# %% [markdown]
# ## 02.2 Rendering ChatML
#
# ●○○ · 10 minutes
#
# **Why it matters.** The template is part of the model. A missing newline, or a turn that is not
# opened, raises no error and can cost accuracy. And a user may write the template's own special
# tokens into a message, to speak in the assistant's name.
#
# **Given** is a conversation, as a list of messages with role and content.
#
# **Example.** One message of the user, with the assistant's turn opened.
#
# ```python
# >>> render_chatml([{"role": "user", "content": "Hello!"}], add_generation_prompt=True)
# '<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n'
# ```


# %%
def render_chatml(messages: list[dict[str, str]], add_generation_prompt: bool = False) -> str:
    """The conversation as one text in ChatML.

    Each message is "<|im_start|>", its role, a newline, its content, "<|im_end|>" and a newline.
    With add_generation_prompt the text ends in "<|im_start|>assistant" and a newline, so that the
    model goes on from there. The content is taken as it is.

    Raises ValueError if a content contains "<|im_start|>" or "<|im_end|>".
    """
    ### BEGIN SOLUTION
    text = ""
    for message in messages:
        if "<|im_start|>" in message["content"] or "<|im_end|>" in message["content"]:
            raise ValueError("a message contains a special token of the template")
        text += f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
    return text + "<|im_start|>assistant\n" if add_generation_prompt else text
    ### END SOLUTION


# %%
ift.check(render_chatml)

# %% [markdown]
# The same conversation, rendered by you and by the template of the course's tokenizer:

# %%
if ift.passed(render_chatml):
    _, tokenizer = ift.load("base")
    chat = [{"role": "user", "content": "Name the sound of a cow."},
            {"role": "assistant", "content": "Moo."}]  # fmt: skip
    print(render_chatml(chat))
    print("the same as the library's:",
          render_chatml(chat) == tokenizer.apply_chat_template(chat, tokenize=False))  # fmt: skip

# %% [markdown] tags=["hint"]
# Write down the text for a conversation of two messages, with every newline as `\n`. Each message
# looks the same.

# %% [markdown] tags=["hint"]
# One f-string per message: `f"<|im_start|>{role}\n{content}<|im_end|>\n"`. The opening of the
# assistant's turn comes once, at the very end.

# %% [markdown] tags=["hint"]
# Check each content for the two special tokens before you render it. At the end add
# `"<|im_start|>assistant\n"` if `add_generation_prompt`, and nothing otherwise.

# %% [markdown]
# ## 02.3 The labels of a conversation
#
# ●●○ · 20 minutes
#
# **Why it matters.** Labels decide what a model learns to say. If the user's words have labels, it
# learns to ask. If the end of the turn has none, it never stops.
#
# **Given** is a conversation in ChatML as token ids. A turn is `start`, a role, a newline, the
# content, `end`, a newline. In this exercise each role is one token.
#
# **Example.** 9 is the newline. The answer is 60, and it ends with 2.
#
# ```python
# >>> response_labels([1, 3, 9, 50, 2, 9, 1, 4, 9, 60, 2, 9], start=1, end=2, assistant=4)
# [-100, -100, -100, -100, -100, -100, -100, -100, -100, 60, 2, -100]
# ```


# %%
def response_labels(input_ids: list[int], start: int, end: int, assistant: int) -> list[int]:
    """The labels of a conversation: the token's id where it is trained, -100 elsewhere.

    Trained are the assistant's contents, in every turn, with the `end` that closes them. The turn's
    opening (start, role, newline) and the newline after `end` are not trained. The last turn may be
    cut off and have no `end`. The token `assistant` may also occur as a word inside a content.
    """
    ### BEGIN SOLUTION
    labels, inside = [], False
    for i, token in enumerate(input_ids):
        labels.append(token if inside else -100)
        if token == end:
            inside = False
        elif input_ids[i - 2 : i] == [start, assistant]:
            inside = True
    return labels
    ### END SOLUTION


# %%
ift.check(response_labels)

# %% [markdown] tags=["hint"]
# Go through the tokens from left to right. You only need to know one thing at every token: am I
# inside an answer?

# %% [markdown] tags=["hint"]
# An answer begins *after* the three tokens start, assistant, newline. It ends *with* the next
# `end`. First write the label of the token, then see whether the state changes.

# %% [markdown] tags=["hint"]
# `labels.append(token if inside else -100)`. Then: at `end`, `inside = False`. Else, if the two
# tokens before this one are `[start, assistant]`, this one is the newline, and `inside = True`.

# %% [markdown]
# ## 02.4 Collation
#
# ●○○ · 15 minutes
#
# **Why it matters.** A batch is a rectangle, and conversations are not. What fills the rest must
# neither be seen nor be trained. In many tokenizers the padding token is *also* the end token: if
# you mask every token with that id, the end is no longer in the training data.
#
# **Given** are rows of token ids with their labels.
#
# **Example.** A row of three tokens and a row of two.
#
# ```python
# >>> rows = [{"input_ids": [5, 6, 2], "labels": [-100, 6, 2]}]
# >>> rows.append({"input_ids": [7, 2], "labels": [-100, 2]})
# >>> collate(rows, pad_token_id=0)["labels"]
# tensor([[-100, 6, 2], [-100, 2, -100]])
# ```


# %%
def collate(
    rows: list[dict[str, list[int]]], pad_token_id: int, multiple_of: int = 1
) -> dict[str, torch.Tensor]:
    """Rows of different lengths as one batch, padded on the right.

    rows: {"input_ids": [...], "labels": [...]}, both of one length. The batch is as long as the
    longest row, rounded up to a multiple of `multiple_of` (GPUs like 8 or 64).

    Returns int64 tensors (rows, length): "input_ids" with pad_token_id on the padding, "labels"
    with -100, and "attention_mask", 1 on every token of a row and 0 on the padding. A token of a
    row is a token, also if its id is pad_token_id. Raises ValueError if there is no row.
    """
    ### BEGIN SOLUTION
    longest = max(len(row["input_ids"]) for row in rows)  # of no rows: a ValueError
    length = -(-longest // multiple_of) * multiple_of
    batch = {"input_ids": [], "labels": [], "attention_mask": []}
    for row in rows:
        missing = length - len(row["input_ids"])
        batch["input_ids"].append(row["input_ids"] + [pad_token_id] * missing)
        batch["labels"].append(row["labels"] + [-100] * missing)
        batch["attention_mask"].append([1] * len(row["input_ids"]) + [0] * missing)
    return {name: torch.tensor(values) for name, values in batch.items()}
    ### END SOLUTION


# %%
ift.check(collate)

# %% [markdown]
# What a model gets from your collation: three conversations of the course's world.

# %%
if ift.passed(collate):
    from ift_course.data.examples import to_records
    from ift_course.data.loss_mask import labels, render
    from ift_course.plots.loss_mask import show_batch
    from ift_course.world.tasks import sample

    _, tokenizer = ift.load("base")
    rendered = [render(tokenizer, x.messages) for x in to_records(sample(3, seed=4))]
    rows = [{"input_ids": ids, "labels": labels(ids, mask)} for ids, mask in rendered]
    display(show_batch(tokenizer, **collate(rows, tokenizer.pad_token_id, multiple_of=8)))

# %% [markdown] tags=["hint"]
# How many tokens are missing in a row? The three lists of that row all grow by as many, each with
# another filling.

# %% [markdown] tags=["hint"]
# The attention mask comes from the *length* of the row, not from comparing ids with
# `pad_token_id`. Rounding up: `-(-longest // multiple_of) * multiple_of`.

# %% [markdown] tags=["hint"]
# For each row, `missing = length - len(row["input_ids"])`; then
# `row["input_ids"] + [pad_token_id] * missing`, `row["labels"] + [-100] * missing` and
# `[1] * len(row["input_ids"]) + [0] * missing`.

# %% [markdown]
# ## 02.5 Best-fit packing
#
# ●●● · 40 minutes
#
# **Why it matters.** Padded batches of short examples are often half padding. Packing puts several
# examples into one sequence, which saves that time. It is right only if no example sees its
# neighbor.
#
# **Given** are examples as in 02.4 and the capacity of a packed sequence. Best-fit decreasing (Ding
# et al. 2024, arXiv:2404.10830): the longest example goes first, each into the fullest sequence
# that still has room for it.
#
# **Example.** Examples of 5, 3, 4, 2 and 2 tokens become sequences of 5 + 3 and 4 + 2 + 2.
#
# ```python
# >>> records = [{"input_ids": [n] * n, "labels": [n] * n} for n in (5, 3, 4, 2, 2)]
# >>> pack(records, capacity=8)[0]["position_ids"]
# [0, 1, 2, 3, 4, 0, 1, 2]
# >>> pack(records, capacity=8)[1]["labels"]
# [-100, 4, 4, 4, -100, 2, -100, 2]
# ```


# %%
def pack(rows: list[dict[str, list[int]]], capacity: int) -> list[dict[str, list[int]]]:
    """The examples in as few sequences of at most `capacity` tokens as best-fit decreasing finds.

    Examples are taken from the longest to the shortest, of equally long ones the earlier first.
    Each goes into the sequence with the least room that is enough, and of several such sequences
    into the one opened first. If none has room, a new one is opened at the end. An example stands
    behind those already in its sequence.

    A packed sequence has "input_ids", "labels" and "position_ids", lists of one length. Positions
    begin at 0 in every example. The first label of every example is -100: its first token would
    otherwise be predicted from the last one of its neighbor. The given rows are left as they are.

    Raises ValueError for an empty example and for one that is longer than the capacity.
    """
    ### BEGIN SOLUTION
    packed = []
    for row in sorted(rows, key=lambda row: -len(row["input_ids"])):
        length = len(row["input_ids"])
        if not 0 < length <= capacity:
            raise ValueError(f"an example of {length} tokens does not fit into {capacity}")
        fitting = [x for x in packed if len(x["input_ids"]) + length <= capacity]
        if fitting:
            target = max(fitting, key=lambda x: len(x["input_ids"]))
        else:
            target = {"input_ids": [], "labels": [], "position_ids": []}
            packed.append(target)
        target["input_ids"] += row["input_ids"]
        target["labels"] += [-100, *row["labels"][1:]]
        target["position_ids"] += range(length)
    return packed
    ### END SOLUTION


# %%
ift.check(pack)

# %% [markdown]
# Your packing at work. A line is a sequence, a letter an example, and a dot an empty place.

# %%
if ift.passed(pack):
    import random

    lengths = [random.Random(i).randint(4, 40) for i in range(20)]
    records = [{"input_ids": [i] * n, "labels": [i] * n} for i, n in enumerate(lengths)]
    packed = pack(records, 64)
    for row in packed:
        print("".join(chr(65 + i) for i in row["input_ids"]).ljust(64, "·"))
    padded, filled = max(lengths) * len(records), sum(lengths)
    print(f"\n{len(records)} padded rows of {max(lengths)} places: {filled / padded:.0%} filled")
    print(f"{len(packed)} packed sequences of 64 places: {filled / 64 / len(packed):.0%} filled")

# %% [markdown] tags=["hint"]
# Two questions are asked one after the other: where does an example go, and what is written there?
# Solve the first with lengths only, on the example. Python's `sorted` keeps equal ones in order.

# %% [markdown] tags=["hint"]
# Of the rows that have room, `max(..., key=...)` by the number of tokens is the fullest; and `max`
# takes the first of equal ones.

# %% [markdown] tags=["hint"]
# What is written for an example: its `input_ids`; `[-100] + labels[1:]`; `range(length)`. Append to
# lists that you made, never to those of the given rows.

# %% [markdown]
# ## 02.6 Finding the bug in a batch
#
# ●●○ · 25 minutes
#
# **Why it matters.** None of these faults raises an error, and with each of them the loss falls. A
# function like this one, called on the first batch of every training run, finds them in a
# millisecond.
#
# **Given** is a batch as lists: ids, labels (not shifted) and attention mask.
#
# **Example.** The end of turn, 2, is there and has no label.
#
# ```python
# >>> find_faults([[8, 9, 60, 2]], [[-100, -100, 60, -100]], [[1, 1, 1, 1]], end=2)
# ['end not trained']
# ```


# %%
def find_faults(
    input_ids: list[list[int]],
    labels: list[list[int]],
    attention_mask: list[list[int]],
    end: int,
) -> list[str]:
    """The names of the faults that at least one row of the batch has, in this order.

    - "padding trained": a place with attention 0 has a label.
    - "nothing trained": no place of the row has a label.
    - "prompt trained": the first place of the row has a label.
    - "end not trained": the row has labels, and `end` occurs in its ids after the first label,
      but `end` is none of its labels.
    - "labels shifted": a label is not the id at its own place.

    A place has a label if it is not -100. A batch without faults, or without rows, gives [].
    """
    ### BEGIN SOLUTION
    found = set()
    for ids, wanted, seen in zip(input_ids, labels, attention_mask, strict=True):
        trained = [i for i, label in enumerate(wanted) if label != -100]
        if any(not seen[i] for i in trained):
            found.add("padding trained")
        if not trained:
            found.add("nothing trained")
            continue
        if trained[0] == 0:
            found.add("prompt trained")
        if end in ids[trained[0] :] and end not in wanted:
            found.add("end not trained")
        if any(wanted[i] != ids[i] for i in trained):
            found.add("labels shifted")
    order = "padding trained, nothing trained, prompt trained, end not trained, labels shifted"
    return [name for name in order.split(", ") if name in found]
    ### END SOLUTION


# %%
ift.check(find_faults)

# %% [markdown]
# Four pipelines, as they are found in the wild. What does your function say of them?

# %%
if ift.passed(find_faults):
    ids, mask = [[1, 3, 50, 2, 4, 60, 61, 2, 0, 0]], [[1] * 8 + [0] * 2]
    pipelines = {
        "everything is copied": [ids[0][:8] + [-100] * 2],
        "padding is the end token, and hidden": [[-100] * 5 + [60, 61] + [-100] * 3],
        "shifted for a model that shifts": [[-100] * 4 + [60, 61, 2] + [-100] * 3],
        "the template marks no answer": [[-100] * 10],
    }
    for name, made in pipelines.items():
        print(f"{name:38} {find_faults(ids, made, mask, end=2)}")

# %% [markdown] tags=["hint"]
# Begin with the places that have a label, as a list for each row. Most faults are a question about
# that list.

# %% [markdown] tags=["hint"]
# Collect the names in a set, because two rows may have the same fault. At the end, go through the
# names in the order of the docstring and keep those that were found.

# %% [markdown] tags=["hint"]
# With `trained = [i for i, label in enumerate(wanted) if label != -100]`: nothing trained is
# `not trained`, prompt trained is `trained[0] == 0`, the end is looked for in
# `ids[trained[0]:]`, and shifted is `wanted[i] != ids[i]` for some i of `trained`.

# %% [markdown]
# ## 02.7 Rows that TRL trains as you mean them
#
# ●●○ · 25 minutes
#
# **Why it matters.** Given `messages`, TRL trains the user's words, too. `assistant_only_loss=True`
# needs a template that marks the answers, and many templates do not. Rows of `prompt` and
# `completion` work with every template: TRL then trains the completion only.
#
# **Given** is a conversation as a list of messages with role and content.
#
# **Example.** Two answers become two rows. The second prompt has the first answer in it.
#
# ```python
# >>> turns = ("user", "Hi."), ("assistant", "Hello!"), ("user", "Well?"), ("assistant", "Fine.")
# >>> rows = completion_rows([{"role": role, "content": text} for role, text in turns])
# >>> [len(row["prompt"]) for row in rows]
# [1, 3]
# >>> rows[1]["completion"]
# [{'role': 'assistant', 'content': 'Fine.'}]
# ```


# %%
def completion_rows(messages: list[dict[str, str]]) -> list[dict[str, list[dict[str, str]]]]:
    """The rows {"prompt", "completion"} of a conversation, one for each of its answers.

    The completion is a list of one message, the answer. The prompt is the list of all messages
    before it, earlier answers and the system turn included. Rows are in the order of the answers.

    - An answer with no user message anywhere before it gets no row.
    - An answer whose content is empty or only white space gets no row.
    - Both stay in the prompts of later answers. Contents are taken as they are.

    The messages are left as they are. Raises ValueError if any role is not system, user or
    assistant.
    """
    ### BEGIN SOLUTION
    roles = [message["role"] for message in messages]
    if not set(roles) <= {"system", "user", "assistant"}:
        raise ValueError(f"an unknown role among {sorted(set(roles))}")
    return [
        {"prompt": messages[:i], "completion": [message]}
        for i, message in enumerate(messages)
        if message["role"] == "assistant" and "user" in roles[:i] and message["content"].strip()
    ]
    ### END SOLUTION


# %%
ift.check(completion_rows)

# %% [markdown]
# Your rows in TRL's `SFTTrainer`, with a template that marks nothing. Change the settings and see
# what the held-out questions say. Which token of a completion is trained for nothing?

# %%
if ift.passed(completion_rows):
    import tempfile

    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_02.experiment import accuracy, ultrachat_rows

    model, tokenizer = ift.load("base")
    for mark in ("{% generation %}", "{% endgeneration %}"):
        tokenizer.chat_template = tokenizer.chat_template.replace(mark, "")
    chats = ultrachat_rows(seed=0, number=60)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            tempfile.mkdtemp(),
            learning_rate=2e-4,
            num_train_epochs=3,
            per_device_train_batch_size=16,
            use_cpu=True,
            bf16=False,
            activation_checkpointing=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(
            [row for chat in chats for row in completion_rows(chat["messages"])]
        ),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    before, number = accuracy(model, tokenizer, seed=0)
    trainer.train()
    del model.forward  # TRL replaces it with its own
    after, _ = accuracy(model, tokenizer, seed=0)
    print(f"{len(trainer.train_dataset)} rows; right of {number}: {before:.0%} → {after:.0%}")
    display(ift.show_batch(
        tokenizer,
        [row["input_ids"] for row in trainer.train_dataset.select(range(2))],
        [row["labels"] for row in trainer.train_dataset.select(range(2))],
    ))  # fmt: skip

# %% [markdown] tags=["hint"]
# For each answer you need two things: its place in the list, and whether it deserves a row. Begin
# with the place: `enumerate`.

# %% [markdown] tags=["hint"]
# The prompt of the answer at place `i` is `messages[:i]`, whatever it holds. Whether there is a
# question before it: look at the roles of that slice.

# %% [markdown] tags=["hint"]
# Check all roles first and raise. Then, for `role == "assistant"`, with "user" among the roles
# before it and a content that `.strip()` leaves non-empty, append
# `{"prompt": messages[:i], "completion": [message]}`.
