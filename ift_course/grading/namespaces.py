"""Linux namespaces: no network, no sight of other processes, all other folders read-only.

Constants are from <linux/sched.h> and <linux/mount.h>.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.grading.libc import checked, libc

if TYPE_CHECKING:
    from ift_course.grading.limits import SandboxLimits

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
)  # fmt: skip
MS_PRIVATE_ALL = 0x4000 | 0x40000
SYS_MOUNT_SETATTR, AT_RECURSIVE, MOUNT_ATTR_RDONLY, AT_FDCWD = 442, 0x8000, 1, -100


def enter_as_user(limits: SandboxLimits) -> None:
    """Enters new namespaces from a user namespace of their own, which needs no privilege.

    Args:
        limits: Of the student's process; its folder becomes a file system in memory.

    Raises:
        OSError: The kernel does not allow it.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    checked(libc().unshare(flags))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _set_up(limits, uid, gid)


def enter_as_root(limits: SandboxLimits) -> None:
    """As `enter_as_user`, for root, who needs no user namespace."""
    checked(libc().unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET))
    _set_up(limits, limits.user, limits.user)


def _set_up(limits: SandboxLimits, uid: int, gid: int) -> None:
    """Mounts the work folder in memory, and continues as process 1 of the new namespace."""
    _mount(None, "/", None, MS_PRIVATE_ALL, None)
    _make_read_only()
    options = f"size={limits.folder_mb}m,nr_inodes=4096,mode=700,uid={uid},gid={gid}"
    _mount("tmpfs", limits.folder, "tmpfs", 0, options)
    if child := os.fork():
        # When the first process of a namespace ends, the kernel ends all others in it.
        os.closerange(0, 1 << 10)
        os.waitpid(child, 0)
        os._exit(0)


def _make_read_only() -> None:
    """Keeps every file of this mount namespace as it is, mode and times included (Linux 5.12)."""
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    with contextlib.suppress(OSError):
        size = ctypes.c_size_t(len(attributes))
        checked(libc().syscall(SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, size))


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None
) -> None:
    encoded = [text and text.encode() for text in (source, target, kind, options)]
    checked(libc().mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]))
