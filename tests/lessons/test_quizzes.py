"""Each quiz keeps the format, cannot be passed by a trick, and is shown without JavaScript."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from ift_course.errors import CourseError
from ift_course.lessons import glossary, quizzes
from ift_course.lessons.discover import lessons
from ift_course.lessons.quiz_view import Quiz, quiz
from ift_course.lessons.quizzes import Question
from ift_course.paths import PACKAGE

NUMBERS = sorted(path.parent.name[7:] for path in (PACKAGE / "lessons").glob("*/quiz.yaml"))
PUBLISHED = {x.number for x in lessons()}
each = pytest.mark.parametrize("number", NUMBERS)
each_published = pytest.mark.parametrize("number", sorted(PUBLISHED.intersection(NUMBERS)))
FEWEST = 5

QUESTION = Question(
    id="stops",
    ask="Where does `this` <end>?",
    right="Here.",
    answer="Here, *of course*.",
    wrong=[{"says": "There.", "why": "No."}, {"says": "Nowhere.", "why": "Not true."}],
    terms=["end of turn"],
)


@each_published
def test_there_are_enough_questions_and_each_has_a_name_of_its_own(number):
    questions = quizzes.read(number)
    assert len(questions) >= FEWEST
    assert len({question.id for question in questions}) == len(questions)
    assert len({question.ask for question in questions}) == len(questions)


@each
def test_exactly_one_option_is_right_and_every_other_has_its_own_feedback(number):
    for question in quizzes.read(number):
        texts = [text.casefold() for text, _, _ in question.options]
        feedback = [text.casefold() for _, _, text in question.options]
        assert [right for _, right, _ in question.options].count(True) == 1
        assert len(set(texts)) == len(texts), question.id
        assert len(set(feedback)) == len(feedback), f"{question.id}: feedback for each error"
        assert min(map(len, feedback)) >= 20, question.id


@each
def test_a_model_answer_says_more_than_the_option(number):
    for question in quizzes.read(number):
        assert len(question.answer) > 2 * len(question.right) or len(question.answer) > 200


@each
def test_no_option_refers_to_the_others_because_their_order_is_mixed(number):
    text = " ".join(option for q in quizzes.read(number) for option, _, _ in q.options).casefold()
    assert "above" not in text and "both of" not in text and "all of these" not in text


@each_published
def test_neither_place_nor_length_gives_the_right_option_away(number):
    questions = quizzes.read(number)
    places = Counter([r for _, r, _ in q.options].index(True) for q in questions)
    longest = sum(all(len(q.right) > len(w.says) for w in q.wrong) for q in questions)
    assert max(places.values()) <= 0.7 * len(questions), "change an id, and the order changes"
    assert longest <= 0.6 * len(questions), "the right option is the longest too often"


@each
def test_its_terms_are_in_the_glossary(number):
    for question in quizzes.read(number):
        for name in question.terms:
            assert glossary.term(name).lesson <= number, f"{name} is met only later"


@each
def test_everything_is_in_the_page_and_nothing_in_it_needs_a_script(number):
    page = Page(quiz(number).html())
    assert page.tags <= {"p", "b", "details", "summary", "blockquote", "code", "em", "br", "small",
                         "a", "strong"}  # fmt: skip
    assert page.attributes <= {"href", "title", "style"}
    assert page.open == []
    options = [option for q in quizzes.read(number) for option in q.options]
    assert len(page.details) == len(options)
    for (text, right, _), details in zip(options, page.details, strict=True):
        assert plain(text) in details
        assert ("✓ Right." in details) == right and ("✗ No." in details) != right


def test_markdown_is_shown_as_such_and_html_as_text():
    html = Quiz([QUESTION]).html()
    assert "<code>this</code> &lt;end&gt;?" in html and "<em>of course</em>" in html
    assert 'href="../docs/glossary.md#end-of-turn"' in html


def test_as_text_the_answers_come_after_all_questions():
    text = str(Quiz([QUESTION]))
    questions, _, answers = text.partition("\nAnswers\n")
    assert "Nowhere." in questions and "Not true." not in questions
    assert "✓ Here, *of course*." in answers and answers.count("✗") == 2


def test_the_order_of_options_is_the_same_every_time_and_hangs_on_the_id():
    orders = {
        tuple(text for text, _, _ in QUESTION.model_copy(update={"id": name}).options)
        for name in ("a", "b", "c", "d", "e", "f")
    }
    assert len(orders) > 1
    assert QUESTION.options == QUESTION.model_copy().options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- id: x\n  ask: a: b", "line 2 is not YAML"),
        ("- id: x\n  ask: Why?\n  right: yes\n", "question 1 → right: Input should be a valid str"),
        ("- id: x\n  ask: Why?\n  right: So.\n  answer: So.\n  wrong: []", "question 1 → wrong"),
        ("- id: x\n  asks: Why?\n", "question 1 → "),
    ],
)
def test_a_file_that_breaks_the_format_names_file_and_place(tmp_path, monkeypatch, text, message):
    path = tmp_path / "lessons" / "lesson_01" / "quiz.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    monkeypatch.setattr(quizzes, "PACKAGE", tmp_path)
    with pytest.raises(CourseError, match=r"lesson_01.quiz\.yaml") as raised:
        quiz("01")
    assert message in str(raised.value)


def test_a_lesson_without_a_quiz_lists_those_with_one():
    with pytest.raises(CourseError, match='no quiz for lesson "77"; there are quizzes for 01'):
        quiz("77")


def plain(text: str) -> str:
    """A line of Markdown as it is read."""
    return text.replace("`", "").replace("*", "")


class Page(HTMLParser):
    """What a page is made of, and the text of each `<details>`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.details: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)
        if tag == "details":
            self.details.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "details" in self.open:
            self.details[-1] += data


def test_a_lesson_shows_some_of_its_questions_where_they_belong():
    first, second, *_ = quizzes.read("02")
    assert quiz("02", second.id, first.id).questions == [second, first]
    with pytest.raises(CourseError, match=f"no question nothing; it has {first.id}, "):
        quiz("02", "nothing")
