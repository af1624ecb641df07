from tests.rows import a_row  # noqa: F401 (a fixture)
