"""Which of a student's files is graded, what is flagged, and that nothing is dropped silently."""

import io
import os
import re
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ift_course.errors import CourseError
from ift_course.exercises import catalog, notebook_cells, source
from ift_course.grading.submissions.collect import collect, find
from ift_course.grading.submissions.contents import survey
from ift_course.grading.submissions.layouts import LayoutHints
from ift_course.grading.submissions.submission import Unreadable
from ift_course.grading.submissions.submission import cells as cells_of
from tests.grading.trees import (
    FUNCTIONS,
    LESSON,
    course,
    notebook,
    solves,
    tarred,
    write,
    zipped,
)

STUBS, SOLUTION = course("exercises"), course("solutions")
ROOT = source.folder().parent


def read(root, functions=FUNCTIONS, lesson=LESSON):
    return collect(root, lesson, functions, LayoutHints(accept=True))


def ann(root, files):
    """Ann's submission, in a class of two."""
    write(root, {"bo/02.ipynb": solves("pack", mark="bo")})
    collection = read(write(root, {f"ann/{name}": data for name, data in files.items()}))
    return next(x for x in collection.submissions if x.student == "ann")


@pytest.mark.parametrize(("better", "worse"), [
    ({"02-Copy1.ipynb": solves("pack")}, {"02.ipynb": STUBS}),
    ({"02 (1).ipynb": solves("pack")}, {"02.ipynb": STUBS}),
    ({"a/x.ipynb": solves("pack", "collate")}, {"02.ipynb": solves("pack")}),
    ({"x.py": b"def pack(rows, n):\n    return rows\n"}, {"02.ipynb": STUBS}),
    ({"02.IPYNB": solves("pack")}, {"02_old.ipynb": notebook("x = 1")}),
    ({"w.zip": zipped({"02.ipynb": solves("pack")})}, {"02.ipynb": STUBS}),
    ({"02.ipynb": solves("pack")}, {".ipynb_checkpoints/02-checkpoint.ipynb":
                                    solves("pack", "collate")}),
    ({"mine.ipynb": solves("pack")}, {"02.ipynb": SOLUTION}),
    ({"02.ipynb": solves("pack")}, {"solved.py": b"def pack(*a):\n    ...\ndef collate(*a):\n"
                                    b"    pass\ndef find_faults(*a):\n    '''Words.'''\n"}),
])  # fmt: skip
def test_the_file_with_the_most_solved_exercises_counts(tmp_path, better, worse):
    submission = ann(tmp_path, better | worse)
    assert submission.source.startswith(f"ann/{next(iter(better))}")


def test_a_solved_copy_of_the_course_counts_next_to_the_untouched_original(tmp_path):
    """Right answers that happen to be the course's are graded, and flagged."""
    submission = ann(tmp_path, {"02.ipynb": STUBS, "02-Copy1.ipynb": SOLUTION})
    assert submission.source == "ann/02-Copy1.ipynb"
    assert any("word for word" in x for x in submission.flags)


@pytest.mark.parametrize("place", ["ift-course/{}", "{}", "Downloads/kurs/{}"])
@pytest.mark.parametrize("names", [("exercises", "solutions"), ("tasks", "answers")])
def test_a_copy_of_the_course_earns_nothing_with_the_courses_solutions(tmp_path, place, names):
    tasks, answers = (place.format(x) for x in names)
    files = {
        f"{tasks}/02_dataset_formatting.ipynb": STUBS,
        f"{answers}/02.ipynb": SOLUTION,
        f"{answers}/03.ipynb": course("solutions", "03"),
        f"{answers}/02.py": (ROOT / "solutions/02_dataset_formatting.py").read_bytes(),
        "ift_course/from_scratch/packing.py": (
            ROOT / "ift_course/from_scratch/packing.py"
        ).read_bytes(),
    }
    submission = ann(tmp_path, files)
    assert submission.source == f"ann/{tasks}/02_dataset_formatting.ipynb"
    assert any("No exercise is begun" in x for x in submission.flags)
    files.pop(f"{tasks}/02_dataset_formatting.ipynb")
    submission = ann(tmp_path / "without", files)
    assert "own solution" in submission.problem or "own package" in submission.problem


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / "tests").is_dir(), reason="there is no clone here")
def test_a_whole_clone_handed_in_unsolved_is_graded_as_unsolved(tmp_path):
    folders = ("exercises", "solutions", "notebooks", "ift_course", "tests")
    paths = [x for name in folders for x in (ROOT / name).rglob("*") if x.is_file()]
    small = [x for x in paths if x.suffix in (".py", ".ipynb") and x.stat().st_size < 1 << 20]
    files = {f"clone/{x.relative_to(ROOT)}": x.read_bytes() for x in small}
    submission = ann(tmp_path, {"clone.zip": zipped(files)})
    assert submission.source == "ann/clone.zip/clone/exercises/02_dataset_formatting.ipynb"
    assert any("No exercise is begun" in x for x in submission.flags)


