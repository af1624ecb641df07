"""Whose work is whose, read off the way in which a system stores what students hand in.

Identity comes from names that a system or the instructor wrote: a folder for each student, a
file for each student, or the form of a learning platform's download. The names of files inside a
student's own folder or archive never decide it.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ift_course.errors import CourseError
from ift_course.grading.handed_in import CHECKPOINTS, JUNK_FOLDERS, Node, clean

KINDS = ("auto", "folder", "flat", "canvas", "moodle", "gradescope", "blackboard", "nbgrader")
WRAPPERS = {"submissions", "submission", "class", "download", "downloads", "student-submissions"}
OWN_FOLDERS = re.compile(  # names that a student gives to folders of one work
    r"((draft|final|old|new|backup|copy|part|version|attempt|try|v|src|code|data|notebooks?|"
    r"exercises?|solutions?|work|homework|tests?|scripts?|tasks?|questions?|problems?|ex|q|"
    r"images?|img|figures?|plots?|docs?|assets|results?|outputs?|my[ _-].*)[ _-]?)?"
    r"\d{0,2}([._]\d{1,2})?",
    re.IGNORECASE,
)
# "Jane Doe_123_assignsubmission_file_": a folder, or (older) the beginning of a file's name, whose
# rest is the student's. Both take the mark that the student cannot have written.
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?")
MOODLE_FILE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_.+")
# "doejane_LATE_12345_67890_hw-1.ipynb": name, user, attachment, and the student's own file name.
# Where grading is anonymous: "anon_aB3dE_67890_hw.ipynb".
CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)(?P<late>_late)?_(?P<id>[1-9]\d*)_text\.html", re.I)
CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_late)?_(?P<id>[1-9]\d*|(?<=anon_)[a-z0-9]{5}|"
    r"(?<=anon_late_)[a-z0-9]{5})_(?P<attachment>[1-9]\d*)_(?P<file>.+)",
    re.IGNORECASE,
)
GRADESCOPE = re.compile(r"(?P<id>submission_\d+)")
METADATA = "submission_metadata.yml"
BLACKBOARD = re.compile(
    r".+?_(?P<id>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:\.txt|_(?P<file>.+))?"
)
PICTURES = (".png", ".jpg", ".jpeg", ".heic")
TEXTS = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages", ".r", ".rmd", ".jl", ".m")
NBGRADER = "submitted"
NBGRADER_COPIES = {"source", "release", "autograded", "feedback"}  # beside it
NBGRADER_COPY = "A copy or page that nbgrader made."
TIMESTAMP = "timestamp.txt"


@dataclass
class Pile:
    """All that one student, or one group, handed in.

    Attributes:
        key: Of the student in the gradebook.
        name: To show.
        nodes: The files, folders or archives that the system filed under this student.
        late: The system marked it so.
        submitted: An ISO time that the system wrote, or an empty text.
        members: Of a group: what the system knows of each (name, email, sis_id).
        flags: What the instructor should look at.
        system: Files among the nodes that the system wrote, and that were read for times.
    """

    key: str
    name: str
    nodes: list[Node] = field(default_factory=list)
    late: bool = False
    submitted: str = ""
    members: tuple[dict[str, str], ...] = ()
    flags: list[str] = field(default_factory=list)
    system: list[Node] = field(default_factory=list)


@dataclass
class Layout:
    """How a tree was read.

    Attributes:
        kind: One of `KINDS`.
        where: The folder that holds the class, or several.
        piles: By key.
        strays: Files that belong to no student, with the reason.
        system: Files that the system wrote and that were read for names and times.
        questions: Why the reading may be wrong, a sentence each.
    """

    kind: str = "folder"
    where: list[str] = field(default_factory=list)
    piles: dict[str, Pile] = field(default_factory=dict)
    strays: list[tuple[Node, str]] = field(default_factory=list)
    system: list[Node] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """What the instructor says about the layout.

    Attributes:
        kind: One of `KINDS`.
        level: How many folders below the root the students' own folders or files lie; 0 if the
            tree is to tell.
        accept: Answer "yes" to every question.
        people: Names and ids of the roster, in the form of `_same`; they tell students from
            other folders.
    """

    kind: str = "auto"
    level: int = 0
    accept: bool = False
    people: frozenset[str] = frozenset()


def recognize(
    root: Node,
    holds_work: Callable[[Node], bool],
    is_course: Callable[[Node], bool],
    reading: Reading,
) -> Layout:
    """Reads a tree of submissions.

    Args:
        root: Of the tree.
        holds_work: Whether a file defines a function of the course and is not the course's own.
        is_course: Whether a file is one that the course hands out.
        reading: What the instructor says.

    Raises:
        CourseError: The layout that the instructor names is not there.
    """
    reader = _Reader(holds_work, reading)
    levels = reader.levels(root)
    layout = Layout(kind=levels[0][1], where=[node.shown for node, _ in levels])
    if reading.kind == "auto" and not reading.level and layout.kind == "folder":
        reader.look_for_sections(levels)
    layout.questions = reader.questions
    for node, kind in levels:
        handed_out = [x for x in documents(node) if folders(node) and is_course(x)]
        layout.strays += [(x, "The course's own file, beside the submissions.") for x in handed_out]
        _FILL[kind](layout, node)
    inside = {id(x) for pile in layout.piles.values() for node in pile.nodes for x in node.files()}
    inside |= {id(x) for x, _ in layout.strays} | {id(x) for x in layout.system}
    outside = [x for x in root.files() if id(x) not in inside]
    for x in outside:
        copy = layout.kind == "nbgrader" and NBGRADER_COPIES.intersection(x.path)
        layout.strays.append((x, NBGRADER_COPY if copy else "It belongs to no student."))
    _look_for_conflicts(layout)
    _look_for_one_student(layout, holds_work, reading)
    _flag_copies(layout)
    return layout


class _Reader:
    """Finds the folders that hold a class."""

    def __init__(self, holds_work: Callable[[Node], bool], reading: Reading) -> None:
        self._holds_work = holds_work
        self._reading = reading
        self.questions: list[str] = []

    def levels(self, root: Node) -> list[tuple[Node, str]]:
        """(folder that holds a class, how): one, or several exports side by side."""
        kind, level = self._reading.kind, self._reading.level
        if kind not in KINDS:
            raise CourseError(f"No layout is called {kind!r}; they are: {', '.join(KINDS)}.")
        if kind in _FORMS or kind == "nbgrader":
            return self._named(root, kind)
        if level or kind in ("folder", "flat"):
            nodes = [root]
            for _ in range(max(1, level) - 1):
                nodes = [child for node in nodes for child in folders(node)]
            if not nodes:
                raise CourseError(f"The tree has no folders {level} levels deep.")
            return [(node, "flat" if kind == "flat" else "folder") for node in nodes]
        return self._recognized(root)

    def _named(self, root: Node, kind: str) -> list[tuple[Node, str]]:
        candidates = [root]
        for node in candidates:
            fits = node.name == NBGRADER if kind == "nbgrader" else _matches(node, kind)
            if fits:
                return [(node, kind)]
            candidates += folders(node)
        raise CourseError(f"No folder in it has the layout of {kind}; leave out --layout.")

    def _recognized(self, node: Node) -> list[tuple[Node, str]]:
        form = self._form(node)
        if form:
            return [form]
        inner, loose = folders(node), documents(node)
        if len(inner) == 1 and not any(map(self._holds_work, loose)):
            below = self._wrapped(inner[0])
            if below:
                return below
        elif inner and not loose:
            exports = [self._export(x) for x in inner]
            if all(exports):
                return exports
        people = self._reading.people
        if people and not any(_same(x.stem) in people for x in (*inner, *loose)):
            below = [x for folder in inner for x in (*folders(folder), *documents(folder))]
            if any(_same(x.stem) in people for x in below):
                return [(x, "folder") for x in inner]
        return [(node, "folder")]

    def _form(self, node: Node) -> tuple[Node, str] | None:
        """The folder with the form of a platform's download, if it is one or wraps one."""
        for kind in _FORMS:
            if _matches(node, kind):
                return node, kind
        if NBGRADER in node.children and folders(node.children[NBGRADER]):
            return node.children[NBGRADER], "nbgrader"
        if node.name == NBGRADER and folders(node):
            return node, "nbgrader"
        return None

    def _export(self, node: Node) -> tuple[Node, str] | None:
        """One of several downloads side by side; a student's folder must not look like one."""
        form = self._form(node)
        if not form or form[1] == "nbgrader":
            return None
        if form[1] == "gradescope":
            named = METADATA in node.children or re.fullmatch(r"assignment_\d+_export.*", node.stem)
            return form if named else None
        return form if len(_keys(*form)) > 1 else None

    def _wrapped(self, only: Node) -> list[tuple[Node, str]]:
        """The class inside of the only folder there is; empty if that folder is a student's."""
        people = self._reading.people
        inner = folders(only)
        known = sum(_same(x.stem) in people for x in (*inner, *documents(only)))
        if _same(only.stem) in people and not known:
            return []
        below = self._recognized(only)
        form = below[0][1] not in ("folder", "flat")
        if form:
            keys = _keys(*below[0]) if below[0][1] == "canvas" else []
            if len(keys) != 1:
                return below
            self.questions.append(
                f"there is one student, who may be {clean(only.stem)} or Canvas's {keys[0]}; "
                "use --layout folder or canvas"
            )
            return []
        named = only.stem.lower() in WRAPPERS or only.stem.lower().endswith("-submissions")
        if known or named or below[0][0] is not only:
            return below
        own = [x for x in inner if self._works(x)]
        if len(own) > 1 and not any(OWN_FOLDERS.fullmatch(x.stem) for x in own):
            return below
        direct = [x for x in documents(only) if self._holds_work(x)]
        files = {x.sha for x in only.files() if self._holds_work(x)}
        level = len(only.path) + 1
        if _is_clone(only):
            return []
        if len(self._like_students(only, direct)) > 1:
            self.questions.append(
                f"everything lies in {only.shown}, which reads as one student; if what lies in it "
                f"are students, use --student-level {level}"
            )
        elif len(inner) == 1 and files and not direct:
            self.questions.append(
                f"there is one student, who may be {clean(only.stem)} or "
                f"{clean(inner[0].stem)}; use --student-level {level - 1} or {level}"
            )
        return []

    def _like_students(self, only: Node, direct: list[Node]) -> set[str]:
        """The names of what lies in the only folder there is, as far as they may be students."""
        inner = folders(only)
        working = [x for x in inner if self._works(x)]
        if not direct:  # a student with a notebook beside the folders is one student
            working += [x for x in inner if not OWN_FOLDERS.fullmatch(x.stem)]
        loose = [x for x in documents(only) if x in direct or x.code is None]
        loose = [x for x in loose if not x.name.lower().endswith(PICTURES)]
        return {_without_copy(x.stem) for x in (*working, *loose)}

    def _works(self, node: Node) -> bool:
        return any(map(self._holds_work, node.files()))

    def look_for_sections(self, levels: list[tuple[Node, str]]) -> None:
        """Folders that each hold the work of several students are sections, not students."""
        working = [x for node, _ in levels for x in folders(node) if self._works(x)]
        crowded = [x for x in working if self._is_crowded(x)]
        if crowded and 2 * len(crowded) >= len(working) and not self.questions:
            names = " and ".join(x.shown for x in crowded[:3])
            self.questions.append(
                f"{names} each hold the work of several students, it seems; use --student-level "
                f"{len(crowded[0].path) + 1}, or hand over one of them"
            )

    def _is_crowded(self, folder: Node) -> bool:
        own = [x for x in folders(folder) if self._works(x)]
        direct = any(map(self._holds_work, documents(folder)))
        named = any(OWN_FOLDERS.fullmatch(x.stem) for x in own)
        return len(own) > 1 and not direct and not named


