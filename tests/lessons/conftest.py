from tests.grid_results import a_result  # noqa: F401 (a fixture)
from tests.real_model import quick_recipe, real_base, real_results, real_rows  # noqa: F401
