from ift_course.exercises.misconceptions import misconception


def spans(ids, start, end, assistant):
    """(first content token, place behind the last trained one) of each answer."""
    for i in range(len(ids) - 2):
        if ids[i : i + 2] == [start, assistant]:
            stop = i + 3
            while stop < len(ids) and ids[stop] != end:
                stop += 1
            yield i + 3, min(stop + 1, len(ids))


def label(ids, places):
    chosen = set(places)
    return [token if i in chosen else -100 for i, token in enumerate(ids)]


@misconception(
    "The end of the turn is not trained, so the model never learns to stop; it belongs to the "
    "answer."
)
def end_not_trained(input_ids, start, end, assistant):
    places = [i for a, b in spans(input_ids, start, end, assistant) for i in range(a, b)]
    return label(input_ids, (i for i in places if input_ids[i] != end))


@misconception(
    "The opening of the assistant's turn is trained; it is written by us, so the answer begins "
    "after its newline."
)
def opening_trained(input_ids, start, end, assistant):
    found = spans(input_ids, start, end, assistant)
    return label(input_ids, (i for a, b in found for i in range(a - 3, b)))


@misconception("The newline of the turn's opening is trained; the mask begins one token too early.")
def one_too_early(input_ids, start, end, assistant):
    found = spans(input_ids, start, end, assistant)
    return label(input_ids, (i for a, b in found for i in range(a - 1, b)))


@misconception("The first token of every answer is not trained; the mask begins one too late.")
def one_too_late(input_ids, start, end, assistant):
    found = spans(input_ids, start, end, assistant)
    return label(input_ids, (i for a, b in found for i in range(a + 1, b)))


@misconception(
    "The newline after the end of the turn is trained; the template writes it, not the model."
)
def newline_after_the_end_trained(input_ids, start, end, assistant):
    found = spans(input_ids, start, end, assistant)
    return label(input_ids, (i for a, b in found for i in range(a, b + (input_ids[b - 1] == end))))


@misconception("Only the last answer is trained; a conversation may have many, and all count.")
def only_the_last_answer(input_ids, start, end, assistant):
    found = list(spans(input_ids, start, end, assistant))[-1:]
    return label(input_ids, (i for a, b in found for i in range(a, b)))


@misconception("Only the first answer is trained; a conversation may have many, and all count.")
def only_the_first_answer(input_ids, start, end, assistant):
    found = list(spans(input_ids, start, end, assistant))[:1]
    return label(input_ids, (i for a, b in found for i in range(a, b)))


@misconception("From the first answer on everything is trained, the user's later turns included.")
def everything_after_the_first_answer(input_ids, start, end, assistant):
    found = list(spans(input_ids, start, end, assistant))[:1]
    return label(input_ids, (i for a, _ in found for i in range(a, len(input_ids))))


@misconception(
    "The user's turns are trained as well; the model would learn to ask instead of to answer."
)
def every_turn_trained(input_ids, start, end, assistant):
    roles = {x for i, x in enumerate(input_ids[1:]) if input_ids[i] == start}
    return label(
        input_ids,
        (i for role in roles for a, b in spans(input_ids, start, end, role) for i in range(a, b)),
    )


@misconception(
    'The word "assistant" inside a message is taken for the opening of a turn; it is one only '
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
    "The labels are shifted already; `transformers` shifts them itself, so each label stands at"
    " its own token."
)
def shifted_already(input_ids, start, end, assistant):
    found = spans(input_ids, start, end, assistant)
    return label(input_ids, (i for a, b in found for i in range(a, b)))[1:] + [-100] * bool(
        input_ids
    )


@misconception("An answer without an end, because the row was cut off, is not trained at all.")
def cut_off_answer_left_out(input_ids, start, end, assistant):
    found = [x for x in spans(input_ids, start, end, assistant) if input_ids[x[1] - 1] == end]
    return label(input_ids, (i for a, b in found for i in range(a, b)))


@misconception(
    "This is a mask of 0 and 1; labels are the token's id where it is trained, else −100."
)
def mask_instead_of_labels(input_ids, start, end, assistant):
    chosen = {i for a, b in spans(input_ids, start, end, assistant) for i in range(a, b)}
    return [int(i in chosen) for i in range(len(input_ids))]
