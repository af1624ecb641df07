"""The playground in Chromium: what it computes, and what a reader can do with it.

It stands on a bare page here; `test_site.py` opens it on the pages of the site.
"""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ift_site import playground, playground_weights
from ift_site.playground_models import Models, models

import ift_course as ift
from ift_course.data.examples import dialogue_records
from ift_course.data.loss_mask import render
from tests.browser.playground_pages import (
    FRANCE,
    bare_page,
    base_tokenizer,
    differing,
    engine_page,
    strings,
)

ANSWERED = """() => {
  const asked = [...document.querySelectorAll('.pg-column:has(input:checked)')];
  const done = asked.every((x) => x.querySelector('.pg-facts').textContent.includes(';'));
  return done || document.querySelector('.pg-message').textContent;
}"""


@pytest.fixture(scope="module")
def brief(tmp_path_factory) -> Models:
    """The base, and two models that were tuned on it for some seconds."""
    return models("brief", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def folder(brief, tmp_path_factory) -> Path:
    """A page with the playground, and its files."""
    return bare_page(brief, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def loaded(browser, folder):
    """The page with its models, which take a second to load."""
    page = browser.new_page()
    page.set_default_timeout(120_000)  # on a busy machine
    page.problems = []
    page.on("console", lambda x: x.type in ("error", "warning") and page.problems.append(x.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto((folder / "index.html").as_uri())
    ask(page)
    yield page
    page.close()


@pytest.fixture
def page(loaded):
    """The page with its models, and everything as it was at first. It must not complain."""
    loaded.evaluate(
        "document.querySelectorAll('form').forEach((form) => form.reset());"
        "document.querySelectorAll('.pg-column input').forEach((box) => (box.checked = true));"
    )
    yield loaded
    assert loaded.problems == []


def ask(page, question: str = FRANCE) -> dict[str, str]:
    """Each model's answer, as the page shows it, by the name of its column."""
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_function(ANSWERED)
    assert page.locator(".pg-message").first.inner_text() == ""
    return {
        column.get_attribute("data-model"): column.locator(".pg-answer").inner_text()
        for column in page.locator(".pg-column").all()
    }


def facts(page, name: str) -> str:
    return page.locator(f"[data-model={name}] .pg-facts").inner_text()


@pytest.fixture(scope="module")
def engine(browser, brief):
    """A page that holds the worker's modules, with the models loaded."""
    page = engine_page(browser, brief)
    yield page
    page.close()


def test_the_tokenizer_is_the_one_of_python(engine):
    assert differing(engine, strings(500)) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_the_tokenizer_agrees_on_any_text(engine, text):
    assert differing(engine, [text]) == []


def test_the_logits_are_those_of_transformers(engine):
    """Both compute with the rounded weights, so nothing but the order of sums can differ."""
    model, tokenizer = ift.load("base")
    model.load_state_dict(playground_weights.dequantized(model, playground_weights.quantize(model)))
    texts = [FRANCE, "The sound of the owl is", f"<|im_start|>user\n{FRANCE}<|im_end|>\n" * 8]
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            expected = model(torch.tensor([ids])).logits[0, -1]
        logits = engine.evaluate("(ids) => [...engine.models.get('base').next(ids)]", ids)
        assert (torch.tensor(logits) - expected).abs().max() < 1e-3


def test_the_cache_of_keys_and_values_changes_nothing(engine):
    same = engine.evaluate(
        """() => {
          const model = engine.models.get('base');
          const ids = engine.tokenizer.encode('The owl is a bird.');
          for (let i = 1; i < ids.length; i++) model.next(ids.slice(0, i)); // a token at a time
          model.next([...ids.slice(0, 3), 77, 78]); // another way from the third token on
          const continued = [...model.next(ids)];
          model.read = [];
          const fresh = model.next(ids);
          return continued.every((x, i) => x === fresh[i]);
        }"""
    )
    assert same


def test_the_loss_mask_is_the_one_of_python(engine):
    tokenizer = base_tokenizer()
    records = [x for x in dialogue_records(80, seed=3) if len(x.turns) == 2]
    pairs = [tuple(turn.content for turn in record.turns) for record in records]
    pairs += [("Hi", "\n\nTwo lines"), ("Hi ", " é 😀"), ("😀", "<|im_end|>"), ("a\n", "b\n")]
    assert len(pairs) > 20
    for question, answer in pairs:
        messages = [{"role": "user", "content": question}]
        messages += [{"role": "assistant", "content": answer}]
        tokens = engine.evaluate(
            "([q, a]) => lossMask(engine.tokenizer, q, a, 'answer')", [question, answer]
        )
        ids, mask = render(tokenizer, messages)
        assert [x["id"] for x in tokens] == ids
        assert [int(x["trained"]) for x in tokens] == mask, (question, answer)


@pytest.mark.parametrize(("trained", "missing"), [("no-end", True), ("everything", False)])
def test_a_wrong_loss_mask_can_be_shown(engine, trained, missing):
    tokens = engine.evaluate("(x) => lossMask(engine.tokenizer, 'Hi', 'Hello', x)", trained)
    assert tokens[0]["trained"] == (trained == "everything")
    assert tokens[-2]["trained"] != missing  # the end of turn


def test_tokens_are_drawn_from_the_nucleus_in_proportion(engine):
    counts = engine.evaluate(
        """() => {
          const logits = Float32Array.from([0.5, 0.25, 0.15, 0.1].map(Math.log));
          const counts = [0, 0, 0, 0], random = seeded(1), options = {temperature: 1, topP: 0.7};
          for (let i = 0; i < 4000; i++) counts[choose(logits, options, random)]++;
          return counts;
        }"""
    )
    assert counts[2:] == [0, 0]  # 0.5 and 0.25 are more than 0.7
    assert abs(counts[0] / 4000 - 2 / 3) < 0.03
    drawn = engine.evaluate(
        "() => [1, 1, 2].map((seed) => { const r = seeded(seed); return [r(), r(), r()]; })"
    )
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_tuned_model_answers_and_the_base_does_not(page):
    answers = ask(page)
    assert "Paris" in answers["sft"] and "Paris" not in answers["base"]
    assert "it ended by itself" in facts(page, "sft")
    bars = page.locator("progress")
    assert not any(bar.is_visible() for bar in bars.all())


def test_a_wrong_template_and_none_change_what_the_models_read(page):
    answers = {ask(page)["base"]}
    page.get_by_text("What the models read").click()
    for template, text in (("alpaca", "### Instruction:"), ("none", FRANCE)):
        page.get_by_label("Chat template").select_option(template)
        prompt = page.locator(".pg-reads pre").inner_text()
        assert text in prompt and "<|im_start|>" not in prompt
        answers.add(ask(page)["base"])
    assert len(answers) == 3


def test_without_a_trained_end_of_turn_the_answer_does_not_end(page):
    page.get_by_label("Tuning of the SFT column").select_option("no-end")
    answer = ask(page)["sft"]
    assert answer.startswith("Paris") and len(answer) > len("Paris.")
    assert "<|im_end|>" not in answer and "cut off after 60" in facts(page, "sft")


def test_a_model_can_be_made_to_go_on_after_its_end_of_turn(page):
    page.get_by_label("Do not stop at the end of the turn").check()
    assert "<|im_end|>" in ask(page)["sft"]
    assert "cut off after 60" in facts(page, "sft")


def test_an_answer_can_be_stopped_and_another_question_takes_over(page):
    page.get_by_label("Do not stop at the end of the turn").check()
    ask(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    stop = page.get_by_role("button", name="Stop")
    page.wait_for_function("/^[1-9]/.test(document.querySelector('.pg-facts').textContent)")
    stop.click()
    assert stop.is_disabled()
    page.get_by_label("Do not stop at the end of the turn").uncheck()
    assert "Paris" in ask(page)["sft"]


def test_a_model_that_is_not_ticked_is_not_asked(page):
    page.get_by_role("checkbox", name="Base").uncheck()
    assert ask(page)["base"] == ""
    page.get_by_role("checkbox", name="SFT assistant").uncheck()
    page.get_by_role("button", name="Ask", exact=True).click()
    assert page.get_by_text("Write a question and choose a model.").is_visible()


def test_bars_steer_and_the_keyboard_suffices(page):
    page.get_by_label("Model", exact=True).select_option("sft")
    page.get_by_role("button", name="Show the next token").press("Enter")
    bars = page.locator(".pg-bars button")
    bars.nth(7).wait_for()
    assert bars.first.inner_text().startswith("Paris")
    second = bars.nth(1).locator("code").inner_text()
    bars.nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.pg-so-far strong').textContent")
    assert page.locator(".pg-so-far strong").inner_text() == second.replace("␣", " ")
    assert page.evaluate("document.activeElement.closest('.pg-bars') !== null")
    page.get_by_role("button", name="Take one back").click()
    page.wait_for_function("!document.querySelector('.pg-so-far strong').textContent")
    assert bars.first.inner_text().startswith("Paris")


def test_bars_outside_of_top_p_are_named(page):
    page.get_by_label("Temperature").fill("1")
    page.get_by_label("Top-p").fill("0.05")
    page.get_by_role("button", name="Show the next token").click()
    page.locator(".pg-bars button").nth(7).wait_for()
    cut = ["outside of top-p" in x for x in page.locator(".pg-bars button").all_inner_texts()]
    assert cut == [False] + [True] * 7


def test_the_mask_follows_what_is_typed(page):
    page.locator(".pg-mask").scroll_into_view_if_needed()
    page.get_by_label("Answer", exact=True).fill("Rome")
    page.get_by_text("2 of 18 tokens: Rome <|im_end|>").wait_for()
    assert page.locator(".pg-tokens mark").all_inner_texts() == ["Rome", "<|im_end|>"]
    page.get_by_label("What is trained", exact=True).select_option("everything")
    page.get_by_text("18 of 18 tokens").wait_for()


def test_everything_has_a_name_and_answers_are_announced_when_complete(page):
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, textarea, progress')].filter(
          (x) => !x.textContent.trim() && !x.labels?.length && !x.getAttribute('aria-label')
        ).map((x) => x.outerHTML)"""
    )
    assert nameless == []
    answer = page.locator("[data-model=sft] .pg-answer")
    assert answer.get_attribute("aria-live") == "polite"
    page.evaluate(
        """globalThis.busy = []; new MutationObserver(() => busy.push(
             document.querySelector('[data-model=sft] .pg-answer').getAttribute('aria-busy'))
           ).observe(document.querySelector('[data-model=sft] .pg-answer'), {attributes: true})"""
    )
    ask(page)
    page.wait_for_function("globalThis.busy.at(-1) === 'false'")
    assert page.evaluate("busy[0]") == "true"


def test_a_file_that_is_missing_is_named_and_can_be_tried_again(browser, folder):
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto((folder / "index.html").as_uri())
    file = folder / playground.FOLDER / "base.0.js"
    file.rename(file.with_suffix(".away"))
    try:
        page.get_by_role("button", name="Ask", exact=True).click()
        page.get_by_text("base.0.js could not be loaded").wait_for()
    finally:
        file.with_suffix(".away").rename(file)
    assert "Paris" in ask(page)["sft"]
    page.close()


def test_a_question_that_is_too_long_is_refused(page):
    page.get_by_label("Your question").fill("😀" * 200)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text("tokens, and 452 fit").wait_for()