def folders(node: Node) -> list[Node]:
    """The folders and readable archives in a node that may be somebody's."""
    return [
        child
        for _, child in sorted(node.children.items())
        if child.kind != "file" and not child.problem and not _is_hidden(child)
    ]


def documents(node: Node) -> list[Node]:
    """The files in a node that somebody may have handed in, archives that failed included."""
    return [
        child
        for _, child in sorted(node.children.items())
        if (child.kind == "file" or child.problem) and not child.junk and _is_document(child)
    ]


def _is_hidden(node: Node) -> bool:
    """A folder of an editor, of the operating system, or a gradebook of `ift grade`."""
    name = node.name
    gradebook = {"results.jsonl", "gradebook.csv"} <= set(node.children)
    return gradebook or name in JUNK_FOLDERS or name == CHECKPOINTS or name.startswith(".")


def _is_document(node: Node) -> bool:
    if node.code is not None or node.problem:
        return True
    return node.name.lower().endswith((*PICTURES, *TEXTS))


def _same(name: str) -> str:
    """A name without what systems change in it: case, accents' form, blanks, punctuation."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(x for x in plain if x.isalnum()) or plain


def _without_copy(stem: str) -> str:
    """The name without what a browser or Jupyter adds to a copy."""
    return re.sub(r"([ _-]*\(\d+\)|-Copy\d+|[ _-]copy( \d+)?)+$", "", stem, flags=re.IGNORECASE)


def _is_clone(node: Node) -> bool:
    """Whether a folder holds, at any depth without branches, a copy of the course."""
    inner = {x.stem for x in folders(node)}
    if {"exercises", "solutions", "ift_course"} & inner:
        return True
    return len(inner) == 1 and _is_clone(folders(node)[0])


def _matches(node: Node, kind: str) -> bool:
    """Whether most of what lies in a folder has the form of a platform's download."""
    items = [*folders(node), *documents(node)]
    fits = [x for x in items if _FORMS[kind](x)]
    if 2 * len(fits) <= len(items):
        return False
    return kind != "canvas" or _is_canvas(fits)


