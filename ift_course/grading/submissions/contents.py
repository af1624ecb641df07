"""What a file holds of a lesson's functions, read from its code without running it.

The course's own files are known by their text, never by their name or place: the exercises as they
are handed out, the solutions, and the files of the package.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from ift_course.exercises import catalog, source
from ift_course.exercises.execution import BODY_MAGICS, python, statements
from ift_course.exercises.generate import fingerprint
from ift_course.exercises.notebook_cells import CodeCell, read
from ift_course.paths import PACKAGE, checkout, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SHORT = 150  # characters of a function's tree: anybody would write a shorter one the same way
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"  # in the source of the solutions only
IMPORTS = (ast.Import, ast.ImportFrom)
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class FileContents:
    """What one file holds of the course.

    Attributes:
        defined: The lesson's functions that it defines, stubs included; an import defines nothing.
        solved: Those with a body that is not a stub.
        copied: Those that are the course's solution word for word.
        library: Those that call the course's own library, or are imported from it, with the name
            that they use.
        others: Functions of other lessons, with the lesson's number.
        course: Which part of the course the file is, if it is nobody's answer; else empty.
        solution: The functions of a lesson, if each is the course's solution word for word.
    """

    defined: set[str] = field(default_factory=set)
    solved: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    library: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    course: str = ""
    solution: frozenset[str] = frozenset()

    @property
    def own(self) -> set[str]:
        """The functions with a body that is not the course's."""
        return self.solved - self.copied


def survey(code: list[CodeCell], functions: Iterable[str]) -> FileContents:
    """What a file holds of one lesson's functions, and of other lessons.

    Args:
        code: The cells of the file.
        functions: The lesson's functions.
    """
    functions = list(functions)
    lessons = {x.function: x.lesson for x in catalog.exercises() if x.function not in functions}
    text = "\n".join(cell.source for cell in code)
    if not any(name in text for name in (*functions, *lessons)):
        return FileContents()
    definitions = _definitions(code)
    imported = {k for k, node in definitions.items() if isinstance(node, IMPORTS)}
    contents = FileContents(defined=set(functions) & set(definitions) - imported)
    contents.others = {
        name: lessons[name]
        for name, node in definitions.items()
        if name in lessons and isinstance(node, Definition)
    }
    solutions, stubs = _shipped_functions()
    stamped = _stamped_solutions(code)
    contents.solution = _solution(definitions, {*functions, *lessons}, solutions, stamped)
    for name in contents.defined:
        tree = _tree(definitions[name])
        if _is_stub(definitions[name]) or tree == stubs.get(name):
            continue
        if tree == solutions.get(name) or name in stamped:
            contents.copied.add(name)
        contents.solved.add(name)
    answers = contents.solved | (imported & set(functions))
    contents.library = {k: v for k, v in _library_calls(definitions, code).items() if k in answers}
    contents.course = _course_file(code, contents)
    contents.copied = {x for x in contents.copied if len(_tree(definitions[x])) > SHORT}
    return contents


def _solution(
    definitions: dict[str, ast.stmt],
    functions: set[str],
    solutions: dict[str, str],
    stamped: set[str],
) -> frozenset[str]:
    """The functions of the course that a file defines, if all are the course's solutions."""
    names = {x for x in functions & set(definitions) if isinstance(definitions[x], Definition)}
    copied = {x for x in names if x in stamped or _tree(definitions[x]) == solutions.get(x)}
    return frozenset(names) if len(names) > 1 and names == copied else frozenset()


def _course_file(code: list[CodeCell], contents: FileContents) -> str:
    """Which part of the course a file is, or an empty text."""
    text = "\n".join(cell.source for cell in code)
    if BEGIN in text and END in text:
        return "the source of the course's own solution"
    if not contents.defined and not contents.others:
        return ""
    if not any(cell.stamp for cell in code) and _digest(text) in _package_files():
        return "a file of the course's own package"
    return ""


def _stamped_solutions(code: list[CodeCell]) -> set[str]:
    """The functions in solution cells just as the course, of whatever version, generated them."""
    names: set[str] = set()
    for cell in code:
        if cell.stamp and cell.stamp == fingerprint(cell.source):
            tree = _parsed(cell.source)
            names |= {x.name for x in tree if isinstance(x, Definition) and not _is_stub(x)}
    return names


@cache
def _shipped_functions() -> tuple[dict[str, str], dict[str, str]]:
    """The trees of the solutions and of the stubs, by function."""
    solutions, stubs = {}, {}
    for path in source.sources():
        for cell in read(path.read_bytes(), path.name):
            for trees, cut in ((solutions, source.solved), (stubs, source.stubbed)):
                if BEGIN in cell[1]:
                    nodes = _parsed(cut(cell[1]))
                    trees |= {x.name: _tree(x) for x in nodes if isinstance(x, Definition)}
    return solutions, stubs


@cache
def _package_files() -> set[str]:
    """The digests of every Python file and of every lesson that the course ships."""
    root, lessons = checkout(), shipped() / "notebooks"
    folders = [PACKAGE, lessons, shipped() / "solutions"]
    folders += [root / "tests", root / "site", root / "benchmarks"] if root else []
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return {_digest_of_file(path) for path in (*paths, *sorted(lessons.glob("*.ipynb")))}


