from ift_course.exercises.misconceptions import misconception


def chatml(messages, opened, *, end="<|im_end|>\n", strip=False, checked=None, opening=None):
    text = ""
    for message in messages:
        for mark in ("<|im_start|>", "<|im_end|>") if checked is None else checked(message):
            if mark in message["content"]:
                raise ValueError
        content = message["content"].strip() if strip else message["content"]
        text += f"<|im_start|>{message['role']}\n{content}{end}"
    return text + (("<|im_start|>assistant\n" if opening is None else opening) if opened else "")


@misconception("The newline after <|im_end|> is missing; a template is exact to the letter.")
def no_newline_after_the_end(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, end="<|im_end|>")


@misconception("There is a newline before <|im_end|>; the content ends right before it.")
def newline_before_the_end(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, end="\n<|im_end|>\n")


@misconception(
    "The assistant's turn is opened without its newline; the model then has to produce the newline "
    "itself, which it never did in training."
)
def opening_without_newline(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, opening="<|im_start|>assistant")


@misconception("The assistant's turn is not opened, so the model may go on as the user.")
def turn_not_opened(messages, add_generation_prompt=False):
    return chatml(messages, False)


@misconception(
    "The assistant's turn is opened even when nobody asked for it; in training data that is an "
    "empty turn at the end."
)
def always_opened(messages, add_generation_prompt=False):
    return chatml(messages, True)


@misconception(
    "The assistant's turn is opened and closed; leave it open, for the model goes on from there."
)
def opened_turn_closed(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, opening="<|im_start|>assistant\n<|im_end|>\n")


@misconception("White space around a content is removed; a template takes the content as it is.")
def content_stripped(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, strip=True)


@misconception(
    "A message may contain the marks of the template, and so speak in the assistant's name; "
    "raise a ValueError."
)
def marks_accepted(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, checked=lambda message: ())


@misconception("Only one of the two marks is looked for; a message may contain either.")
def only_the_start_refused(messages, add_generation_prompt=False):
    return chatml(messages, add_generation_prompt, checked=lambda message: ("<|im_start|>",))


@misconception(
    "Only the user's messages are looked at; an answer in a data set can be forged, too."
)
def only_the_user_suspected(messages, add_generation_prompt=False):
    marks = ("<|im_start|>", "<|im_end|>")
    return chatml(
        messages,
        add_generation_prompt,
        checked=lambda message: marks if message["role"] == "user" else (),
    )
