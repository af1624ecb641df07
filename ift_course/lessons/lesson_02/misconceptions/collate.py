import torch

from ift_course.exercises.misconceptions import misconception


def batch(rows, pad, multiple, *, left=False, label=-100, mask=None, longest=None):
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
    return mask(made) if mask else made


@misconception(
    "The padding's labels are the padding token, so the model is trained to produce padding; they "
    "should be −100."
)
def padding_trained(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, multiple_of, label=pad_token_id)


@misconception("The padding's labels are 0, which is a token like any other; −100 is left out.")
def zero_labels_on_the_padding(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, multiple_of, label=0)


@misconception(
    "The attention mask is made by comparing ids with the padding token; a real end token with the "
    "same id is then hidden. Use the rows' lengths."
)
def attention_by_comparing_ids(rows, pad_token_id, multiple_of=1):
    def mask(made):
        return made | {"attention_mask": (made["input_ids"] != pad_token_id).long()}

    return batch(rows, pad_token_id, multiple_of, mask=mask)


@misconception(
    "Every label with the padding token's id is hidden, and with it a real end token; only places "
    "behind the row are padding."
)
def labels_hidden_by_comparing_ids(rows, pad_token_id, multiple_of=1):
    def mask(made):
        labels = made["labels"].clone()
        labels[made["input_ids"] == pad_token_id] = -100
        return made | {"labels": labels}

    return batch(rows, pad_token_id, multiple_of, mask=mask)


@misconception("The padding is on the left; that is for generating. For training it goes right.")
def padded_on_the_left(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, multiple_of, left=True)


@misconception(
    "A length that is a multiple already gets a whole block of padding more; round up only if "
    "needed."
)
def one_block_too_many(rows, pad_token_id, multiple_of=1):
    return batch(
        rows,
        pad_token_id,
        multiple_of,
        longest=lambda most, m: most if m == 1 else (most // m + 1) * m,
    )


@misconception("`multiple_of` is not used.")
def multiple_ignored(rows, pad_token_id, multiple_of=1):
    return batch(rows, pad_token_id, 1)


@misconception(
    "Everything is visible in the attention mask, the padding too; it should be 0 there."
)
def padding_visible(rows, pad_token_id, multiple_of=1):
    return batch(
        rows,
        pad_token_id,
        multiple_of,
        mask=lambda made: made | {"attention_mask": torch.ones_like(made["input_ids"])},
    )


@misconception("The attention mask is missing; without it the model reads the padding.")
def no_attention_mask(rows, pad_token_id, multiple_of=1):
    made = batch(rows, pad_token_id, multiple_of)
    return {name: made[name] for name in ("input_ids", "labels")}


@misconception("The rows are cut to the shortest; pad them to the longest instead.")
def cut_to_the_shortest(rows, pad_token_id, multiple_of=1):
    length = min((len(row["input_ids"]) for row in rows), default=0)
    cut = [{name: values[:length] for name, values in row.items()} for row in rows]
    return batch(cut, pad_token_id, multiple_of)


@misconception(
    "The caller's lists grow: `+=` and `extend` change the given rows, so make new lists with `+`."
)
def rows_changed(rows, pad_token_id, multiple_of=1):
    made = batch(rows, pad_token_id, multiple_of)
    for row, ids, labels in zip(rows, made["input_ids"], made["labels"], strict=True):
        row["input_ids"][:], row["labels"][:] = ids.tolist(), labels.tolist()
    return made
