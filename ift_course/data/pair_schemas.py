"""Rows with a better and a worse response to one prompt, in the layouts of the published sets.

The prompt stands in a column of its own, or at the beginning of both responses, or in both places.
As in TRL's `extract_prompt`, what both responses share is the prompt, once. Where a row can be read
in two ways it is refused: a guess would train on a doubled or a wrong prompt without a word.
"""

import re
from collections.abc import Mapping

from ift_course.data import turns as parse
from ift_course.data.fields import Fields, parsed
from ift_course.data.records import BadRow, Record, Turn, Unpreferred, user_text
from ift_course.data.transcripts import HH, transcript

Turns = tuple[Turn, ...]

# Columns that tell of a pair; the narrower ones first.
PAIRED = (
    ("chosen", "rejected"),
    ("chosen_response", "rejected_response"),  # argilla
    ("response_j", "response_k"),  # stack-exchange-paired: j was voted up more
    ("messages", "rejected_response"),  # ms-swift
    ("response_0", "response_1", "better_response_id"),  # PKU-SafeRLHF
    ("prompt", "answers"),  # Nectar: ranked answers
)
PROMPTS = ("prompt", "question", "instruction", "messages", "conversations")
TIE = '"chosen" and "rejected" are the same, so neither is preferred'


def read_preference(row: Fields) -> Record:
    """One row as a record whose last turn was preferred to the one in `rejected`.

    Raises:
        BadRow: the two do not answer one prompt, or the row can be read in two ways.
        Unpreferred: the responses are the same, or one of them is empty.
    """
    if "answers" in row and "chosen" not in row:
        return _ranked(row)
    chosen_name, rejected_name = _columns(row)
    if chosen_name == "messages":
        *earlier, last = parse.turns_of(row, chosen_name)
        rejected = _response_turns(row, rejected_name, ())
        return _record(row, parse.behind(parse.head_of(row), earlier), (last,), rejected)
    prompt = _prompt(row, chosen_name)
    if not prompt and _is_text(row, chosen_name) and _is_text(row, rejected_name):
        better, worse = _response(row, chosen_name), _response(row, rejected_name)
        chosen, rejected = _split_strings(better, worse)
    else:
        chosen = _response_turns(row, chosen_name, prompt)
        rejected = _response_turns(row, rejected_name, prompt)
    if _repeats_chosen(row, chosen_name):
        row.use("messages")
    return _record(row, prompt, chosen, rejected)


def _columns(row: Fields) -> tuple[str, str]:
    if "better_response_id" in row and "chosen" not in row:
        better = row.take("better_response_id")
        if better not in (0, 1, "0", "1"):
            raise BadRow('"better_response_id" should be 0 or 1')
        return f"response_{int(better)}", f"response_{1 - int(better)}"
    if "messages" in row and "rejected_response" in row and "chosen_response" not in row:
        return "messages", "rejected_response"
    for columns in PAIRED[:3]:
        if any(name in row for name in columns):
            for name in columns:
                if name not in row and not isinstance(row.peek(name), str):
                    raise BadRow(f'"{name}" is missing')
            return columns[0], columns[1]
    raise BadRow('"chosen" is missing')


def _ranked(row: Fields) -> Record:
    """Nectar: the best and the worst of several answers; those between are not used."""
    answers = parsed(row.take("answers"))
    if not isinstance(answers, list) or len(answers) < 2:
        raise BadRow('"answers" should be a list of two or more')
    if not all(isinstance(a, Mapping) and isinstance(a.get("rank"), (int, float)) for a in answers):
        raise BadRow('"answers" should be objects with "answer" and "rank"')
    ordered = sorted(answers, key=lambda answer: answer["rank"])
    if len(ordered) > 2:
        row.leave_out("answers between the best and the worst")
    ends = [Fields({"answer": a.get("answer")}, '"answers"') for a in (ordered[0], ordered[-1])]
    chosen, rejected = ((Turn("assistant", end.text("answer").strip()),) for end in ends)
    return _record(row, _prompt(row, "answers"), chosen, rejected)


def _prompt(row: Fields, chosen_name: str) -> Turns:
    name = next((n for n in PROMPTS if n in row and n != chosen_name), None)
    head = parse.head_of(row)
    if name is None or (name == "messages" and _repeats_chosen(row, chosen_name)):
        return head
    if _is_text(row, name):
        question = user_text(row.text(name), row.optional_text("input", "context"))
        return parse.behind(head, transcript(question, (HH,)) or (Turn("user", question),))
    return parse.behind(head, parse.turns_of(row, name))


def _repeats_chosen(row: Fields, chosen_name: str) -> bool:
    """Whether "messages" is what was chosen once more, as UltraFeedback has it."""
    return "messages" in row and parsed(row.peek("messages")) == parsed(row.peek(chosen_name))


def _is_text(row: Fields, name: str) -> bool:
    """Whether it is a string, and not a list of messages in a cell of a CSV file."""
    value = row.peek(name)
    return isinstance(value, str) and not value.lstrip().startswith("[{")


