"""What a lesson measures with several seeds: the first now, the others as they were stored.

Three seeds of everything would take longer than a lesson should. The stored numbers are those of
the very function in the notebook: whoever changes it measures all seeds anew.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass, fields, is_dataclass
from datetime import datetime, timezone
from types import CodeType, FunctionType
from typing import Any

from pydantic import BaseModel, ConfigDict

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.profile import Profile
from ift_course.session import current


@dataclass(frozen=True)
class Cell:
    """A function of a lesson by its name, and what it was called with besides the seed, as JSON."""

    function: str
    options: str

    @property
    def sort_key(self) -> tuple:
        """An order of cells that is the same in every run."""
        return astuple(self)


class Row(BaseModel):
    """What the function returned for one seed.

    found: anything JSON can hold. code: the first digits of the SHA-256 of the function's source
    and of what it refers to. seconds: of the call. base: as in `store.Row`.
    """

    model_config = ConfigDict(frozen=True)

    cell: Cell
    seed: int
    found: Any
    code: str
    seconds: float
    date: str
    base: str
    machine: str
    threads: int


def each_seed(
    measure: Callable[..., Any], seeds: Sequence[int], *, now: int = 1, **options: Any
) -> list[Any]:
    """What `measure(seed, **options)` returns for each of the seeds, in their order.

    Args:
        measure: a function of the notebook. Returns lists, dicts, numbers and strings.
        seeds: the first `now` of them are measured now, the others only if nothing is stored.
        options: what else it is called with; each combination is stored by itself.

    A stored number counts as long as the function, the notebook's functions that it calls and the
    plain values that it refers to are what they were, on the same base model. What changes in the
    package, or in lists and dicts that it reads, is not seen: after that, delete the file. What had
    to be measured is stored under `results/<profile>/grids/`, seed by seed.

    Raises:
        CourseError: what it returned or an option is not JSON, its source cannot be read, or the
            stored file is damaged.
    """
    session = current()
    place, profile = f"{session.lesson}-seeds", session.profile
    name = measure.__name__
    cell = Cell(name, _as_json(dict(sorted(options.items())), f"The options of {name}"))
    code = _code_of(measure)
    stored = {
        row.seed: row
        for row in grid_store.read(profile, place, Row)
        if (row.cell, row.code) == (cell, code)
    }
    missing = [seed for seed in seeds[now:] if seed not in stored]
    wanted = [*seeds[:now], *missing]
    found = {}
    with _reporting(session.lesson, missing) as report:
        for done, seed in enumerate(wanted, start=1):
            row = _measured(measure, cell, seed, options, code, profile)
            found[seed] = row.found
            if seed not in stored:
                grid_store.add(profile, place, row)
            report(done, len(wanted), row)
    used = [stored[seed] for seed in seeds if seed not in found]
    print(_origin(list(found), used))
    return [found[seed] if seed in found else stored[seed].found for seed in seeds]


def _measured(
    measure: Callable, cell: Cell, seed: int, options: dict, code: str, profile: Profile
) -> Row:
    import torch

    from ift_course.hardware import machine

    started = time.perf_counter()
    found = measure(seed, **options)
    seconds = time.perf_counter() - started
    return Row(
        cell=cell,
        seed=seed,
        found=json.loads(_as_json(found, f"What {measure.__name__}({seed}) returned")),
        code=code,
        seconds=round(seconds, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        base=grid_store.base_identity(profile),
        machine=machine(),
        threads=torch.get_num_threads(),
    )


def _as_json(value: Any, what: str) -> str:
    try:
        return json.dumps(value)
    except TypeError as error:
        raise CourseError(
            f"{what} cannot be stored ({error}); use lists, dicts, numbers and strings."
        ) from None


def _code_of(function: Callable) -> str:
    """Changes with the function's source, and with what it refers to in its notebook."""
    sources: dict[str, str] = {}
    values: dict[str, str] = {}
    _refers_to(function, sources, values)
    told = json.dumps([sources, values], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _refers_to(function: Callable, sources: dict[str, str], values: dict[str, str]) -> None:
    try:
        source = inspect.getsource(function)
    except OSError:
        raise CourseError(
            f"The source of {function.__name__} cannot be read; define it in a notebook or a file."
        ) from None
    sources[function.__name__] = "".join(source.split())  # a formatter changes nothing
    for name in _names_in(function.__code__):
        value = function.__globals__.get(name)
        value = inspect.unwrap(value) if callable(value) else value  # as with functools.cache
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            if name not in sources:
                _refers_to(value, sources, values)
        elif value is not None and _plain(value):
            values[name] = repr(value)


def _plain(value: object) -> bool:
    """Whether its text says all of it, and nothing in the notebook changes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return all(_plain(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return value is None or isinstance(value, str | int | float)


def _names_in(code: CodeType) -> Iterator[str]:
    """The globals it reads; `code.co_names` would have attributes among them."""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)


def _reporting(lesson: str, missing: list[int]) -> AbstractContextManager[Callable]:
    if not missing:
        return nullcontext(lambda done, total, row: None)
    from ift_course.claims.progress import grid_progress

    return grid_progress(lesson)


def _origin(now: list[int], used: list[Row]) -> str:
    """Which numbers are from where, in a line."""
    told = f"measured now: {_named(now)}" if now else ""
    if used:
        machines = ", ".join(sorted({row.machine for row in used}))
        dates = " and ".join(sorted({row.date for row in used}))
        told += f"{'; ' if told else ''}stored: {_named([row.seed for row in used])}"
        told += f" ({dates}, {machines})"
    return told


def _named(seeds: list[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
