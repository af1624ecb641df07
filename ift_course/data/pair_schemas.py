"""Rows with a better and a worse response to one prompt, in the layouts of the published sets.

The prompt is in a column of its own, at the beginning of both responses, or in both places. As in
TRL's `extract_prompt`, what both responses share is the prompt. A row that can be read in two ways
is refused, because a wrong guess would train silently on a doubled or a wrong prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ift_course.data.fields import Fields, parse_json_text
from ift_course.data.records import BadRow, Record, Turn, Unpreferred, user_text
from ift_course.data.transcripts import HH, parse_transcript
from ift_course.data.turns import EMPTY_SYSTEM, leading_turns, parse_turns, prepend

Turns = tuple[Turn, ...]

# The columns that identify a pair; the narrower layouts come first.
PAIR_COLUMNS = (
    ("chosen", "rejected"),
    ("chosen_response", "rejected_response"),  # argilla
    ("response_j", "response_k"),  # stack-exchange-paired: j had more votes
    ("messages", "rejected_response"),  # ms-swift
    ("response_0", "response_1", "better_response_id"),  # PKU-SafeRLHF
    ("prompt", "answers"),  # Nectar: ranked answers
)
PROMPT_COLUMNS = ("prompt", "question", "instruction", "messages", "conversations")
TIE = '"chosen" and "rejected" are the same, so neither is preferred'


def read_preference(row: Fields) -> Record:
    """Read one row as a record whose last turn was preferred to the one in `rejected`.

    Raises:
        BadRow: the two do not answer one prompt, or the row can be read in two ways.
        Unpreferred: the responses are the same, or one of them is empty.
    """
    if "answers" in row and "chosen" not in row:
        return _read_ranked(row)
    chosen_name, rejected_name = _response_columns(row)
    if chosen_name == "messages":
        *earlier, last = parse_turns(row, chosen_name)
        rejected = _response_turns(row, rejected_name, ())
        return _make_record(row, prepend(leading_turns(row), earlier), (last,), rejected)
    prompt = _prompt_turns(row, chosen_name)
    if not prompt and _is_text(row, chosen_name) and _is_text(row, rejected_name):
        chosen, rejected = _split_common_prompt(
            _response_text(row, chosen_name), _response_text(row, rejected_name)
        )
    else:
        chosen = _response_turns(row, chosen_name, prompt)
        rejected = _response_turns(row, rejected_name, prompt)
    if _messages_repeat(row, chosen_name):
        row.mark_used("messages")
    return _make_record(row, prompt, chosen, rejected)


def _response_columns(row: Fields) -> tuple[str, str]:
    """The columns of the better and the worse response."""
    if "better_response_id" in row and "chosen" not in row:
        better = row.take("better_response_id")
        if better not in (0, 1, "0", "1"):
            raise BadRow('"better_response_id" should be 0 or 1')
        return f"response_{int(better)}", f"response_{1 - int(better)}"
    if "messages" in row and "rejected_response" in row and "chosen_response" not in row:
        return "messages", "rejected_response"
    for columns in PAIR_COLUMNS[:3]:
        if any(name in row for name in columns):
            for name in columns:
                if name not in row and not isinstance(row.peek(name), str):
                    raise BadRow(f'"{name}" is missing')
            return columns[0], columns[1]
    raise BadRow('"chosen" is missing')


def _read_ranked(row: Fields) -> Record:
    """Read Nectar: the best and the worst of several answers; those between are not used."""
    answers = parse_json_text(row.take("answers"))
    if not isinstance(answers, list) or len(answers) < 2:
        raise BadRow('"answers" should be a list of two or more')
    if not all(isinstance(a, Mapping) and isinstance(a.get("rank"), (int, float)) for a in answers):
        raise BadRow('"answers" should be objects with "answer" and "rank"')
    ordered = sorted(answers, key=lambda answer: answer["rank"])
    if len(ordered) > 2:
        row.mark_unused("answers between the best and the worst")
    best, worst = (
        Fields({"answer": item.get("answer")}, '"answers"') for item in (ordered[0], ordered[-1])
    )
    chosen, rejected = (
        (Turn("assistant", fields.text("answer").strip()),) for fields in (best, worst)
    )
    return _make_record(row, _prompt_turns(row, "answers"), chosen, rejected)


def _prompt_turns(row: Fields, chosen_name: str) -> Turns:
    """The prompt in columns of its own; empty if it is only part of the responses."""
    name = next((n for n in PROMPT_COLUMNS if n in row and n != chosen_name), None)
    head = leading_turns(row)
    if name is None or (name == "messages" and _messages_repeat(row, chosen_name)):
        return head
    if _is_text(row, name):
        question = user_text(row.text(name), row.optional_text("input", "context"))
        return prepend(head, parse_transcript(question, (HH,)) or (Turn("user", question),))
    return prepend(head, parse_turns(row, name))


def _messages_repeat(row: Fields, chosen_name: str) -> bool:
    """Whether "messages" repeats the chosen conversation, as in UltraFeedback."""
    if "messages" not in row:
        return False
    return parse_json_text(row.peek("messages")) == parse_json_text(row.peek(chosen_name))


def _is_text(row: Fields, name: str) -> bool:
    """Whether a column is a string, and not a list of messages in a cell of a CSV file."""
    value = row.peek(name)
    return isinstance(value, str) and not value.lstrip().startswith("[{")


def _response_text(row: Fields, name: str) -> str:
    value = row.peek(name)
    if isinstance(value, str) and not value.strip():
        row.mark_used(name)
        raise Unpreferred(f'"{name}" is empty')
    return row.text(name)


def _response_turns(row: Fields, name: str, prompt: Turns) -> Turns:
    """The turns of a response column, where a string is one turn of the assistant."""
    if not _is_text(row, name):
        return tuple(parse_turns(row, name))
    text = _response_text(row, name)
    turns = parse_transcript(text, (HH,))
    if turns:
        return turns
    question = prompt[-1].content if prompt else ""
    if len(question.split()) > 1 and text.startswith(question):
        raise BadRow(
            f'"{name}" begins with the prompt, so the prompt would be trained twice; remove it '
            "from there, or drop its column"
        )
    return (Turn("assistant", text),)


def _make_record(row: Fields, prompt: Turns, chosen: Turns, rejected: Turns) -> Record:
    for name, turns in (("chosen", chosen), ("rejected", rejected)):
        if not turns or turns[-1].role != "assistant":
            raise BadRow(f'"{name}" must end with the assistant, whose answers are compared')
    if _without_empty_system(chosen[:-1]) != _without_empty_system(rejected[:-1]):
        raise BadRow(
            '"chosen" and "rejected" differ before their last turn, so they answer different '
            "questions"
        )
    if any(_without_empty_system(turns) != turns for turns in (prompt, chosen, rejected)):
        row.repairs.append(EMPTY_SYSTEM)
    head = _merge_prompts(_without_empty_system(prompt), _without_empty_system(chosen[:-1]))
    if not any(turn.role == "user" for turn in head):
        raise BadRow('there is no prompt: add a column "prompt", or begin both responses with it')
    if head[-1].role not in ("user", "tool"):
        raise BadRow("the prompt must end with the user, whom both responses answer")
    if chosen[-1] == rejected[-1]:
        raise Unpreferred(TIE)
    return Record((*head, chosen[-1]), rejected=rejected[-1:])


def _without_empty_system(turns: Turns) -> Turns:
    # Empty system turns say nothing, and data sets differ in whether they write them.
    return tuple(turn for turn in turns if turn.role != "system" or turn.content.strip())


def _merge_prompts(column: Turns, shared: Turns) -> Turns:
    """Merge the prompt's column with the beginning that both responses share.

    Each turn is in the result once.
    """
    if not shared or not column:
        return column or shared
    system = _merge_system(column, shared)
    column, shared = (
        tuple(turn for turn in turns if turn.role != "system") for turns in (column, shared)
    )
    if not shared:
        return (*system, *column)
    # The column repeats the whole beginning, or the end of it, which is the last question.
    if len(column) <= len(shared) and (
        _equal_words(column, shared[len(shared) - len(column) :])
        or _equal_words(column, shared[: len(column)])
    ):
        return (*system, *shared)
    if column[-1].role == "assistant" and shared[0].role == "user":
        return (*system, *column, *shared)
    raise BadRow(
        'the prompt\'s column differs from the beginning of "chosen" and "rejected"; remove one '
        "of the two"
    )


def _merge_system(column: Turns, shared: Turns) -> Turns:
    texts = {turn.content.strip() for turn in (*column, *shared) if turn.role == "system"}
    if len(texts) > 1:
        raise BadRow("the prompt and the responses begin with different system turns")
    return tuple(Turn("system", text) for text in texts)


def _equal_words(a: Turns, b: Turns) -> bool:
    words = [[(turn.role, " ".join(turn.content.split())) for turn in turns] for turns in (a, b)]
    return words[0] == words[1]


def _split_common_prompt(chosen: str, rejected: str) -> tuple[Turns, Turns]:
    """The turns of two strings that begin with the same prompt."""
    transcripts = parse_transcript(chosen, (HH,)), parse_transcript(rejected, (HH,))
    if all(transcripts):
        return transcripts
    prompt = _common_prefix(chosen, rejected)
    if chosen.strip() == rejected.strip():
        raise Unpreferred(TIE)
    if not prompt.strip():
        raise BadRow(
            '"chosen" and "rejected" share no beginning, so the prompt is missing: add a column '
            '"prompt"'
        )
    if len(prompt.rstrip()) in (len(chosen.rstrip()), len(rejected.rstrip())):
        raise BadRow(
            "one response is only the beginning of the other, so the prompt cannot be separated "
            'from it: add a column "prompt"'
        )
    question = Turn("user", prompt.strip())
    chosen_turns, rejected_turns = (
        (question, Turn("assistant", text[len(prompt) :].strip())) for text in (chosen, rejected)
    )
    return chosen_turns, rejected_turns


def _common_prefix(a: str, b: str) -> str:
    """The common beginning up to its last whole word, because a response starts with a word."""
    pairs = enumerate(zip(a, b, strict=False))
    length = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    spaces = [match.end() for match in re.finditer(r"\s", a[:length])]
    return a[: spaces[-1]] if spaces else ""
