"""Answers whose form alone gives them away. Whether an answer is true, no rule here can know.

Each rule looks at one question and its answer, and is meant to be wrong rather by silence: a good
record that is thrown away is lost, a bad one that stays is one of many.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from ift_course.data.curation.texts import normalized, words
from ift_course.data.records import Record

LONGEST = 10_000  # characters, about 2,500 tokens: what a tuning run cuts off is not learned

Rule = Callable[[str, str], bool]  # (question, answer) -> has the flaw


def format_flaws(record: Record, *, shortest: int = 1, longest: int = LONGEST) -> list[str]:
    """The names of what is wrong with the form of a record's answers; [] if nothing is.

    shortest, longest: how many characters an answer may have.
    """
    exchanges = list(_exchanges(record))
    found = [name for name, rule in RULES.items() if any(rule(q, a) for q, a in exchanges)]
    lengths = [len(a.strip()) for _, a in exchanges] or [0]
    if 0 < min(lengths) < shortest:
        found.append("answer too short")
    if max(lengths) > longest:
        found.append("answer too long")
    return found


def _exchanges(record: Record) -> Iterator[tuple[str, str]]:
    """Each answer with the turn before it."""
    for before, turn in pairwise(record.turns):
        if turn.role == "assistant":
            yield before.content, turn.content


PLACEHOLDERS = {"", "<nooutput>", "<noinput>", "n/a", "nan", "no output", "-", "...", "…"}


def _empty(question: str, answer: str) -> bool:
    return normalized(answer) in PLACEHOLDERS


def _echoes(question: str, answer: str) -> bool:
    """The answer is the question, or its first line (the instruction without its input)."""
    asked = {normalized(question), normalized(question.split("\n")[0])}
    return normalized(answer) in asked and len(words(answer)) > 2


def _breaks_off(question: str, answer: str) -> bool:
    text = answer.rstrip()
    if text.count("```") % 2 or (text[:1] == '"' and text.count('"') % 2):
        return True
    if "```" in text:
        return False
    return text.endswith((",", "(", "[")) or _ends_mid_sentence(text)


CUT = 600  # characters; people leave out a last full stop, a token limit cuts what is long
LINKING = set("a an and as because but from if into nor of or than that the with".split())
# A sentence that ended, and after it words that do not end.
UNENDED = re.compile(r"\w{2,}[.!?][\"')]? [A-Z][^.!?\n]*[a-z]$")


def _ends_mid_sentence(text: str) -> bool:
    line = text.rsplit("\n", 1)[-1]
    if len(words(line)) < 4 or not line[-1].isalpha():
        return False
    return words(line)[-1] in LINKING or (len(text) > CUT and bool(UNENDED.search(line)))


ASKS_FOR_REPEATS = re.compile(r"\b(again|copies|repeat\w*|times|twice)\b", re.IGNORECASE)


def _repeats_itself(question: str, answer: str) -> bool:
    """The whole answer twice, or one run of four words that makes up a third of it."""
    said = words(answer)
    half = len(said) // 2
    if ASKS_FOR_REPEATS.search(question):
        return False
    if half and len(said) % 2 == 0 and said[:half] == said[half:]:
        return True
    runs = Counter(tuple(said[i : i + 4]) for i in range(len(said) - 3))
    return bool(runs) and (often := max(runs.values())) >= 3 and often * 4 * 3 >= len(said)


# After a letter: "1. Chess 2. Go" are no sentences.
SENTENCE_END = re.compile(r"(?<=[^\W\d_][.!?]) +(?=[\"'A-Z])")
POINTS_BACK = set(
    "also another both but finally first he her here hers him his however i if it its me more my "
    "next one our second she so such that their them then there these they this those too us "
    "we you your".split()
)


def _rambles(question: str, answer: str) -> bool:
    """Most of what follows the first sentence is linked to nothing that was said before.

    Cohesion in English (Halliday and Hasan 1976): a sentence takes up a word or points back.
    """
    if "\n" in answer.strip():  # a list, a poem, a program: made of other things than sentences
        return False
    first, *later = SENTENCE_END.split(answer.strip())
    known = _stems(question) | _stems(first)
    loose = 0
    for sentence in later:
        stems = _stems(sentence)
        loose += not (stems & known or POINTS_BACK.intersection(words(sentence)))
        known |= stems
    return loose >= 2 and loose * 2 > len(later)


def _stems(text: str) -> set[str]:
    # The first five letters stand for a word and its forms: translate, translated, translation.
    return {word[:5] for word in words(text) if len(word) > 3}


def _wrapped(question: str, answer: str) -> bool:
    """One pair of JSON or rows of asterisks around it, and the question says nothing of a form."""
    if re.search(r"json|asterisk|markdown|bold|format|[*{]", question, re.IGNORECASE):
        return False
    return bool(re.fullmatch(r"\{\s*\"\w+\":\s*\"[^\"]*\"\s*\}|\*{3,}.*\*{3,}", answer.strip()))


MISSING = re.compile(r"[^:,\n.?!]*\bthe following( [\w-]+){1,3}[.?!]?")


def _lacks_input(question: str, answer: str) -> bool:
    """The question speaks of something that follows, and nothing follows (Alpaca has such rows)."""
    return bool(MISSING.fullmatch(question.strip()))


# What UTF-8 becomes when it is read as Latin-1, and the sign for a byte that could not be read.
GARBLED = re.compile("\ufffd|â€[\u0080-\u00ff™œ\u009d]|Ã[\u0080-\u00bf©¨]")


def _garbled(question: str, answer: str) -> bool:
    return bool(GARBLED.search(question) or GARBLED.search(answer))


RULES: dict[str, Rule] = {
    "empty answer": _empty,
    "answer says the question back": _echoes,
    "answer breaks off": _breaks_off,
    "answer repeats itself": _repeats_itself,
    "answer rambles on": _rambles,
    "answer wrapped in marks": _wrapped,
    "question lacks its input": _lacks_input,
    "broken characters": _garbled,
}
