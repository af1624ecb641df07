from ift_course.exercises.misconceptions import misconception, variants

ORDER = [
    "padding trained",
    "nothing trained",
    "prompt trained",
    "end not trained",
    "labels shifted",
]


def faults(input_ids, labels, attention_mask, end, **other):
    """The faults of each row, by rules that a misconception replaces.

    A rule takes a row's ids, labels and mask, the trained positions, and the end token.
    """
    rules = {
        "padding trained": lambda ids, labels, mask, trained, end: any(
            not mask[i] for i in trained
        ),
        "nothing trained": lambda ids, labels, mask, trained, end: not trained,
        "prompt trained": lambda ids, labels, mask, trained, end: trained[:1] == [0],
        "end not trained": lambda ids, labels, mask, trained, end: (
            trained and end in ids[trained[0] :] and end not in labels
        ),
        "labels shifted": lambda ids, labels, mask, trained, end: any(
            labels[i] != ids[i] for i in trained
        ),
    }
    rules |= {name.replace("_", " "): rule for name, rule in other.items()}
    for row in zip(input_ids, labels, attention_mask, strict=True):
        trained = [i for i, label in enumerate(row[1]) if label != -100]
        yield [name for name in ORDER if rules[name](*row, trained, end)]


def ordered(rows):
    names = {name for row in rows for name in row}
    return [name for name in ORDER if name in names]


def find(input_ids, labels, attention_mask, end, **other):
    return ordered(faults(input_ids, labels, attention_mask, end, **other))


@misconception("A fault is named once for every row that has it; name each fault only once.")
def named_for_every_row(input_ids, labels, attention_mask, end):
    names = [name for row in faults(input_ids, labels, attention_mask, end) for name in row]
    return sorted(names, key=ORDER.index)


@misconception("The faults are in the order in which they were found; use the docstring's order.")
def order_of_discovery(input_ids, labels, attention_mask, end):
    rows = faults(input_ids, labels, attention_mask, end)
    return list(dict.fromkeys(name for row in rows for name in row))


@misconception("Only the first row is checked, but a fault may be in any row.")
def only_the_first_row(input_ids, labels, attention_mask, end):
    return ordered(list(faults(input_ids, labels, attention_mask, end))[:1])


@misconception("A fault is named only when every row has it; one row is enough.")
def every_row_must_have_it(input_ids, labels, attention_mask, end):
    rows = list(faults(input_ids, labels, attention_mask, end))
    return [name for name in ORDER if rows and all(name in row for row in rows)]


wrong = variants(find)

missing_end_is_a_fault = wrong(
    "An answer that was cut off has no end in its ids, and you call that a fault; the end must be "
    "there to be trained.",
    end_not_trained=lambda ids, labels, mask, trained, end: trained and end not in labels,
)
end_of_the_prompt_counts = wrong(
    "An end token in the prompt is taken for the answer's; start at the first label.",
    end_not_trained=lambda ids, labels, mask, trained, end: (
        trained and end in ids and end not in labels
    ),
)
end_looked_for_in_the_last_place = wrong(
    "The end is expected at the very end of the row, but padding may follow it.",
    end_not_trained=lambda ids, labels, mask, trained, end: (
        trained and ids[-1] == end and labels[-1] != end
    ),
)
ignored_places_compared = wrong(
    "All labels are compared with their ids, including −100; where nothing is trained there is "
    "nothing to compare.",
    labels_shifted=lambda ids, labels, *_: ids != labels,
)
prompt_trained_only_if_everything_is = wrong(
    "A row counts as prompt-trained only when every position has a label; padding never has one, "
    "so look at the first position.",
    prompt_trained=lambda ids, labels, mask, trained, end: len(trained) == len(ids),
)


@misconception(
    "“Nothing trained” is found only when the whole batch has no label; a single row without "
    "labels is wasted, too."
)
def nothing_trained_in_the_whole_batch(input_ids, labels, attention_mask, end):
    names = find(input_ids, labels, attention_mask, end)
    trained = any(label != -100 for row in labels for label in row)
    return [name for name in names if not (trained and name == "nothing trained")]
