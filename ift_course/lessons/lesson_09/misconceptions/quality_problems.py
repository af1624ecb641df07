from ift_course.exercises.misconceptions import misconception, variants

ENDS = ".!?)\"'`"


def problems(instruction, response, *, strip=True, lower=True, only=True, **other):
    text = response.strip() if strip else response
    text = text.lower() if lower else text
    if only and not response.strip():
        return ["empty"]
    words = text.split()
    prompt = instruction.strip().lower() if lower else instruction.strip()
    rules = {
        "empty": not response.strip(),
        "echo": text == prompt,
        "cut off": text[-1:] not in ENDS,
        "repetitive": len(words) >= 10 and len(set(words)) < len(words) / 2,
        "refusal": text.startswith(("i'm sorry", "as an ai")),
    }
    rules |= {name.replace("_", " "): rule(text, words, prompt) for name, rule in other.items()}
    return [name for name, holds in rules.items() if holds]


wrong = variants(problems)

case_counts = wrong(
    "Your comparison is case-sensitive; convert everything to lowercase first.", lower=False
)
not_stripped = wrong(
    "Whitespace around the response is not removed, so a response that ends in a newline looks "
    "cut off; strip it first.",
    strip=False,
)
empty_and_more = wrong(
    "An empty response has no other problem; return as soon as you find it.",
    only=False,
    cut_off=lambda text, *_: text[-1:] == "" or text[-1] not in ENDS,
)
echo_by_containing = wrong(
    "You call any response that contains the instruction an echo; it must be equal.",
    echo=lambda text, words, prompt: prompt in text,
)
echo_if_part_of_the_instruction = wrong(
    "You call any response that is part of the instruction an echo; it must be equal.",
    echo=lambda text, words, prompt: text in prompt,
)
only_a_full_stop = wrong(
    "You accept only a period as the end of a response; use the whole list of characters.",
    cut_off=lambda text, *_: not text.endswith("."),
)
half_is_repetitive = wrong(
    "You call exactly half of the words repetitive; it must be fewer than half.",
    repetitive=lambda t, words, a: len(words) >= 10 and len({*words}) <= len(words) / 2,
)
short_ones_repetitive = wrong(
    "You call short responses repetitive; only those of at least 10 words can be.",
    repetitive=lambda t, words, a: len({*words}) < len(words) / 2,
)
ten_words_are_too_few = wrong(
    "You skip a response of exactly 10 words; at least 10 includes 10.",
    repetitive=lambda t, words, a: len(words) > 10 and len({*words}) < len(words) / 2,
)
refusal_anywhere = wrong(
    "You find a refusal anywhere in the response; it counts only at the beginning.",
    refusal=lambda text, *_: "i'm sorry" in text or "as an ai" in text,
)


@misconception("Only the first problem is returned; a response may have several.")
def only_the_first_problem(instruction, response):
    return problems(instruction, response)[:1]


@misconception("The problems are in alphabetical order; use the docstring's order.")
def sorted_names(instruction, response):
    return sorted(problems(instruction, response))
