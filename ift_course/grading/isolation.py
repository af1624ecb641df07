"""What shuts a student's process in. Every rung is tried; each result says which held.

rlimits       everywhere: memory, processor time, processes, open files, size of a file
namespaces    Linux: no network, no sight of other processes, a small work folder in memory,
              all other folders read-only
landlock      Linux 5.13: reads Python and its libraries, writes its work folder, nothing else
seccomp       Linux: starts no program and no process, opens no socket, touches no other process,
              changes no file's mode, owner, times or attributes
bubblewrap    where it is installed: the whole server runs inside it (see `sandbox`)

All of it happens in the student's process before any of the student's code is there. Where the
grader is root, the student's process also becomes another user first, one who owns no file; and
where the rung "seccomp" is left out, calls that change a file's mode, owner, times or attributes
are refused all the same.
"""

import contextlib
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.grading import seccomp
from ift_course.paths import PACKAGE

try:
    import resource
except ImportError:
    raise CourseError(
        "Windows has none of what shuts student code in, so nothing is graded here; install WSL "
        "(wsl --install) and run the same command in it."
    ) from None

RUNGS = ("namespaces", "landlock", "seccomp")
FOLDER_MB = 64  # all that a student's process may write
PROCESSES = 64
STUDENT_USERS = 64_000, 1_000  # the first user number for students, and how many there are

# From <linux/prctl.h>, <linux/sched.h>, <linux/mount.h> and <linux/landlock.h>.
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NET = (
    0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
)  # fmt: skip
MS_PRIVATE_ALL = 0x4000 | 0x40000
MOUNT_SETATTR, AT_RECURSIVE, MOUNT_ATTR_RDONLY, HERE = 442, 0x8000, 1, -100
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILE_RIGHTS = WRITE_FILE | READ_FILE | TRUNCATE


@dataclass(frozen=True)
class Limits:
    """readable: what may be read, and whatever is in it; listable: folders whose names may be seen.

    folder: the one place to write. memory_mb: on top of what Python and torch take. rungs: to try.
    user: the number of the user to become, 0 to stay who it is.
    """

    folder: str
    readable: list[str] = field(default_factory=list)
    listable: list[str] = field(default_factory=list)
    memory_mb: int = 2048
    rungs: tuple[str, ...] = RUNGS
    cpu_seconds: int = 120
    user: int = 0


def readable_paths(hidden: Iterable[Path]) -> tuple[list[str], list[str]]:
    """What Python needs to read, without `hidden`; and the folders that hold something hidden."""
    system = "/usr/lib /usr/lib64 /usr/local/lib /usr/share /lib /lib64 /nix/store".split()
    single = """/etc/ld.so.cache /etc/localtime /etc/passwd /etc/nsswitch.conf /dev/null /dev/zero
        /dev/urandom /dev/random /proc/cpuinfo /proc/meminfo /proc/stat /proc/self
        /sys/devices/system/cpu""".split()
    # Not all of sys.path: in a checkout it holds the solutions, and their history in .git.
    libraries = [x for x in sys.path if {"site-packages", "dist-packages"} & set(Path(x).parts)]
    python = [sys.prefix, sys.base_prefix, *libraries, str(PACKAGE)]
    secret = {path.resolve() for path in hidden}
    paths, listable = [], []
    for name in dict.fromkeys(x for x in [*system, *single, *python] if x):
        path = Path(name)
        # /proc/self is another folder in every process: it is resolved where the rule is made.
        inside = path if name == "/proc/self" else path.resolve()
        _allow(inside, secret, paths, listable)
    return list(dict.fromkeys(paths)), list(dict.fromkeys(listable))


def _allow(path: Path, secret: set[Path], paths: list[str], listable: list[str]) -> None:
    if not path.exists() or path in secret:
        return
    if not any(path in x.parents for x in secret):
        paths.append(str(path))
        return
    listable.append(str(path))
    for child in sorted(path.iterdir()):
        if not child.is_symlink():
            _allow(child, secret, paths, listable)


def hide() -> None:
    """For the trusted processes: no other process may look into this one, or at its open files."""
    if sys.platform == "linux":
        _prctl(PR_SET_DUMPABLE, 0)


def quiet_server() -> None:
    """As `hide`; and orphans of this process come back to it."""
    hide()
    if sys.platform == "linux":
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


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


