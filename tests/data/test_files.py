"""Files of every kind are read, or refused in a sentence that names their kind."""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import lzma

import pyarrow
import pytest

from ift_course.data.files import Rows
from ift_course.data.records import BadRow
from ift_course.errors import CourseError

ROWS = [{"instruction": f"Name river {n}.", "output": "Inn é"} for n in range(3)]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
TABLE = b"instruction,output\n" + b"".join(f"Name river {n}.,Inn é\n".encode() for n in range(3))


def rows_of(path, content: bytes) -> list:
    path.write_bytes(content)
    return [row for _, row in Rows(path)]


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", lambda data: pyarrow.compress(data, codec="zstd", asbytes=True)),
    ],
)
@pytest.mark.parametrize(("kind", "content"), [("jsonl", LINES), ("csv", TABLE)])
def test_compressed_files_are_read_as_a_stream(ending, pack, kind, content, tmp_path):
    path = tmp_path / f"data.{kind}{ending}"
    assert rows_of(path, pack(content)) == ROWS
    rows = Rows(path)
    list(rows)
    assert rows.position <= rows.total == path.stat().st_size


def test_a_truncated_compressed_file_is_an_error_and_not_the_end(tmp_path):
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(LINES * 10_000)[:-20])
    with pytest.raises(CourseError, match="is damaged after byte"):
        list(Rows(path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize(("name", "content"), [("a.jsonl", LINES), ("a.csv", TABLE)])
def test_text_with_a_mark_of_its_encoding_is_read(encoding, name, content, tmp_path):
    path = tmp_path / name
    assert rows_of(path, content.decode().encode(encoding)) == ROWS
    assert Rows(path).notes == ([] if encoding == "utf-8-sig" else [f"read as {encoding.upper()}"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_with_another_delimiter_is_read(delimiter, tmp_path):
    content = TABLE.replace(b",", delimiter.encode())
    assert rows_of(tmp_path / "a.csv", content) == ROWS
    assert rows_of(tmp_path / "a.tsv", TABLE.replace(b",", b"\t")) == ROWS


def test_arrow_files_and_saved_data_sets_are_read(tmp_path):
    from datasets import Dataset, DatasetDict

    table = pyarrow.Table.from_pylist(ROWS)
    for opener, name in ((pyarrow.ipc.new_file, "a.arrow"), (pyarrow.ipc.new_stream, "b.arrow")):
        with opener(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
        assert [row for _, row in Rows(tmp_path / name)] == ROWS
    Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    rows = Rows(tmp_path / "saved")
    assert [row for _, row in rows] == ROWS and rows.total == rows.position == 3
    DatasetDict({"train": Dataset.from_list(ROWS)}).save_to_disk(tmp_path / "splits")
    with pytest.raises(CourseError, match=r"several splits \(train\); name one: .*splits/train"):
        Rows(tmp_path / "splits")


@pytest.mark.parametrize("indent", [None, 1])
def test_rows_inside_one_object_are_read_and_the_rest_of_it_is_named(indent, tmp_path):
    wrapped = {"version": "1.0", "data": ROWS}
    path = tmp_path / "a.json"
    assert rows_of(path, json.dumps(wrapped, indent=indent).encode()) == ROWS
    rows = Rows(path)
    list(rows)
    assert rows.unused == ["version (outside the rows)"]
    viewer = {"rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)]}
    assert rows_of(path, json.dumps(viewer, indent=indent).encode()) == ROWS
    with pytest.raises(CourseError, match=r"several lists of rows \(train, test\)"):
        rows_of(path, json.dumps({"train": ROWS, "test": ROWS}, indent=indent).encode())


def test_a_single_conversation_is_a_row_and_not_a_wrapper(tmp_path):
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    for indent in (None, 2):
        assert rows_of(tmp_path / "a.json", json.dumps(row, indent=indent).encode()) == [row]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>401</body></html>", "is a web page"),
        (b"PK\x03\x04rest", "ZIP archive or an Excel file"),
        (b"\x80\x04\x95rest", "Python pickle"),
        (b"%PDF-1.7", "PDF"),
        ("[]".encode("utf-16-le") * 20, "looks like UTF-16 without its byte order mark"),
        (b"\x1f\x8bnot gzip", "cannot be decompressed"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_file_without_data_is_named_for_what_it_is(content, kind, name, tmp_path):
    with pytest.raises(CourseError, match=kind) as error:
        rows_of(tmp_path / name, content)
    assert "\n" not in str(error.value)


def test_an_unclosed_quote_costs_only_its_own_row(tmp_path):
    body = ["Name a bird.,Owl", 'Name a tree.,"Oak', "Name a fish.,Cod", 'Name a herb.,"Mint"']
    for order in (body, [*body[:1], *body[2:], body[1]]):
        path = tmp_path / "a.csv"
        rows = rows_of(path, "\n".join(["instruction,output", *order]).encode())
        bad = [i for i, row in enumerate(rows) if isinstance(row, BadRow)]
        assert bad == [order.index(body[1])]
        answers = [row["output"] for row in rows if not isinstance(row, BadRow)]
        assert sorted(answers) == ["Cod", "Mint", "Owl"]
        assert "a quotation mark is opened and not closed" in str(rows[bad[0]])


def test_bytes_of_another_encoding_cost_their_row_and_the_encoding_is_named(tmp_path):
    for name, content in (("a.csv", TABLE), ("a.jsonl", LINES)):
        broken = content.replace("Inn é".encode(), b"Inn \xe9", 1)
        rows = rows_of(tmp_path / name, broken)
        assert [isinstance(row, BadRow) for row in rows] == [True, False, False]
        assert "Windows-1252" in str(rows[0]) and "iconv" in str(rows[0])


def test_a_mark_at_the_beginning_of_json_is_skipped(tmp_path):
    content = codecs.BOM_UTF8 + json.dumps(ROWS).encode()
    assert rows_of(tmp_path / "a.json", content) == ROWS
