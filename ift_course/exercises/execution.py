"""Run a cell as IPython does, but without IPython: magics, shell lines, top-level await.

`ift check`, `ift grade`, and the checks under pytest all run cells through `execute`.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import linecache
import types
import warnings
from typing import Any

BODY_MAGICS = {"time", "capture", "prun"}  # their cell is run in the notebook's namespace


def execute(number: int, source: str, namespace: dict[str, Any]) -> list[str]:
    """Run one cell under the name `<cell NUMBER>`, so that an error can show its line.

    In a cell that is not valid Python, every statement that is valid by itself is still run; the
    syntax error is raised afterwards.

    Args:
        number: The cell's number, for messages.
        source: The cell's text in the notebook.
        namespace: The notebook's global names; changed by the cell.

    Returns:
        The magics and shell lines that were skipped.

    Raises:
        BaseException: Whatever the cell raises.
    """
    name = f"<cell {number}>"
    linecache.cache[name] = (len(source), None, [f"{x}\n" for x in source.split("\n")], name)
    shell = Shell(namespace, name)
    namespace["get_ipython"] = lambda: shell
    shell.run(source)
    return shell.skipped


def python(source: str) -> str:
    """Translate a cell to Python: magics and shell lines become calls of `get_ipython()`.

    Valid Python stays as it is, so a "!" or "%" inside a string is never taken for a magic.
    """
    if _valid(source):
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    body = source.lstrip("\n")
    try:
        # IPython drops blank lines at the start, but line numbers count them.
        return source[: len(source) - len(body)] + TransformerManager().transform_cell(body)
    except SyntaxError:
        return source


def statements(source: str) -> list[tuple[int, str]]:
    """Split a cell or script into its top-level statements, even if it is not valid Python.

    Returns:
        (index of the first line, text) of each statement. A piece that cannot be parsed is one
        line with the indented lines below it.
    """
    lines = source.split("\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            starts = [_first_line(node) - 1 for node in ast.parse(source).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        starts = _guessed_starts(lines)
    ends = [*starts[1:], len(lines)][: len(starts)]
    return [(a, "\n".join(lines[a:b])) for a, b in zip(starts, ends, strict=True)]


def definitions(source: str) -> str:
    """Reduce a cell to its functions, classes, imports, and plain values, without calls.

    Returns:
        The definitions, on their original lines; empty for a cell that defines nothing or is not
        valid Python.
    """
    code = python(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = [node for node in ast.parse(code).body if _defines(node)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    lines, result = code.split("\n"), [""] * (code.count("\n") + 1)
    for node in nodes:
        for index in range(_first_line(node) - 1, node.end_lineno or node.lineno):
            result[index] = lines[index]
    return "\n".join(result).rstrip()


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return not any(isinstance(x, (ast.Call, ast.Await)) for x in ast.walk(node))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return isinstance(node, kinds)


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(x.lineno for x in decorators)])


MOST_PARSES = 3000  # of pieces of one broken cell
LONGEST_PIECE = 80  # lines at the left margin that one statement may span, as in a long string
CONTINUES = ("elif", "else", "except", "finally", ")", "]", "}")
UNFINISHED = ("never closed", "unterminated triple-quoted", "unexpected EOF", "indented block",
              "expected 'except'")  # fmt: skip


def _guessed_starts(lines: list[str]) -> list[int]:
    """The first lines of the statements of a broken source: the shortest parsable pieces."""
    margins = [i for i, line in enumerate(lines) if _begins_statement(line)]
    starts, parses, index = [], 0, 0
    while index < len(margins):
        starts.append(margins[index])
        step = 1
        for length in range(1, LONGEST_PIECE):
            stop = index + length
            end = margins[stop] if stop < len(margins) else len(lines)
            problem = _problem("\n".join(lines[margins[index] : end]))
            parses += 1
            decorator = lines[margins[index]].startswith("@")
            if not problem:
                step = length
                break
            unfinished = decorator or any(x in problem for x in UNFINISHED)
            if not unfinished or stop >= len(margins) or parses > MOST_PARSES:
                break
        index += step
    return starts


def _begins_statement(line: str) -> bool:
    return bool(line.strip()) and not line[0].isspace() and not line.startswith((*CONTINUES, "#"))


def _problem(source: str) -> str:
    """The reason why a piece of source is not valid; empty if it is."""
    try:
        _compile(python(source), "<piece>")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or "invalid"
    return ""


def _valid(source: str) -> bool:
    try:
        _compile(source, "<cell>")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _compile(source: str, name: str) -> types.CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that about "\d" in a string
        return compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _run(code: types.CodeType, namespace: dict[str, Any]) -> None:
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, namespace)
        return
    coroutine = eval(code, namespace)
    try:
        loop = asyncio.new_event_loop()
    except OSError:  # the loop needs a pair of sockets, which a sandbox may refuse
        _run_without_loop(coroutine)
        return
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()


def _run_without_loop(coroutine: types.CoroutineType) -> None:
    """Run a coroutine that never has to wait, which is true of most of them."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("The cell waits for something outside this process.")


class Shell:
    """A substitute for IPython's shell that runs the code of `BODY_MAGICS` and skips the rest.

    Attributes:
        user_ns: The notebook's global names.
        skipped: The magics and shell lines that were not run.
    """

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.user_ns = namespace
        self.skipped: list[str] = []
        self._name = name

    def run(self, source: str) -> None:
        """Run a cell or the body of a cell magic."""
        try:
            code = _compile(python(source), self._name)
        except SyntaxError:
            self._run_valid_statements(source)
            raise
        _run(code, self.user_ns)

    def _run_valid_statements(self, source: str) -> None:
        for start, text in statements(source):
            if not _problem(text):
                with contextlib.suppress(Exception):  # the syntax error is what will be reported
                    _run(_compile(python("\n" * start + text), self._name), self.user_ns)

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        if name not in BODY_MAGICS:
            self.skipped.append(f"%%{name} {line}".strip())
            return
        source = "\n" + body  # so that line numbers count the line of the magic
        if name != "capture":
            self.run(source)
            return
        captured = io.StringIO()
        with contextlib.redirect_stdout(captured):
            self.run(source)
        for word in line.split()[:1]:
            if word.isidentifier():
                self.user_ns[word] = types.SimpleNamespace(
                    stdout=captured.getvalue(), stderr="", outputs=[], show=lambda: None
                )

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> None:
        if name == "time":
            self.run(line)
            return
        self.skipped.append(f"%{name} {line}".strip())

    def system(self, line: str) -> None:
        self.skipped.append(f"!{line}")

    def getoutput(self, line: str, *_: Any, **__: Any) -> list[str]:
        self.skipped.append(f"!{line}")
        return []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