def _response(row: Fields, name: str) -> str:
    value = row.peek(name)
    if isinstance(value, str) and not value.strip():
        row.use(name)
        raise Unpreferred(f'"{name}" is empty')
    return row.text(name)


def _response_turns(row: Fields, name: str, prompt: Turns) -> Turns:
    """The turns of a column: a string is what the assistant says."""
    if not _is_text(row, name):
        return tuple(parse.turns_of(row, name))
    text = _response(row, name)
    spoken = transcript(text, (HH,))
    if spoken:
        return spoken
    question = prompt[-1].content if prompt else ""
    if len(question.split()) > 1 and text.startswith(question):
        raise BadRow(f'"{name}" begins with the prompt, which then would be trained twice; '
                     "leave the prompt out of it, or drop its column")  # fmt: skip
    return (Turn("assistant", text),)


def _record(row: Fields, prompt: Turns, chosen: Turns, rejected: Turns) -> Record:
    for name, turns in (("chosen", chosen), ("rejected", rejected)):
        if not turns or turns[-1].role != "assistant":
            raise BadRow(f'"{name}" must end with the assistant, whose answers are compared')
    if _plain(chosen[:-1]) != _plain(rejected[:-1]):
        raise BadRow('"chosen" and "rejected" part before their last turn, so they answer '
                     "different questions")  # fmt: skip
    if any(_plain(turns) != turns for turns in (prompt, chosen, rejected)):
        row.repairs.append(parse.EMPTY_SYSTEM)
    head = _joined(_plain(prompt), _plain(chosen[:-1]))
    if not any(turn.role == "user" for turn in head):
        raise BadRow('there is no prompt: give a column "prompt", or begin both with it')
    if head[-1].role not in ("user", "tool"):
        raise BadRow("the prompt must end with the user, whom both responses answer")
    if chosen[-1] == rejected[-1]:
        raise Unpreferred(TIE)
    return Record((*head, chosen[-1]), rejected=rejected[-1:])


def _plain(turns: Turns) -> Turns:
    """Without empty system turns, which say nothing and differ from set to set."""
    return tuple(turn for turn in turns if turn.role != "system" or turn.content.strip())


def _joined(prompt: Turns, shared: Turns) -> Turns:
    """The prompt's column and what both responses begin with, each turn once."""
    if not shared or not prompt:
        return prompt or shared
    system = _system(prompt, shared)
    asked, begun = (tuple(t for t in turns if t.role != "system") for turns in (prompt, shared))
    if not begun:
        return (*system, *asked)
    # The column repeats the whole beginning, or its end, which is the last question.
    if len(asked) <= len(begun) and _same(asked, begun[len(begun) - len(asked) :]):
        return (*system, *begun)
    if len(asked) <= len(begun) and _same(asked, begun[: len(asked)]):
        return (*system, *begun)
    if asked[-1].role == "assistant" and begun[0].role == "user":
        return (*system, *asked, *begun)
    raise BadRow('the column with the prompt says something else than the beginning of "chosen" '
                 'and "rejected"; leave one of the two out')  # fmt: skip


def _system(prompt: Turns, shared: Turns) -> Turns:
    texts = {t.content.strip() for t in (*prompt, *shared) if t.role == "system"}
    if len(texts) > 1:
        raise BadRow("the prompt and the responses begin with different system turns")
    return tuple(Turn("system", text) for text in texts)


def _same(a: Turns, b: Turns) -> bool:
    words = [[(turn.role, " ".join(turn.content.split())) for turn in turns] for turns in (a, b)]
    return words[0] == words[1]


def _split_strings(chosen: str, rejected: str) -> tuple[Turns, Turns]:
    """Two strings that begin with their common prompt."""
    spoken = transcript(chosen, (HH,)), transcript(rejected, (HH,))
    if all(spoken):
        return spoken
    prompt = _shared_words(chosen, rejected)
    if chosen.strip() == rejected.strip():
        raise Unpreferred(TIE)
    if not prompt.strip():
        raise BadRow('"chosen" and "rejected" share no beginning, so the prompt is missing: give a '
                     'column "prompt"')  # fmt: skip
    if len(prompt.rstrip()) in (len(chosen.rstrip()), len(rejected.rstrip())):
        raise BadRow("one response is only the beginning of the other, so the prompt cannot be "
                     'told from it: give a column "prompt"')  # fmt: skip
    asked = Turn("user", prompt.strip())
    better, worse = (
        (asked, Turn("assistant", whole[len(prompt) :].strip())) for whole in (chosen, rejected)
    )
    return better, worse


def _shared_words(a: str, b: str) -> str:
    """The common beginning, up to the last whole word: a response starts with a word."""
    pairs = enumerate(zip(a, b, strict=False))
    length = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    spaces = [match.end() for match in re.finditer(r"\s", a[:length])]
    return a[: spaces[-1]] if spaces else ""
