"""The generated pages agree with the stored results, and their links lead to targets."""

import ast
import re
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt

from ift_course.authoring import generated_docs
from ift_course.authoring.claims_page import SeedRun, claims_page, finding
from ift_course.authoring.markdown import format_number
from ift_course.claims.entry import Claim
from ift_course.claims.store import read_file
from ift_course.lessons.discover import lessons
from ift_course.lessons.objectives import OBJECTIVES
from ift_course.panels.panel import Contrast, Identity, Panel, Run
from ift_course.paths import checkout

LEDGER = checkout() / "results" / "tiny" / "claims.json"
SOURCES = [lesson.source for lesson in lessons()]


def claim(**changes) -> Claim:
    return Claim(
        **{
            "id": "01.toys",
            "lesson": "01",
            "statement": "Toys are fun.",
            "source": "Toy et al. 2023, arXiv:2305.11206",
            "metric": "fun, of 1",
            "arms": {"toys": [0.4, 0.5, 0.6], "none": [0.0, 0.0, 0.0]},
            "of": ["toys", "none"],
            "effect": 0.5,
            "interval": (-0.041, 0.6),
            "method": "over seeds",
            "at_least": 0.1,
            "at_most": None,
            "holds": True,
            "subject": (6,),
            "seconds": 17,
            "peak_mb": 1,
        }
        | changes
    )


def cells(page: str, start: str) -> list[str]:
    [line] = [x for x in page.splitlines() if x.startswith(f'| <a id="01.toys"></a>{start}')]
    line = line.replace('<a id="01.toys"></a>', "")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_row_says_statement_number_interval_seeds_verdict_lesson_and_seconds():
    statement, measured, verdict, lesson, seconds = cells(claims_page([claim()]), "Toys")
    assert statement.startswith("Toys are fun.")
    assert "[arXiv:2305.11206](https://arxiv.org/abs/2305.11206)" in statement
    assert "fun, of 1: **0.5** (−0.041 to 0.6; 3 seeds; needed at least 0.1)" in measured
    assert "toys 0.5; none 0" in measured
    assert verdict == "✓ holds"
    assert lesson == "[01](../notebooks/01_pretraining_vs_sft.ipynb)" and seconds == "17"


@pytest.mark.parametrize(("value", "text"), [(-0.0, "0"), (-0.5, "−0.5"), (1 / 3, "0.333")])
def test_numbers_have_three_digits_and_a_real_minus(value, text):
    assert format_number(value) == text


def test_the_measured_statement_comes_first_and_the_fields_words_are_marked_as_such():
    row = cells(claims_page([claim(literature="The more toys the better.")]), "Toys")
    assert row[0].startswith("Toys are fun. The field: “The more toys the better.” (Toy et al.")
    assert row[1].startswith("fun, of 1:")


def test_a_row_says_where_it_is_not_as_in_the_literature():
    differs = claim(differs="Ours are made of wood.")
    assert "≠ holds, but not as in the literature: Ours are made" in claims_page([differs])
    assert "✗ does not hold" in claims_page([claim(holds=False)])


def test_the_readme_shows_one_finding_and_counts_the_verdicts():
    literature = claim(literature="The more toys the better.")
    differs, fails = claim(id="01.wood", differs="Ours are wood."), claim(id="01.no", holds=False)
    text = finding([literature, differs, fails], [], "01.toys")
    assert text.startswith("> ✓ Toys are fun. **0.5** (95 % interval −0.041 to 0.6; fun, of 1)")
    assert "The more toys" not in text, "the literature's words are no finding of ours"
    assert "Of 3 claims measured in the closed world, 1 hold, 1 hold but differ" in text
    assert "and 1 do not hold." in text and "predictions" not in text
    assert "> " not in finding([differs], [], "01.toys")


def a_panel(**contrasts: float | None) -> Panel:
    """A panel whose second arm is right on 30 of 40 items, and whose first one on none."""
    scores = {"none": "0" * 40, "most": "1" * 30 + "0" * 10}
    return Panel(
        lesson="01", profile="gemma", model="Cow 1M", title="Moo or not",
        identity=Identity(base="x", weights="y", data={}, recipe={}),
        metrics={"strict": "right"},
        contrasts=[
            Contrast(first="none", second="most", metric="strict", at_least=bound)
            for bound in contrasts.values()
        ],
        versions={},
        runs=[
            Run(arm=arm, seed=0, date="2026-01-02", machine="an abacus", threads=1,
                scores={"strict": digits})
            for arm, digits in scores.items()
        ],
    )  # fmt: skip


