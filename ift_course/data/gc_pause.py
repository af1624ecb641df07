"""Python's garbage collector, paused while many small lists are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Stop cyclic garbage collection in a `with` block or a decorated function.

    Python starts a collection after a certain number of new containers. A million small lists set
    off collections that walk through every object of torch and find no garbage.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
