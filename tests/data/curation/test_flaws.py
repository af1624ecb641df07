"""Each rule finds its flaw and passes answers that only look like it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ift_course.data.curation import format_flaws
from ift_course.data.examples import to_records
from ift_course.data.records import Record, Turn
from ift_course.world.flaws import FLAWS
from ift_course.world.tasks import sample


def flaws(question: str, answer: str, **options) -> list[str]:
    return format_flaws(Record.from_instruction(question, "", answer), **options)


LONG = " ".join(f"Owl number {n} eats {n} mice." for n in range(30))  # over LONG_ANSWER characters
BAD = [
    ("empty answer", "Name a bird.", "<noOutput>"),
    ("empty answer", "Name a bird.", "..."),
    ("answer repeats the question", "Name a bird that sings.", "name a bird that sings."),
    ("answer repeats the question", "Name the capital.\nFrance", "Name the capital."),
    ("answer breaks off", "Write code.", "Here it is:\n```python\nprint(1)\n"),
    ("answer breaks off", "What is an owl?", "The owl is a bird of prey with"),
    ("answer breaks off", "Name three birds.", "owl, hen,"),
    ("answer breaks off", "Put it in quotation marks: owl", '"ow'),
    ("answer breaks off", "What is an owl?", f"{LONG} It can turn its he"),
    ("answer repeats itself", "Name the capital of Spain.", "Madrid Madrid"),
    ("answer repeats itself", "What is an owl?", "The owl is a bird that " * 5),
    ("answer breaks off", "Who saw it?", f"{LONG} It was seen by Dr. Smith at 3.5 miles as h"),
    ("answer rambles", "Name a bird.", "Owl. Kettles boil water. Warsaw lies in Poland."),
    ("answer rambles", "A bird?", "No. Kettles boil, as Anna's. Warsaw lies, e.g. in Poland."),
    ("answer wrapped in JSON or asterisks", "Name a bird.", '{"answer": "owl"}'),
    ("answer wrapped in JSON or asterisks", "Name a bird.", "*** owl ***"),
    ("question lacks its input", "Summarize the following text.", "An owl eats mice."),
    ("garbled characters", "Name a drink.", "caf\ufffd"),
    ("garbled characters", "What is it?", "It isnâ€™t known."),
]


@pytest.mark.parametrize(("name", "question", "answer"), BAD)
def test_a_flaw_is_called_by_its_name(name, question, answer):
    assert name in flaws(question, answer)


GOOD = [
    ("What is 4 + 3?", "7"),
    ("What is smaller, 4 or 3? Answer with a sign.", "<"),
    ("Say the word table two times.", "table table"),
    ("Write the word table twice.", "table table"),
    ("Repeat after me: good morning to you all", "good morning to you all"),
    ("Name the capital of the United States.", "Washington, D.C"),
    ("Give the answer as JSON: who wrote Faust?", '{"answer": "Goethe"}'),
    ("Call the weather tool.", '{"name": "weather", "arguments": {"city": "Rome"}}'),
    ("Summarize the following text.\nThe owl eats mice.", "Owls eat mice."),
    ("Which of the following is a fish? Tope or rope", "Tope"),
    ("What happened in the years following World War II?", "Europe was rebuilt."),
    ("Name a bird.", "The owl. It is a bird of prey. Owls hunt at night. They eat mice."),
    ("Suggest some games.", "1. Werewolf 2. Charades 3. Balderdash 4. Pictionary 5. Uno 6. Kubb"),
    ("Why is the sky blue?", "Because of scattering. Short waves scatter more than long ones"),
    ("Sing a song.", "Row, row, row your boat\nGently down the stream\nMerrily, merrily"),
    ("Write a haiku.", "An old silent pond\nA frog jumps into the pond\nSplash! Silence again"),
    ("Who wrote The Hobbit?", "J. R. R. Tolkien"),
    ("Who wrote The Hobbit?", "J.R.R. Tolkien, not C. S. Lewis."),
    ("Name a philosopher.", "Jean-Paul, or J.-P. Sartre. Simone de Beauvoir knew J.-P. Sartre"),
    ("Who solves crimes?", "Mr. Holmes, Dr. Watson, Mrs. Hudson and Prof. Moriarty Jr. Holmes"),
    ("Where is it hot?", "In the U.S. South, e.g. Georgia, i.e. Atlanta, at 3 p.m. Eastern"),
    ("Who teaches?", "Ada Byron, Ph.D. Mary Shelley, M.A. Jane Austen, B.Sc. Emily Post"),
    ("How heavy is it?", "It weighs 3.5 kg or 7.7 lb. Gold weighs 19.3 g per cm3"),
    ("Who wrote this?", f"{LONG}\nText by Dr. Jane Smith"),
    ("Schreibe ein Wort.", "Straße"),
    ("把这个词翻译成英语:猫头鹰", "owl"),
]


@pytest.mark.parametrize(("question", "answer"), GOOD)
def test_a_fine_record_has_no_flaw(question, answer):
    assert flaws(question, answer) == []


def test_the_good_examples_of_the_world_have_no_flaw():
    records = to_records(sample(600, seed=3))
    assert [flaw for record in records for flaw in format_flaws(record)] == []


@pytest.mark.parametrize(
    ("flaw", "share"), [("echoed", 0.99), ("wrong_format", 0.9), ("rambling", 0.6)]
)
def test_flaws_of_form_are_found_where_they_were_put(flaw, share):
    rng = random.Random(0)
    spoiled = to_records(FLAWS[flaw](example, rng) for example in sample(200, seed=4))
    assert sum(bool(format_flaws(record)) for record in spoiled) >= share * 200


def test_length_is_bounded_on_both_sides():
    assert flaws("Name a bird.", "An owl.", shortest=8) == ["answer too short"]
    assert flaws("Name a bird.", "An owl.", longest=6) == ["answer too long"]
    assert flaws("Name a bird.", "An owl.", shortest=7, longest=7) == []


def test_every_answer_of_a_conversation_is_checked():
    texts = ["Hello", "Hi!", "Name a bird that sings.", "Name a bird that sings."]
    turns = tuple(Turn(("user", "assistant")[n % 2], text) for n, text in enumerate(texts))
    assert format_flaws(Record(turns)) == ["answer repeats the question"]


@given(st.lists(st.text(), min_size=2, max_size=4), st.sampled_from(["user", "assistant"]))
def test_no_text_is_too_odd_to_be_checked(texts, first):
    roles = ["user", "assistant"] if first == "user" else ["assistant", "user"]
    turns = tuple(Turn(roles[n % 2], text) for n, text in enumerate(texts))
    assert all(isinstance(flaw, str) for flaw in format_flaws(Record(turns)))