def _digest_of_file(path: Path) -> str:
    try:
        code = read(path.read_bytes(), path.name)
    except Exception:  # an empty __init__.py
        return ""
    return _digest("\n".join(text for _, text in code))


def _digest(text: str) -> str:
    """Of the code; blank lines and blank space at the end of lines do not count."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()


def _definitions(code: list[CodeCell]) -> dict[str, ast.stmt]:
    """The last definition of each top-level name: a def, an assignment or an import."""
    names: dict[str, ast.stmt] = {}
    for cell in code:
        for node in _unfolded(_parsed(cell.source)):
            for name in _bound(node):
                names[name] = node
    return names


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (x.id for x in node.targets if isinstance(x, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        yield node.target.id
    elif isinstance(node, IMPORTS):
        yield from ((x.asname or x.name).split(".")[0] for x in node.names)


def _unfolded(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements, with those inside if, try, with, and a cell magic that is run."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _unfolded(node.body)
            yield from _unfolded(getattr(node, "orelse", []))
        elif body := _magic_body(node):
            yield from _unfolded(_parsed(body))


def _magic_body(node: ast.stmt) -> str:
    """The cell in `get_ipython().run_cell_magic("time", "", "...")`, as nbconvert writes it."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "run_cell_magic":
        return ""
    texts = [x.value for x in call.args if isinstance(x, ast.Constant) and type(x.value) is str]
    return texts[2] if len(texts) == 3 and texts[0] in BODY_MAGICS else ""


def _parsed(code: str) -> list[ast.stmt]:
    """The statements of a cell that can be parsed, those under `%%time` included."""
    head, _, rest = code.lstrip().partition("\n")
    if head.startswith("%%"):
        code = rest if head[2:].split(" ")[0] in BODY_MAGICS else ""
    whole = _parse(code)
    if whole is not None:
        return whole
    whole = _parse(python(code))
    if whole is not None:
        return whole
    pieces = (_parse(text) or _parse(python(text)) or [] for _, text in statements(code))
    return [node for piece in pieces for node in piece]


def _parse(code: str) -> list[ast.stmt] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _body(node: Definition) -> list[ast.stmt]:
    """The statements of a function after its docstring."""
    first = node.body[0]
    constant = first.value if isinstance(first, ast.Expr) else None
    has_docstring = isinstance(constant, ast.Constant) and type(constant.value) is str
    return node.body[1:] if has_docstring else node.body


def _tree(node: ast.stmt) -> str:
    """The code of a definition, whatever its layout, comments, docstring and type hints."""
    try:
        if not isinstance(node, Definition):
            return ast.dump(node)
        names = [x.arg for x in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        return f"{node.name}({names}) " + " ".join(ast.dump(x) for x in _body(node))
    except RecursionError:
        return "too deep"


def _is_stub(node: ast.stmt) -> bool:
    """Nothing but a docstring, `pass`, `...` or the raise of NotImplementedError."""
    if not isinstance(node, Definition):
        return False
    body = _body(node)
    return not body or (len(body) == 1 and _does_nothing(body[0]))


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(error, ast.Name) and error.id == "NotImplementedError"


def _library_calls(definitions: dict[str, ast.stmt], code: list[CodeCell]) -> dict[str, str]:
    """The name in the course's package that each definition uses, itself or through another one."""
    aliases: dict[str, str] = {}
    for cell in code:
        for node in _unfolded(_parsed(cell.source)):
            aliases |= _course_imports(node)
    calls: dict[str, str] = {}
    for name, node in definitions.items():
        if used := _course_name(node, aliases):
            calls[name] = used
    changed = bool(calls)
    while changed:
        changed = False
        for name, node in definitions.items():
            names = _global_names(node) - {name}
            through = next((x for x in sorted(names) if x in calls), "")
            if name not in calls and through and isinstance(node, Definition | ast.Assign):
                calls[name] = calls[through]
                changed = True
    return calls


def _course_imports(node: ast.AST) -> dict[str, str]:
    """The names that an import binds to the course's package or its parts."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ift_course":
        return {x.asname or x.name: f"{node.module}.{x.name}" for x in node.names}
    if isinstance(node, ast.Import):
        return {
            x.asname or x.name.split(".")[0]: x.name
            for x in node.names
            if x.name.split(".")[0] == "ift_course"
        }
    return {}


def _course_name(node: ast.stmt, aliases: dict[str, str]) -> str:
    """The first name of the course's package in a definition, or an empty text."""
    if isinstance(node, IMPORTS):
        inside = [x for x in _course_imports(node).values() if x != "ift_course"]
        return inside[0] if inside else ""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and str(inner.value).startswith("ift_course."):
            return str(inner.value)[:100]
        if imported := _course_imports(inner):
            return next(iter(imported.values()))
    # A constant, as the -100 of a masked label, computes nothing.
    named = sorted(x for x in _global_names(node) & set(aliases) if not x.isupper())
    return aliases[named[0]] if named else ""


def _global_names(node: ast.stmt) -> set[str]:
    """The names that a definition looks up outside of itself."""
    names = [x for x in ast.walk(node) if isinstance(x, ast.Name)]
    own = {x.id for x in names if not isinstance(x.ctx, ast.Load)}
    own |= {x.arg for x in ast.walk(node) if isinstance(x, ast.arg)}
    if not isinstance(node, Definition):
        own = set()
    return {x.id for x in names if isinstance(x.ctx, ast.Load)} - own