def enter(limits: Limits) -> list[str]:
    """Shuts this process in, for good, and goes on in it or in a child. Returns what holds."""
    held = []
    if sys.platform == "linux":
        _prctl(PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root: no maps could be written
        Path("/proc/self/oom_score_adj").write_text("1000")  # and while /proc is writable
        if limits.user:
            _try(held, limits, "namespaces", _namespaces_as_root)
            _become(limits.user)
        if "namespaces" not in held:
            _try(held, limits, "namespaces", _namespaces)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _drop_capabilities()
    _rlimits(limits, counted_alone="namespaces" in held)
    os.chdir(limits.folder)
    if sys.platform == "linux":
        _try(held, limits, "landlock", _landlock)
        _try(held, limits, "seccomp", lambda _: seccomp.enter())
        if "seccomp" not in held:
            with contextlib.suppress(OSError):
                seccomp.enter(strict=False)
    return [*held, "rlimits"]


def _become(user: int) -> None:
    """From now on no file but those in the work folder belongs to this process."""
    with contextlib.suppress(OSError):  # a container may know no such user
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _prctl(PR_SET_DUMPABLE, 1)


def _try(held: list[str], limits: Limits, name: str, rung: Callable[[Limits], None]) -> None:
    if name in limits.rungs:
        with contextlib.suppress(OSError):
            rung(limits)
            held.append(name)


def _drop_capabilities() -> None:
    """A new user namespace gives all of them, over what is in it; student code needs none."""
    version_3, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    _check(_libc().capset(version_3, nothing))


def _namespaces(limits: Limits) -> None:
    """As `_enter_namespaces`, for a process that may do so only in a user namespace of its own."""
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc().unshare(NEW_USER | NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NET))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _enter_namespaces(limits, uid, gid)


def _namespaces_as_root(limits: Limits) -> None:
    _check(_libc().unshare(NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NET))
    _enter_namespaces(limits, limits.user, limits.user)


def _enter_namespaces(limits: Limits, uid: int, gid: int) -> None:
    """No network, no other processes, a work folder in memory. Goes on as process 1 of its own."""
    _mount(None, "/", None, MS_PRIVATE_ALL, None)
    _make_read_only()
    options = f"size={FOLDER_MB}m,nr_inodes=4096,mode=700,uid={uid},gid={gid}"
    _mount("tmpfs", limits.folder, "tmpfs", 0, options)
    if child := os.fork():
        # When the first process of a namespace ends, the kernel ends all others in it.
        os.closerange(0, 1 << 10)
        os.waitpid(child, 0)
        os._exit(0)


def _make_read_only() -> None:
    """No file of this mount namespace can be changed, its mode and times included (Linux 5.12)."""
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    with contextlib.suppress(OSError):
        size = ctypes.c_size_t(len(attributes))
        libc = _libc()
        _check(libc.syscall(MOUNT_SETATTR, HERE, b"/", AT_RECURSIVE, attributes, size))


def _landlock(limits: Limits) -> None:
    libc = _libc()
    abi = _check(libc.syscall(LANDLOCK_CREATE, None, 0, 1))
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    network, scopes = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    rules = struct.pack("QQQ", files, network, scopes)[:size]
    ruleset = _check(libc.syscall(LANDLOCK_CREATE, rules, size, 0))
    read = READ_FILE | READ_DIR
    for name in limits.readable:
        _permit(libc, ruleset, name, read)
    for name in limits.listable:
        _permit(libc, ruleset, name, READ_DIR)
    _permit(libc, ruleset, "/dev/null", (read | WRITE_FILE | TRUNCATE) & files)
    run_programs, special = 1 << 0, 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11
    _permit(libc, ruleset, limits.folder, files & ~run_programs & ~special)
    _check(libc.syscall(LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _permit(libc, ruleset: int, name: str, rights: int) -> None:
    try:
        path = os.open(name, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there, or may not be seen, needs no rule
    if not os.path.isdir(name):
        rights &= FILE_RIGHTS
    rule = struct.pack("=Qi", rights, path)
    _check(libc.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0))
    os.close(path)


def _rlimits(limits: Limits, counted_alone: bool) -> None:
    def limit(name: str, most: int) -> None:
        _, hard = resource.getrlimit(getattr(resource, name))
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(getattr(resource, name), (most, most))

    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", FOLDER_MB << 20)
    limit("RLIMIT_NOFILE", 256)
    limit("RLIMIT_CPU", limits.cpu_seconds)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit("RLIMIT_AS", pages * resource.getpagesize() + (limits.memory_mb << 20))
        limit("RLIMIT_NPROC", PROCESSES if counted_alone else PROCESSES + _own_threads())


def _own_threads() -> int:
    """How many threads this user runs: outside a user namespace they all count."""
    import psutil

    uid = os.getuid()
    found = psutil.process_iter(["uids", "num_threads"])
    return sum(x.info["num_threads"] or 1 for x in found if x.info["uids"].real == uid)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(option: int, value: int) -> None:
    _check(_libc().prctl(option, value, 0, 0, 0))


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None):
    encoded = [x and x.encode() for x in (source, target, kind, options)]
    _check(_libc().mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]))
