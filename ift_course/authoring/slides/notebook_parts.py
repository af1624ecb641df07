"""What an executed notebook holds for slides: predictions, pictures, claims, questions, code."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ift_course.authoring.report import data_uri

if TYPE_CHECKING:
    from pathlib import Path

# An invitation to predict, not "it learns to predict" or "we predicted".
INVITATION = re.compile(r"(^|[.!?:]\s+|\*\*)Predict\b|\b(cell|run|look|go on), predict\b")
CLAIM = re.compile(r"\bift\.claim\(\s*\"([\w.-]+)\"")
QUIZ = re.compile(r"\bift\.quiz\((.*?)\)", re.DOTALL)
AT_THE_END = re.compile(r"\s*At the end you (?:will be able to|can):?\s*$")
# What a learner will write at work; a cell with many of these is the code that matters.
LIBRARY = re.compile(
    r"\b(?:\w+Trainer|\w+Config|LoraConfig|BitsAndBytesConfig|Dataset|AutoModel\w*|AutoTokenizer|"
    r"from_pretrained|apply_chat_template|load_dataset|get_peft_model|cross_entropy|log_softmax|"
    r"logsigmoid|generate|MinHash\w*|minimize|backward)\b"
)
MOST_CODE_LINES = 30


@dataclass
class Part:
    """One cell of a notebook, as far as slides are concerned.

    Attributes:
        section: The last heading above it.
        blocks: The paragraphs of a Markdown cell.
        code: Of a code cell.
        pictures: (data URI, description) of each picture among the outputs.
        printed: The text of the other outputs, without cards of claims and quizzes.
        claims: The ids of the claims that it makes.
        quiz: The arguments of its quiz: the lesson, then the questions; empty without one.
    """

    section: str
    blocks: list[str] = field(default_factory=list)
    code: str = ""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    printed: str = ""
    claims: list[str] = field(default_factory=list)
    quiz: tuple[str, ...] = ()

    @property
    def has_output(self) -> bool:
        """Whether it shows anything that answers a prediction."""
        return bool(self.pictures or self.printed or self.claims)


def read_parts(notebook: Path) -> list[Part]:
    """The cells of an executed notebook, in order."""
    parts, section = [], ""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for block in re.split(r"\n\s*\n", source):
                heading = re.match(r"#+ (.+)", block)
                section = heading[1].strip() if heading else section
                parts.append(Part(section, blocks=[block.strip()]))
        elif cell["cell_type"] == "code":
            parts.append(_code_part(section, source, cell.get("outputs", [])))
    return parts


def _code_part(section: str, source: str, outputs: list[dict[str, Any]]) -> Part:
    part = Part(section, code=source, claims=CLAIM.findall(source), quiz=_quiz(source))
    printed = []
    for output in outputs:
        data = output.get("data", {})
        text = "".join(output.get("text", "") or data.get("text/plain", ""))
        if uri := data_uri(data):
            part.pictures.append((uri, text))
        elif not (part.quiz or (part.claims and data)):
            printed.append(text)
    part.printed = "".join(printed).strip("\n")
    return part


def _quiz(source: str) -> tuple[str, ...]:
    call = QUIZ.search(source)
    try:
        return tuple(map(str, ast.literal_eval(f"({call[1]},)"))) if call else ()
    except (SyntaxError, ValueError):
        return ()


def introduction(parts: list[Part]) -> tuple[str, list[str]]:
    """The paragraphs before the list of objectives, and that list; both in Markdown."""
    paragraphs = []
    for part in parts:
        block = "".join(part.blocks)
        if part.code or block.startswith("## "):
            break
        if block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)
            texts = [" ".join(x.split()).rstrip(";.") for x in items if x.strip()]
            return "\n\n".join(paragraphs), texts
        text = AT_THE_END.sub("", block)
        if text and not block.startswith(("# ", "[![")):
            paragraphs.append(text)
    return "\n\n".join(paragraphs), []


def is_invitation(part: Part) -> bool:
    """Whether a paragraph asks the reader to predict."""
    return any(INVITATION.search(" ".join(block.split())) for block in part.blocks)


def code_that_matters(parts: list[Part]) -> int | None:
    """The index of the cell with the most library calls that fits on a slide."""
    scores = {
        index: len(set(LIBRARY.findall(part.code)))
        for index, part in enumerate(parts)
        if part.code and shown_code(part.code)
    }
    best = max(scores, key=lambda index: scores[index], default=None)
    return best if best is not None and scores[best] else None


def shown_code(code: str) -> str:
    """A cell if it fits on a slide; else its function or class with the most library calls."""
    if code.count("\n") < MOST_CODE_LINES:
        return code.strip()
    try:
        nodes = ast.parse(code).body
    except SyntaxError:
        return ""
    lines = code.splitlines()
    texts = [
        "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in nodes
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    fitting = [x for x in texts if x.count("\n") < MOST_CODE_LINES]
    return max(fitting, key=lambda x: len(set(LIBRARY.findall(x))), default="")
