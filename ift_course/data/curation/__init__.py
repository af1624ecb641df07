"""Choose the records that are worth learning from: without flaws or duplicates, and diverse."""

from __future__ import annotations

from ift_course.data.curation.curate import Curated, Decision, curate
from ift_course.data.curation.difficulty import Difficulty, best, difficulty
from ift_course.data.curation.diversity import diverse
from ift_course.data.curation.duplicates import exact_duplicates, near_duplicates
from ift_course.data.curation.flaws import format_flaws

__all__ = [
    "Curated",
    "Decision",
    "Difficulty",
    "best",
    "curate",
    "difficulty",
    "diverse",
    "exact_duplicates",
    "format_flaws",
    "near_duplicates",
]
