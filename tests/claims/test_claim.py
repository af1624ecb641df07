"""Claims survive reruns, and a claim that cannot fail is refused."""

import json
import subprocess
import sys

import pytest

from ift_course.claims import store
from ift_course.claims.claim import claim
from ift_course.claims.entry import Claim
from ift_course.claims.store import read_claims
from ift_course.errors import CourseError


@pytest.fixture(autouse=True)
def claims_file(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    return tmp_path / "tiny" / "claims.json"


def make(id="01.tuned", arms=None, effect="sft", **bounds) -> Claim:
    return claim(
        id,
        "Tuning makes it answer.",
        source="LIMA <2023>",
        metric="strict accuracy",
        arms=arms or {"base": [0.0, 0.0, 0.01], "sft": [0.95, 0.96, 0.97]},
        effect=effect,
        **(bounds or {"at_least": 0.9}),
    )


def test_a_claim_over_seeds_has_students_interval():
    result = make()
    assert result.effect == pytest.approx(0.96)
    assert result.interval == pytest.approx((0.96 - 0.024841, 0.96 + 0.024841), abs=1e-6)
    assert result.holds and result.arms["base"] == [0.0, 0.0, 0.01]


def test_a_difference_is_paired_by_seed():
    arms = {"a": [0.5, 0.7, 0.9], "b": [0.4, 0.6, 0.8]}
    result = make(arms=arms, effect=("a", "b"), at_least=0.05)
    assert result.interval == pytest.approx((0.1, 0.1)) and result.of == ["a", "b"]


def test_it_holds_only_if_the_whole_interval_keeps_the_bound():
    assert make(at_least=0.93).holds
    assert not make(at_least=0.94).holds, "the effect 0.96 does, its interval does not"
    assert make(at_most=0.99).holds and not make(at_most=0.97).holds
    assert not make(at_least=0.5, at_most=0.97).holds


def test_item_scores_give_per_seed_means_and_an_interval_over_items():
    arms = {"base": [[0] * 50] * 3, "sft": [[1] * 45 + [0] * 5] * 3}
    result = make(arms=arms, effect=("sft", "base"), at_least=0.7)
    assert result.arms == {"base": [0.0] * 3, "sft": [0.9] * 3}
    assert 0.78 < result.interval[0] < 0.85 and 0.95 < result.interval[1] < 1
    assert result.holds and result.method == "over seeds and items"


def test_the_file_is_sorted_replaced_by_id_and_stable(claims_file):
    make("02.b")
    make("01.a", at_least=0.99)
    first = make("02.b", at_least=0.5)
    assert [c.id for c in read_claims("tiny")] == ["01.a", "02.b"]
    assert read_claims("tiny")[1] == first
    fields = json.loads(claims_file.read_text(encoding="utf-8"))[0]
    assert {"id", "lesson", "statement", "source", "metric", "arms", "effect", "interval", "holds",
            "seconds", "peak_mb"} <= set(fields)  # fmt: skip
    assert fields["interval"][0] == round(fields["interval"][0], 6)
    assert not list(claims_file.parent.glob("*.tmp"))


@pytest.mark.slow
def test_lessons_side_by_side_lose_no_claim(claims_file):
    program = (
        "import sys; from ift_course.claims.claim import claim\n"
        "for i in range(5):\n"
        "    claim(f'{sys.argv[1]}.{i}', 's', source='s', metric='m', arms={'a': [1, 2, 3]},\n"
        "          effect='a', at_least=0)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(n)], stdout=subprocess.DEVNULL)
        for n in range(3)
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(read_claims("tiny")) == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arms": {"sft": [0.9, 0.9]}}, "at least 3"),
        ({"arms": {"sft": [1, 1, 1], "base": [0, 0]}}, "sft has 3, base has 2"),
        ({"arms": {"sft": [0.9, float("nan"), 0.9]}}, "not a finite number"),
        ({"arms": {"sft": [0.9, None, 0.9]}}, "not a finite number"),
        ({"arms": {"sft": [[1, 0], [1], [1, 1]]}}, "the same number"),
        ({"arms": {"sft": [[1, 0], 1, 1]}}, "item scores"),
        ({"arms": {"sft": [[1, 0], [], [1, 1]]}}, "a number or a list"),
        ({"arms": {"sft": ["good", "bad", "good"]}}, "a number or a list"),
        ({"effect": "stf"}, 'the arm "stf", but the arms are base, sft'),
        ({"effect": ("sft", "base", "sft")}, "one arm, or two"),
    ],
)
def test_a_claim_that_cannot_be_judged_says_why(options, message, claims_file):
    with pytest.raises(CourseError, match=message):
        make(**options)
    assert not claims_file.exists()


