"""Gradescope's `submission_metadata.yml`: who handed in each submission, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ift_course.errors import CourseError
from ift_course.grading.names import clean

if TYPE_CHECKING:
    from ift_course.grading.submissions.layouts import Layout, StudentFiles
    from ift_course.grading.submissions.nodes import Node


def name_students(layout: Layout, metadata: Node) -> None:
    """Replaces the numbers of submissions by the students whom Gradescope names.

    Args:
        layout: Its students are keyed by "submission_71"; changed in place.
        metadata: The file.

    Raises:
        CourseError: The file is not YAML.
    """
    layout.system.append(metadata)
    for number, about in _parsed(metadata).items():
        student = layout.students.get(number)
        if student and type(about) is dict:
            layout.students.pop(number)
            student.submitted = clean(str(about.get(":created_at") or ""))[:40]
            student.members = tuple(_members(about.get(":submitters")))
            _name_after_members(layout, student)


def _name_after_members(layout: Layout, student: StudentFiles) -> None:
    if student.members:
        first = student.members[0]
        student.key = first["email"] or first["sis_id"] or student.key
        student.name = ", ".join(x["name"] for x in student.members if x["name"]) or student.key
    before = layout.students.setdefault(student.key.casefold(), student)
    if before is not student:
        before.nodes += student.nodes


def _parsed(metadata: Node) -> dict[str, Any]:
    """The content of the file: keys are Ruby symbols, and values may have tags of Ruby's."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads a value with a foreign tag as if it had none."""

    def without_tag(loader: Any, _: str, item: Any) -> Any:
        if isinstance(item, yaml.MappingNode):
            return loader.construct_mapping(item, deep=True)
        if isinstance(item, yaml.SequenceNode):
            return loader.construct_sequence(item, deep=True)
        return loader.construct_scalar(item)

    Loader.add_multi_constructor("!", without_tag)
    text = metadata.read() if metadata.read else ""
    try:
        content = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0]
        raise CourseError(
            f"{metadata.display_path} cannot be read as YAML ({line}); export again."
        ) from None
    return content if type(content) is dict else {}


def _members(submitters: Any) -> list[dict[str, str]]:
    people = submitters if type(submitters) is list else []
    return [
        {"name": _text(x, ":name"), "email": _text(x, ":email"), "sis_id": _text(x, ":sid")}
        for x in people
        if type(x) is dict
    ]


def _text(about: dict[str, Any], key: str) -> str:
    value = about.get(key)
    return clean(str(value)).strip() if value is not None else ""
