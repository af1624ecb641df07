"""The code cells of a notebook that somebody else wrote, read and run one by one."""

import json
import linecache
import re
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError

MAGIC = re.compile(r"(\s*)(%%?[a-z]|!(?!=)).*")  # not the operators % and != on a line of their own


def code_cells(path: Path) -> list[tuple[int, str]]:
    """(number, source) of each code cell, counted from 1 among all cells, without %magics.

    Raises:
        CourseError: no such file, or it is no notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = [(i, x["source"]) for i, x in enumerate(cells, 1) if x["cell_type"] == "code"]
        return [(i, _python("".join(source))) for i, source in sources]
    except FileNotFoundError:
        raise CourseError(f"There is no notebook {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CourseError(
            f"{path} is not a notebook any more ({error}); restore it, or save it anew in Jupyter."
        ) from None


def _python(source: str) -> str:
    if source.startswith("%%"):
        return ""
    return "\n".join(MAGIC.sub(r"\1pass", line) for line in source.split("\n"))


def execute(number: int, source: str, namespace: dict[str, Any]) -> None:
    """Runs one cell as `<cell NUMBER>`, so that an error can show its line; raises as it does."""
    name = f"<cell {number}>"
    lines = [f"{line}\n" for line in source.split("\n")]
    linecache.cache[name] = (len(source), None, lines, name)
    exec(compile(source, name, "exec"), namespace)
