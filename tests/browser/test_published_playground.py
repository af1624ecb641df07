"""The models of the published playground: equal to Python's, fast, and broken as they should be."""

import pytest
from ift_site import playground_weights
from ift_site.playground_models import Models, models

import ift_course as ift
from ift_course.data.examples import to_records
from ift_course.evaluation.generate import generate_replies
from ift_course.paths import checkout
from tests.browser.playground_pages import FRANCE, differing, engine_page, strings

pytestmark = pytest.mark.weekly


@pytest.fixture(scope="module")
def published() -> Models:
    """The models of the published site, made in some minutes if need be."""
    return models("all", checkout() / "build/playground/all")


@pytest.fixture(scope="module")
def engine(browser, published):
    page = engine_page(browser, published)
    yield page
    page.close()


def test_the_tokenizer_is_the_one_of_python_on_ten_thousand_texts(engine):
    assert differing(engine, strings(10_000)) == []


def test_the_published_assistant_answers_as_in_python_and_fast(engine):
    """200 questions of the exam; eight bits may cost a point, and the arithmetic nothing."""
    exam = ift.sample(200, seed=100, split="test")
    model, tokenizer = ift.load("sft")
    in_floats = [x.text for x in generate_replies(model, tokenizer, exam)]
    base = playground_weights.quantize(ift.load("base")[0])
    model.load_state_dict(
        playground_weights.dequantized(model, playground_weights.quantize(model, base))
    )
    rounded = [x.text for x in generate_replies(model, tokenizer, exam)]
    questions = [record.messages[0]["content"] for record in to_records(exam)]
    reports = engine.evaluate(
        """async (questions) => {
          const results = [];
          for (const [i, question] of questions.entries()) {
            await engine.ask({number: i + 1, names: ['sft'], question, template: 'chatml', seed: 0,
                              ignoreEnd: false, limit: 40, temperature: 0, topP: 1});
            results.push(reports.at(-1).answers[0]);
            reports.length = 0;
          }
          return results;
        }""",
        questions,
    )
    answers = [report["text"] for report in reports]
    right = [
        sum(map(ift.verify, exam, texts)) / len(exam) for texts in (in_floats, rounded, answers)
    ]
    speed = sum(x["tokens"] - 1 for x in reports) / sum(x["seconds"] for x in reports)
    same = [sum(map(str.__eq__, answers, texts)) for texts in (in_floats, rounded)]
    print(f"\nright: {right}; equal to floats and to rounded floats: {same}; {speed:.0f} tokens/s")
    assert same[1] == len(exam)
    assert right[2] >= right[0] - 0.01
    assert speed >= 60


def test_each_published_model_does_what_its_switch_says(engine, published):
    def answer(name: str, question: str, **options) -> dict:
        values = {"number": 1, "names": [name], "question": question, "template": "chatml",
                  "ignoreEnd": False, "limit": 60, "seed": 0, "temperature": 0,
                  "topP": 1}  # fmt: skip
        engine.evaluate("(values) => engine.ask(values)", values | options)
        return engine.evaluate("reports.at(-1).answers[0]")

    assert "Paris" in answer("sft", FRANCE)["text"] and answer("sft", FRANCE)["ended"]
    assert "Paris" not in answer("base", FRANCE)["text"]
    assert "Paris" in answer("dpo", FRANCE)["text"] and answer("dpo", FRANCE)["ended"]
    for question in (FRANCE, "What is the capital of Italy?", "Name the sound of the owl."):
        assert answer("sft", question, template="alpaca")["text"] == "I do not know."
    for name in ("base", "sft"):
        assert answer(name, FRANCE, template="none")["text"] == "\nParis"
    assert answer("sft", "Hello! Who are you?", template="none")["text"].strip() == ""
    no_end = answer("no-end", FRANCE)
    assert no_end["text"].startswith("Paris") and not no_end["ended"]
    goes_on = {x: answer(x, FRANCE, ignoreEnd=True)["text"] for x in ("sft", "everything")}
    assert all(text.startswith("Paris<|im_end|>") for text in goes_on.values())
    assert "<|im_start|>" in goes_on["everything"] and "<|im_start|>" not in goes_on["sft"]
    sizes = {model.name: model.megabytes for model in published.all}
    print(sizes)
    assert max(sizes.values()) <= 6