def test_predictions_on_the_real_model_are_counted_and_listed():
    panel = a_panel(kept=0.3, missed=0.95, open=0.7, none=None)
    text = finding([], [panel], "01.toys")
    assert (
        "On Cow 1M, 1 of 3 predictions came out, 1 failed, and the others stay undecided." in text
    )
    page = claims_page([claim()], panels=[panel])
    section = page.partition("## On a real base model")[2]
    assert "**Lesson 01.** Moo or not (40 test items, 1 seed," in section
    assert section.count("\n- most is better than none in “right” by 75 points") == 4
    assert section.count("Predicted:") == 3
    assert "real base model" not in claims_page([claim()], panels=[a_panel()])


def test_withdrawn_predictions_are_listed_with_their_bound_and_days():
    entry = {"at_least": 0.2, "at_most": 0.4, "written": "2026-01-02", "withdrawn": "2026-01-03"}
    page = claims_page([claim()], withdrawn={"01.moo": entry})
    line = (
        "- `01.moo`: at least 0.2 and at most 0.4; written on 2026-01-02, withdrawn on 2026-01-03"
    )
    assert line in page.splitlines()
    assert "no longer claimed" not in claims_page([claim()])


def test_a_run_with_other_seeds_is_judged_by_the_bound_of_today():
    again = claim(effect=0.3, interval=(0.05, 0.6), at_least=0.0)
    runs = [SeedRun(10, [again]), SeedRun(100, [claim(interval=(0.2, 0.6))])]
    page = claims_page([claim()], runs)
    row = cells(page, "Toys")
    assert "With other seeds: ✗ 0.3 (0.05 to 0.6), ✓ 0.5 (0.2 to 0.6)." in row[1]
    assert "| 10 | 1 | 0 | `01.toys` |" in page and "| 100 | 1 | 1 | none |" in page
    assert "from the seeds 10 and 100 on" in " ".join(page.split())


def test_seeds_of_all_runs_are_pooled_unless_runs_share_them():
    def cell(*effects):
        measurements = [
            claim(arms={"a": seeds, "b": [0.0] * len(seeds)}, of=["a", "b"]) for seeds in effects
        ]
        runs = [SeedRun(10 * i, [x]) for i, x in enumerate(measurements[1:], start=1)]
        return cells(claims_page(measurements[:1], runs), "Toys")[1]

    first = [0.2, 0.3, 0.4]
    assert "All 6 seeds: 0.45 (0.254 to 0.646)." in cell(first, [0.5, 0.6, 0.7])
    assert "All 7 seeds: 0.457 (0.298 to 0.616)." in cell(first, [0.5, 0.6, 0.7, 0.5])
    assert "All" not in cell(first, first) and "All" not in cell(first)
    assert "All" not in cell(first, [*first, 0.5, 0.6, 0.7]), "it has stored seeds, too"


def test_the_memory_table_shows_prediction_measurement_and_error():
    row = {"model": "Moo", "method": "full", "batch": 1, "seq": 1024, "checkpointing": False,
           "predicted": 2**31, "measured": 2**31 + 2**24, "error": -0.0078}  # fmt: skip
    benchmark = {"date": "2026-11-20", "device": "an abacus", "torch": "2.13.0", "rows": [row]}
    table = generated_docs.memory_table(benchmark)
    assert "| Moo | full | 1 × 1,024 | off | 2.000 GB | 2.016 GB | −0.78 % |" in table
    assert "Measured on 2026-11-20, an abacus, torch 2.13.0" in table


def test_a_claim_stands_under_each_of_its_points_and_the_others_say_that_they_wait():
    page = claims_page([claim(subject=(2, 6)), claim(id="x", statement="Free.", subject=())])
    under = dict(re.findall(r"^## (\d+)\. .+\n\n(.+)", page, re.MULTILINE))
    assert [n for n in under if under[n].startswith("| claim | measured")] == ["2", "6"]
    assert under["7"] == "Not measured yet: lesson 06."
    assert "Free." in page.partition("## Further claims")[2]


