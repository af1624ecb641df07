"""Copies stand out, and what everybody was handed does not."""

import pytest

from ift_course.grading.similarity import compare

pytest.importorskip("copydetect")

CODE = '''
def response_labels(ids, mask):
    """Its own words."""
    result = []
    for position, token in enumerate(ids):
        trained = bool(mask[position])
        result.append(token if trained else -100)
    total = sum(1 for label in result if label != -100)
    assert total <= len(ids)
    return result
'''
OTHER = (
    "def response_labels(ids, mask):\n    return [x if m else -100 for x, m in zip(ids, mask)]\n"
)


def test_two_copies_are_found_and_the_report_says_whose(tmp_path):
    for name, code in (("jane", CODE), ("joe", CODE.replace("total", "amount")), ("zoe", OTHER)):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "02.py").write_text(code)
    path = compare(tmp_path / "class", "02", ["response_labels"], tmp_path)
    text = path.read_text()
    assert "jane and joe" in text and "zoe" not in text
    assert "http" not in text, "it loads nothing from anywhere"
