"""Links between the pages, and out of them to what is only in the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

MARKDOWN = re.compile(r"(!?)\[([^\]]*)\]\(([^()\s]+)\)")
HREF = re.compile(r'href="([^"]+)"')
BADGE = re.compile(r"^\[!\[([^\]]*)\]\([^)]*\)\]\(([^)]*)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Links:
    """Where links lead.

    root: the repository's folder. repository: its address. pages: the source of the page that is
    made of a file or folder of the repository, both as paths, as "docs/claims.md".
    """

    root: Path
    repository: str
    pages: Mapping[str, str]

    def markdown(self, text: str, path: str) -> str:
        """Markdown of the repository's file `path` as its page has it.

        A link to a file that is no page leads to the repository's address.
        """
        return MARKDOWN.sub(lambda found: self._link(found, path), plain_badges(text))

    def html(self, text: str, path: str) -> str:
        """HTML of the file `path` as its page has it: links lead to pages, not to their sources."""
        return HREF.sub(lambda found: f'href="{self._href(found[1], path)}"', text)

    def pictures(self, text: str, path: str) -> list[str]:
        """The files that this Markdown shows, in order."""
        shown = [_resolved(found[3], path) for found in MARKDOWN.finditer(text) if found[1]]
        return [x for x in shown if x and (self.root / x).is_file()]

    def _link(self, found: re.Match, path: str) -> str:
        image, text, target = found.groups()
        aim = _resolved(target, path)
        if aim is None:
            return found[0]
        if image:
            return f"![{text}]({self._relative(aim, path)})"
        if aim in self.pages:
            return f"[{text}]({self._relative(self.pages[aim], path)}{_anchor(target)})"
        if not (self.root / aim).exists():
            return found[0]  # Sphinx will say that it leads nowhere
        kind = "tree" if (self.root / aim).is_dir() else "blob"
        return f"[{text}]({self.repository}/{kind}/main/{aim})"

    def _href(self, target: str, path: str) -> str:
        aim = _resolved(target, path)
        if aim not in self.pages:
            return target
        page = Path(self.pages[aim]).with_suffix(".html").as_posix()
        return self._relative(page, path) + _anchor(target)

    def _relative(self, aim: str, path: str) -> str:
        """How the page made of `path` names the source or file `aim` of the site."""
        return posixpath.relpath(aim, posixpath.dirname(self.pages.get(path, path)))


def _anchor(target: str) -> str:
    fragment = urlsplit(target).fragment
    return f"#{fragment}" if fragment else ""


def _resolved(target: str, path: str) -> str | None:
    """The path below the root that a link in the file `path` means; None if it is no file."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))


def plain_badges(text: str) -> str:
    """Badges are pictures from elsewhere; they become links in words, with a style of their own."""
    return BADGE.sub(r"{.badge}\n[\1](\2)", text)


def broken(site: Path) -> list[str]:
    """The links within a built site that lead nowhere, in one sentence each."""
    from bs4 import BeautifulSoup

    names: dict[Path, set[str]] = {}
    targets: dict[Path, list[str]] = {}
    for path in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        names[path] = {x.get("id") or x.get("name") for x in soup.find_all(_is_named)}
        targets[path] = [x[key] for key in ("href", "src") for x in soup.find_all(**{key: True})]
    return [
        f"{path.relative_to(site)}: the link {target} leads nowhere"
        for path in targets
        for target in dict.fromkeys(targets[path])
        if not _leads(target, path, names)
    ]


def _is_named(tag) -> bool:
    return tag.has_attr("id") or (tag.name == "a" and tag.has_attr("name"))


def _leads(target: str, page: Path, names: dict[Path, set[str]]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not path.is_file():
        return False
    return not parts.fragment or path not in names or unquote(parts.fragment) in names[path]
