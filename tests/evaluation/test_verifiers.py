"""What each verifier accepts, and what it says to a row that it cannot use."""

import json
import time

import pytest

from ift_course.data.records import BadRow
from ift_course.evaluation.verifiers import EXAMPLES, SECONDS, parse_verifier

PERSON = {
    "type": "object",
    "required": ["age"],
    "properties": {"age": {"$ref": "#/$defs/years"}},
    "$defs": {"years": {"type": "integer", "minimum": 0}},
}
HAS_A = {"type": "contains", "answers": ["a"]}
CASES = [
    ({"type": "exact", "answer": "Paris"}, ["Paris", " Paris\n"], ["paris", "Paris.", ""]),
    (
        {"type": "one_of", "answers": ["The Hague", "a"]},
        ["hague", "The Hague.", '"The Hague."', "“the hague”", "A", "a."],
        ["The Hague is it", "Hague, Netherlands", "", "."],
    ),
    ({"type": "one_of", "answers": ["Vitamin A"]}, ["vitamin a"], ["vitamin", "A"]),
    (
        {"type": "contains", "answers": ["C++", "ice cream"], "not": ["Lyon"], "max_words": 5},
        ["I like c++.", "Ice\ncream!"],
        ["C", "ice creams", "C++ in Lyon", "a b c d e C++", ""],
    ),
    ({"type": "contains", "answers": ["don't"]}, ["I DON’T know"], ["don"]),
    (
        {"type": "number", "value": 1234.5},
        ["It is 1,234.5.", "7, then $1,234.50", "1\u202f234.5", "1.2345e3"],
        ["1234", "1,234.5 or 6", "none", "", "1234.51"],
    ),
    ({"type": "number", "value": -3}, ["-3", "−3", "about -3."], ["3", "7-3"]),
    ({"type": "number", "value": 0}, ["0", "0.0"], ["", "no"]),
    ({"type": "number", "value": 0.3, "tolerance": 0.1}, ["0.2", "0.4"], ["0.19", "0.41"]),
    ({"type": "number", "value": 4, "max_words": 2}, ["four: 4"], ["it is 4"]),
    ({"type": "regex", "pattern": "a.*b"}, ["a\nb", " ab "], ["ab!", "xab", ""]),
    ({"type": "regex", "pattern": r"\d{4}-\d{2}"}, ["2024-05"], ["2024-5"]),
    (
        {"type": "json_schema", "schema": PERSON},
        ['{"age": 3}', '```json\n{"age": 3}\n```'],
        ['{"age": "3"}', "{}", "age: 3", '{"age": -1}', '{"age": NaN}', "[" * 100_000, ""],
    ),
    (
        {"type": "all", "of": [HAS_A, {"type": "number", "value": 1}]},
        ["a 1"],
        ["a 2", "b 1"],
    ),
]  # fmt: skip
BAD = [
    (None, 'should be an object such as {"type": "exact"'),
    ([], "an empty list"),
    ({}, '"type" is missing; use exact, one_of'),
    ({"type": "guess"}, 'unknown type "guess"; use exact, one_of'),
    ({"type": "exact"}, '"answer" is missing; write it as {"type": "exact"'),
    ({"type": "exact", "answer": " "}, '"answer" should have at least 1 character'),
    ({"type": "exact", "answer": 3}, '"answer" should be text'),
    ({"type": "exact", "answer": "a", "case": 1}, 'unknown key "case"'),
    ({"type": "one_of", "answers": []}, '"answers" should have at least 1 item'),
    ({"type": "one_of", "answers": ["a", ""]}, '"answers[2]" should have at least 1 character'),
    ({"type": "contains", "answers": ["a"], "max_words": 0}, '"max_words" should be greater'),
    ({"type": "number", "value": True}, '"value" should be a number'),
    ({"type": "number", "value": "42"}, '"value" should be a number'),
    ({"type": "number", "value": float("nan")}, '"value" should be a finite number'),
    ({"type": "number", "value": 1, "tolerance": -1}, '"tolerance" should be greater'),
    ({"type": "regex", "pattern": "("}, "is not a regular expression"),
    ({"type": "regex", "pattern": "((a{1000}){1000}){1000}"}, "repeats a part more than 100,000"),
    ({"type": "json_schema", "schema": []}, '"schema" should be an object'),
    ({"type": "json_schema", "schema": {"type": "foo"}}, 'schema["type"] is not valid'),
    ({"type": "json_schema", "schema": {"pattern": "("}}, 'schema["pattern"] is not valid'),
    ({"type": "json_schema", "schema": {"$ref": "#/x"}}, '"#/x" leads nowhere'),
    ({"type": "json_schema", "schema": {"$ref": "http://x/y"}}, '"http://x/y" leads nowhere'),
    ({"type": "json_schema", "schema": {"$ref": "#"}}, "leads back to itself"),
    ({"type": "json_schema", "schema": {"patternProperties": {}}}, "is not supported"),
    ({"type": "all", "of": []}, '"of" should have at least 1 item'),
    ({"type": "all", "of": [{"type": "number", "value": "x"}]}, '"of[1].value" should be a number'),
    ({"type": "all", "of": ["x"]}, '"of[1]" should be an object'),
]


@pytest.mark.parametrize(("spec", "right", "wrong"), CASES, ids=lambda v: str(v)[:60])
def test_a_verifier_accepts_the_right_answers_and_refuses_the_wrong_ones(spec, right, wrong):
    verifier = parse_verifier(spec)
    assert [text for text in right if not verifier.accepts(text)] == []
    assert [text for text in wrong if verifier.accepts(text)] == []
    assert all(verifier.fault(text) for text in wrong)


@pytest.mark.parametrize(("spec", "message"), BAD, ids=lambda v: str(v)[:50])
def test_a_bad_verifier_is_refused_with_the_remedy(spec, message):
    with pytest.raises(BadRow) as raised:
        parse_verifier(spec)
    assert message in str(raised.value) and str(raised.value).startswith('"verifier"')


def test_a_verifier_nested_without_end_is_refused():
    spec = {"type": "exact", "answer": "a"}
    for _ in range(900):
        spec = {"type": "all", "of": [spec]}
    with pytest.raises(BadRow, match=r"nested too deeply|Recursion"):
        parse_verifier(spec)


def test_a_table_may_store_json_text_and_nulls_for_missing_keys():
    spec = {"type": "exact", "answer": "a", "answers": None, "value": None}
    assert parse_verifier(json.dumps(spec)).accepts("a")
    assert parse_verifier({"type": "all", "of": [spec]}).accepts("a")


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "regex", "pattern": "(a|aa)+$"},
        {"type": "json_schema", "schema": {"pattern": "^(a|aa)+$"}},
    ],
    ids=lambda spec: spec["type"],
)
def test_a_catastrophic_pattern_gives_up_and_says_so(spec):
    start = time.monotonic()
    fault = parse_verifier(spec).fault(
        '"' + "a" * 80 + '!"' if "schema" in spec else "a" * 80 + "!"
    )
    assert fault.startswith("could not be") and "simplify" in fault
    assert time.monotonic() - start < 5 * SECONDS


@pytest.mark.parametrize("kind", [kind for kind in EXAMPLES if kind not in ("all", "ifeval")])
def test_the_example_in_a_message_is_valid(kind):
    assert parse_verifier(EXAMPLES[kind]).type == kind
