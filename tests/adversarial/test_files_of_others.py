"""No student's code changes a file outside its folder: no byte, mode, owner, time or attribute."""

import os
import platform
from itertools import combinations

import pytest

from ift_course.grading import isolation, seccomp
from ift_course.grading.layers import LAYERS
from ift_course.grading.sandbox import Sandbox
from tests.adversarial.conftest import earned

SUBSETS = [x for n in range(4) for x in combinations(LAYERS, n)]
# By Python, by the C library and by number, since a wrapper may be missing or may fall back.
ATTACK = """
import ctypes, os, struct

libc = ctypes.CDLL(None, use_errno=True)
succeeded = []

def attempt(name, call):
    try:
        result = call()
    except OSError:
        return
    if result is None or (type(result) is int and result >= 0):
        succeeded.append(name)

for path in {paths!r}:
    raw = path.encode()
    now = struct.pack("qqqq", 1, 0, 1, 0)
    attempt("chmod", lambda: os.chmod(path, 0))
    attempt("chown", lambda: os.chown(path, 12, 12))
    attempt("lchown", lambda: os.lchown(path, 12, 12))
    attempt("utime", lambda: os.utime(path, (0, 0)))
    attempt("setxattr", lambda: os.setxattr(path, "user.evil", b"1"))
    attempt("removexattr", lambda: os.removexattr(path, "user.mine"))
    attempt("libc chmod", lambda: libc.chmod(raw, 0))
    attempt("libc fchmodat", lambda: libc.fchmodat(-100, raw, 0, 0x100))
    attempt("libc utimes", lambda: libc.utimes(raw, None))
    attempt("libc lutimes", lambda: libc.lutimes(raw, None))
    if {numbers}:
        call = libc.syscall
        attempt("sys_chmod", lambda: call(90, raw, 0))
        attempt("sys_fchmodat", lambda: call(268, -100, raw, 0))
        attempt("sys_fchmodat2", lambda: call(452, -100, raw, 0, 0))
        attempt("sys_chown", lambda: call(92, raw, 7, 7))
        attempt("sys_fchownat", lambda: call(260, -100, raw, 7, 7, 0))
        attempt("sys_utime", lambda: call(132, raw, None))
        attempt("sys_futimesat", lambda: call(261, -100, raw, None))
        attempt("sys_utimensat", lambda: call(280, -100, raw, now, 0))
        attempt("sys_truncate", lambda: call(76, raw, 0))
        value = struct.pack("QII", 0, 0, 0)
        attempt("sys_setxattrat", lambda: call(463, -100, raw, 0, b"user.evil", value, 16))
        attempt("sys_removexattrat", lambda: call(466, -100, raw, 0, b"user.mine"))
        attempt("sys_file_setattr", lambda: call(469, -100, raw, bytes(64), 24, 0))
    for flags in (os.O_RDONLY, os.O_PATH):
        try:
            file = os.open(path, flags)
        except OSError:
            continue
        immutable = ctypes.byref(ctypes.c_int(0x10))
        attempt("fchmod", lambda: os.fchmod(file, 0))
        attempt("fchown", lambda: os.fchown(file, 7, 7))
        attempt("futimens", lambda: os.utime(file, (0, 0)))
        attempt("through /proc", lambda: os.chmod(f"/proc/self/fd/{{file}}", 0))
        attempt("FS_IOC_SETFLAGS", lambda: libc.ioctl(file, 0x40086602, immutable))
        attempt("FS_IOC_FSSETXATTR", lambda: libc.ioctl(file, 0x401C5820, bytes(28)))
        attempt("F_SET_RW_HINT", lambda: libc.fcntl(file, 1036, ctypes.byref(ctypes.c_int64(3))))
    attempt("O_TRUNC", lambda: os.open(path, os.O_RDONLY | os.O_TRUNC))
attempt("standard streams", lambda: os.fchmod(1, 0o666))
attempt("the interpreter", lambda: os.chmod("/proc/self/exe", 0o755))
raise RuntimeError(f"<{{' '.join(succeeded)}}>")
"""


