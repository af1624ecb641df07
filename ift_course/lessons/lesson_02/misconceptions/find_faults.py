from ift_course.exercises.misconceptions import misconception

ORDER = [
    "padding trained",
    "nothing trained",
    "prompt trained",
    "end not trained",
    "labels shifted",
]


def faults(input_ids, labels, attention_mask, end, **other):
    """The faults of each row, by functions that a misconception replaces."""
    rules = {
        "padding trained": lambda ids, wanted, seen, on: any(not seen[i] for i in on),
        "nothing trained": lambda ids, wanted, seen, on: not on,
        "prompt trained": lambda ids, wanted, seen, on: on[:1] == [0],
        "end not trained": lambda ids, wanted, seen, on: (
            on and end in ids[on[0] :] and end not in wanted
        ),
        "labels shifted": lambda ids, wanted, seen, on: any(wanted[i] != ids[i] for i in on),
    }
    rules |= {name.replace("_", " "): rule for name, rule in other.items()}
    for ids, wanted, seen in zip(input_ids, labels, attention_mask, strict=True):
        on = [i for i, label in enumerate(wanted) if label != -100]
        yield [name for name in ORDER if rules[name](ids, wanted, seen, on)]


def ordered(found):
    there = {name for row in found for name in row}
    return [name for name in ORDER if name in there]


@misconception("A fault is named once for every row that has it; name each only once.")
def named_for_every_row(input_ids, labels, attention_mask, end):
    found = [name for row in faults(input_ids, labels, attention_mask, end) for name in row]
    return sorted(found, key=ORDER.index)


@misconception("The faults come in the order in which they were met; use the docstring's order.")
def order_of_discovery(input_ids, labels, attention_mask, end):
    found = faults(input_ids, labels, attention_mask, end)
    return list(dict.fromkeys(name for row in found for name in row))


@misconception("Only the first row is looked at; a fault may be in any row.")
def only_the_first_row(input_ids, labels, attention_mask, end):
    return ordered(list(faults(input_ids, labels, attention_mask, end))[:1])


@misconception("A fault is only named when every row has it; one row is enough.")
def every_row_must_have_it(input_ids, labels, attention_mask, end):
    found = list(faults(input_ids, labels, attention_mask, end))
    return [name for name in ORDER if found and all(name in row for row in found)]


@misconception(
    "An answer without an end in its ids, because it was cut off, is called a fault; the end must "
    "be there to be trained."
)
def missing_end_is_a_fault(input_ids, labels, attention_mask, end):
    return ordered(
        faults(
            input_ids,
            labels,
            attention_mask,
            end,
            end_not_trained=lambda ids, wanted, seen, on: on and end not in wanted,
        )
    )


@misconception(
    "An end in the prompt is taken for the answer's; look for it from the first label on."
)
def end_of_the_prompt_counts(input_ids, labels, attention_mask, end):
    def rule(ids, wanted, seen, on):
        return on and end in ids and end not in wanted

    return ordered(faults(input_ids, labels, attention_mask, end, end_not_trained=rule))


@misconception("The end is only looked for at the end of the row; there is padding behind it.")
def end_looked_for_in_the_last_place(input_ids, labels, attention_mask, end):
    def rule(ids, wanted, seen, on):
        return on and ids[-1] == end and wanted[-1] != end

    return ordered(faults(input_ids, labels, attention_mask, end, end_not_trained=rule))


@misconception(
    "All labels are compared with their ids, −100 too; where nothing is trained there is "
    "nothing to compare."
)
def ignored_places_compared(input_ids, labels, attention_mask, end):
    def rule(ids, wanted, seen, on):
        return any(a != b for a, b in zip(ids, wanted, strict=True))

    return ordered(faults(input_ids, labels, attention_mask, end, labels_shifted=rule))


@misconception(
    "A row is only called prompt-trained when every place has a label; padding never has one, so "
    "look at the first place."
)
def prompt_trained_only_if_everything_is(input_ids, labels, attention_mask, end):
    return ordered(
        faults(
            input_ids,
            labels,
            attention_mask,
            end,
            prompt_trained=lambda ids, wanted, seen, on: len(on) == len(ids),
        )
    )


@misconception(
    "“Nothing trained” is only found when the whole batch has no label; a single row without one "
    "is lost as well."
)
def nothing_trained_in_the_whole_batch(input_ids, labels, attention_mask, end):
    found = set(ordered(faults(input_ids, labels, attention_mask, end)))
    if any(label != -100 for row in labels for label in row):
        found.discard("nothing trained")
    return [name for name in ORDER if name in found]
