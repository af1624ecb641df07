"""Whatever way student code asks for memory, it gets no more than the limit."""

import threading
import time

import psutil
import pytest

from ift_course.grading import memory_watch
from ift_course.grading.layers import LAYERS
from ift_course.grading.limits import FOLDER_MB
from ift_course.grading.preload import MODULES
from ift_course.grading.sandbox import Sandbox
from tests.adversarial.conftest import earned

LIMIT = 300  # MB
SLACK = 150  # MB: what is touched between two looks, and buffers of pipes and sockets

# Takes memory in every way but by a mapping of its own, and tells how much it got of each, in MB.
UNMAPPED = """
import ctypes, errno, mmap, os, socket

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
block, amounts = b"x" * (1 << 20), {}

def take(name, step, times=600):
    amounts[name] = 0
    try:
        for _ in range(times):
            amounts[name] += step()
    except (OSError, ValueError, MemoryError):
        pass

def write(file):
    for _ in range(60):
        os.write(file, block)
    return 60

def segment():
    number = libc.shmget(0, ctypes.c_size_t(64 << 20), 0o1600)
    place = libc.shmat(number, None, 0) if number >= 0 else None
    if place in (None, 2**64 - 1):
        raise OSError
    ctypes.memset(ctypes.c_void_p(place), 1, 64 << 20)
    libc.shmdt(ctypes.c_void_p(place))
    return 64

def by_number(number, *arguments):
    file = libc.syscall(number, *arguments)
    if file < 0:
        raise OSError
    return write(file)

def shared_mapping_given_back():
    place = mmap.mmap(-1, 64 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    place.write(block * 64)
    kept.append(place)
    return 64

def pipe():
    ends = os.pipe()
    kept.append(ends)
    import fcntl
    try:
        fcntl.fcntl(ends[1], 1031, 1 << 20)
    except OSError:
        pass
    os.set_blocking(ends[1], False)
    total = 0
    try:
        while True:
            total += os.write(ends[1], block) / (1 << 20)
    except BlockingIOError:
        return total

def pair():
    ends = socket.socketpair()
    kept.append(ends)
    ends[0].setblocking(False)
    total = 0
    try:
        while True:
            total += ends[0].send(block) / (1 << 20)
    except BlockingIOError:
        return total

kept = []
take("memfd", lambda: write(os.memfd_create("x")))
take("memfd by number", lambda: by_number(319, b"x", 0))
take("memfd_secret", lambda: by_number(447, 0))
take("System V", segment)
take("/dev/shm", lambda: write(os.open(f"/dev/shm/ift-adversarial-{len(kept)}", 0o102)))
take("deleted files", lambda: write(os.open(".", os.O_TMPFILE | os.O_RDWR)), 3)
take("files", lambda: write(os.open(f"file{amounts['files']}", 0o102)), 3)
take("queues", lambda: 1 if libc.mq_open(b"/ift", 0o102, 0o600, None) >= 0 else by_number(-1))
take("message queues", lambda: 1 if libc.msgget(0, 0o1600) >= 0 else by_number(-1))
take("io_uring", lambda: 1 if libc.syscall(425, 4096, bytes(120)) >= 0 else by_number(-1))
take("pipes", pipe)
kept.clear()
take("sockets", pair)
kept.clear()
take("shared mappings", shared_mapping_given_back)
raise RuntimeError(f"total={round(sum(amounts.values()))} {amounts}")
"""
# Many processes, each of them below the limit. One statement, so that it is one cell.
CROWD = """
import os, time
with open(os.devnull):
    for _ in range(30):
        if os.fork() == 0:
            hoard = bytearray(120 << 20)
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
"""


@pytest.mark.parametrize("layers", [LAYERS, ("namespaces", "landlock"), ("landlock",)])
def test_memory_that_no_mapping_shows_stays_within_the_limit(layers, plan, grade):
    with Sandbox(["torch"], plan.secret_paths, LIMIT, bubblewrap=False, layers=layers) as box:
        note = grade(UNMAPPED, box=box)[""]["notes"][0]
    total = int(note.partition("total=")[2].split()[0])
    folder = FOLDER_MB if "namespaces" in layers else 360  # on the disk then
    assert total <= LIMIT + folder + SLACK, note
    for way in ("memfd", "memfd by number", "memfd_secret", "System V", "/dev/shm", "queues",
                "message queues", "io_uring"):  # fmt: skip
        assert f"'{way}': 0" in note, note


class Peak(threading.Thread):
    """The most memory that all descendants of this process held at once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.going = 0, True

    def run(self):
        me = psutil.Process().pid
        while self.going:
            self.most = max(self.most, memory_watch.proportional_bytes(me))
            time.sleep(0.02)


@pytest.mark.parametrize("layers", [(), ("landlock",), ("namespaces",)])
def test_many_processes_together_get_no_more_than_one(layers, plan, grade, solution):
    with Sandbox(["torch"], plan.secret_paths, LIMIT, bubblewrap=False, layers=layers) as box:
        box.new_worker()
        peak, start = Peak(), memory_watch.proportional_bytes(psutil.Process().pid)
        peak.start()
        began = time.monotonic()
        lines = grade(CROWD, cell=15, box=box)
        duration = time.monotonic() - began
        peak.going = False
        assert "more memory" in lines[""]["notes"][0], lines[""]["notes"]
        assert (peak.most - start) >> 20 < LIMIT + 1500  # of 3,600 that are asked for
        assert duration < 10 and earned(lines) == 0
        assert earned(grade(solution, box=box)) == 6


def test_honest_code_may_use_what_it_was_given(plan, grade, solution):
    head = "hoard = bytearray(200 << 20)\nimport torch\nx = torch.ones(5_000_000)\n# %%\n"
    with Sandbox([*MODULES, "torch"], plan.secret_paths, LIMIT) as box:
        lines = grade(head + solution, box=box)
    assert earned(lines) == 6 and lines[""]["notes"] == []