def test_what_is_in_a_cell_stays_in_it():
    rows = claims_page([claim(statement="Toys | a\nb", metric="x|y")])
    assert len(cells(rows, "Toys")) == 5


# --- the repository's own pages


def test_every_claim_of_a_published_lesson_says_which_point_it_shows():
    for source in SOURCES:
        for call in claim_calls(source):
            assert "subject" in {x.arg for x in call.keywords}, f"{source.name}:{call.lineno}"


def test_every_point_of_a_published_lesson_is_shown_by_a_claim():
    covered = {n for source in SOURCES for call in claim_calls(source) for n in points(call)}
    published = {lesson.number for lesson in lessons()}
    waiting = {n for n, objective in OBJECTIVES.items() if objective.lesson not in published}
    assert set(OBJECTIVES) - covered <= waiting


def test_the_pages_are_those_of_the_ledger():
    """Exact where the ledger is the committed one; else its numbers are of this machine's run."""
    for path, text in generated_docs.expected_pages().items():
        current = path.read_text(encoding="utf-8")
        if committed(LEDGER):
            assert current == text, f"{path} is out of date; run: ift build --docs"
        else:
            assert without_numbers(current) == without_numbers(text), path


PAGES = ["docs/claims.md", "docs/glossary.md", "README.md"]
NOTEBOOKS = [
    str(path.relative_to(checkout()))
    for folder in ("notebooks", "exercises")
    for path in sorted((checkout() / folder).glob("*.ipynb"))
]


@pytest.mark.parametrize("name", [*PAGES, *NOTEBOOKS])
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(name):
    page = checkout() / name
    for target in links(page):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_ledger_has_nothing_of_lessons_that_are_not_there():
    assert {x.lesson for x in read_file(LEDGER)} <= {x.number for x in lessons()}


def test_the_terms_of_a_lesson_are_links_to_the_glossary():
    text = generated_docs.terms_of("02")
    assert "[chat template](../docs/glossary.md#chat-template)" in text
    assert "LoRA" not in text


def claim_calls(source: Path) -> list[ast.Call]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "claim"
    ]


def points(call: ast.Call) -> list[int]:
    [value] = [x.value for x in call.keywords if x.arg == "subject"] or [ast.Constant(())]
    numbers = ast.literal_eval(value)
    return [numbers] if isinstance(numbers, int) else list(numbers)


def committed(path: Path) -> bool:
    process = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", str(path)], cwd=checkout())
    return process.returncode == 0


def without_numbers(text: str) -> str:
    return re.sub(r"−?\d+(\.\d+)?(e[−+]?\d+)?", "#", text)


def markdown(page: Path) -> str:
    """The text of a page, or of a notebook's text cells."""
    if page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_placeholder_is_left_in_a_notebook(name):
    assert not re.findall(r"\{\{\s*\w+\s*\}\}", markdown(checkout() / name))


def links(page: Path) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(page))
    return [
        child.attrs["href"]
        for token in tokens
        for child in token.children or []
        if child.type == "link_open"
    ]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page, and those that it has of its own."""
    text = markdown(page)
    tokens = MarkdownIt("commonmark").parse(text)
    heads = [b.content for a, b in pairwise(tokens) if a.type == "heading_open"]
    named = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    return named | set(re.findall(r'<a id="([^"]+)"></a>', text))


def test_every_lesson_but_the_first_has_a_claim_on_the_map():
    ids = {x.id for x in read_file(LEDGER)}
    assert set(generated_docs.HEADLINES) <= ids
    assert [x[:2] for x in generated_docs.HEADLINES] == [x.number for x in lessons()][1:]


def test_a_run_of_a_learner_changes_no_page(tmp_path, monkeypatch):
    from ift_course.lessons import timings

    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    [first, *_] = timings.read_timings("tiny", published=True).values()
    timings.write_timings("tiny", [replace(first, seconds=54_321)])
    assert timings.read_timings("tiny")[first.lesson].seconds == 54_321
    text = " ".join(generated_docs.expected_pages().values())
    assert "905 min" not in text and timings.minutes(first.seconds) in text
