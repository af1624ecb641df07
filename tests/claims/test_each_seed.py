"""`each_seed` measures the first seed, takes the others from the store, and knows when not to."""

import json

import pytest

import ift_course as ift
from ift_course import session
from ift_course.errors import CourseError

FACTOR = 10
calls: list[int] = []


def times(seed: int, factor: int = FACTOR) -> dict:
    calls.append(seed)
    return {"product": _successor(seed) * factor}


def _successor(seed: int) -> int:
    return seed + 1


def uses_factor(seed: int) -> int:
    return seed * FACTOR


def reads_an_attribute(seed: int) -> int:
    calls.append(seed)
    return seed.real


def other(seed: int) -> int:
    return seed


def unstorable(seed: int) -> object:
    return object()


@pytest.fixture(autouse=True)
def stored_file(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(session, "_current", session.Session(lesson="99"))
    calls.clear()
    return tmp_path / "tiny" / "grids" / "99-seeds.json"


def test_without_stored_numbers_every_seed_is_measured_and_stored(stored_file):
    values = ift.each_seed(times, (0, 1, 2))
    assert [x["product"] for x in values] == [10, 20, 30]
    assert calls == [0, 1, 2]
    assert [row["seed"] for row in json.loads(stored_file.read_text())] == [0, 1, 2]


def test_with_stored_numbers_only_the_first_seed_is_measured(capsys):
    first = ift.each_seed(times, (0, 1, 2))
    calls.clear()
    capsys.readouterr()
    assert ift.each_seed(times, (0, 1, 2)) == first
    assert calls == [0]
    output = capsys.readouterr().out
    assert output.startswith("measured now: seed 0; stored: seeds 1, 2 (")


def test_nothing_is_measured_where_all_is_stored_and_no_seed_is_live():
    ift.each_seed(times, (0, 1))
    calls.clear()
    assert [x["product"] for x in ift.each_seed(times, (0, 1), now=0)] == [10, 20]
    assert calls == []


def test_an_interrupted_run_resumes_with_the_missing_seeds():
    ift.each_seed(times, (0, 1))
    calls.clear()
    ift.each_seed(times, (0, 1, 2))
    assert calls == [0, 2]


def test_every_combination_of_options_is_stored_by_itself():
    assert ift.each_seed(times, (0, 1), factor=3)[1] == {"product": 6}
    assert ift.each_seed(times, (0, 1), factor=5)[1] == {"product": 10}
    calls.clear()
    assert ift.each_seed(times, (0, 1), factor=3, now=0)[1] == {"product": 6}
    assert calls == []


def test_a_function_that_calls_another_one_now_is_measured_anew(monkeypatch):
    ift.each_seed(times, (0, 1))
    calls.clear()
    monkeypatch.setitem(times.__globals__, "_successor", other)
    assert [x["product"] for x in ift.each_seed(times, (0, 1))] == [0, 10]
    assert calls == [0, 1]


def test_a_plain_value_that_the_function_refers_to_counts_as_its_code(monkeypatch):
    ift.each_seed(uses_factor, (0, 1))
    monkeypatch.setitem(uses_factor.__globals__, "FACTOR", 7)
    assert ift.each_seed(uses_factor, (0, 1)) == [0, 7]


def test_a_value_with_the_name_of_an_attribute_does_not_count(monkeypatch):
    ift.each_seed(reads_an_attribute, (0, 1))
    calls.clear()
    monkeypatch.setitem(reads_an_attribute.__globals__, "real", 7)
    ift.each_seed(reads_an_attribute, (0, 1))
    assert calls == [0]


def test_the_numbers_of_older_code_give_way(stored_file, monkeypatch):
    ift.each_seed(uses_factor, (0, 1))
    monkeypatch.setitem(uses_factor.__globals__, "FACTOR", 7)
    ift.each_seed(uses_factor, (0, 1))
    assert [row["value"] for row in json.loads(stored_file.read_text())] == [0, 7]


def test_numbers_of_another_base_model_do_not_count(stored_file):
    ift.each_seed(times, (0, 1))
    stored_file.write_text(stored_file.read_text().replace('"base": "', '"base": "not '))
    calls.clear()
    ift.each_seed(times, (0, 1))
    assert calls == [0, 1]


def test_the_first_seed_comes_back_in_the_form_in_which_it_would_be_stored():
    def pair(seed: int) -> tuple[int, int]:
        return seed, 2

    assert ift.each_seed(pair, (0, 1)) == [[0, 2], [1, 2]]


def test_what_cannot_be_stored_is_refused_in_a_sentence():
    with pytest.raises(
        CourseError, match=r"The value that unstorable\(0\) returned cannot be stored"
    ):
        ift.each_seed(unstorable, (0, 1))
    with pytest.raises(CourseError, match="The options of times cannot be stored"):
        ift.each_seed(times, (0, 1), factor=object())


def test_a_function_without_a_source_is_refused_in_a_sentence():
    namespace: dict = {}
    exec("def typed(seed): return seed", namespace)
    with pytest.raises(CourseError, match="The source of typed cannot be read"):
        ift.each_seed(namespace["typed"], (0, 1))


def test_a_damaged_file_is_named_with_the_remedy(stored_file):
    ift.each_seed(times, (0, 1))
    stored_file.write_text(stored_file.read_text()[:-20])
    with pytest.raises(CourseError, match=r"99-seeds.json is damaged; .* `ift run 99` again"):
        ift.each_seed(times, (0, 1))


def test_with_other_seeds_the_published_numbers_are_left_alone(stored_file, monkeypatch):
    ift.each_seed(times, (0, 1))
    published = stored_file.read_text()
    monkeypatch.setenv("IFT_SEED", "5")
    ift.each_seed(times, (5, 6))
    assert stored_file.read_text() == published
    assert (stored_file.parents[1] / "seeds" / "5" / "grids" / stored_file.name).exists()
