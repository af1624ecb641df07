"""The exception whose message is meant for a person."""


class CourseError(Exception):
    """A mistake the user can fix. `str(error)` is one sentence: what, where, and the remedy."""
