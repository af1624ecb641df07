import torch

from ift_course.exercises.misconceptions import misconception, variants


def batch(rows, pad, multiple=1, *, left=False, label=-100, mask=None, longest=None):
    if not rows:
        raise ValueError
    most = max(len(row["input_ids"]) for row in rows)
    length = longest(most, multiple) if longest else -(-most // multiple) * multiple
    made = {"input_ids": [], "labels": [], "attention_mask": []}
    for row in rows:
        ids = row["input_ids"]
        for name, values, fill in (
            ("input_ids", ids, pad),
            ("labels", row["labels"], label),
            ("attention_mask", [1] * len(ids), 0),
        ):
            empty = [fill] * (length - len(ids))
            made[name].append(empty + values if left else values + empty)
    made = {name: torch.tensor(values) for name, values in made.items()}
    return mask(made, pad) if mask else made


@misconception(
    "The padding's labels are the padding token, so the model is trained to produce padding; they "
    "should be −100."
)
def padding_trained(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, multiple_of, label=pad_token_id)


wrong = variants(batch)

zero_labels_on_the_padding = wrong(
    "The padding's labels are 0, which is a token like any other; use −100, which is ignored.",
    label=0,
)
attention_by_comparing_ids = wrong(
    "The attention mask compares ids with the padding token, which hides a real end token with "
    "the same id; use the rows' lengths.",
    mask=lambda made, pad: made | {"attention_mask": (made["input_ids"] != pad).long()},
)
labels_hidden_by_comparing_ids = wrong(
    "Every label with the padding token's id is hidden, including a real end token; only "
    "positions after the end of the row are padding.",
    mask=lambda made, pad: (
        made | {"labels": made["labels"].masked_fill(made["input_ids"] == pad, -100)}
    ),
)
padded_on_the_left = wrong(
    "The padding is on the left, as for generation; for training it goes on the right.", left=True
)
one_block_too_many = wrong(
    "A length that is already a multiple gets a whole block of extra padding; round up only if "
    "needed.",
    longest=lambda most, m: most if m == 1 else (most // m + 1) * m,
)


@misconception("`multiple_of` is not used.")
def multiple_ignored(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, 1)


padding_visible = wrong(
    "The attention mask is 1 everywhere, even on the padding; it should be 0 there.",
    mask=lambda made, _: made | {"attention_mask": torch.ones_like(made["input_ids"])},
)


@misconception("The attention mask is missing; without it the model attends to the padding.")
def no_attention_mask(rows, pad_token_id, multiple_of=1):
    made = batch(rows, pad_token_id, multiple_of)
    return {name: made[name] for name in ("input_ids", "labels")}


@misconception("The rows are cut to the shortest one; pad them to the longest instead.")
def cut_to_the_shortest(rows, pad_token_id, multiple_of=1):
    length = min((len(row["input_ids"]) for row in rows), default=0)
    cut = [{name: values[:length] for name, values in row.items()} for row in rows]
    return batch(cut, pad_token_id, multiple_of)


@misconception(
    "The caller's lists grow, because `+=` and `extend` change them; create new lists with `+`."
)
def rows_changed(rows, pad_token_id, multiple_of=1):
    made = batch(rows, pad_token_id, multiple_of)
    for row, ids, labels in zip(rows, made["input_ids"], made["labels"], strict=True):
        row["input_ids"][:], row["labels"][:] = ids.tolist(), labels.tolist()
    return made
