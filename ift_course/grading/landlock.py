"""Landlock: reads Python and its libraries, writes the work folder, and nothing else (Linux 5.13).

`landlockpy` wraps the same three system calls. It was tried and passes every adversarial test, but
it would replace only the 30 lines below, and as a new dependency it asks more than it saves: it
looks for the C library by starting `ldconfig`, so it has to be warmed up before the sandbox closes,
and it leaves the rules for plain files and missing paths to the caller.

Constants are from <linux/landlock.h>.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from ift_course.grading.libc import checked, libc

if TYPE_CHECKING:
    import ctypes

    from ift_course.grading.limits import SandboxLimits

SYS_CREATE_RULESET, SYS_ADD_RULE, SYS_RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
MAKE_CHAR, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
FILE_RIGHTS = WRITE_FILE | READ_FILE | TRUNCATE  # the rights that a rule for a plain file may grant


def restrict(limits: SandboxLimits) -> None:
    """Restricts this process and its children for good.

    Args:
        limits: Which paths may be read, listed and written.

    Raises:
        OSError: The kernel has no Landlock, or refuses a rule.
    """
    library = libc()
    abi = checked(library.syscall(SYS_CREATE_RULESET, None, 0, 1))
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    network, scopes = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    handled = struct.pack("QQQ", files, network, scopes)[:size]
    ruleset = checked(library.syscall(SYS_CREATE_RULESET, handled, size, 0))
    read = READ_FILE | READ_DIR
    for path in limits.readable:
        _allow(library, ruleset, path, read)
    for path in limits.listable:
        _allow(library, ruleset, path, READ_DIR)
    _allow(library, ruleset, "/dev/null", (read | WRITE_FILE | TRUNCATE) & files)
    special = MAKE_CHAR | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK
    _allow(library, ruleset, limits.folder, files & ~EXECUTE & ~special)
    checked(library.syscall(SYS_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allow(library: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a path that is missing, or may not be seen, needs no rule
    if not os.path.isdir(path):
        rights &= FILE_RIGHTS
    rule = struct.pack("=Qi", rights, descriptor)
    checked(library.syscall(SYS_ADD_RULE, ruleset, 1, rule, 0))
    os.close(descriptor)
