"""The C library, for the system calls that Python's standard library does not offer."""

from __future__ import annotations

import ctypes
import os

# From <linux/prctl.h>.
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38


def libc() -> ctypes.CDLL:
    """The C library that this process has loaded."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    """The result of a call into the C library.

    Raises:
        OSError: The call failed, with its `errno`.
    """
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option: int, value: int) -> None:
    """Sets an attribute of this process.

    Args:
        option: One of the `PR_SET_…` constants.
        value: The new value.

    Raises:
        OSError: The kernel refused.
    """
    checked(libc().prctl(option, value, 0, 0, 0))