def _is_canvas(nodes: list[Node]) -> bool:
    """A user's number has one name, and an attachment's one file: not so in made-up names.

    Nor do users who differ all have the same name.
    """
    matches = [x for node in nodes if (x := CANVAS.fullmatch(node.name))]
    users = {(x["id"], x["name"].lower()) for x in matches}
    attachments = {(x["attachment"], x["id"], x["file"].rsplit(".", 1)[0]) for x in matches}
    numbers, names = {x[0] for x in users}, {x[1] for x in users}
    return (
        len(users) == len(numbers)
        and len(attachments) == len({x[0] for x in attachments})
        and (len(names) > 1 or len(numbers) == 1 or names == {"anon"})
    )


def _keys(node: Node, kind: str) -> list[str]:
    """The students that the names in a folder of a platform's form stand for."""
    matches = (_FORMS[kind](x) for x in node.children.values() if not x.junk)
    return sorted({x["id"] for x in matches if x})


def _moodle(node: Node) -> re.Match | None:
    folder = node.kind == "folder" and MOODLE_FOLDER.fullmatch(node.name)
    return folder or MOODLE_FILE.fullmatch(node.name)


_FORMS: dict[str, Callable[[Node], re.Match | None]] = {
    "gradescope": lambda x: GRADESCOPE.fullmatch(x.stem) if x.kind != "file" else None,
    "moodle": _moodle,
    "blackboard": lambda x: BLACKBOARD.fullmatch(x.name),
    "canvas": lambda x: CANVAS.fullmatch(x.name) or CANVAS_TEXT.fullmatch(x.name),
}


