from ift_course.exercises.misconceptions import misconception, variants

ROLES = ("system", "user", "assistant")


def has_question(messages):
    return any(message["role"] == "user" for message in messages)


def split(
    messages,
    *,
    roles=ROLES,
    prompt=lambda messages, i: messages[:i],
    completion=lambda messages, i: [messages[i]],
    trained=lambda messages, i: has_question(messages[:i]) and messages[i]["content"].strip(),
):
    """One row for each answer, by rules that a misconception replaces."""
    if any(message["role"] not in roles for message in messages):
        raise ValueError
    return [
        {"prompt": prompt(messages, i), "completion": completion(messages, i)}
        for i, message in enumerate(messages)
        if message["role"] == "assistant" and trained(messages, i)
    ]


wrong = variants(split)

unknown_roles_accepted = wrong(
    "A role that the template does not know is accepted; TRL would train it as it stands, so "
    "refuse it.",
    roles=("system", "user", "assistant", "human", "tool"),
)
history_is_lost = wrong(
    "The prompt holds only the message before the answer; a later answer depends on everything "
    "before it.",
    prompt=lambda messages, i: messages[i - 1 : i],
)
earlier_answers_are_lost = wrong(
    "Earlier answers are missing from the prompts; in use, the model sees what it said before.",
    prompt=lambda messages, i: [x for x in messages[:i] if x["role"] != "assistant"],
)
system_turn_is_lost = wrong(
    "The system turn is missing from the prompts; keep every message before the answer.",
    prompt=lambda messages, i: [x for x in messages[:i] if x["role"] != "system"],
)
answer_in_the_prompt = wrong(
    "The answer stands in the prompt as well; the model would only have to copy it.",
    prompt=lambda messages, i: messages[: i + 1],
)
completion_goes_on = wrong(
    "The completion goes on after the answer, so the user's next words are trained, too.",
    completion=lambda messages, i: messages[i:],
)
completion_is_not_a_list = wrong(
    "The completion is a message, but TRL expects a list of messages, even for a single one.",
    completion=lambda messages, i: messages[i],
)
empty_answers_trained = wrong(
    "An empty answer gets a row; it would teach the model to say nothing.",
    trained=lambda messages, i: has_question(messages[:i]),
)
answers_without_a_question_trained = wrong(
    "An answer that stands before the first question gets a row; nothing in its prompt asks for "
    "it.",
    trained=lambda messages, i: messages[i]["content"].strip(),
)


@misconception("Only the last answer gets a row; every answer of a conversation can be trained.")
def only_the_last_answer(messages):
    return split(messages)[-1:]
