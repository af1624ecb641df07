"""Learners' code runs without Linux, and the package's syntax is that of Python 3.10."""

import ast
import subprocess
import sys
from pathlib import Path

from ift_course.paths import PACKAGE

# Isolates student code with features of Linux, and reports those that are missing.
GRADING = PACKAGE / "grading"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LEARNERS = [path for path in SOURCES if GRADING not in path.parents]
# Absent from Windows, or available there only with a privilege.
POSIX_MODULES = "fcntl grp posix pty pwd resource syslog termios tty".split()
POSIX_NAMES = """
fork forkpty getegid geteuid getgid getppid getuid killpg nice openpty setsid symlink symlink_to
hardlink_to mkfifo sched_setaffinity wait3 wait4 SIGALRM SIGHUP SIGKILL SIGUSR1 alarm setitimer
preexec_fn start_new_session pass_fds
""".split()
WITH_FALLBACK = {
    ("hardware.py", "resource"),  # psutil has the same number on Windows
    # A second thread interrupts where there are no signals.
    ("exercises/time_limit.py", "setitimer"),
    ("exercises/time_limit.py", "SIGALRM"),
}
OPENS_BYTES = ("os.open", "Image.open", "archive.open")  # archive: of zipfile

# These modules of others choose their platform at import, so they are imported before.
AS_ON_WINDOWS = f"""
import asyncio, multiprocessing.connection, psutil, rich.console, subprocess, sys, typer
for name in {POSIX_MODULES!r}:
    sys.modules[name] = None  # importing it raises ImportError
"""


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))


def test_the_syntax_is_that_of_python_3_10():
    for path in SOURCES:
        tree(path)


def test_learners_code_assumes_no_posix():
    wrong = {
        (relative(path), name)
        for path in LEARNERS
        for node in ast.walk(tree(path))
        for name in used(node) & {*POSIX_MODULES, *POSIX_NAMES}
    }
    assert wrong == WITH_FALLBACK


def used(node: ast.AST) -> set[str]:
    """The modules, attributes and argument names that a node names."""
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    if isinstance(node, ast.Attribute | ast.keyword):
        return {node.attr if isinstance(node, ast.Attribute) else node.arg or ""}
    return set()


def test_text_files_are_opened_with_an_encoding():
    """Windows has another default, and lessons are full of × and é."""
    calls = [
        (relative(path), node.lineno, node)
        for path in LEARNERS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
    ]
    assert [(file, line) for file, line, node in calls if not names_encoding(node)] == []


def names_encoding(call: ast.Call) -> bool:
    called = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if called not in ("read_text", "write_text", "open") or ast.unparse(call.func) in OPENS_BYTES:
        return True
    values = [x.value for x in call.args if isinstance(x, ast.Constant)]
    binary = any(isinstance(x, str) and "b" in x and set(x) <= set("rwxab+") for x in values)
    named = any(keyword.arg == "encoding" for keyword in call.keywords)
    return named or "utf-8" in values or (called == "open" and binary)


def test_the_commands_and_the_checks_are_there_without_posix():
    process = without_posix(
        "import ift_course.cli, ift_course.exercises.notebook_api\n"
        "import ift_course.exercises.check_notebook\n"
        "from ift_course.hardware import threads\n"
        "assert threads() >= 1\n"
    )
    assert process.returncode == 0, process.stderr


def test_where_nothing_shuts_student_code_in_the_grader_says_so(tmp_path):
    main = "from ift_course.cli import main\nmain()\n"
    (tmp_path / "01_pretraining_vs_sft.ipynb").write_text("{}", encoding="utf-8")
    out = str(tmp_path / "gradebook")
    process = without_posix(main, "grade", str(tmp_path), "--lesson", "01", "--out", out)
    assert process.returncode == 2, process.stderr
    assert process.stderr.startswith("Windows has none of the layers that confine student code")
    assert len(process.stderr.strip().splitlines()) == 1


def without_posix(code: str, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", AS_ON_WINDOWS + code, *words]
    return subprocess.run(command, capture_output=True, text=True)