def attack(*paths):
    return ATTACK.format(paths=[str(x) for x in paths], numbers=platform.machine() == "x86_64")


def state(path):
    about = path.stat()
    names = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    return (about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, names,
            path.read_bytes() if path.is_file() else sorted(path.iterdir()))  # fmt: skip


@pytest.fixture
def others(tmp_path):
    """The work of the next student, the results so far, and their folders."""
    files = [tmp_path / "class" / "zoe" / "01.py", tmp_path / "gradebook" / "results.jsonl"]
    for path in files:
        path.parent.mkdir(parents=True)
        path.write_text("what was here before")
        os.chmod(path, 0o644)
    return [*files, *(x.parent for x in files)]


@pytest.mark.parametrize("layers", SUBSETS, ids=lambda x: "+".join(x) or "rlimits alone")
def test_whatever_the_layers_no_mode_owner_time_or_attribute_changes(layers, others, plan, grade):
    before = [state(x) for x in others]
    with Sandbox(["torch"], plan.secret_paths, bubblewrap=False, layers=layers) as box:
        lines = grade(attack(*others), box=box)
    [note] = lines[""]["notes"]
    assert "<>" in note, note
    assert [state(x) for x in others] == before


def test_all_layers_together_and_the_next_student_is_graded_right(others, grade, solution):
    before = [state(x) for x in others]
    lines = grade(attack(*others))
    assert "<>" in lines[""]["notes"][0] and earned(lines) == 0
    assert [state(x) for x in others] == before
    assert earned(grade(solution)) == 6


def test_in_its_own_folder_code_may_copy_and_touch_files(grade, solution):
    honest = """
import os, pathlib, shutil, tempfile, zipfile
pathlib.Path("a.txt").write_text("x")
shutil.copy("a.txt", "b.txt")
shutil.copy2("a.txt", "c.txt")
os.chmod("b.txt", 0o600)
pathlib.Path("c.txt").touch()
os.mkdir("inner")
shutil.copytree("inner", "other")
with tempfile.TemporaryDirectory() as folder:
    shutil.move("c.txt", folder)
"""
    lines = grade(honest + solution)
    assert lines[""]["notes"] == [] and earned(lines) == 6


def test_root_gives_student_code_to_a_user_who_owns_nothing(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(isolation, "_open_to_others", lambda path: True)
    assert isolation.student_user() >= 64_000
    monkeypatch.setattr(isolation, "_open_to_others", lambda path: "python" not in path.name)
    assert isolation.student_user() == 0, "Python could not be read by that user"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert isolation.student_user() == 0


@pytest.mark.parametrize("machine", seccomp.MACHINES)
@pytest.mark.parametrize("strict", [True, False])
def test_a_filter_fits_into_the_kernel_and_every_jump_stays_inside(machine, strict):
    steps = seccomp.program(machine, 4711, strict)
    assert len(steps) <= 4096
    for place, (code, if_true, if_false, _) in enumerate(steps):
        if code & 7 == 5:
            assert max(if_true, if_false) <= 255
            assert place + 1 + max(if_true, if_false) < len(steps)


def test_where_the_tools_are_the_table_of_calls_agrees_with_the_kernels_headers():
    header = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
    if not os.path.isfile(header):
        pytest.skip("no kernel headers here")
    with open(header) as file:
        words = [line.split() for line in file if line.startswith("#define __NR_")]
    numbers = {name.removeprefix("__NR_"): number for _, name, number in words}
    table = (seccomp.ALLOWED + seccomp.ALWAYS_REFUSED).split()
    entries = [word.split(":") for word in table if ":" in word]
    assert len(entries) > 150
    assert {name: x for name, x, _ in entries if x} == {
        name: numbers[name] for name, x, _ in entries if x
    }