def _pile(layout: Layout, key: str, name: str, node: Node) -> Pile:
    key, name = clean(unicodedata.normalize("NFC", key)), clean(name)
    pile = layout.piles.setdefault(key.casefold(), Pile(key, name))
    pile.nodes.append(node)
    return pile


def _fill_folder(layout: Layout, node: Node) -> None:
    """A folder, an archive or (loose) a file for each student."""
    inner = folders(node)
    prefix = _classroom_prefix(node, inner)
    strays = {id(x) for x, _ in layout.strays}
    for child in (x for x in (*inner, *documents(node)) if id(x) not in strays):
        stem = child.stem.removeprefix(prefix)
        _pile(layout, stem, stem, child)
    _other_files(layout, node)


def _classroom_prefix(node: Node, inner: list[Node]) -> str:
    """GitHub Classroom names a repository after the assignment and the student: "hw2-jane"."""
    name = node.stem
    if not name.endswith("-submissions"):
        return ""
    prefix = name.removesuffix("submissions")
    return prefix if inner and all(x.stem.startswith(prefix) for x in inner) else ""


def _fill_nbgrader(layout: Layout, node: Node) -> None:
    """submitted/STUDENT/ASSIGNMENT/, with a timestamp.txt that nbgrader wrote last."""
    _fill_folder(layout, node)
    for pile in layout.piles.values():
        for student in pile.nodes:
            for assignment in folders(student) if student.kind == "folder" else []:
                stamp = assignment.children.get(TIMESTAMP)
                if assignment.kind == "folder" and stamp and stamp.read:
                    pile.submitted = max(pile.submitted, clean(stamp.read().strip())[:40])
                    layout.system.append(stamp)
                    pile.system.append(stamp)


