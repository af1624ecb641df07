"""Pages with the playground: a bare one for a reader, and one that holds only the worker's code."""

import random
from functools import cache
from pathlib import Path
from typing import Any

from ift_site import playground
from ift_site.playground_models import Models

import ift_course as ift
from ift_course.data.examples import dialogue_records

FRANCE = "What is the capital of France?"


def bare_page(offered: Models, folder: Path) -> Path:
    for name, text in playground.files(offered).items():
        if name.startswith("extra/"):
            path = folder / name.removeprefix("extra/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    markup = playground.markup(offered, playground.ALL_PARTS, playground.FOLDER)
    html = markup.removeprefix("```{raw} html\n").removesuffix("\n```\n")
    (folder / "index.html").write_text(f"<!doctype html><meta charset=utf-8>{html}", "utf-8")
    return folder


def engine_page(browser, offered: Models):
    page = browser.new_page()
    page.add_script_tag(content=playground.modules(playground.IN_WORKER))
    page.add_script_tag(
        content="var reports = [], iftPlayground = {part: {}};"
        "var engine = new Engine((message) => reports.push(message));"
        "iftPlayground.describe = (values) => engine.describe(values);"
    )
    page.add_script_tag(content=offered.files["describe.js"])
    for model in offered.all:
        page.evaluate("([name]) => { iftPlayground.part[name] = (i, text) => (parts[i] = text);"
                      "globalThis.parts = []; }", [model.name])  # fmt: skip
        for i in range(model.parts):
            page.add_script_tag(content=offered.files[f"{model.name}.{i}.js"])
        page.evaluate("([name, origin]) => engine.load({name, origin, parts})",
                      [model.name, model.origin])  # fmt: skip
    return page


def strings(n: int) -> list[str]:
    """Texts of the world, and random ones: many scripts, white space, special tokens, emoji."""
    rng = random.Random(0)
    texts = ["\ufeffA byte order mark"]
    texts += [turn.content for record in dialogue_records(n // 4, seed=5) for turn in record.turns]
    pieces = [
        "<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|pad|>", "<|", " ", "  ", "\n", "\r\n",
        "\t", "\u00a0", "\u3000", "\ufeff", "\u0085", "\u200b", "'s", "'LL", "’s", "é", "e\u0301",
        "中文", "العربية", "हिन्दी", "🏳️", "😀", "½", "Ⅷ", "٣", "_", "--", "ß", "\x00", "Ġ", "Ċ",
    ]  # fmt: skip
    letters = "abcdefghijklmnopqrstuvwxyzABC 0123456789.,:;!?'\"\n-"
    while len(texts) < n:
        size = rng.randrange(1, 12)
        parts = (rng.choice((rng.choice(pieces), rng.choice(letters))) for _ in range(size))
        texts.append("".join(parts))
    return rng.sample(texts, n)


@cache
def base_tokenizer() -> Any:
    return ift.load("base")[1]


def differing(engine, texts: list[str]) -> list[str]:
    """The texts to which the page gives other ids, or another text of these ids, than Python."""
    tokenizer = base_tokenizer()
    ids = [tokenizer(text)["input_ids"] for text in texts]
    decoded = [tokenizer.decode(x) for x in ids]
    results = engine.evaluate(
        "(texts) => texts.map((x) => engine.tokenizer.encode(x))"
        ".map((ids) => [ids, engine.tokenizer.decode(ids)])",
        texts,
    )
    return [
        text
        for text, result, *expected in zip(texts, results, ids, decoded, strict=True)
        if result != expected
    ]
