"""Each package imports only from packages below it, without circles or overlong modules."""

import ast
from functools import cache
from pathlib import Path

import pytest

import ift_course

PACKAGE = Path(ift_course.__file__).parent
# From the bottom up. Packages on one line do not import each other; a top-level module counts as a
# package of its own.
FLOORS = """
errors terminal links
settings
paths profile disk
hardware
session distributed
world
data
from_scratch
models
memory
training
export evaluation
plots
claims exercises diagnosis
panels
lessons
grading authoring
capstone
colab
cli
""".split("\n")[1:-1]
FLOOR = {room: number for number, line in enumerate(FLOORS) for room in line.split()}
MOST_LINES = 400
LONGER: dict[str, str] = {}  # module: the reason


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name without "ift_course."; "" is the facade."""
    named = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports of the package, in functions and under TYPE_CHECKING, too."""
    targets = set()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "ift_course":
                while rest not in modules():  # the last part is a name in the module
                    rest = rest.rpartition(".")[0]
                targets.add(rest)
    return frozenset(targets - {module})


def room(module: str) -> str:
    return module.partition(".")[0]


def circle_through(start: str) -> list[str] | None:
    """The shortest chain of imports from a module back to itself."""
    paths, visited = [[start]], set()
    for path in paths:
        for target in sorted(imports(path[-1])):
            if target == start:
                return [*path, start]
            if target not in visited:
                visited.add(target)
                paths.append([*path, target])
    return None


def test_every_room_has_its_floor():
    rooms = {room(module) for module in modules()} - {""}
    assert rooms == set(FLOOR)


def test_no_module_imports_itself_by_way_of_others():
    inside = [module for module in modules() if module]
    assert [path for module in inside if (path := circle_through(module))] == []


def test_imports_lead_downwards_only():
    upward = [
        f"{module} imports {target}"
        for module in modules()
        for target in imports(module)
        if module and target and room(module) != room(target)
        if FLOOR[room(target)] >= FLOOR[room(module)]
    ]
    assert upward == []


@pytest.mark.parametrize("module", ["a", "b"])
def test_the_search_for_circles_finds_one(module, monkeypatch):
    graph = {"a": {"c"}, "b": {"a"}, "c": {"b", "d"}, "d": set()}
    monkeypatch.setitem(globals(), "imports", graph.__getitem__)
    assert len(circle_through(module)) == 4
    assert circle_through("d") is None


def test_no_module_is_longer_than_a_reader_can_bear_without_a_reason():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    too_long = {name: length for name, length in lengths.items() if length > MOST_LINES}
    assert set(too_long) == set(LONGER), too_long
