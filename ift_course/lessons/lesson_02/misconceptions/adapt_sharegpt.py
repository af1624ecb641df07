from ift_course.exercises.misconceptions import misconception

ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
}


def adapt(row, *, roles=ROLES, strip=True, lead=True, merge="\n\n", tail=True, unknown=None):
    messages = []
    for said in row["conversations"]:
        if said["from"] not in roles and unknown is None:
            raise ValueError
        role = roles.get(said["from"], unknown)
        content = said["value"].strip() if strip else said["value"]
        asked = any(x["role"] == "user" for x in messages) or role == "user"
        if not role or (lead and role == "assistant" and not asked):
            continue
        if merge is not None and messages and messages[-1]["role"] == role:
            messages[-1]["content"] += merge + content
        else:
            messages.append({"role": role, "content": content})
    while tail and messages and messages[-1]["role"] != "assistant":
        messages.pop()
    return messages


@misconception(
    "A conversation that begins with an answer was cut in two; an answer before any question is to "
    "be left out."
)
def first_answer_kept(row):
    return adapt(row, lead=False)


@misconception("The conversation should end with an answer; leave out what follows the last one.")
def unanswered_question_kept(row):
    return adapt(row, tail=False)


@misconception(
    "Only one message is taken from the end; go on until the last one is the assistant's, or none "
    "is left."
)
def only_one_taken_from_the_end(row):
    messages = adapt(row, tail=False)
    return messages[:-1] if messages and messages[-1]["role"] != "assistant" else messages


@misconception(
    "Two messages of the same role stand side by side, which most templates refuse; join them."
)
def neighbors_not_joined(row):
    return adapt(row, merge=None)


@misconception("Neighbors are joined by one newline; an empty line between them takes two.")
def joined_by_one_newline(row):
    return adapt(row, merge="\n")


@misconception("White space around the values is kept; the model would learn to produce it.")
def not_stripped(row):
    return adapt(row, strip=False)


@misconception(
    "An unknown name is passed over in silence, and with it whatever was said; raise a ValueError, "
    "so that somebody looks."
)
def unknown_name_skipped(row):
    return adapt(row, unknown=False)


@misconception("Whoever is not known is taken for the user; raise a ValueError instead.")
def unknown_name_is_the_user(row):
    return adapt(row, unknown="user")


@misconception("The names of the data set are kept; templates know system, user and assistant.")
def names_not_changed(row):
    back = {"user": "human", "assistant": "gpt", "system": "system"}
    return [x | {"role": back[x["role"]]} for x in adapt(row)]


@misconception(
    "The values in the caller's row are changed; make new messages instead of editing the given "
    "ones."
)
def row_changed(row):
    messages = adapt(row)
    for said in row["conversations"]:
        said["value"] = said["value"].strip()
    return messages


@misconception(
    "A row is only cut when its very first turn is an answer; a system message may stand before it."
)
def only_the_first_turn_looked_at(row):
    turns = list(row["conversations"])
    while turns and turns[0]["from"] in ("gpt", "chatgpt"):
        turns.pop(0)
    known = {"conversations": turns}
    return adapt(known, lead=False) if any(ROLES.get(x["from"]) == "user" for x in turns) else []
