import re

from ift_course.exercises.misconceptions import misconception, variants


def padded(text):
    return " " + " ".join(re.findall(r"\w+", text.lower())) + " "


def within(text, part):
    return padded(part) in padded(text)


def verify(text, answers, forbidden, max_words, *, has=within, some=any, size=None, refuse=True):
    if refuse and not answers:
        raise ValueError
    fits = (size or (lambda text, limit: len(text.split()) <= limit))(text, max_words)
    return fits and some(has(text, x) for x in answers) and not any(has(text, x) for x in forbidden)


wrong = variants(verify)

parts_of_words = wrong(
    "You search for characters, so that “owl” is found in “growl”; compare whole words.",
    has=lambda text, part: part.lower() in text.lower(),
)
case_counts = wrong(
    "Your comparison is case-sensitive; convert everything to lowercase first.",
    has=lambda text, part: (
        " " + " ".join(re.findall(r"\w+", part)) + " "
        in " " + " ".join(re.findall(r"\w+", text)) + " "
    ),
)
words_in_any_order = wrong(
    "The words of an answer may stand anywhere in your version; they must be in a row.",
    has=lambda text, part: (
        set(re.findall(r"\w+", part.lower())) <= set(re.findall(r"\w+", text.lower()))
    ),
)
split_at_spaces = wrong(
    "Punctuation makes a difference in your version; take the words by `re.findall`.",
    has=lambda text, part: (
        " " + " ".join(part.lower().split()) + " " in " " + " ".join(text.lower().split()) + " "
    ),
)
all_answers = wrong("You require all answers; one of them is enough.", some=all)
limit_excluded = wrong(
    "You refuse a text of exactly `max_words` words; it may have that many.",
    size=lambda text, limit: len(text.split()) < limit,
)
limit_ignored = wrong(
    "The length is never checked; a text of more than `max_words` words is wrong.",
    size=lambda text, limit: True,
)
limit_in_characters = wrong(
    "The length is counted in characters; count words.",
    size=lambda text, limit: len(text) <= limit,
)
length_by_findall = wrong(
    "The length is counted by `re.findall`, so that “well-known” has two words; use `split()`.",
    size=lambda text, limit: len(re.findall(r"\w+", text)) <= limit,
)


@misconception("The forbidden texts are never looked for.")
def forbidden_ignored(text, answers, forbidden, max_words):
    return verify(text, answers, [], max_words)


@misconception("Without answers nothing can be right; raise a ValueError.")
def nothing_refused(text, answers, forbidden, max_words):
    return verify(text, answers, forbidden, max_words, refuse=False)
