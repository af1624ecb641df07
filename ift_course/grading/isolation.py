"""What confines a student's process. Every layer is tried; each result says which were active.

- rlimits, everywhere, limit memory, processor time, processes, open files, and the size of a file.
- namespaces, on Linux, leave no network, no sight of other processes, a small work folder in
  memory, and all other folders read-only.
- landlock, on Linux 5.13, lets the process read Python and its libraries and write its work folder.
- seccomp, on Linux, keeps it from starting programs and processes, opening sockets, touching other
  processes, and changing a file's mode, owner, times or attributes.
- bubblewrap, where it is installed, goes around the whole server (see `sandbox`).

All of it happens in the student's process before any of the student's code is there. Where the
grader is root, the student's process also becomes another user first, one who owns no file. Where
the layer "seccomp" is left out, calls that change a file's mode, owner, times or attributes are
refused all the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.grading import landlock, namespaces, seccomp
from ift_course.grading.libc import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    checked,
    libc,
    prctl,
)
from ift_course.paths import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ift_course.grading.limits import SandboxLimits

try:
    import resource
except ImportError:
    raise CourseError(
        "Windows has none of the layers that confine student code, so nothing is graded here; "
        "install WSL (wsl --install) and run the same command in it."
    ) from None

PROCESSES = 64
STUDENT_USERS = 64_000, 1_000  # the first user number for students, and how many there are


def readable_paths(hidden: Iterable[Path]) -> tuple[list[str], list[str]]:
    """What Python needs to read.

    Args:
        hidden: Paths that no student may read, wherever they are.

    Returns:
        Paths that may be read whole, without `hidden`; and the folders that hold something hidden,
        which may only be listed.
    """
    system = "/usr/lib /usr/lib64 /usr/local/lib /usr/share /lib /lib64 /nix/store".split()
    single = """/etc/ld.so.cache /etc/localtime /etc/passwd /etc/nsswitch.conf /dev/null /dev/zero
        /dev/urandom /dev/random /proc/cpuinfo /proc/meminfo /proc/stat /proc/self
        /sys/devices/system/cpu""".split()
    # Not all of sys.path: in a checkout it holds the solutions, and their history in .git.
    libraries = [x for x in sys.path if {"site-packages", "dist-packages"} & set(Path(x).parts)]
    python = [sys.prefix, sys.base_prefix, *libraries, str(PACKAGE)]
    secret = {path.resolve() for path in hidden}
    readable: list[str] = []
    listable: list[str] = []
    for name in dict.fromkeys(x for x in [*system, *single, *python] if x):
        path = Path(name)
        # /proc/self is another folder in every process: it is resolved where the rule is made.
        resolved = path if name == "/proc/self" else path.resolve()
        _add_readable(resolved, secret, readable, listable)
    return list(dict.fromkeys(readable)), list(dict.fromkeys(listable))


def _add_readable(path: Path, secret: set[Path], readable: list[str], listable: list[str]) -> None:
    if not path.exists() or path in secret:
        return
    if not any(path in x.parents for x in secret):
        readable.append(str(path))
        return
    listable.append(str(path))
    for child in sorted(path.iterdir()):
        if not child.is_symlink():
            _add_readable(child, secret, readable, listable)


def forbid_inspection() -> None:
    """Lets no other process look into this trusted one, or at its open files."""
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 0)


def harden_server() -> None:
    """As `forbid_inspection`; and orphans of this process come back to it."""
    forbid_inspection()
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def student_user() -> int:
    """Returns a user number for students' processes, 0 where they have to run as the grader does.

    Only root can become somebody else, and only where others may read Python and its libraries.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return 0
    needed = [Path(sys.executable), Path(os.__file__), PACKAGE / "__init__.py"]
    first, count = STUDENT_USERS
    return first + os.getpid() % count if all(map(_open_to_others, needed)) else 0


def _open_to_others(path: Path) -> bool:
    """Whether any user may read this file through each folder that leads to it."""
    path = path.resolve()
    return bool(path.stat().st_mode & 0o4) and all(x.stat().st_mode & 0o1 for x in path.parents)


def confine(limits: SandboxLimits) -> list[str]:
    """Confines this process for good, and continues in it or in a child of it.

    Args:
        limits: What the process may do, and the layers to try.

    Returns:
        The layers that are active.
    """
    active: list[str] = []
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 1)  # otherwise /proc/self belongs to root: no maps could be written
        Path("/proc/self/oom_score_adj").write_text("1000")  # while /proc is still writable
        if limits.user:
            _try_layer("namespaces", namespaces.enter_as_root, limits, active)
            _switch_user(limits.user)
        if "namespaces" not in active:
            _try_layer("namespaces", namespaces.enter_as_user, limits, active)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _drop_capabilities()
    _set_rlimits(limits, counted_alone="namespaces" in active)
    os.chdir(limits.folder)
    if sys.platform == "linux":
        _try_layer("landlock", landlock.restrict, limits, active)
        _try_layer("seccomp", lambda _: seccomp.install(), limits, active)
        if "seccomp" not in active:
            with contextlib.suppress(OSError):
                seccomp.install(strict=False)
    return [*active, "rlimits"]


def _try_layer(
    name: str, enter: Callable[[SandboxLimits], None], limits: SandboxLimits, active: list[str]
) -> None:
    if name in limits.layers:
        with contextlib.suppress(OSError):
            enter(limits)
            active.append(name)


def _switch_user(user: int) -> None:
    """From now on no file but those in the work folder belongs to this process."""
    with contextlib.suppress(OSError):  # a container may know no such user
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        prctl(PR_SET_DUMPABLE, 1)


def _drop_capabilities() -> None:
    """A new user namespace gives all of them, over what is in it; student code needs none."""
    version_3, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    checked(libc().capset(version_3, nothing))


def _set_rlimits(limits: SandboxLimits, counted_alone: bool) -> None:
    """Sets the resource limits.

    Args:
        limits: What the process may do.
        counted_alone: Whether a namespace of its own counts this process's threads alone.
    """

    def limit(name: str, most: int) -> None:
        _, hard = resource.getrlimit(getattr(resource, name))
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(getattr(resource, name), (most, most))

    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", limits.folder_mb << 20)
    limit("RLIMIT_NOFILE", 256)
    limit("RLIMIT_CPU", limits.cpu_seconds)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit("RLIMIT_AS", pages * resource.getpagesize() + (limits.memory_mb << 20))
        limit("RLIMIT_NPROC", PROCESSES if counted_alone else PROCESSES + _threads_of_user())


def _threads_of_user() -> int:
    """How many threads this user runs: outside a user namespace they all count."""
    import psutil

    uid = os.getuid()
    processes = psutil.process_iter(["uids", "num_threads"])
    return sum(x.info["num_threads"] or 1 for x in processes if x.info["uids"].real == uid)
