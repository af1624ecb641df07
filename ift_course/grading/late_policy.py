"""What late work loses."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from pathlib import Path

POLICY = "policy.json"


class LatePolicy(BaseModel):
    """What late work loses.

    Attributes:
        due: An ISO time with its zone; without it, lateness costs nothing.
        grace_minutes: After the due time.
        percent_per_day: Of the points earned, for each begun day.
        percent_at_most: Of the points earned.
    """

    model_config = ConfigDict(extra="forbid")
    due: datetime | None = None
    grace_minutes: float = Field(default=0, ge=0)
    percent_per_day: float = Field(default=10, ge=0, le=100)
    percent_at_most: float = Field(default=100, ge=0, le=100)

    def days_late(self, submitted: str, flagged: bool) -> int:
        """Begun days after the due time and its grace.

        Args:
            submitted: An ISO time, or an empty text.
            flagged: Whether the download marks it as late; that alone counts as one day.
        """
        time = parse_time(submitted)
        if self.due is None or (time is None and not flagged):
            return 0
        if time is None:
            return 1
        due = self.due if self.due.tzinfo else self.due.replace(tzinfo=timezone.utc)
        over = time - due - timedelta(minutes=self.grace_minutes)
        return max(0, math.ceil(over / timedelta(days=1)))

    def loss(self, days: int) -> float:
        """The share of the points that is lost, from 0 to 1."""
        return min(days * self.percent_per_day, self.percent_at_most) / 100


def read_policy(folder: Path) -> LatePolicy:
    """The late policy in the folder of a gradebook; without one, lateness costs nothing.

    Args:
        folder: Of the gradebook.

    Raises:
        CourseError: The file is not a late policy.
    """
    path = folder / POLICY
    if not path.is_file():
        return LatePolicy()
    try:
        return LatePolicy(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, ValidationError) as error:
        raise CourseError(f"{path} is not a late policy: {error}") from None


def parse_time(text: str) -> datetime | None:
    """An ISO time, also with "Z" or " UTC"; one without a zone is UTC.

    Args:
        text: Of any kind.

    Returns:
        The time; None if the text is not one.
    """
    try:
        time = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00").replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
