"""A filter of system calls: what computing needs is allowed, and everything else is refused.

The list is of what is allowed, because a list of what is refused is never complete: every kernel
brings new calls. What is not on it changes the mode, owner, time or attributes of files (Landlock
does not see those), takes memory that no limit on mappings counts (memfd_create, System V and
POSIX shared memory and queues, io_uring), starts programs or processes, opens sockets, or reaches
other processes. Threads stay allowed, since torch needs them.

`pyseccomp` (ctypes, no compiler) was tried and is not used. It needs the C library libseccomp,
which a wheel cannot bring. libseccomp compares an argument only once in a rule, so a filter that
allows by default cannot refuse all commands of fcntl and ioctl but a few, and where the layer
"seccomp" is left out student code could then change a file's attributes. Here the filter is
classic BPF written by hand. Numbers are from <asm/unistd.h>, constants from <linux/seccomp.h>.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from ift_course.grading.libc import libc

# name:number on x86-64:number on arm64; "" where a machine does not have the call.
ALLOWED = """
# files
read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 preadv:295:69
pwritev:296:70 preadv2:327:286 pwritev2:328:287 close:3:57 close_range:436:436 creat:85:
lseek:8:62 stat:4: fstat:5:80 lstat:6: newfstatat:262:79 statx:332:291 statfs:137:43
fstatfs:138:44 getxattr:191:8 lgetxattr:192:9 fgetxattr:193:10 listxattr:194:11
llistxattr:195:12 flistxattr:196:13 access:21: faccessat:269:48 faccessat2:439:439
readlink:89: readlinkat:267:78 getdents:78: getdents64:217:61 getcwd:79:17 chdir:80:49
fchdir:81:50 mkdir:83: mkdirat:258:34 rmdir:84: unlink:87: unlinkat:263:35 rename:82:
renameat:264:38 renameat2:316:276 link:86: linkat:265:37 symlink:88: symlinkat:266:36
ftruncate:77:46 fallocate:285:47 fadvise64:221:223 readahead:187:213 fsync:74:82
fdatasync:75:83 flock:73:32 umask:95:166 dup:32:23 dup2:33: dup3:292:24 pipe:22:
pipe2:293:59 sendfile:40:71 copy_file_range:326:285 sync_file_range:277:84
# waiting
poll:7: ppoll:271:73 select:23: pselect6:270:72 epoll_create:213: epoll_create1:291:20
epoll_ctl:233:21 epoll_wait:232: epoll_pwait:281:22 epoll_pwait2:441:441 eventfd:284:
eventfd2:290:19 signalfd:282: signalfd4:289:74 timerfd_create:283:85 timerfd_settime:286:86
timerfd_gettime:287:87 sendto:44:206 recvfrom:45:207 shutdown:48:210 getsockname:51:204
getpeername:52:205 getsockopt:55:209
# memory
mmap:9:222 munmap:11:215 mremap:25:216 mprotect:10:226 madvise:28:233 mincore:27:232
msync:26:227 brk:12:214 get_mempolicy:239:236 membarrier:324:283
# threads
futex:202:98 futex_waitv:449:449 set_robust_list:273:99 get_robust_list:274:100
set_tid_address:218:96 rseq:334:293 sched_yield:24:124 sched_getaffinity:204:123
sched_getparam:143:121 sched_getscheduler:145:120 sched_get_priority_max:146:125
sched_get_priority_min:147:126 getcpu:309:168 exit:60:93 exit_group:231:94
restart_syscall:219:128 wait4:61:260 waitid:247:95 gettid:186:178
# time and signals
time:201: gettimeofday:96:169 clock_gettime:228:113 clock_getres:229:114
clock_nanosleep:230:115 nanosleep:35:101 times:100:153 alarm:37: pause:34: getitimer:36:102
setitimer:38:103 timer_create:222:107 timer_settime:223:110 timer_gettime:224:108
timer_getoverrun:225:109 timer_delete:226:111 rt_sigaction:13:134 rt_sigprocmask:14:135
rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigsuspend:130:133 rt_sigtimedwait:128:137
sigaltstack:131:132
# about this process
getpid:39:172 getppid:110:173 getuid:102:174 geteuid:107:175 getgid:104:176 getegid:108:177
getgroups:115:158 getresuid:118:148 getresgid:120:150 getpgid:121:155 getpgrp:111:
getsid:124:156 capget:125:90 getrlimit:97:163 setrlimit:160:164 getrusage:98:165
getpriority:140:141 uname:63:160 sysinfo:99:179 getrandom:318:278
"""
# Refused even where the layer "seccomp" is left out, because no other layer sees these. They change
# a file's mode, owner, times or attributes, or take memory that no limit on mappings counts. Calls
# newer than `NEWEST` do not exist for student code.
ALWAYS_REFUSED = """
chmod:90: fchmod:91:52 fchmodat:268:53 chown:92: fchown:93:55 lchown:94:
fchownat:260:54 utime:132: utimes:235: futimesat:261: utimensat:280:88 setxattr:188:5
lsetxattr:189:6 fsetxattr:190:7 removexattr:197:14 lremovexattr:198:15
fremovexattr:199:16 truncate:76:45
memfd_create:319:279 memfd_secret:447:447 shmget:29:194 shmat:30:196 shmctl:31:195 msgget:68:186
msgsnd:69:189 semget:64:190 mq_open:240:180 io_uring_setup:425:425 io_setup:206:0
userfaultfd:323:282 vmsplice:278:75 remap_file_pages:216:234 bpf:321:280 perf_event_open:298:241
add_key:248:217 keyctl:250:219
"""
# Calls that are allowed for some values of one argument only.
OPEN_FLAGS = {"open": (2, None, 1), "openat": (257, 56, 2)}
FCNTL, IOCTL, PRCTL, CLONE, SOCKETPAIR = (72, 25), (16, 29), (157, 167), (56, 220), (53, 199)
KILL, TGKILL, PRLIMIT, SET_AFFINITY = (62, 129), (234, 131), (302, 261), (203, 122)
CLONE3, NEWEST = 435, 450  # numbers that all machines share
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # architecture, column

# No F_SETOWN, F_SETSIG, F_NOTIFY, F_SETLEASE (signals), no F_SETPIPE_SZ (memory), no hints.
FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 36, 37, 38, 1030, 1032, 1034)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TCGETS2: none of them changes a file.
IOCTL_COMMANDS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
PRCTL_OPTIONS = (3, 15, 16, 0x53564D41)  # GET_DUMPABLE, SET_NAME, GET_NAME, SET_VMA
UNIX_SOCKET, STREAM_SOCKETS = 1, (1, 0x801, 0x80001, 0x80801)  # with NONBLOCK and CLOEXEC
O_TRUNC, O_ACCMODE, CLONE_THREAD = 0x200, 0x3, 0x10000
FILE_CONDITIONS = 4  # the first of `_conditional`, always checked: open, openat, fcntl, ioctl

OFFSET_NUMBER, OFFSET_ARCHITECTURE, OFFSET_ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
LOAD, JUMP_EQUAL, JUMP_ABOVE, JUMP_AT_LEAST, JUMP_ANY_BIT = 0x20, 0x15, 0x25, 0x35, 0x45
AND, RETURN = 0x54, 0x06
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
REFUSE = 0x00050000 | errno.EPERM
UNKNOWN = 0x00050000 | errno.ENOSYS  # tells libc to fall back to an older call
PR_SET_SECCOMP, FILTER_MODE = 22, 2

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def program(machine: str, pid: int, strict: bool = True) -> list[Instruction]:
    """Builds the filter for one process.

    Args:
        machine: As `platform.machine` names it.
        pid: The process, by the number that it sees itself; it may signal no other process.
        strict: Refuse every call that is not in `ALLOWED`; otherwise only those in
            `ALWAYS_REFUSED`.

    Returns:
        The instructions, the first to be executed first.

    Raises:
        KeyError: There is no filter for this kind of machine.
    """
    architecture, column = MACHINES[machine]
    instructions: list[Instruction] = [
        (LOAD, 0, 0, OFFSET_ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, OFFSET_NUMBER),
        *_return_if((JUMP_ABOVE, NEWEST), UNKNOWN),
    ]
    if strict:
        instructions += _return_if((JUMP_EQUAL, CLONE3), UNKNOWN)
        instructions += _return_for(_numbers(ALLOWED, column), ALLOW)
        conditional = _conditional(pid)
    else:
        instructions += _return_for(_numbers(ALWAYS_REFUSED, column), REFUSE)
        conditional = _conditional(pid)[:FILE_CONDITIONS]
    for numbers, conditions in conditional:
        if numbers[column] is not None:
            body = [instruction for condition in conditions for instruction in condition]
            test = (JUMP_EQUAL, 0, len(body) + 1, numbers[column])
            instructions += [test, *body, (RETURN, 0, 0, ALLOW)]
    return [*instructions, (RETURN, 0, 0, REFUSE if strict else ALLOW)]


def _numbers(table: str, column: int) -> set[int]:
    """The numbers of the calls in a table, for one kind of machine."""
    entries = [word.split(":") for word in table.split() if ":" in word]
    return {int(entry[1 + column]) for entry in entries if entry[1 + column]}


def _return_for(numbers: set[int], action: int) -> list[Instruction]:
    """Returns one action for all these calls, with one test for each gapless range of numbers."""
    return [
        instruction
        for first, last in _ranges(numbers)
        for instruction in [
            (JUMP_AT_LEAST, 0, 2, first),
            (JUMP_ABOVE, 1, 0, last),
            (RETURN, 0, 0, action),
        ]
    ]


def _conditional(pid: int) -> list[tuple[tuple[int | None, int | None], list[list[Instruction]]]]:
    """Each call (its two numbers) with the conditions that must all hold."""
    own = (pid,)
    return [
        *(
            ((x86, arm), [_truncates_only_for_writing(argument)])
            for x86, arm, argument in OPEN_FLAGS.values()
        ),
        (FCNTL, [_one_of(1, FCNTL_COMMANDS)]),
        (IOCTL, [_one_of(1, IOCTL_COMMANDS)]),
        (PRCTL, [_one_of(0, PRCTL_OPTIONS)]),
        (CLONE, [[(LOAD, 0, 0, OFFSET_ARGUMENTS), (JUMP_ANY_BIT, 1, 0, CLONE_THREAD), _refuse()]]),
        # A datagram socket could send to any socket of the machine that has a path.
        (SOCKETPAIR, [_one_of(0, (UNIX_SOCKET,)), _one_of(1, STREAM_SOCKETS)]),
        (KILL, [_one_of(0, own)]),
        (TGKILL, [_one_of(0, own)]),
        (PRLIMIT, [_one_of(0, (0, pid))]),
        (SET_AFFINITY, [_one_of(0, (0, pid))]),
    ]


def _one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Refuses unless the lower half of an argument is listed; the kernel reads no more of it."""
    tests = [(JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [(LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * argument), *tests, _refuse()]


def _truncates_only_for_writing(argument: int) -> list[Instruction]:
    """Refuses O_RDONLY | O_TRUNC, which older Landlocks take for reading."""
    return [
        (LOAD, 0, 0, OFFSET_ARGUMENTS + 8 * argument),
        (JUMP_ANY_BIT, 0, 3, O_TRUNC),
        (AND, 0, 0, O_ACCMODE),
        (JUMP_EQUAL, 0, 1, 0),
        _refuse(),
    ]


def _refuse() -> Instruction:
    return (RETURN, 0, 0, REFUSE)


def _return_if(condition: tuple[int, int], action: int) -> list[Instruction]:
    code, constant = condition
    return [(code, 0, 1, constant), (RETURN, 0, 0, action)]


def _ranges(numbers: set[int]) -> list[tuple[int, int]]:
    """The numbers as ranges without gaps, (first, last)."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    return ranges


def install(strict: bool = True) -> None:
    """Filters the system calls of this process from now on.

    Args:
        strict: As for `program`.

    Raises:
        OSError: The kernel refuses the filter, or there is none for this kind of machine.
    """
    try:
        instructions = program(platform.machine(), os.getpid(), strict)
    except KeyError:
        raise OSError("no filter for this kind of machine") from None
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    code = ctypes.create_string_buffer(packed)
    filter_program = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    if libc().prctl(PR_SET_SECCOMP, FILTER_MODE, filter_program, 0, 0):
        raise OSError(ctypes.get_errno(), "the filter was refused")
