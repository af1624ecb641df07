"""Build of the static site: `python site/build.py [OUT]`, by default into build/site/html.

The site shows the committed notebooks; nothing is executed, and no network is used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ift_site import assemble
from ift_site.links import broken
from sphinx.cmd.build import main as run_sphinx

from ift_course.authoring.generated_docs import root

HERE = Path(__file__).parent


def main(out: Path) -> int:
    """Write the sources, run Sphinx and check all links; return the exit status."""
    work = out.parent
    assemble.write(assemble.sources(assemble.read(root())), work / "source")
    # Every page shows the table of contents, so all of them are written again (-a).
    options = ["-b", "html", "-a", "-q", "-W", "--keep-going"]
    options += ["-c", str(HERE), "-d", str(work / "doctrees")]
    if status := run_sphinx([*options, str(work / "source"), str(out)]):
        return status
    problems = broken(out)
    for problem in problems:
        print(problem, file=sys.stderr)
    files = [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    pages = sum(path.suffix == ".html" for path in files)
    print(f"{out / 'index.html'}: {pages} pages, {size / 1e6:.1f} MB")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else root() / "build/site/html").resolve()))
