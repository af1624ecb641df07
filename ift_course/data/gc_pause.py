"""Python's garbage collector, paused while many small lists are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """A context or a decorator in which nothing is collected.

    So many lists would set off collections that walk through all of torch and find nothing.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
