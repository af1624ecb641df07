"""No attack gains a point, changes the grader, or costs the next student one."""

import hashlib
import os
import shutil
import socket
import threading
from pathlib import Path

import psutil
import pytest

from ift_course.exercises import compare, values
from ift_course.grading import wire
from ift_course.grading.plan import LESSONS
from ift_course.grading.submissions.collect import find
from tests.adversarial.conftest import FOLDER, earned

PATIENT = {"hangs_at_import": 3}  # points that are honestly earned
SLOW = "infinite_loop swallows_everything oversized_frame fork_bomb eight_gigabytes flood".split()


def footprint():
    """Everything of the grader's that an attack might want to change."""
    checks = LESSONS / "lesson_01" / "checks"
    files = [*checks.glob("*.py"), *Path("/tmp").glob("ift-adversarial*")]
    digest = hashlib.sha256(b"".join(x.read_bytes() for x in files)).hexdigest()
    functions = [compare.difference, compare.equal, values.plain, wire.receive]
    return digest, [str(x) for x in files], functions, dict(os.environ), os.getcwd()


@pytest.mark.parametrize("name", sorted(x.stem for x in FOLDER.glob("*.py")))
def test_gains_nothing_and_harms_nobody(name, grade, solution):
    before = footprint()
    limit = 1.5 if name in SLOW or name in PATIENT else 5
    lines = grade((FOLDER / f"{name}.py").read_text(encoding="utf-8"), cell=limit, check=limit)
    assert earned(lines) == PATIENT.get(name, 0), lines
    assert footprint() == before
    assert len(lines) == 5, "every check has a verdict"
    following = grade(solution)
    assert earned(following) == 6, following
    assert not [x for x in psutil.process_iter(["cmdline"])
                if "ift-adversarial-daemon" in (x.info["cmdline"] or [])]  # fmt: skip


def test_nobody_is_reached_over_the_network(grade):
    connections = []
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 17_171))
        listener.listen()
        listener.settimeout(20)

        def listen():
            try:
                connections.append(listener.accept())
            except OSError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        grade((FOLDER / "network.py").read_text())
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert not connections


def test_nothing_is_handed_from_one_student_to_the_next(grade):
    """The first writes the answer wherever it can; the second looks there for it."""
    places = """["x", "/tmp/x", "/dev/shm/x", "/var/tmp/x", __import__("os").environ["HOME"] + "/x",
        __import__("ift_course").__path__[0] + "/x"]"""
    grade(f"""
for place in {places}:
    try:
        open(place, "w").write("def greedy_decode(*_): return [4, 5]")
    except OSError:
        pass
""")
    lines = grade(f"""
for place in {places}:
    try:
        exec(open(place).read())
    except OSError:
        pass
""")
    assert {x["status"] for x in lines.values() if "status" in x} == {"missing"}


@pytest.mark.parametrize("layers", [(), ("namespaces",), ("landlock",), ("seccomp",)])
def test_each_layer_alone_still_gives_right_verdicts(layers, grade, plan, solution):
    """Without some layer less is protected, but no point is gained and nothing hangs."""
    from ift_course.grading.sandbox import Sandbox

    with Sandbox(["torch", "psutil"], plan.secret_paths, bubblewrap=False, layers=layers) as box:
        for name in ("always_equal", "daemon", "infinite_loop", "exit_in_call"):
            code = (FOLDER / f"{name}.py").read_text()
            assert earned(grade(code, check=2, box=box)) == 0
        lines = grade(solution, box=box)
        assert earned(lines) == 6
        assert lines[""]["rungs"] == [*layers, "rlimits"]
    assert not [x for x in psutil.process_iter(["cmdline"])
                if "ift-adversarial-daemon" in (x.info["cmdline"] or [])]  # fmt: skip


def test_files_beside_the_notebook_are_never_loaded(tmp_path, grade, solution):
    """A submission may ship its own pytest, torch and course: nobody looks at them."""
    marker = tmp_path / "loaded"
    evil = f"open({str(marker)!r}, 'w').write('x')\n"
    files = {"conftest.py": evil, "pytest.ini": "[pytest]\naddopts = -p evil", "torch.py": evil,
             "sitecustomize.py": evil, "evil.pth": f"import os; {evil}", "evil.py": evil,
             "ift_course/__init__.py": evil, "ift_course/exercises/compare.py": evil,
             "results.jsonl": '{"kind": "verdict"}',
             "01.py": "import torch, evil\ndef next_token_loss(*_):\n    return 0\n"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / "class" / "eve" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / "eve" / name).write_text(text)
    [eve] = find(tmp_path / "class", "01", ["next_token_loss"])
    assert eve.source == "eve/01.py"
    lines = grade(eve.data)
    assert earned(lines) == 0 and not marker.exists()
    assert "ModuleNotFoundError" in lines[""]["notes"][0]
    assert earned(grade(solution)) == 6


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_is_used_where_it_is_installed(grade, plan, solution):
    from ift_course.grading.sandbox import Sandbox

    with Sandbox(["torch", "psutil"], plan.secret_paths, bubblewrap=True) as box:
        for name in ("reads_the_solutions", "forged_results", "kills_its_parent", "fork_bomb"):
            assert earned(grade((FOLDER / f"{name}.py").read_text(), check=3, box=box)) == 0
        lines = grade(solution, box=box)
        assert earned(lines) == 6 and lines[""]["rungs"][0] == "bubblewrap"
