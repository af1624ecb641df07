"""Every way to break a rule is refused in one sentence; what keeps them is read."""

import pytest

from ift_course.capstone.opening import open_submission
from ift_course.capstone.packing import course_base
from ift_course.capstone.rules import ADAPTER_SETTINGS, LARGEST_ZIP, MOST_MEMBERS, Refusal
from tests.capstone import capstones


@pytest.fixture
def opened(tmp_path):
    def open_bytes(content):
        return open_submission(capstones.write(tmp_path, "jane", content), course_base())

    return open_bytes


def test_a_submission_that_keeps_the_rules_is_read(opened):
    submission = opened(capstones.zipped(capstones.honest(), title="  Tell\x1b me \n"))
    assert submission.title == "Tell\N{REPLACEMENT CHARACTER} me"
    assert len(submission.records) == 20
    assert submission.settings.steps == 200
    assert submission.spec.scales == dict.fromkeys(sorted(capstones.MODULES), 2.0)


@pytest.mark.parametrize("name", capstones.BROKEN)
def test_what_breaks_a_rule_is_refused_in_one_sentence(opened, name):
    kind, content = capstones.BROKEN[name]
    with pytest.raises(Refusal) as refusal:
        opened(content())
    assert refusal.value.kind == kind, str(refusal.value)
    sentence = str(refusal.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400


def test_a_link_is_not_followed(tmp_path):
    target = capstones.write(tmp_path, "jane", capstones.zipped(capstones.honest()))
    (tmp_path / "joe.zip").symlink_to(target)
    with pytest.raises(Refusal, match="is a link"):
        open_submission(tmp_path / "joe.zip", course_base())


def test_a_huge_zip_is_not_opened(tmp_path):
    path = tmp_path / "jane.zip"
    with path.open("wb") as file:
        file.truncate(LARGEST_ZIP + 1)
    with pytest.raises(Refusal, match="are the limit"):
        open_submission(path, course_base())


def test_a_zip_of_many_files_is_not_read(opened):
    extra = [(f"{i}.txt", b"") for i in range(MOST_MEMBERS)]
    with pytest.raises(Refusal, match="holds 38 files"):
        opened(capstones.zipped(capstones.honest(), extra))


def test_what_an_operating_system_adds_is_ignored(opened):
    extra = [("__MACOSX/._data.jsonl", b"x"), (".DS_Store", b"x")]
    assert opened(capstones.zipped(capstones.honest(), extra)).records


@pytest.mark.parametrize(
    "changes",
    [
        {"r": True},
        {"r": 0},
        {"lora_alpha": float("nan")},
        {"lora_alpha": "4"},
        {"peft_type": "BOFT"},
        {"init_lora_weights": "pissa"},
        {"modules_to_save": ["lm_head"]},
        {"rank_pattern": {"q_proj": 8}},
        {"auto_mapping": None, "some_new_trick": True},
        {"trainable_token_indices": [4096]},
        {"trainable_token_indices": list(range(17))},
    ],
)
def test_settings_of_peft_that_the_exam_does_not_know_are_refused(opened, changes):
    files = capstones.honest() | {ADAPTER_SETTINGS: capstones.adapter_config(**changes)}
    with pytest.raises(Refusal):
        opened(capstones.zipped(files))
