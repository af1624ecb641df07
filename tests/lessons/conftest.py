from tests.grid_results import a_result  # noqa: F401 (a fixture)
