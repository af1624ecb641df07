"""IFEval's instructions (Zhou et al. 2023, arXiv 2311.07911), checked by `if-verifiable`.

The library is an extra, and it is meant for data sets that are known to be complete. So this module
makes sure that it never invents an argument that a row does not give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ift_course.data.fields import join_names, quoted
from ift_course.data.records import BadRow

# Words that the library takes for patterns, so that "C++" would stop it and others might hang.
PATTERN_ARGUMENTS = {"keywords": list, "forbidden_words": list, "keyword": str}
TRIAL = "A short trial answer."


class NotInstalled(BadRow):
    """A row that is usable as soon as something is installed.

    Attributes:
        need: What needs what, as a clause.
        command: What installs it.
    """

    def __init__(self, need: str, command: str):
        super().__init__(f'"verifier": {need}; get it with: {command}')
        self.need, self.command = need, command


class Instruction(BaseModel):
    """One instruction: its id, such as "punctuation:no_comma", and its arguments."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    kwargs: dict[str, Any] = {}


def open_checkers(instructions: Sequence[Instruction]) -> list[tuple[str, Any]]:
    """Return the id and the checker of each instruction.

    Raises:
        NotInstalled: The library is not installed, or data that an instruction needs.
        BadRow: An instruction is unknown, or its arguments do not fit; the message says what to do.
    """
    try:
        langdetect: Any = import_module("langdetect")
        known: Any = import_module("if_verifiable.ifeval").INSTRUCTION_DICT
    except ImportError:
        raise NotInstalled(
            '"ifeval" needs the package if-verifiable (Python 3.11 or newer)',
            "pip install if-verifiable",
        ) from None
    langdetect.DetectorFactory.seed = 0  # its guesses are sampled
    checkers = []
    for instruction in instructions:
        if instruction.id not in known:
            raise BadRow(
                f'"verifier": ifeval has no instruction {quoted(instruction.id)}; it has '
                f"{', '.join(known)}"
            )
        checker = known[instruction.id](instruction.id)
        _give_arguments(checker, instruction)
        checkers.append((instruction.id, checker))
    return checkers


def ifeval_fault(checkers: Sequence[tuple[str, Any]], text: str) -> str | None:
    """Return which instruction an answer breaks, or None if it follows all of them."""
    if not text.strip():
        return "is empty"
    broken = (name for name, checker in checkers if not checker.check_following(text))
    name = next(broken, None)
    return name and f"breaks {name}"


def _give_arguments(checker: Any, instruction: Instruction) -> None:
    """Set a checker's arguments and try it, because the library checks none of them itself."""
    arguments = {k: v for k, v in instruction.kwargs.items() if v is not None}
    names = checker.get_instruction_args_keys()
    if set(arguments) != set(names):
        raise _bad_arguments(instruction, f"takes the arguments {join_names(names)}")
    for name in PATTERN_ARGUMENTS.keys() & arguments.keys():
        value = arguments[name]
        texts = value if isinstance(value, list) else [value]
        is_right_type = isinstance(value, PATTERN_ARGUMENTS[name]) and bool(texts)
        if not is_right_type or not all(isinstance(text, str) and text for text in texts):
            raise _bad_arguments(instruction, f'does not accept {quoted(value)} as "{name}"')
    try:
        checker.build_description(**{k: _literal(k, v) for k, v in arguments.items()})
        checker.check_following(TRIAL)
    except LookupError as error:
        raise NotInstalled(
            f"{instruction.id} needs data of NLTK", "python -m nltk.downloader punkt punkt_tab"
        ) from error
    except (ValueError, TypeError, AttributeError, re.error) as error:
        raise _bad_arguments(instruction, f"does not accept its arguments ({error})") from None
    # In place of an argument out of range the library draws one at random.
    used = checker.get_instruction_args() or {}
    for name, value in arguments.items():
        if name not in PATTERN_ARGUMENTS and _plain(used.get(name)) != _plain(value):
            raise _bad_arguments(instruction, f'does not accept {quoted(value)} as "{name}"')


def _literal(name: str, value: Any) -> Any:
    if name not in PATTERN_ARGUMENTS:
        return value
    return [re.escape(v) for v in value] if isinstance(value, list) else re.escape(value)


def _plain(value: Any) -> str:
    return str(value).strip().lower()


def _bad_arguments(instruction: Instruction, fault: str) -> BadRow:
    given: Mapping[str, Any] = instruction.kwargs
    return BadRow(f'"verifier": {instruction.id} {fault}; "kwargs" has {join_names(given)}')
