from ift_course.exercises.misconceptions import misconception, variants

ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
}


def adapt(row, *, roles=ROLES, strip=True, lead=True, merge="\n\n", tail=True, unknown=None):
    messages = []
    for turn in row["conversations"]:
        if turn["from"] not in roles and unknown is None:
            raise ValueError
        role = roles.get(turn["from"], unknown)
        content = turn["value"].strip() if strip else turn["value"]
        has_question = any(x["role"] == "user" for x in messages) or role == "user"
        if not role or (lead and role == "assistant" and not has_question):
            continue
        if merge is not None and messages and messages[-1]["role"] == role:
            messages[-1]["content"] += merge + content
        else:
            messages.append({"role": role, "content": content})
    while tail and messages and messages[-1]["role"] != "assistant":
        messages.pop()
    return messages


wrong = variants(adapt)

first_answer_kept = wrong(
    "A conversation that begins with an answer was cut in two; leave out any answer before the "
    "first question.",
    lead=False,
)
unanswered_question_kept = wrong(
    "The conversation should end with an answer; leave out everything after the last one.",
    tail=False,
)


@misconception(
    "Only one message is removed from the end; continue until the last one is the assistant's or "
    "none is left."
)
def only_one_taken_from_the_end(row):
    messages = adapt(row, tail=False)
    return messages[:-1] if messages and messages[-1]["role"] != "assistant" else messages


neighbors_not_joined = wrong(
    "Two neighboring messages have the same role, which most templates refuse; join them.",
    merge=None,
)
joined_by_one_newline = wrong(
    "Neighbors are joined by one newline; an empty line between them takes two.", merge="\n"
)
not_stripped = wrong(
    "Whitespace around the values is kept; the model would learn to produce it.", strip=False
)
unknown_name_skipped = wrong(
    "An unknown name is silently skipped together with its message; raise a ValueError, so that "
    "somebody takes a look.",
    unknown=False,
)
unknown_name_is_the_user = wrong(
    "Every unknown name is treated as the user; raise a ValueError instead.", unknown="user"
)


@misconception(
    "The names of the data set are kept, but templates expect system, user, and assistant."
)
def names_not_changed(row):
    back = {"user": "human", "assistant": "gpt", "system": "system"}
    return [x | {"role": back[x["role"]]} for x in adapt(row)]


@misconception(
    "The values in the caller's row are changed; create new messages instead of editing the row."
)
def row_changed(row):
    messages = adapt(row)
    for turn in row["conversations"]:
        turn["value"] = turn["value"].strip()
    return messages


@misconception(
    "A row is cut only when its very first turn is an answer; a system message may come before it."
)
def only_the_first_turn_looked_at(row):
    turns = list(row["conversations"])
    while turns and turns[0]["from"] in ("gpt", "chatgpt"):
        turns.pop(0)
    known = {"conversations": turns}
    return adapt(known, lead=False) if any(ROLES.get(x["from"]) == "user" for x in turns) else []
