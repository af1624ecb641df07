"""No archive reaches out of itself, and none is inflated before its size is known."""

import io
import stat
import tarfile
import time
import tracemalloc
import zipfile

import pytest

from ift_course.exercises import notebook_cells
from ift_course.grading.submissions import archives
from ift_course.grading.submissions.tree import read_tree
from tests.grading.trees import solves, tarred, write, zipped


def problems(root):
    return [x.problem for x in read_tree(root).files() if x.problem]


@pytest.mark.parametrize("packed", ["zip", "tar"])
def test_an_archive_that_inflates_to_gigabytes_is_not_inflated(tmp_path, packed, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES", 20 << 20)
    zeros = {f"{i}.ipynb": bytes(8 << 20) for i in range(4)}
    data = zipped(zeros) if packed == "zip" else tarred(zeros, "w:bz2")
    write(tmp_path, {"class.zip": zipped({f"ann.{packed}": data, "bo.ipynb": solves("pack")})})
    tracemalloc.start()
    messages = problems(tmp_path / "class.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(messages) == 1 and ("20 MB" in messages[0] or "too much" in messages[0])
    assert peak < 40 << 20


def test_a_table_of_contents_that_lies_inflates_no_more_than_it_says(tmp_path):
    data = bytearray(zipped({"ann.ipynb": bytes(4 << 20)}))
    size = (4 << 20).to_bytes(4, "little")
    for place in (data.find(size), data.rfind(size)):
        data[place : place + 4] = (1000).to_bytes(4, "little")
    write(tmp_path, {"class.zip": bytes(data)})
    assert problems(tmp_path / "class.zip")


def test_archives_in_archives_end_somewhere(tmp_path):
    data = zipped({"x.ipynb": solves("pack")})
    for _ in range(9):
        data = zipped({"inner.zip": data})
    write(tmp_path, {"ann.zip": data})
    [problem] = problems(tmp_path)
    assert "deep" in problem


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 100)
    many = {f"{i}.txt": b"x" for i in range(200)}
    write(tmp_path, {"ann.zip": zipped(many), "bo.tar.gz": tarred(many)})
    assert all("100 files" in x for x in problems(tmp_path)) and len(problems(tmp_path)) == 2


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_cells, "LARGEST", 1000)
    write(tmp_path, {"ann.ipynb": bytes(2000), "a.zip": zipped({"bo.ipynb": bytes(2000)}),
                     "b.tar": tarred({"cy.ipynb": bytes(2000)}, "w")})  # fmt: skip
    assert len(problems(tmp_path)) == 3 and all("MB are read" in x for x in problems(tmp_path))


@pytest.mark.parametrize("name", ["../x.ipynb", "/x.ipynb", "a/../../x.ipynb", "c:/x.ipynb",
                                  "a\\..\\..\\x.ipynb"])  # fmt: skip
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_no_name_leads_out_of_an_archive(tmp_path, name, pack):
    ending = "zip" if pack is zipped else "tar.gz"
    write(tmp_path, {f"all.{ending}": pack({name: solves("pack"), "ok.ipynb": solves("pack")})})
    files = list(read_tree(tmp_path / f"all.{ending}").files())
    assert [x.name for x in files if x.code] == ["ok.ipynb"]
    assert len(files) == 2 and "out of the archive" in " ".join(x.problem for x in files)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                  tarfile.CHRTYPE, tarfile.BLKTYPE])  # fmt: skip
def test_links_and_devices_in_a_tar_are_not_followed(tmp_path, kind):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("x.ipynb")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    write(tmp_path, {"all.tar": data.getvalue()})
    [file] = read_tree(tmp_path / "all.tar").files()
    assert file.code is None and "not followed" in file.problem


def test_links_in_a_zip_are_not_followed(tmp_path):
    link = zipfile.ZipInfo("x.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    [file] = read_tree(tmp_path / "all.zip").files()
    assert file.code is None and "not followed" in file.problem


def test_two_members_of_one_name_are_both_there(tmp_path):
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.ipynb", solves("pack"))
        archive.writestr("x.ipynb", solves("collate"))
    assert len([x for x in read_tree(tmp_path / "a.zip").files() if x.code]) == 2


def test_an_archive_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LONGEST", -1.0)
    write(tmp_path, {"ann.zip": zipped({"x.ipynb": solves("pack")}), "bo.ipynb": solves("pack")})
    [problem] = problems(tmp_path)
    assert "too long" in problem


def test_a_class_of_thousands_of_files_is_read_in_seconds(tmp_path):
    data = solves("pack")
    write(
        tmp_path, {"all.zip": zipped({f"s{i}/{j}.ipynb": data for i in range(300) for j in "ab"})}
    )
    start = time.monotonic()
    assert len(list(read_tree(tmp_path / "all.zip").files())) == 600
    assert time.monotonic() - start < 20
