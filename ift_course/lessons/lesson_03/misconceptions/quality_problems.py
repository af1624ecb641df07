from ift_course.exercises.misconceptions import misconception

ENDS = ".!?)\"'`"


def problems(instruction, response, *, strip=True, lower=True, only=True, **other):
    text = response.strip() if strip else response
    text = text.lower() if lower else text
    if only and not response.strip():
        return ["empty"]
    words = text.split()
    asked = instruction.strip().lower() if lower else instruction.strip()
    rules = {
        "empty": not response.strip(),
        "echo": text == asked,
        "cut off": text[-1:] not in ENDS,
        "repetitive": len(words) >= 10 and len(set(words)) < len(words) / 2,
        "refusal": text.startswith(("i'm sorry", "as an ai")),
    }
    rules |= {name.replace("_", " "): rule(text, words, asked) for name, rule in other.items()}
    return [name for name, found in rules.items() if found]


@misconception("Case counts for you; compare everything in small letters.")
def case_counts(instruction, response):
    return problems(instruction, response, lower=False)


@misconception(
    "White space around the response is looked at, so one that ends in a newline seems cut off; "
    "strip it first."
)
def not_stripped(instruction, response):
    return problems(instruction, response, strip=False)


@misconception("An empty response has no other problem; return as soon as you know.")
def empty_and_more(instruction, response):
    return problems(
        instruction,
        response,
        only=False,
        cut_off=lambda text, *_: text[-1:] == "" or text[-1] not in ENDS,
    )


@misconception("Any response that contains the instruction is an echo for you; it must be equal.")
def echo_by_containing(instruction, response):
    return problems(instruction, response, echo=lambda text, words, asked: asked in text)


@misconception("Any response that is part of the instruction is an echo for you; it must be equal.")
def echo_if_part_of_the_instruction(instruction, response):
    return problems(instruction, response, echo=lambda text, words, asked: text in asked)


@misconception("Only a full stop ends a response for you; look at the whole list of signs.")
def only_a_full_stop(instruction, response):
    return problems(instruction, response, cut_off=lambda text, *_: not text.endswith("."))


@misconception("Exactly half of the words are called repetitive; it must be fewer than half.")
def half_is_repetitive(instruction, response):
    return problems(
        instruction,
        response,
        repetitive=lambda t, words, a: len(words) >= 10 and len({*words}) <= len(words) / 2,
    )


@misconception("Short responses are called repetitive; only those of at least 10 words can be.")
def short_ones_repetitive(instruction, response):
    return problems(
        instruction, response, repetitive=lambda t, words, a: len({*words}) < len(words) / 2
    )


@misconception("A response of exactly 10 words is not looked at; at least 10 includes 10.")
def ten_words_are_too_few(instruction, response):
    return problems(
        instruction,
        response,
        repetitive=lambda t, words, a: len(words) > 10 and len({*words}) < len(words) / 2,
    )


@misconception("A refusal is found anywhere in the response; it is one only at the beginning.")
def refusal_anywhere(instruction, response):
    return problems(
        instruction, response, refusal=lambda text, *_: "i'm sorry" in text or "as an ai" in text
    )


@misconception("Only the first problem is returned; a response may have several.")
def only_the_first_problem(instruction, response):
    return problems(instruction, response)[:1]


@misconception("The problems come in alphabetical order; the docstring has another one.")
def sorted_names(instruction, response):
    return sorted(problems(instruction, response))