def _fill_form(kind: str) -> Callable[[Layout, Node], None]:
    def fill(layout: Layout, node: Node) -> None:
        others = []
        for _, child in sorted(node.children.items()):
            match = None if child.junk or _is_hidden(child) else _FORMS[kind](child)
            if not match:
                others.append(child)
                continue
            groups = match.groupdict()
            name = groups.get("name") or match["id"]
            pile = _pile(layout, match["id"], name, child)
            pile.late = pile.late or bool(groups.get("late"))
            if _same(pile.name) != _same(clean(name)):
                layout.questions.append(
                    f"{match['id']} stands for two students, {pile.name} and {clean(name)}; take "
                    "one of them out"
                )
            if groups.get("when"):
                when = datetime.strptime(groups["when"], "%Y-%m-%d-%H-%M-%S")
                pile.submitted = max(pile.submitted, when.isoformat())
        reason = f"Its name does not have the form of a download from {kind.capitalize()}."
        layout.strays += [
            (x, reason)
            for child in others
            for x in child.files()
            if not (child.name == METADATA and kind == "gradescope")
        ]

    return fill


def _fill_gradescope(layout: Layout, node: Node) -> None:
    _fill_form("gradescope")(layout, node)
    metadata = node.children.get(METADATA)
    if not metadata or not metadata.read:
        return
    layout.system.append(metadata)
    for number, about in _metadata(metadata).items():
        pile = layout.piles.get(number)
        if pile and type(about) is dict:
            layout.piles.pop(number)
            pile.submitted = clean(str(about.get(":created_at") or ""))[:40]
            pile.members = tuple(_members(about.get(":submitters")))
            _name_after_members(layout, pile)


def _name_after_members(layout: Layout, pile: Pile) -> None:
    if pile.members:
        first = pile.members[0]
        pile.key = first["email"] or first["sis_id"] or pile.key
        pile.name = ", ".join(x["name"] for x in pile.members if x["name"]) or pile.key
    before = layout.piles.setdefault(pile.key.casefold(), pile)
    if before is not pile:
        before.nodes += pile.nodes


