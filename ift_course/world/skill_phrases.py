"""Phrases for the results of skills, as people in the corpus look for them."""

from __future__ import annotations

# Phrases for the result of a skill; `{i}` is the input of the case.
RESULTS = {
    "add": ("the sum of {i}", "how much {i} are together"),
    "subtract": ("the result of {i}", "how much {i} is", "the difference {i}"),
    "double": ("the double of {i}", "how much two times {i} is"),
    "larger": ("the larger of {i}", "the greater number of {i}"),
    "number_after": ("the number after {i}", "the number that comes after {i}"),
    "number_before": ("the number before {i}", "the number that comes before {i}"),
    "series": ("the next number in the series {i}", "how the series {i} goes on"),
    "list_first": ("the first word of {i}", "the first word of the list {i}"),
    "list_second": ("the second word of {i}", "the second word of the list {i}"),
    "list_last": ("the last word of {i}", "the last word of the list {i}"),
    "list_count": ("the number of words in {i}", "how many words are in the list {i}"),
    "list_reverse": ("the list {i} in reverse order", "the words {i} backwards"),
    "list_join": ("the words {i} with the word and", "the list {i} with the word and"),
    "odd_one_out": ("the odd one out of {i}", "which of {i} does not belong with the others"),
    "capital_letters": ("the word {i} in capital letters",),
    "twice": ("the word {i} twice", "the word {i} two times"),
    "quotation_marks": ("the word {i} in quotation marks",),
    "bullets": ("the words {i} as a list with dashes",),
}
