"""Build of the static site: `python site/build.py [OUT]`, by default into build/site/html.

The site shows the committed notebooks; none is executed, and no network is used. Its playground has
the base model only, unless `--models all` asks for the tuned ones: they are trained once, for some
minutes, and kept in build/playground.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ift_site import assemble, playground_models
from ift_site.links import broken
from sphinx.cmd.build import main as run_sphinx

from ift_course.authoring.generated_docs import root

HERE = Path(__file__).parent


def main(out: Path, kind: playground_models.Kind, kept: Path) -> int:
    """Write the sources, run Sphinx and check all links; return the exit status.

    Args:
        out: The folder of the site.
        kind: Of the playground's models.
        kept: Where these are kept.
    """
    work = out.parent
    models = playground_models.models(kind, kept / kind)
    assemble.write(assemble.sources(assemble.read(root()), models), work / "source")
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
    parser = argparse.ArgumentParser(description="Build the static site.")
    parser.add_argument("out", nargs="?", type=Path, default=root() / "build/site/html")
    parser.add_argument("--models", choices=("base", "brief", "all"), default="base")
    parser.add_argument("--kept", type=Path, default=root() / "build/playground")
    chosen = parser.parse_args()
    sys.exit(main(chosen.out.resolve(), chosen.models, chosen.kept.resolve()))
