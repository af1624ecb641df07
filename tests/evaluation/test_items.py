"""Rows become test items: their own verifier, a short reference, or nothing judges an answer."""

import json
import sys

import pytest

from ift_course.errors import CourseError
from ift_course.evaluation.items import count_uses, read_items, sample_items

EXACT = {"type": "exact", "answer": "a"}


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def turns(*texts):
    roles = ("user", "assistant") * len(texts)
    return [{"role": role, "content": text} for role, text in zip(roles, texts)]  # noqa: B905


def read(tmp_path, *rows):
    return read_items(write(tmp_path / "test.jsonl", rows))


def test_a_verifier_comes_before_the_reference_and_a_long_reference_judges_nothing(tmp_path):
    own, short, long, opened = read(
        tmp_path,
        {"prompt": "Q", "completion": "b", "verifier": EXACT},
        {"prompt": "Q", "completion": "The owl."},
        {"prompt": "Q", "completion": "One two three four five six."},
        {"prompt": "Q"},
    )
    assert [item.use for item in (own, short, long, opened)] == [
        "verifier", "reference", "shown", "shown",
    ]  # fmt: skip
    assert own.fault("a", True) is None and own.fault("b", True)
    assert short.fault("owl", True) is None and short.fault("A cat.", True)
    assert long.fault("anything", True) is None and long.reference.startswith("One")
    assert opened.reference == "" and count_uses([own, opened]) == {"verifier": 1, "shown": 1}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": turns("Hi", "Hello", "Q?")},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"},
                           {"from": "human", "value": "Q?"}]},
    ],
    ids=["messages", "ShareGPT"],
)  # fmt: skip
def test_a_conversation_that_ends_with_a_question_keeps_it(tmp_path, row):
    [item] = read(tmp_path, row | {"verifier": EXACT})
    assert [m["content"] for m in item.messages] == ["Hi", "Hello", "Q?"]
    assert item.reference == ""


def test_an_instruction_without_an_answer_is_asked_with_its_input(tmp_path):
    [item] = read(tmp_path, {"instruction": "Add.", "input": "1 + 1", "verifier": EXACT})
    assert item.prompt == "Add.\n1 + 1" and item.reference == ""


def test_a_cut_answer_is_wrong_unless_it_is_accepted_and_thoughts_are_not_judged(tmp_path):
    [item] = read(tmp_path, {"prompt": "Q", "verifier": EXACT})
    assert item.fault("a", False) == "did not stop before the token limit"
    assert item.fault("a", False, accept_cut=True) is None
    assert item.fault("<think>b?</think>\na", True) is None
    assert item.fault("<think>a", True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "Q", "verifier": {"type": "no"}}, 'unknown type "no"'),
        ({"prompt": "Q", "verifier": {"type": "exact", "answer": "a", "x": 1}}, 'unknown key "x"'),
        ({"prompt": "Q", "completion": "a", "category": [1]}, '"category" should be text'),
        ({"text": 3}, '"text" should be text'),
        ([1], "expected an object"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_bad_row_is_named_with_its_file_and_the_remedy(tmp_path, row, message):
    with pytest.raises(CourseError) as raised:
        read(tmp_path, {"prompt": "Q", "completion": "a"}, row)
    sentence = str(raised.value)
    assert sentence.startswith("test.jsonl, row 2: ") and message in sentence
    assert "Fix or delete that row" in sentence


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "test.jsonl").write_text('{"prompt": "Q", "completion": "a"}\n{"prompt": ')
    with pytest.raises(CourseError, match=r"test\.jsonl, row 2"):
        read_items(tmp_path / "test.jsonl")
    with pytest.raises(CourseError, match=r"none\.jsonl"):
        read_items(tmp_path / "none.jsonl")


def test_a_sample_depends_on_the_seed_alone_and_keeps_the_order(tmp_path):
    items = read(tmp_path, *({"prompt": f"Q{i}"} for i in range(30)))
    first = sample_items(items, 10, 0)
    assert first == sample_items(items, 10, 0) != sample_items(items, 10, 1)
    assert [i.number for i in first] == sorted(i.number for i in first)
    assert sample_items(items, 99, 0) == sample_items(items, None, 0) == items


def test_the_key_changes_with_the_question_and_with_the_demand(tmp_path):
    rows = [
        {"prompt": "Q", "verifier": EXACT},
        {"prompt": "Q", "verifier": EXACT, "category": "c"},
        {"prompt": "Q2", "verifier": EXACT},
        {"prompt": "Q", "verifier": {"type": "exact", "answer": "b"}},
    ]
    keys = [item.key for item in read(tmp_path, *rows)]
    assert keys[0] == keys[1] and len(set(keys)) == 3


@pytest.fixture
def without_ifeval(monkeypatch):
    monkeypatch.setitem(sys.modules, "if_verifiable.ifeval", None)


IFEVAL = {"type": "ifeval", "instructions": [{"id": "punctuation:no_comma", "kwargs": {}}]}
NEEDING = [{"prompt": "Q", "verifier": {"type": "all", "of": [EXACT, IFEVAL]}},
           {"prompt": "Q", "verifier": IFEVAL}]  # fmt: skip


@pytest.mark.usefixtures("without_ifeval")
def test_rows_that_need_a_missing_package_are_counted_and_can_be_left_out(tmp_path):
    path = write(tmp_path / "test.jsonl", [{"prompt": "Q"}, *NEEDING, {"prompt": "R"}])
    with pytest.raises(CourseError) as raised:
        read_items(path)
    sentence = str(raised.value)
    assert sentence.startswith("2 of 4 rows of test.jsonl cannot be judged (the first is row 2)")
    assert "`pip install if-verifiable`" in sentence and "--skip-unverifiable" in sentence
    notes = []
    assert [item.number for item in read_items(path, on_left_out=notes.append)] == [1, 4]
    [note] = notes
    assert note.startswith("2 of 4 rows of test.jsonl left out") and "if-verifiable" in note


@pytest.mark.usefixtures("without_ifeval")
def test_rows_cannot_all_be_left_out_and_a_bad_row_is_named_first(tmp_path):
    notes = []
    with pytest.raises(CourseError, match=r"2 of 2 rows .* `pip install if-verifiable`\.$"):
        read_items(write(tmp_path / "test.jsonl", NEEDING), on_left_out=notes.append)
    bad = {"prompt": "Q", "verifier": {"type": "no"}}
    with pytest.raises(CourseError, match=r'test\.jsonl, row 3: .*unknown type "no"'):
        read_items(write(tmp_path / "test.jsonl", [*NEEDING, bad]), on_left_out=notes.append)
    assert notes == []