def _metadata(node: Node) -> dict[str, Any]:
    """Gradescope's YAML: keys are Ruby symbols, and values may have tags of Ruby's."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader: Any, _: str, item: Any) -> Any:
        if isinstance(item, yaml.MappingNode):
            return loader.construct_mapping(item, deep=True)
        if isinstance(item, yaml.SequenceNode):
            return loader.construct_sequence(item, deep=True)
        return loader.construct_scalar(item)

    Loader.add_multi_constructor("!", plain)
    try:
        content = yaml.load(node.read(), Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0]
        raise CourseError(f"{node.shown} cannot be read as YAML ({line}); export again.") from None
    return content if type(content) is dict else {}


def _members(submitters: Any) -> list[dict[str, str]]:
    people = submitters if type(submitters) is list else []
    return [
        {"name": _text(x, ":name"), "email": _text(x, ":email"), "sis_id": _text(x, ":sid")}
        for x in people
        if type(x) is dict
    ]


def _text(about: dict, key: str) -> str:
    value = about.get(key)
    return clean(str(value)).strip() if value is not None else ""


def _other_files(layout: Layout, node: Node) -> None:
    """Files beside the students' that no student handed in: lists, pages, the system's notes."""
    for _, child in sorted(node.children.items()):
        hidden = child.kind != "file" and not child.problem and _is_hidden(child)
        if hidden or (child.kind == "file" and (child.junk or not _is_document(child))):
            layout.strays += [
                (x, "It lies beside the submissions and is not one.") for x in child.files()
            ]


def _look_for_conflicts(layout: Layout) -> None:
    """Two folders, or a folder and an archive or file, of one name: whose is which?"""
    if layout.kind not in ("folder", "flat", "nbgrader", "gradescope"):
        return
    for pile in layout.piles.values():
        sources: dict[object, set[str]] = {}
        for node in pile.nodes:
            key = node.path if node.kind != "file" else (node.path[:-1], node.stem)
            contents = {x.sha or x.shown for x in node.files() if not x.junk}
            sources.setdefault(key, set()).update(contents)
        distinct = {frozenset(x) for x in sources.values()}
        if len(distinct) > 1:
            names = " and ".join(node.shown for node in pile.nodes[:3])
            layout.questions.append(
                f"{pile.key} has several sources, {names}; take out all but one, or rename them"
            )


def _look_for_one_student(
    layout: Layout, holds_work: Callable[[Node], bool], reading: Reading
) -> None:
    """Several works of one student in a form that file names alone suggest may be a class's."""
    if len(layout.piles) != 1 or layout.kind not in ("canvas", "moodle", "blackboard"):
        return
    [pile] = layout.piles.values()
    works = {x.sha for node in pile.nodes for x in node.files() if holds_work(x)}
    if len(pile.nodes) > 1 and len(works) > 1 and reading.kind == "auto":
        names = " and ".join(node.shown for node in pile.nodes[:3])
        layout.questions.append(
            f"{names} read as files of one student, {pile.key}; use --layout {layout.kind} or flat"
        )


def _flag_copies(layout: Layout) -> None:
    """ "jane (1).ipynb" beside "jane.ipynb" may be the same student's."""
    for key, pile in layout.piles.items():
        original = layout.piles.get(_without_copy(key))
        if original and original is not pile:
            pile.flags.append(f"It may be a copy by the student {original.key}.")
            original.flags.append(f"{pile.key} may be another copy by the same student.")


def _fill_flat(layout: Layout, node: Node) -> None:
    """Every file is a student's, in whatever folder it lies."""
    for child in node.files():
        if _is_document(child) and not child.junk:
            _pile(layout, child.stem, child.stem, child)


_FILL: dict[str, Callable[[Layout, Node], None]] = {
    "folder": _fill_folder,
    "flat": _fill_flat,
    "nbgrader": _fill_nbgrader,
    "gradescope": _fill_gradescope,
    **{kind: _fill_form(kind) for kind in ("moodle", "canvas", "blackboard")},
}
