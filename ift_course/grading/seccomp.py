"""A filter of system calls: no programs, no new processes, no sockets, no touching of others.

Threads stay allowed, since torch needs them. Written by hand as classic BPF, because every library
for it needs a compiler. Numbers from <asm/unistd.h>, constants from <linux/seccomp.h>.
"""

import ctypes
import errno
import os
import platform
import struct

NAMES = """execve execveat fork vfork ptrace process_vm_readv process_vm_writev pidfd_getfd
    pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tkill socket io_uring_setup unshare setns
    mount umount2 bpf userfaultfd perf_event_open keyctl add_key request_key""".split()
X86_64 = """59 322 57 58 101 310 311 438 424 129 297 200 41 425 272 308 165 166 321 323 298 250 248
    249""".split()
AARCH64 = """221 281 - - 117 270 271 438 424 138 240 130 198 425 97 268 40 39 280 282 241 219 217
    218""".split()
# Per machine: its audit architecture, what is refused, and (clone, [kill, tgkill, prlimit64]).
MACHINES = {
    "x86_64": (0xC000003E, X86_64, 56, (62, 234, 302)),
    "aarch64": (0xC00000B7, AARCH64, 220, (129, 131, 261)),
}
CLONE3, CLONE_THREAD, X32 = 435, 0x10000, 0x40000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE = 0x00050000 | errno.EPERM
UNKNOWN = 0x00050000 | errno.ENOSYS  # tells glibc to fall back from clone3 to clone
PR_SET_SECCOMP, FILTER_MODE = 22, 2

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter for a process of this number. Raises KeyError for a machine it is not for."""
    architecture, refused, clone, about_a_process = MACHINES[machine]
    steps: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        *_when((JUMP_AT_LEAST, X32), REFUSE),
        *_when((JUMP_EQUAL, CLONE3), UNKNOWN),
    ]
    for number in refused:
        if number != "-":
            steps += _when((JUMP_EQUAL, int(number)), REFUSE)
    steps += [
        (JUMP_EQUAL, 0, 4, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_ANY_BIT, 0, 1, CLONE_THREAD),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    for number in about_a_process:
        steps += [
            (JUMP_EQUAL, 0, 5, number),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (JUMP_EQUAL, 2, 0, pid),
            (JUMP_EQUAL, 1, 0, 0 if number == about_a_process[2] else pid),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        ]
    return [*steps, (RETURN, 0, 0, ALLOW)]


def _when(condition: tuple[int, int], answer: int) -> list[Instruction]:
    code, constant = condition
    return [(code, 0, 1, constant), (RETURN, 0, 0, answer)]


def enter() -> None:
    """Filters this process from now on. Raises OSError where that is not possible."""
    try:
        steps = program(platform.machine(), os.getpid())
    except KeyError:
        raise OSError("no filter for this kind of machine") from None
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *x) for x in steps))
    packed = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, FILTER_MODE, packed, 0, 0):
        raise OSError(ctypes.get_errno(), "the filter was refused")
