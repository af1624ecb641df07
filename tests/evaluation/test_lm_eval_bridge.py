"""A local task of EleutherAI's lm-eval, through the bridge."""

import json

import pytest

from ift_course.errors import CourseError

pytestmark = pytest.mark.slow
pytest.importorskip("lm_eval")


@pytest.fixture
def task(tmp_path):
    rows = [{"q": f"Is {i} even?", "a": i % 2} for i in range(6)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "even.yaml"
    path.write_text(
        f"""
task: even
dataset_path: json
dataset_kwargs:
  data_files:
    test: {tmp_path / "rows.jsonl"}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{q}}}}"
doc_to_choice: ["yes", "no"]
doc_to_target: a
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""
    )
    return path


def test_a_local_task_gives_its_metric_with_our_interval(tiny_llama, task):
    from ift_course.evaluation.lm_eval_bridge import run_task
    from ift_course.evaluation.paired import share_interval

    [metric] = run_task(*tiny_llama, str(task), batch_size=2)
    assert (metric.task, metric.name, metric.n) == ("even", "acc", 6)
    assert (metric.low, metric.high) == share_interval(round(metric.value * 6), 6)
    assert metric.higher_is_better
    [part] = run_task(*tiny_llama, str(task), limit=4)
    assert part.n == 4


def test_an_unknown_task_is_one_sentence(tiny_llama):
    from ift_course.evaluation.lm_eval_bridge import run_task

    with pytest.raises(CourseError, match='no task "no_such_task"'):
        run_task(*tiny_llama, "no_such_task")


def test_a_file_that_is_no_task_is_one_sentence(tiny_llama, tmp_path):
    from ift_course.evaluation.lm_eval_bridge import run_task

    with pytest.raises(CourseError, match="There is no file"):
        run_task(*tiny_llama, str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("task: bad\ndataset_path: json\n")
    with pytest.raises(CourseError, match="cannot run"):
        run_task(*tiny_llama, str(tmp_path / "bad.yaml"))
