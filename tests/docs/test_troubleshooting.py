"""docs/troubleshooting.md: every symptom has a cause, a command, a remedy, a lesson and a thread.

That its commands run is tested in test_commands.py.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from myst_parser.slugs import github_slugify

from ift_course.paths import checkout

ROOT = checkout()
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
INTRODUCTION, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
LESSON = re.compile(r"\[lesson (\d\d), “([^”]+)”\]\(\.\./(notebooks/\w+)\.ipynb#([^)]+)\)")
THREAD = re.compile(r"\[([\w.-]+/[\w.-]+)#(\d+)\]\((https://github\.com/[^)]+)\)")


@cache
def headings(notebook: str) -> list[str]:
    """The headings of a notebook; of several with one anchor, the site takes the first."""
    source = (ROOT / f"{notebook}.py").read_text(encoding="utf-8")
    return re.findall(r"^# #{2,4} (.+)$", source, re.MULTILINE)


def test_the_page_has_twenty_symptoms_in_order():
    numbers = [int(section.partition(".")[0]) for section in SECTIONS]
    assert numbers == list(range(1, 21))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda x: x.partition(".")[0])
def test_a_symptom_has_a_cause_a_command_and_a_remedy(section):
    assert "\n**Cause.** " in section and "\n**Remedy.** " in section
    assert "```bash\n" in section
    threads = THREAD.findall(section)
    assert threads or "huggingface.co/docs/trl" in section
    for repository, number, address in threads:
        assert re.fullmatch(rf"https://github\.com/{repository}/(issues|pull)/{number}", address)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda x: x.partition(".")[0])
def test_a_symptom_links_to_a_section_that_its_lesson_has(section):
    links = LESSON.findall(section)
    assert links
    for number, heading, notebook, anchor in links:
        assert notebook.startswith(f"notebooks/{number}_")
        assert heading in headings(notebook)
        anchors = [github_slugify(other) for other in headings(notebook)]
        assert anchors.count(anchor) == 1 and anchor == github_slugify(heading)


def test_the_findings_that_the_page_names_exist():
    sources = (ROOT / "ift_course" / "diagnosis").glob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    names = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE)
    assert len(names) > 10
    assert [name for name in names if f'"{name}"' not in code] == []
