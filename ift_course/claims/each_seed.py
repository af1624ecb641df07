"""Measurements of a lesson with several seeds: the first one live, the others from the store.

Three seeds of everything would take longer than a lesson should. The stored numbers come from the
very function in the notebook: if you change it, all seeds are measured again.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import symtable
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, is_dataclass
from types import FunctionType
from typing import Any

from ift_course.claims import grid_store
from ift_course.claims.results import Config, Result
from ift_course.errors import CourseError
from ift_course.profile import Profile
from ift_course.session import current


@dataclass(frozen=True)
class SeedConfig(Config):
    """A call of a lesson's function.

    Attributes:
        function: its name.
        options: its keyword arguments besides the seed, as JSON.
    """

    function: str
    options: str


class SeedResult(Result):
    """What the function returned for one seed.

    Attributes:
        value: anything JSON can hold.
        code: the first digits of the SHA-256 of the function's source and of what it refers to.
    """

    config: SeedConfig
    value: Any
    code: str


def each_seed(
    measure: Callable[..., Any], seeds: Sequence[int], *, now: int = 1, **options: Any
) -> list[Any]:
    """Return what `measure(seed, **options)` gives for each of the seeds, in their order.

    A stored number counts as long as the function, the notebook's functions that it calls and the
    plain values that it refers to are unchanged, on the same base model. Changes in the package,
    or in lists and dicts that the function reads, are not detected: after such a change, delete the
    file. New measurements are stored in `results/<profile>/grids/`, seed by seed.

    Args:
        measure: a function of the notebook that returns lists, dicts, numbers and strings.
        seeds: the first `now` of them are measured live, the others only if nothing is stored.
        now: how many seeds are measured live.
        options: further arguments of `measure`; each combination is stored separately.

    Raises:
        CourseError: a returned value or an option is not JSON, the function's source cannot be
            read, or the stored file is damaged.
    """
    session = current()
    file, profile = f"{session.lesson}-seeds", session.profile
    name = measure.__name__
    config = SeedConfig(name, _to_json(dict(sorted(options.items())), f"The options of {name}"))
    code = _code_digest(measure)
    stored = {
        result.seed: result
        for result in grid_store.read(profile, file, SeedResult)
        if (result.config, result.code) == (config, code)
    }
    missing = [seed for seed in seeds[now:] if seed not in stored]
    to_measure = [*seeds[:now], *missing]
    measured: dict[int, SeedResult] = {}
    with _reporting(session.lesson, missing) as report:
        for completed, seed in enumerate(to_measure, start=1):
            result = _measure(measure, config, seed, options, code, profile)
            measured[seed] = result
            if seed not in stored:
                grid_store.add(profile, file, result)
            report(completed, len(to_measure), result)
    print(_origin(list(measured), [stored[seed] for seed in seeds if seed not in measured]))
    return [(stored | measured)[seed].value for seed in seeds]


def _measure(
    measure: Callable[..., Any],
    config: SeedConfig,
    seed: int,
    options: dict[str, Any],
    code: str,
    profile: Profile,
) -> SeedResult:
    started = time.perf_counter()
    value = measure(seed, **options)
    seconds = time.perf_counter() - started
    text = _to_json(value, f"The value that {measure.__name__}({seed}) returned")
    return SeedResult.stamped(
        config, seed, profile, seconds=seconds, value=json.loads(text), code=code
    )


def _to_json(value: Any, what: str) -> str:
    try:
        return json.dumps(value)
    except TypeError as error:
        raise CourseError(
            f"{what} cannot be stored ({error}); use lists, dicts, numbers and strings."
        ) from None


def _code_digest(function: Callable[..., Any]) -> str:
    """The first digits of the SHA-256 of a function's source and of what it refers to."""
    sources: dict[str, str] = {}
    values: dict[str, str] = {}
    _collect_references(function, sources, values)
    text = json.dumps([sources, values], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _collect_references(
    function: Callable[..., Any], sources: dict[str, str], values: dict[str, str]
) -> None:
    """Add the source of the function and of those it calls, and the plain values they read."""
    try:
        source = inspect.getsource(function)
    except OSError:
        raise CourseError(
            f"The source of {function.__name__} cannot be read; define it in a notebook or a file."
        ) from None
    sources[function.__name__] = "".join(source.split())  # a formatter changes nothing
    for name in _global_names(source):
        value = function.__globals__.get(name)
        value = inspect.unwrap(value) if callable(value) else value  # as with functools.cache
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            if name not in sources:
                _collect_references(value, sources, values)
        elif value is not None and _is_plain(value):
            values[name] = repr(value)


def _global_names(source: str) -> set[str]:
    """The global variables that a function reads, by Python's own scoping rules."""
    module = symtable.symtable(textwrap.dedent(source), "<notebook>", "exec")
    return {
        symbol.get_name()
        for function in module.get_children()
        for scope in _scopes(function)
        for symbol in scope.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _is_plain(value: object) -> bool:
    """Whether the value's text says all of it, and nothing in the notebook changes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return all(_is_plain(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def _reporting(lesson: str, missing: list[int]) -> AbstractContextManager[Callable[..., None]]:
    if not missing:
        return nullcontext(lambda completed, total, result: None)
    from ift_course.claims.progress import grid_progress

    return grid_progress(lesson)


def _origin(live: list[int], stored: list[SeedResult]) -> str:
    """Which numbers are from where, in one line."""
    parts = [f"measured now: {_name_seeds(live)}"] if live else []
    if stored:
        machines = ", ".join(sorted({result.machine for result in stored}))
        dates = " and ".join(sorted({result.date for result in stored}))
        seeds = _name_seeds([result.seed for result in stored])
        parts.append(f"stored: {seeds} ({dates}, {machines})")
    return "; ".join(parts)


def _name_seeds(seeds: list[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