def test_a_lesson_that_imports_the_functions_is_no_answer(tmp_path):
    lesson = notebook("from ift_course.from_scratch.packing import pack", "pack([], 1)")
    assert ann(tmp_path, {"02.ipynb": STUBS, "02_lesson.ipynb": lesson}).source == "ann/02.ipynb"


def test_work_in_a_copy_of_the_course_counts(tmp_path):
    files = {"ift-course/exercises/02.ipynb": solves("pack", "collate"),
             "ift-course/solutions/02.ipynb": SOLUTION}  # fmt: skip
    assert ann(tmp_path, files).source == "ann/ift-course/exercises/02.ipynb"


def test_a_solution_of_an_older_version_of_the_course_is_known_by_its_stamps():
    import nbformat

    from ift_course.exercises.generate import fingerprint

    older = nbformat.reads(SOLUTION.decode(), as_version=4)
    for cell in older.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace("return", "return ()  # older\n    return")
            cell.metadata.ift.hash = fingerprint(cell.source)
    work = survey(notebook_cells.parse(nbformat.writes(older).encode(), "x.ipynb"), FUNCTIONS)
    assert work.solution == set(FUNCTIONS)


@pytest.mark.parametrize("lesson", sorted({x.lesson for x in catalog.exercises()}))
def test_every_shipped_notebook_is_known_by_content(lesson):
    functions = [x.function for x in catalog.exercises(lesson)]
    solved = survey(notebook_cells.parse(course("solutions", lesson), "x.ipynb"), functions)
    stubs = survey(notebook_cells.parse(course("exercises", lesson), "x.ipynb"), functions)
    assert solved.solution == solved.solved == set(functions)
    assert stubs.defined == set(functions) and not stubs.solved and not stubs.solution
    assert not solved.library, "the solutions do not lean on the library"


@pytest.mark.parametrize("code", [
    "from ift_course.from_scratch.packing import pack",
    "import ift_course as ift\ndef pack(r, n):\n    return ift.from_scratch.packing.pack(r, n)",
    "def pack(r, n):\n    from ift_course.from_scratch.packing import pack as p\n"
    "    return p(r, n)",
    "from ift_course.from_scratch import packing\npack = packing.pack",
    "from ift_course.from_scratch import packing\ndef g(*a):\n    return packing.pack(*a)\n"
    "def pack(*a):\n    return g(*a)",
    "def pack(*a):\n    import importlib\n"
    "    return importlib.import_module('ift_course.from_scratch.packing').pack(*a)",
])  # fmt: skip
def test_the_courses_own_functions_handed_in_as_answers_are_flagged(tmp_path, code):
    flags = ann(tmp_path, {"02.ipynb": notebook("import ift_course as ift", code)}).flags
    assert any("pack calls the course's own library" in x for x in flags)


def test_the_notebooks_own_use_of_the_library_is_not_flagged(tmp_path):
    code = "import ift_course as ift\nfrom ift_course.data.loss_mask import labels\nift.setup('02')"
    answer = "def pack(rows, n):\n    labels = rows\n    return labels\nift.check(pack)"
    assert ann(tmp_path, {"02.ipynb": notebook(code, answer)}).flags == ()


@pytest.mark.parametrize("code", [
    "%%time\ndef pack(r, n):\n    return r", "!pip install q\ndef pack(r, n):\n    return r",
    "get_ipython().run_cell_magic('time', '', 'def pack(r, n):\\n    return r\\n')",
    "if True:\n    def pack(r, n):\n        return r", "pack = lambda r, n: r",
    "def pack(r, n):\n    return r\nthis was a note", "async def pack(r, n):\n    return r",
])  # fmt: skip
def test_a_function_is_seen_however_it_is_defined(code):
    for name in ("x.ipynb", "x.py"):
        data = notebook(code) if name == "x.ipynb" else code.encode()
        assert survey(notebook_cells.parse(data, name), FUNCTIONS).solved == {"pack"}


