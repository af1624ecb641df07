"""The pretend lesson's checks are data for these tests: the grader runs them, pytest must not."""

collect_ignore = ["exercises"]
