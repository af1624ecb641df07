from ift_course.exercises.misconceptions import misconception, variants


def spans(ids, start, end, assistant):
    """(first content token, position after the last trained token) of each answer."""
    for i in range(len(ids) - 2):
        if ids[i : i + 2] == [start, assistant]:
            stop = i + 3
            while stop < len(ids) and ids[stop] != end:
                stop += 1
            yield i + 3, min(stop + 1, len(ids))


def label(ids, positions):
    chosen = set(positions)
    return [token if i in chosen else -100 for i, token in enumerate(ids)]


def label_answers(
    input_ids, start, end, assistant, *, first=0, choose=lambda spans: spans,
    stop=lambda ids, b: b, trained=lambda token, end: True,
):  # fmt: skip
    answers = choose(list(spans(input_ids, start, end, assistant)))
    positions = [i for a, b in answers for i in range(a + first, stop(input_ids, b))]
    return label(input_ids, [i for i in positions if trained(input_ids[i], end)])


wrong = variants(label_answers)

end_not_trained = wrong(
    "The end of the turn is not trained, so the model never learns to stop; the end belongs to "
    "the answer.",
    trained=lambda token, end: token != end,
)
opening_trained = wrong(
    "The opening of the assistant's turn is trained; the template writes it, so the answer begins "
    "after its newline.",
    first=-3,
)
one_too_early = wrong(
    "The newline of the turn's opening is trained; the mask begins one token too early.", first=-1
)
one_too_late = wrong(
    "The first token of every answer is not trained; the mask begins one too late.", first=1
)


@misconception(
    "The newline after the end of the turn is trained; the template writes it, not the model."
)
def newline_after_the_end_trained(input_ids, start, end, assistant):
    positions = [
        i
        for a, b in spans(input_ids, start, end, assistant)
        for i in range(a, b + (input_ids[b - 1] == end))
    ]
    return label(input_ids, positions)


only_the_last_answer = wrong(
    "Only the last answer is trained; a conversation may have many, and all of them count.",
    choose=lambda spans: spans[-1:],
)
only_the_first_answer = wrong(
    "Only the first answer is trained; a conversation may have many, and all of them count.",
    choose=lambda spans: spans[:1],
)
everything_after_the_first_answer = wrong(
    "Everything after the first answer is trained, including the user's later turns.",
    choose=lambda spans: spans[:1],
    stop=lambda ids, b: len(ids),
)


@misconception(
    "The user's turns are trained as well; the model would learn to ask instead of answer."
)
def every_turn_trained(input_ids, start, end, assistant):
    roles = {x for i, x in enumerate(input_ids[1:]) if input_ids[i] == start}
    return label(
        input_ids,
        (i for role in roles for a, b in spans(input_ids, start, end, role) for i in range(a, b)),
    )


@misconception(
    'The word "assistant" inside a message is taken for the opening of a turn; it opens one only '
    "right after `start`."
)
def word_taken_for_an_opening(input_ids, start, end, assistant):
    labels, inside = [], False
    for i, token in enumerate(input_ids):
        labels.append(token if inside else -100)
        if token == end:
            inside = False
        elif i and input_ids[i - 1] == assistant:
            inside = True
    return labels


@misconception(
    "The labels are already shifted; `transformers` shifts them itself, so each label belongs at "
    "its own token."
)
def shifted_already(input_ids, start, end, assistant):
    labels = label_answers(input_ids, start, end, assistant)
    return labels[1:] + [-100] * bool(labels)


@misconception(
    "An answer without an end token, because the row was cut off, is not trained at all; train it "
    "as far as it goes."
)
def cut_off_answer_left_out(input_ids, start, end, assistant):
    complete = [x for x in spans(input_ids, start, end, assistant) if input_ids[x[1] - 1] == end]
    return label(input_ids, (i for a, b in complete for i in range(a, b)))


@misconception(
    "This is a mask of 0 and 1; a label is the token's id where it is trained and −100 elsewhere."
)
def mask_instead_of_labels(input_ids, start, end, assistant):
    chosen = {i for a, b in spans(input_ids, start, end, assistant) for i in range(a, b)}
    return [int(i in chosen) for i in range(len(input_ids))]
