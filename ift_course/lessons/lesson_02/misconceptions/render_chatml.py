from ift_course.exercises.misconceptions import misconception, variants


def chatml(messages, opened=False, *, end="<|im_end|>\n", strip=False, checked=None, opening=None):
    text = ""
    for message in messages:
        for mark in ("<|im_start|>", "<|im_end|>") if checked is None else checked(message):
            if mark in message["content"]:
                raise ValueError
        content = message["content"].strip() if strip else message["content"]
        text += f"<|im_start|>{message['role']}\n{content}{end}"
    return text + (("<|im_start|>assistant\n" if opening is None else opening) if opened else "")


wrong = variants(chatml)

no_newline_after_the_end = wrong(
    "The newline after <|im_end|> is missing; a template must match to the character.",
    end="<|im_end|>",
)
newline_before_the_end = wrong(
    "There is a newline before <|im_end|>; the content ends right before it.", end="\n<|im_end|>\n"
)
opening_without_newline = wrong(
    "The assistant's turn is opened without its newline, so the model has to produce the newline "
    "itself, which it never did in training.",
    opening="<|im_start|>assistant",
)


@misconception("The assistant's turn is not opened, so the model may continue as the user.")
def turn_not_opened(messages, add_generation_prompt=False):
    return chatml(messages, False)


@misconception(
    "The assistant's turn is opened even when it was not requested; in training data that leaves "
    "an empty turn at the end."
)
def always_opened(messages, add_generation_prompt=False):
    return chatml(messages, True)


opened_turn_closed = wrong(
    "The assistant's turn is opened and closed; leave it open, because the model continues from "
    "there.",
    opening="<|im_start|>assistant\n<|im_end|>\n",
)
content_stripped = wrong(
    "Whitespace around a message's content is removed; a template takes the content as it is.",
    strip=True,
)
marks_accepted = wrong(
    "A message may contain the template's special tokens and so speak in the assistant's name; "
    "raise a ValueError.",
    checked=lambda message: (),
)
only_the_start_refused = wrong(
    "Only one of the two special tokens is checked for; a message may contain either.",
    checked=lambda message: ("<|im_start|>",),
)


@misconception("Only the user's messages are checked; an answer in a data set can be forged, too.")
def only_the_user_suspected(messages, add_generation_prompt=False):
    marks = ("<|im_start|>", "<|im_end|>")
    return chatml(
        messages,
        add_generation_prompt,
        checked=lambda message: marks if message["role"] == "user" else (),
    )
