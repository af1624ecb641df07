"""The checks of a pretend lesson are data for these tests: the grader runs them, pytest must not."""

collect_ignore = ["exercises"]