def test_a_claim_that_cannot_fail_is_refused():
    with pytest.raises(CourseError, match="cannot fail"):
        make(at_least=None)


def test_a_damaged_file_is_named_and_kept(claims_file):
    make()
    claims_file.write_text("[{]", encoding="utf-8")
    for use in (make, lambda: read_claims("tiny")):
        with pytest.raises(CourseError, match=r"claims\.json is damaged; delete it"):
            use()
    assert claims_file.read_text(encoding="utf-8") == "[{]"


def test_a_difference_from_the_literature_is_on_the_card_and_in_the_file():
    same = make("01.a", at_least=0.5)
    assert (same.subject, same.differs) == ((), "")
    assert "literature" not in str(same.card())
    other = claim(
        "01.b",
        "It does not help here.",
        source="FLAN",
        metric="accuracy",
        arms={"a": [0.1, 0.1, 0.1]},
        effect="a",
        at_most=0.2,
        subject=7,
        literature="It helps.",
        differs="A model this small does not gain.",
    )
    assert "Not as in the literature: A model this small does not gain." in str(other.card())
    assert read_claims("tiny")[1] == other and other.subject == (7,)


def test_the_card_gives_the_verdict_in_words_and_escapes():
    make(at_least=0.5)
    html = make(at_least=0.99).card().html()
    assert "✗ does not hold" in html and "needs at least 0.99" in html
    assert "LIMA &lt;2023&gt;" in html


def test_outside_a_notebook_the_card_is_printed_once(capsys):
    make()
    assert capsys.readouterr().out.count("✓ holds: Tuning makes it answer.") == 1


def test_in_a_notebook_the_card_appears_once_and_again_when_asked_for():
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    call = (
        "claim('9.x', 'S', source='s', metric='m', arms={'a': [1, 2, 3]}, effect='a', at_least=9)"
    )
    notebook = new_notebook(
        cells=[
            new_code_cell("from ift_course.claims.claim import claim"),
            new_code_cell(call),
            new_code_cell(f"c = {call}"),
            new_code_cell("c"),
        ]
    )
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        assert "✗ does not hold:</b> S" in output["data"]["text/html"]
        assert output["data"]["text/plain"].startswith("✗ does not hold: S")


def test_the_published_effect_stands_beside_ones_own(tmp_path, monkeypatch, capsys):
    """It is shown for the same claim and profile, and never where the evidence is written."""
    evidence = tmp_path / "published"
    monkeypatch.setattr(store, "evidence_root", lambda: evidence)
    make(at_least=0.5)
    assert "published" not in capsys.readouterr().out, "nothing has been published"
    (evidence / "tiny").mkdir(parents=True)
    (tmp_path / "tiny" / "claims.json").rename(evidence / "tiny" / "claims.json")
    own = make(arms={"sft": [0.8, 0.9, 1.0]}, at_least=0.5)
    assert "yours 0.9, published 0.96" in capsys.readouterr().out
    assert store.published_claims("smollm2") == {}
    published = store.published_claims("tiny")
    assert own.beside(published[own.id]) == "yours 0.9, published 0.96"
    make("01.new", at_least=0.5)
    assert "published" not in capsys.readouterr().out
    monkeypatch.setenv("IFT_RESULTS", str(evidence))
    make(arms={"sft": [0.8, 0.9, 1.0]}, at_least=0.5)
    assert "published" not in capsys.readouterr().out, "as in `ift build`"


def test_a_lessons_claims_can_be_taken_out_and_put_back():
    first, other = make("01.a"), make("02.b")
    for entry, lesson in ((first, "01"), (other, "02")):
        store.add_claim(entry.model_copy(update={"lesson": lesson}), "tiny")
    taken = store.take_claims("tiny", "01")
    assert [x.id for x in taken] == ["01.a"] and [x.id for x in read_claims("tiny")] == ["02.b"]
    store.add_claim(taken[0].model_copy(update={"id": "01.unfinished"}), "tiny")
    store.put_back_claims("tiny", "01", taken)
    assert [x.id for x in read_claims("tiny")] == ["01.a", "02.b"]
