"""What runs a student's cells and functions. It returns values, and is not believed."""

import functools
import os
import random
import socket
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable
from typing import Any

from ift_course.exercises import notebook_cells
from ift_course.exercises.learner import InProcessLearner, LearnerError
from ift_course.exercises.values import NotPlainData
from ift_course.grading import wire


def serve(connection: socket.socket, rungs: list[str]) -> None:
    """Answers requests until the grader closes the connection. First says what shuts it in.

    ("cell", number, source) -> ("done", lines that were skipped); ("call", name, arguments,
    keywords) -> ("value", value, arguments after the call); both may give ("raised", kinds,
    message, line, number).
    """
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    namespace = module.__dict__
    warnings.simplefilter("ignore")
    tempfile.tempdir = None  # the server may have asked for it, and had no work folder
    for name in ("chmod", "chown", "utime"):
        setattr(os, name, _harmless_at_home(getattr(os, name)))
    wire.send(connection, ("ready", rungs))
    while True:
        try:
            request = wire.receive(connection)
        except wire.Closed:
            os._exit(0)
        seed()
        try:
            answer = (_cell if request[0] == "cell" else _call)(namespace, *request[1:])
            frame = wire.pack(answer)
        except LearnerError as error:
            frame = wire.pack(("raised", error.kinds, error.message, error.line, error.number))
        except NotPlainData as error:
            frame = wire.pack(("raised", ("NotPlainData",), str(error), "", 0))
        connection.sendall(frame)


def _harmless_at_home(function: Callable[..., None]) -> Callable[..., None]:
    """Lets a refused change of a file's mode or times pass in the work folder.

    The sandbox cannot tell one folder from another here, and `shutil.copy` makes such a change.
    """
    home = os.getcwd()

    @functools.wraps(function)
    def change(path: Any, *args: Any, **kwargs: Any) -> None:
        try:
            function(path, *args, **kwargs)
        except PermissionError:
            name = None if isinstance(path, int) else os.path.realpath(os.fsdecode(path))
            if name is None or os.path.commonpath([home, name]) != home or not os.path.exists(name):
                raise

    return change


def seed() -> None:
    """Code that draws random numbers gives the same ones in every run."""
    random.seed(0)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(0)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


def _call(namespace: dict[str, Any], name: str, args: tuple, kwargs: dict) -> tuple:
    learner = InProcessLearner(namespace)
    value = getattr(learner, name)(*args, **kwargs)
    return "value", value, learner.arguments


def _cell(namespace: dict[str, Any], number: int, source: str) -> tuple:
    try:
        return "done", notebook_cells.execute(number, source, namespace)
    except BaseException as error:
        kinds = tuple(kind.__name__ for kind in type(error).__mro__[:-1])
        lines = [x for x in traceback.extract_tb(error.__traceback__) if x.filename[:6] == "<cell "]
        line, place = (lines[-1].line or "", lines[-1].lineno or 0) if lines else ("", 0)
        raise LearnerError(kinds, str(error), line, place) from None
