"""One reader for every command: each row is used, rejected, joined or left out, and counted."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.changes import Changes
from ift_course.data.convert import convert
from ift_course.data.curation.curate_file import curate_file
from ift_course.data.inspection import inspect
from ift_course.data.reading import read_pairs, read_records, read_rows
from ift_course.errors import CourseError

GOOD = {"instruction": "Name a river.", "output": "Inn"}
PAIR = {"prompt": "Name a river.", "chosen": "Inn", "rejected": "Alps"}


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def random_row(rng: random.Random) -> dict:
    """A row of a random layout, whole or with something missing, wrong or beside it."""
    turns = [
        {"role": rng.choice(["user", "assistant", "system", "tool", "elf"]),
         "content": rng.choice(["Hi", "", None, "Bye", 4])}
        for _ in range(rng.randrange(4))
    ]  # fmt: skip
    layout = rng.choice([
        GOOD, PAIR, {"messages": turns}, {"conversations": turns},
        {"prompt": turns, "completion": []}, {"question": "Why?", "answer": "So."},
        {"inputs": "a", "targets": "b"}, {"text": "plain"},
        {"text": "### Human: a### Assistant: b"}, {"contents": turns}, {"chosen": turns}, {},
        {"chosen": turns, "rejected": turns}, {"conversation": [{"input": "a", "output": "b"}]},
    ])  # fmt: skip
    row: dict[str, Any] = dict(layout)
    if rng.random() < 0.3:
        row[rng.choice(["tools", "label", "system", "history", "weight", "topic"])] = rng.choice(
            ["x", 1, None, [], ["a"], True, [["q", "a"]]]
        )
    if row and rng.random() < 0.2:
        row.pop(rng.choice(list(row)))
    return row


@pytest.mark.parametrize("rows", [10_000, pytest.param(100_000, marks=pytest.mark.weekly)])
def test_the_counts_of_many_random_rows_add_up(rows, tmp_path):
    rng = random.Random(7)
    path = write(tmp_path / "random.jsonl", [random_row(rng) for _ in range(rows)])
    account = inspect(path, examples=0).account
    assert account.read == rows == account.used + account.rejected
    assert sum(account.schemas.values()) == account.used > rows / 5
    assert sum(account.reasons.values()) == account.rejected > rows / 5
    assert account.unused["topic"] > rows / 1000


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 30))
def test_every_command_makes_the_same_account_of_a_file(seed, size, tmp_path_factory):
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("same")
    rows = [GOOD, *(random_row(rng) for _ in range(size))]
    path = write(folder / "data.jsonl", rows)
    expected = inspect(path).account
    converted = convert(path, folder / "out.jsonl", to="messages")
    curated = curate_file(path, folder / "best.jsonl", 50, seed=0)
    reading = read_rows(path, rejects=folder / "bad.jsonl")
    for account in (converted, curated.account, reading.account):
        assert (account.read, account.used, account.rejected) == (
            expected.read, expected.used, expected.rejected)  # fmt: skip
        assert account.schemas == expected.schemas and account.reasons == expected.reasons
    assert curated.read == curated.selected + curated.dropped + curated.rejected
    assert len(reading.records) == expected.used
    if expected.rejected:
        assert len((folder / "bad.jsonl").read_text().splitlines()) == expected.rejected


def message(name, parent, role, text, rank=None):
    return {"message_id": name, "parent_id": parent, "role": role, "text": text, "rank": rank}


def test_rows_that_are_messages_of_a_tree_are_joined_along_the_best_replies(tmp_path):
    rows = [
        message("a", None, "prompter", "Name a river."),
        message("b", "a", "assistant", "The Alps.", 1),
        message("c", "a", "assistant", "The Inn.", 0),
        message("d", "c", "prompter", "Thanks!"),
        message("e", "gone", "assistant", "Where am I?"),
        {**message("f", None, "prompter", ""), "lang": "en"},
    ]
    reading = read_rows(write(tmp_path / "oasst.jsonl", rows), rejects=tmp_path / "bad.jsonl")
    account = reading.account
    assert [turn.content for turn in reading.records[0].turns] == ["Name a river.", "The Inn."]
    assert (account.read, account.used, account.joined, account.left_out, account.rejected) == (
        6, 1, 2, 1, 2)  # fmt: skip
    assert account.schemas == {"OpenAssistant messages": 1}


def test_a_label_is_a_verdict_only_where_all_of_them_are(tmp_path):
    rows = [{"prompt": f"{n}?", "completion": "So.", "label": n % 2} for n in range(4)]
    reading = read_rows(write(tmp_path / "kto.jsonl", rows), rejects=tmp_path / "bad.jsonl")
    assert (reading.account.used, reading.account.rejected) == (2, 2)
    topics = [*rows, {"prompt": "5?", "completion": "So.", "label": 7}]
    reading = read_rows(write(tmp_path / "topics.jsonl", topics))
    assert reading.account.used == 5 and reading.account.unused == {"label": 5}


def test_a_bad_row_stops_the_reading_and_the_error_names_both_remedies(tmp_path):
    path = write(tmp_path / "data.jsonl", [GOOD, {"instruction": "Why?"}])
    with pytest.raises(CourseError, match=r"row 2: .*--rejects FILE .*ift data convert"):
        read_records(path)
    reading = read_rows(path, rejects=tmp_path / "bad.jsonl")
    assert len(reading.records) == 1 and reading.account.rejects == tmp_path / "bad.jsonl"
    [bad] = (tmp_path / "bad.jsonl").read_text().splitlines()
    assert json.loads(bad)["row"] == 2
    with pytest.raises(CourseError, match="another file"):
        read_rows(path, rejects=path)


def test_pairs_without_a_preference_are_set_aside_and_counted(tmp_path):
    rows = [PAIR, {**PAIR, "rejected": "Inn"}, {**PAIR, "chosen": " "}]
    path = write(tmp_path / "pairs.jsonl", rows)
    assert len(read_pairs(path)) == 1
    reasons = read_rows(path, pairs=True).account.reasons
    assert reasons == {'"chosen" and "rejected" are the same, so neither is preferred': 1,
                       '"chosen" is empty': 1}  # fmt: skip
    write(path, [PAIR, GOOD])
    with pytest.raises(CourseError, match='row 2: "chosen" is missing'):
        read_pairs(path)
    with pytest.raises(CourseError, match="None of the 2 rows"):
        read_pairs(write(path, rows[1:]))


def test_supervised_tuning_reports_the_rejected_response_as_unused(tmp_path):
    account = read_rows(write(tmp_path / "pairs.jsonl", [PAIR] * 2)).account
    assert account.unused == {"rejected": 2}


def test_pairs_stay_whole_through_convert_and_curate(tmp_path):
    rows = [{"system": "Be brief.", **PAIR}, {**PAIR, "prompt": "Name a lake."}]
    path = write(tmp_path / "pairs.jsonl", rows)
    convert(path, tmp_path / "out.jsonl")
    curate_file(path, tmp_path / "best.jsonl", 5, seed=0)
    for out in ("out.jsonl", "best.jsonl"):
        pairs = read_pairs(tmp_path / out)
        assert [(p.prompt, p.chosen, p.rejected) for p in pairs] == [
            (p.prompt, p.chosen, p.rejected) for p in read_pairs(path)
        ]
    account = convert(path, tmp_path / "messages.jsonl", to="messages")
    assert account.unused == {"rejected": 2}
    account = convert(write(path, [*rows, GOOD]), tmp_path / "out.jsonl")
    assert account.reasons == {"it has no rejected response, although the other rows are pairs": 1}


CONVERSATION = {
    "tools": [{"type": "function", "function": {"name": "depth"}}],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How deep?<|im_end|>"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "depth"}}]},
        {"role": "tool", "content": "8"},
        {"role": "assistant", "content": "8 m.", "reasoning_content": "It says 8."},
    ],
}


@pytest.mark.parametrize(
    ("changes", "roles", "repair"),
    [
        (Changes(without=("system",)), "user assistant tool assistant", "left out the system turn"),
        (Changes(without=("tools",)), "system user assistant",
         "left out tools, their calls and results"),
        (Changes(without=("reasoning",)), "system user assistant tool assistant",
         "left out the reasoning"),
        (Changes(fold_system=True), "user assistant tool assistant",
         "put the system turn before the first question"),
        (Changes(escape_special=True), "system user assistant tool assistant",
         "escaped special tokens in the text"),
    ],
)  # fmt: skip
def test_parts_are_left_out_or_rewritten_on_request_and_it_is_counted(
    changes, roles, repair, tmp_path
):
    reading = read_rows(write(tmp_path / "data.jsonl", [CONVERSATION, GOOD]), changes=changes)
    record = reading.records[0]
    assert " ".join(turn.role for turn in record.turns) == roles
    assert reading.account.repairs == {repair: 1}
    if changes.fold_system:
        assert record.turns[0].content == "Be brief.\n\nHow deep?<|im_end|>"
    if changes.escape_special:
        assert record.turns[1].content == "How deep?< |im_end|>"
    if "tools" in changes.without:
        assert record.tools == ()
    if "reasoning" in changes.without:
        assert not any(turn.reasoning for turn in record.turns)