DOUBTS = [
    ({"a.ipynb": solves("pack", mark="1"), "b.ipynb": solves("pack", mark="2")}, "as many"),
    ({"a.ipynb": solves("pack", "collate"), "b.ipynb": solves("find_faults")}, "find_faults"),
    ({"a.ipynb": solves("pack"), "b.zip": b"PK broken"}, "b.zip was handed in too"),
    ({"a.ipynb": STUBS}, "No exercise is begun"),
    ({"a.ipynb": notebook("x = 1")}, "no function of lesson 02"),
    ({"a.ipynb": notebook("def leaks(a):\n    return a")}, "lesson 09 (leaks)"),
    ({".ipynb_checkpoints/02-checkpoint.ipynb": solves("pack")}, "checkpoint"),
]


@pytest.mark.parametrize(("files", "words"), DOUBTS)
def test_what_is_in_doubt_is_flagged(tmp_path, files, words):
    assert any(words in x for x in ann(tmp_path, files).flags)


def test_of_equally_good_files_the_later_counts_by_the_systems_clock(tmp_path):
    files = {"a.ipynb": solves("pack", mark="1"), "b.ipynb": solves("pack", mark="2")}
    write(tmp_path, {f"ann/{name}": data for name, data in files.items()})
    for name, when in (("a", 2_000_000_000), ("b", 1_000_000_000)):
        os.utime(tmp_path / "ann" / f"{name}.ipynb", (when, when))
    assert ann(tmp_path, {}).source == "ann/a.ipynb"


