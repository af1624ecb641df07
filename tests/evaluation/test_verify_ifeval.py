"""IFEval's instructions, checked by the library if-verifiable."""

import sys

import pytest

from ift_course.data.records import BadRow
from ift_course.evaluation.verifiers import EXAMPLES, parse_verifier


def ifeval(name, **kwargs):
    return {"type": "ifeval", "instructions": [{"id": name, "kwargs": kwargs}]}


def test_without_the_library_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "if_verifiable", None)
    monkeypatch.setitem(sys.modules, "if_verifiable.ifeval", None)
    with pytest.raises(BadRow, match="pip install if-verifiable"):
        parse_verifier(ifeval("punctuation:no_comma"))


class TestWithTheLibrary:
    @pytest.fixture(autouse=True)
    def library(self):
        pytest.importorskip("if_verifiable")

    def test_an_answer_must_follow_every_instruction(self):
        spec = ifeval("punctuation:no_comma")
        kwargs = {"num_words": 3, "relation": "at least"}
        spec["instructions"].append({"id": "length_constraints:number_words", "kwargs": kwargs})
        verifier = parse_verifier(spec)
        assert verifier.fault("one two three") is None
        assert verifier.fault("one, two, three") == "breaks punctuation:no_comma"
        assert verifier.fault("one") == "breaks length_constraints:number_words"
        assert verifier.fault(" ") == "is empty"
        assert parse_verifier(EXAMPLES["ifeval"]).accepts("one two")

    def test_a_keyword_is_a_word_and_no_pattern(self):
        verifier = parse_verifier(ifeval("keywords:existence", keywords=["C++", "(a+)+$"]))
        assert verifier.accepts("C++ and (a+)+$") and not verifier.accepts("CCC aaa")

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            (ifeval("no:such"), 'no instruction "no:such"'),
            (ifeval("length_constraints:number_words"), "takes the arguments num_words, relation"),
            (ifeval("punctuation:no_comma", much=1), "takes the arguments none"),
            (
                ifeval("length_constraints:number_words", num_words=-3, relation="at least"),
                'does not accept -3 as "num_words"',
            ),
            (
                ifeval("length_constraints:number_words", num_words="3", relation="at least"),
                "does not accept its arguments",
            ),
            (
                ifeval("length_constraints:number_words", num_words=3, relation="over"),
                "does not accept its arguments",
            ),
            (
                ifeval(
                    "keywords:letter_frequency",
                    letter="!",
                    let_frequency=1,
                    let_relation="at least",
                ),
                'does not accept "!" as "letter"',
            ),
            (ifeval("keywords:existence", keywords="a"), 'does not accept "a" as "keywords"'),
            (ifeval("keywords:existence", keywords=[1]), 'does not accept [1] as "keywords"'),
        ],
        ids=lambda v: str(v)[:60],
    )
    def test_arguments_that_the_library_would_invent_are_refused(self, spec, message):
        with pytest.raises(BadRow) as raised:
            parse_verifier(spec)
        assert message in str(raised.value)

    def test_an_instruction_that_needs_data_from_the_internet_says_so(self, monkeypatch):
        from if_verifiable.ifeval import instructions_util

        def missing(_):
            raise LookupError("punkt")

        monkeypatch.setattr(instructions_util, "count_sentences", missing)
        with pytest.raises(BadRow, match=r"nltk\.downloader"):
            parse_verifier(
                ifeval("length_constraints:number_sentences", num_sentences=1, relation="at least")
            )
