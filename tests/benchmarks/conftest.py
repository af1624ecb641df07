from tests.real_model import quick_recipe, real_base, real_results, real_rows  # noqa: F401 (fixtures)