def test_a_students_own_archive_has_no_clock(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, year in (("a.ipynb", 2030), ("b.ipynb", 2020)):
            info = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            archive.writestr(info, solves("pack", mark=name))
    assert ann(tmp_path, {"w.zip": data.getvalue()}).source == "ann/w.zip/b.ipynb"


def test_identical_copies_are_no_doubt(tmp_path):
    files = {"a.ipynb": solves("pack"), "b/a.ipynb": solves("pack")}
    assert ann(tmp_path, files).flags == ()


READABLE = {
    "02.IPYNB": solves("pack"), "02.ipynb.txt": solves("pack"), "02.ipynb.json": solves("pack"),
    "02.json": solves("pack"), "02": solves("pack"), "02.PY": b"def pack(r, n):\n    return r\n",
    "02.txt": b"def pack(r, n):\n    return r\n",
    "a.tar.gz": tarred({"x/02.ipynb": solves("pack")}),
    "a.tgz": tarred({"02.ipynb": solves("pack")}),
    "a.tar.bz2": tarred({"02.ipynb": solves("pack")}, "w:bz2"),
    "a.tar.xz": tarred({"02.ipynb": solves("pack")}, "w:xz"),
    "a.tar": tarred({"02.ipynb": solves("pack")}, "w"),
    "A.ZIP": zipped({"02.ipynb": solves("pack")}),
    "b.zip": zipped({"c.tar.gz": tarred({"d.zip": zipped({"02.ipynb": solves("pack")})})}),
    "renamed.ipynb": zipped({"02.ipynb": solves("pack")}),
}  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_every_usual_ending_and_archive_is_read(tmp_path, name):
    submission = ann(tmp_path, {name: READABLE[name]})
    assert not submission.problem
    assert any("def pack" in code for _, code in cells_of(submission))


UNREADABLE = {
    "hw.zip": (b"PK\x03\x04 broken", "archive cannot be read"),
    "hw.tar.gz": (b"\x1f\x8b broken", "archive cannot be read"),
    "hw.7z": (b"7z\xbc\xaf", "7z"), "hw.rar": (b"Rar!", "RAR"), "hw.pdf": (b"%PDF", "only"),
    "hw.docx": (b"PK\x03\x04", "only"), "02.ipynb": (b"", "empty"),
    "02b.ipynb": (b"%PDF-1.4", "PDF"), "02c.ipynb": (solves("pack")[:-30], "cut off"),
    "02d.ipynb": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
    "__pycache__/x.pyc": (b"x", "nothing was handed in"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("layout", ["folder", "archive"])
def test_what_cannot_be_read_has_a_row_that_says_why(tmp_path, name, layout):
    data, words = UNREADABLE[name]
    files = {f"ann/{name}": data, "bo/02.ipynb": solves("pack")}
    root = write(tmp_path / "all", files)
    if layout == "archive":
        root = write(tmp_path, {"all.zip": zipped(files)}) / "all.zip"
    submission, _ = read(root).submissions
    assert submission.student == "ann" and words in submission.problem
    with pytest.raises(Unreadable, match=re.escape(submission.problem)):
        cells_of(submission)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_empty_folder_has_a_row(tmp_path, form):
    files = {"ann": None, "bo/02.ipynb": solves("pack")}
    root = write(tmp_path / "all", files)
    if form == "zip":
        root = write(tmp_path, {"all.zip": zipped(files)}) / "all.zip"
    assert read(root).submissions[0].problem == "The folder is empty: nothing was handed in."


def test_the_same_work_with_other_outputs_is_the_same_work(tmp_path):
    plain = solves("pack")
    with_output = plain.replace(b'"outputs": []', b'"outputs": [{"text": "x"}]')
    assert (
        ann(tmp_path / "a", {"x.ipynb": plain}).sha
        == ann(tmp_path / "b", {"x.ipynb": with_output}).sha
    )


def test_everybody_in_another_lesson_is_a_question(tmp_path):
    root = write(tmp_path, {"ann.ipynb": notebook("def leaks(a):\n    return a")})
    with pytest.raises(CourseError, match="nobody handed in lesson 02, but lesson 09"):
        collect(root, LESSON, FUNCTIONS)
    assert [x.student for x in find(root, LESSON, FUNCTIONS)] == ["ann"], "pytest asks for all"


NAMES = st.sampled_from([
    "ann", "bo", "hw2", "submitted", "x y", "lee_11_501_a", "Bo_8_assignsubmission_file_",
    "submission_71", "é", ".hidden", "__MACOSX", ".ipynb_checkpoints", "ift_course",
])  # fmt: skip
CONTENTS = {
    "02.ipynb": solves("pack"), "q.ipynb": solves("collate", mark="q"), "s.ipynb": STUBS,
    "t.ipynb": SOLUTION, "broken.ipynb": b"{", "a.py": b"x = 1\n", "r.pdf": b"%PDF",
    "timestamp.txt": b"2020-01-01", "z.zip": zipped({"02.ipynb": solves("pack"), "n": b"x"}),
    "bad.zip": b"PK", ".DS_Store": b"x", "e.7z": b"7z", "submission_metadata.yml": b"a: 1",
}  # fmt: skip
FILES = st.sampled_from(sorted(CONTENTS))
TREES = st.recursive(
    st.dictionaries(NAMES, st.lists(FILES, max_size=3), min_size=1, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | st.lists(FILES, max_size=2), max_size=3),
    max_leaves=5,
)


def flat(tree, place=""):
    """The files of a drawn tree by path; an empty folder is a path with None."""
    files = {}
    for name, inside in tree.items():
        if isinstance(inside, dict):
            files |= flat(inside, f"{place}{name}/") or {f"{place}{name}": None}
        else:
            here = {f"{place}{name}/{file}": CONTENTS[file] for file in inside}
            files |= here or {f"{place}{name}": None}
    return files


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(TREES)
def test_every_file_is_used_or_named_with_a_reason(tree):
    files = flat(tree)
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), files)
        try:
            collection = read(root)
        except CourseError as error:
            assert "No notebook and no .py file" in str(error)
            return
    inside = {"z.zip": ["z.zip/02.ipynb", "z.zip/n"]}
    expected = []
    for path, data in files.items():
        place, _, name = path.rpartition("/")
        opened = name in inside and not {"__MACOSX"} & set(path.split("/"))
        if data is not None:
            expected += [f"{place}/{x}" for x in inside[name]] if opened else [path]
    assert sorted(x.file for x in collection.uses) == sorted(expected)
    used = {x.file for x in collection.uses if not x.reason}
    graded = {x.source for x in collection.submissions if not x.problem}
    system = {x for x in used if x.endswith((".txt", ".yml"))}
    assert used - system == graded
    for submission in collection.submissions:
        assert bool(submission.problem) == (not submission.data)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TREES, min_size=3, max_size=3), st.sampled_from(["", "hw 2/", "a/b/"]))
def test_whatever_lies_in_the_students_folders_the_students_are_the_folders(trees, wrapper):
    students = ["ann", "bo", "cy"]
    files = {f"{wrapper}{who}/{who}.ipynb": solves("pack", mark=who) for who in students}
    for who, tree in zip(students, trees, strict=True):
        files |= {f"{wrapper}{who}/{path}": data for path, data in flat(tree).items()}
    with tempfile.TemporaryDirectory() as folder:
        collection = read(write(Path(folder), files))
    assert [x.student for x in collection.submissions] == students
