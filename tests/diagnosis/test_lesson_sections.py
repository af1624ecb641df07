"""Every finding leads to a section that its lesson has."""

from __future__ import annotations

import re

import pytest

from ift_course.diagnosis import lesson_sections
from ift_course.diagnosis.lesson_sections import Section
from ift_course.paths import checkout

ROOT = checkout()
SECTIONS = {name: x for name, x in vars(lesson_sections).items() if isinstance(x, Section)}


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_that_explains_a_finding_is_in_its_lesson(name):
    section = SECTIONS[name]
    source = (ROOT / "notebooks" / f"{section.notebook}.py").read_text(encoding="utf-8")
    headings = re.findall(r"^# #{2,4} (.+)$", source, re.MULTILINE)
    assert section.heading in headings
