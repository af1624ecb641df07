"""The one exception that is meant for a person."""


class CourseError(Exception):
    """A mistake the user can mend. `str(error)` is one sentence: what, where, and the remedy."""
