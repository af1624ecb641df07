"""The learner whose functions a check calls: here, the live names of a notebook or script."""

import contextlib
import copy
import inspect
import io
import linecache
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from ift_course.exercises.handles import Handle
from ift_course.exercises.time_limit import StillRunning, limited
from ift_course.exercises.values import NotPlainData, plain

LONGEST = 500  # characters of an error's message
STUB_MESSAGE = "Write your code here, instead of this line."  # only our stubs raise it

ENDLESS = (
    "The function did not finish and was stopped. Does something in its loop change from one "
    "iteration to the next, so that the loop can end?"
)


class Learner(Protocol):
    """What a check calls: any attribute is a function of the learner's.

    Attributes:
        arguments: Those of the last call, as they are after it.
    """

    @property
    def arguments(self) -> tuple: ...

    def __getattr__(self, name: str) -> Callable[..., Any]: ...


class LearnerError(Exception):
    """The learner's code raised an error, is missing, or returned what no check understands.

    Attributes:
        kinds: Names of the exception's classes, the most specific first.
        message: The exception's text, at most `LONGEST` characters.
        line: The last line of the learner's own code that ran; empty if unknown.
        number: The number of that line; 0 if unknown.
    """

    def __init__(
        self, kinds: tuple[str, ...], message: str, line: str = "", number: int = 0
    ) -> None:
        super().__init__(f"{kinds[0]}: {message}")
        self.kinds, self.message = kinds, message[:LONGEST]
        self.line, self.number = line, number

    @property
    def is_stub(self) -> bool:
        """Whether the stub raised it; PyTorch and learners raise NotImplementedError as well."""
        return self.kinds[0] == "NotImplementedError" and self.message == STUB_MESSAGE


class LearnerLost(Exception):
    """The learner's process is gone or out of time; no check may take this for an answer."""


class InProcessLearner:
    """The functions of a namespace, called in this process.

    A function gets copies of its arguments. What it prints or warns is dropped, and the global
    random number generators are seeded alike before every call, so that a notebook and the grader
    reach the same verdict.

    Args:
        namespace: The functions by name.
        limit: Seconds per call; None where the whole process has a limit. After a call was
            stopped, the next ones get a tenth of it.

    Attributes:
        arguments: Those of the last call, as they are after it.
    """

    def __init__(self, namespace: Mapping[str, Any], limit: float | None = None) -> None:
        self._namespace = namespace
        self._limit = self._first_limit = limit
        self.arguments: tuple = ()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        function = self._function(name)
        own = copy.deepcopy(args)
        try:
            with _quiet(), _fixed_random_numbers():
                call = partial(function, *map(resolve_handle, own), **copy.deepcopy(kwargs))
                answer = self._answer(call)
            self.arguments = own
            return copy.deepcopy(plain(answer))
        except KeyboardInterrupt:
            raise
        except StillRunning as error:
            place = learner_error(error, function)
            raise LearnerError(("StillRunning",), ENDLESS, place.line, place.number) from None
        except NotPlainData as error:
            raise LearnerError(("NotPlainData",), str(error)) from None
        except BaseException as error:
            raise learner_error(error, function) from None

    def _answer(self, call: Callable[[], Any]) -> Any:
        if self._limit is None or self._first_limit is None:
            return call()
        try:
            return limited(call, self._limit)
        except StillRunning:
            self._limit = self._first_limit / 10
            raise

    def _function(self, name: str) -> Callable[..., Any]:
        if name not in self._namespace:
            raise LearnerError(("Missing",), f"There is no function {name}.")
        function = self._namespace[name]
        if not callable(function):
            raise LearnerError(("Missing",), overwritten(name, function))
        return function


def overwritten(name: str, value: Any) -> str:
    """Explain to the learner that the name of a function now holds something else."""
    kind = type(value).__name__
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    return (
        f"The name {name} holds {article} {kind} and no longer the function: a line such as "
        f"`{name} = {name}(…)` has replaced it. Give the result another name, and run the cell "
        f"with `def {name}` again."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _fixed_random_numbers() -> Iterator[None]:
    """Seed the global random number generators for one call, then restore their states."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    python_state = random.getstate()
    random.seed(0)
    numpy_state = torch_state = None
    if numpy:
        numpy_state = numpy.random.get_state()
        numpy.random.seed(0)
    if torch:
        torch_state = torch.default_generator.get_state()
        torch.default_generator.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(python_state)
        if numpy:
            numpy.random.set_state(numpy_state)
        if torch:
            torch.default_generator.set_state(torch_state)


def resolve_handle(value: Any) -> Any:
    """The argument as the function receives it: a handle is replaced by its object."""
    return value.build() if isinstance(value, Handle) else value


def learner_error(error: BaseException, function: Callable[..., Any]) -> LearnerError:
    """Describe an exception by the last line that ran in the file or cell of the function."""
    kinds = tuple(kind.__name__ for kind in type(error).__mro__[:-1])
    code = getattr(inspect.unwrap(function), "__code__", None)
    line, number, step = "", 0, error.__traceback__
    while step and code:
        if step.tb_frame.f_code.co_filename == code.co_filename:
            number = step.tb_lineno
            line = linecache.getline(code.co_filename, number).strip()
        step = step.tb_next
    return LearnerError(kinds, str(error), line, number)
