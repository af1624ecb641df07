"""Above the limit nothing lives on, not even what is started while the others are killed."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from ift_course.grading.memory_watch import MemoryWatch

# The root adopts orphans, as the server does. One of its children takes the memory. Below the other
# each process starts the next one at once, so that whoever lists them is one behind; these hold
# little, and after 10,000 the chain ends by itself.
CHAIN = """
import ctypes, os, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
print("ready", flush=True)
if os.fork() == 0:
    time.sleep(0.2)
    hoard = bytearray(100 << 20)
elif os.fork() == 0:
    for _ in range(10_000):
        if os.fork():
            break
time.sleep(30)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the watch reads /proc")
@pytest.mark.parametrize("attempt", range(3))
def test_a_chain_of_forks_does_not_outrun_the_watch(attempt):
    command = [sys.executable, "-c", CHAIN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as root:
        assert root.stdout and root.stdout.readline() == b"ready\n"
        watch = MemoryWatch(root.pid, 80)
        watch.start()
        try:
            assert _comes_true(lambda: watch.exceeded)
            assert _comes_true(lambda: not _living(root.pid))
        finally:
            watch.stop()
            os.killpg(root.pid, signal.SIGKILL)  # at once, so that no fork outruns it


def _living(root: int) -> list[psutil.Process]:
    found = psutil.Process(root).children(recursive=True)
    return [x for x in found if x.is_running() and x.status() != psutil.STATUS_ZOMBIE]


def _comes_true(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
