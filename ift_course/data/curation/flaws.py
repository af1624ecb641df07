"""Answers whose form alone shows that they are bad. No rule here knows whether an answer is true.

Each rule looks at one question and its answer. When in doubt, a rule lets a record pass, because a
good record that is thrown away is lost, while a bad one that stays is one of many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from ift_course.data.curation.texts import normalized, only_final_periods, words
from ift_course.data.records import Record

MAX_CHARACTERS = 10_000  # about 2,500 tokens; training truncates longer answers

Rule = Callable[[str, str], bool]  # (question, answer) -> whether the answer has the flaw


def format_flaws(record: Record, *, shortest: int = 1, longest: int = MAX_CHARACTERS) -> list[str]:
    """The names of the flaws in the form of a record's answers; [] if there are none.

    Args:
        record: the conversation.
        shortest: the shortest acceptable answer, in characters.
        longest: the longest acceptable answer, in characters.
    """
    exchanges = list(_exchanges(record))
    flaws = [name for name, rule in RULES.items() if any(rule(q, a) for q, a in exchanges)]
    lengths = [len(answer.strip()) for _, answer in exchanges] or [0]
    if 0 < min(lengths) < shortest:
        flaws.append("answer too short")
    if max(lengths) > longest:
        flaws.append("answer too long")
    return flaws


def _exchanges(record: Record) -> Iterator[tuple[str, str]]:
    """Each answer with the turn before it."""
    for before, turn in pairwise(record.turns):
        if turn.role == "assistant":
            yield before.content, turn.content


PLACEHOLDERS = {"", "<nooutput>", "<noinput>", "n/a", "nan", "no output", "-", "...", "…"}


def _is_empty(question: str, answer: str) -> bool:
    return normalized(answer) in PLACEHOLDERS


def _repeats_question(question: str, answer: str) -> bool:
    """The answer is the question, or its first line (the instruction without its input)."""
    questions = {normalized(question), normalized(question.split("\n")[0])}
    return normalized(answer) in questions and len(words(answer)) > 2


def _breaks_off(question: str, answer: str) -> bool:
    text = answer.rstrip()
    if text.count("```") % 2 or (text[:1] == '"' and text.count('"') % 2):
        return True
    if "```" in text:
        return False
    return text.endswith((",", "(", "[")) or _ends_mid_sentence(text)


# Characters. People omit the last full stop of a short answer, but a token limit cuts long ones.
LONG_ANSWER = 600
LINKING_WORDS = set("a an and as because but from if into nor of or than that the with".split())
# A complete sentence, and after it an incomplete one.
INCOMPLETE_SENTENCE = re.compile(r"\w{2,}[.!?][\"')]? [A-Z][^.!?\n]*[a-z]$")


def _ends_mid_sentence(text: str) -> bool:
    line = text.rsplit("\n", 1)[-1]
    if len(words(line)) < 4 or not line[-1].isalpha():
        return False
    if words(line)[-1] in LINKING_WORDS:
        return True
    return len(text) > LONG_ANSWER and bool(INCOMPLETE_SENTENCE.search(only_final_periods(line)))


REQUESTS_REPETITION = re.compile(r"\b(again|copies|repeat\w*|times|twice)\b", re.IGNORECASE)


def _repeats_itself(question: str, answer: str) -> bool:
    """The answer is one text twice, or a sequence of four words makes up a third of it."""
    answer_words = words(answer)
    n = len(answer_words)
    half = n // 2
    if REQUESTS_REPETITION.search(question):
        return False
    if half and n % 2 == 0 and answer_words[:half] == answer_words[half:]:
        return True
    four_grams = Counter(tuple(answer_words[i : i + 4]) for i in range(n - 3))
    if not four_grams:
        return False
    most_frequent = max(four_grams.values())
    return most_frequent >= 3 and most_frequent * 4 * 3 >= n


# Only after a letter, because "1. Chess 2. Go" is a list.
SENTENCE_END = re.compile(r"(?<=[^\W\d_][.!?]) +(?=[\"'A-Z])")
BACK_REFERENCES = set(
    "also another both but finally first he her here hers him his however i if it its me more my "
    "next one our second she so such that their them then there these they this those too us "
    "we you your".split()
)


def _rambles(question: str, answer: str) -> bool:
    """Most sentences after the first have no link to the text before them.

    In a coherent text, a sentence repeats a word or refers back (Halliday and Hasan 1976, *Cohesion
    in English*).
    """
    if "\n" in answer.strip():  # a list, a poem or a program does not consist of sentences
        return False
    first, *later = SENTENCE_END.split(only_final_periods(answer.strip()))
    earlier_stems = _stems(question) | _stems(first)
    n_unlinked = 0
    for sentence in later:
        stems = _stems(sentence)
        n_unlinked += not (stems & earlier_stems or BACK_REFERENCES.intersection(words(sentence)))
        earlier_stems |= stems
    return n_unlinked >= 2 and n_unlinked * 2 > len(later)


def _stems(text: str) -> set[str]:
    # The first five letters stand for a word and its forms: translate, translated, translation.
    return {word[:5] for word in words(text) if len(word) > 3}


def _is_wrapped(question: str, answer: str) -> bool:
    """The answer is wrapped in JSON or asterisks, although the question does not request it."""
    if re.search(r"json|asterisk|markdown|bold|format|[*{]", question, re.IGNORECASE):
        return False
    return bool(re.fullmatch(r"\{\s*\"\w+\":\s*\"[^\"]*\"\s*\}|\*{3,}.*\*{3,}", answer.strip()))


MISSING_INPUT = re.compile(r"[^:,\n.?!]*\bthe following( [\w-]+){1,3}[.?!]?")


def _lacks_input(question: str, answer: str) -> bool:
    """The question refers to a following text that is missing (Alpaca has such rows)."""
    return bool(MISSING_INPUT.fullmatch(question.strip()))


# UTF-8 that was read as Latin-1, and the replacement character for an unreadable byte.
GARBLED = re.compile("\ufffd|â€[\u0080-\u00ff™œ\u009d]|Ã[\u0080-\u00bf©¨]")


def _is_garbled(question: str, answer: str) -> bool:
    return bool(GARBLED.search(question) or GARBLED.search(answer))


RULES: dict[str, Rule] = {
    "empty answer": _is_empty,
    "answer repeats the question": _repeats_question,
    "answer breaks off": _breaks_off,
    "answer repeats itself": _repeats_itself,
    "answer rambles": _rambles,
    "answer wrapped in JSON or asterisks": _is_wrapped,
    "question lacks its input": _lacks_input,
    "garbled characters": _is_garbled,
}
