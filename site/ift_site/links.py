"""Links between the pages of the site, and from them to the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from bs4 import Tag

MARKDOWN = re.compile(r"(!?)\[([^\]]*)\]\(([^()\s]+)\)")
HREF = re.compile(r'href="([^"]+)"')
BADGE = re.compile(r"^\[!\[([^\]]*)\]\([^)]*\)\]\(([^)]*)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Links:
    """The targets of links.

    Attributes:
        root: The repository's folder.
        repository: Its address.
        pages: Path of a file or folder in the repository → path of its page's source, such as
            "docs/claims.md".
    """

    root: Path
    repository: str
    pages: Mapping[str, str]

    def markdown(self, text: str, path: str) -> str:
        """Adapt the links in Markdown of the repository's file `path` to the site.

        A link to a file without a page leads to the repository's address.
        """
        return MARKDOWN.sub(lambda match: self._link(match, path), plain_badges(text))

    def html(self, text: str, path: str) -> str:
        """Adapt the links in HTML of the file `path`: they lead to pages, not to their sources."""
        return HREF.sub(lambda match: f'href="{self._href(match[1], path)}"', text)

    def pictures(self, text: str, path: str) -> list[str]:
        """The image files that this Markdown includes, in order."""
        images = [_resolved(match[3], path) for match in MARKDOWN.finditer(text) if match[1]]
        return [x for x in images if x and (self.root / x).is_file()]

    def _link(self, match: re.Match[str], path: str) -> str:
        image, text, target = match.groups()
        file = _resolved(target, path)
        if file is None:
            return match[0]
        if image:
            return f"![{text}]({self._relative(file, path)})"
        if file in self.pages:
            return f"[{text}]({self._relative(self.pages[file], path)}{_anchor(target)})"
        if not (self.root / file).exists():
            return match[0]  # Sphinx will report that its target is missing
        kind = "tree" if (self.root / file).is_dir() else "blob"
        return f"[{text}]({self.repository}/{kind}/main/{file})"

    def _href(self, target: str, path: str) -> str:
        file = _resolved(target, path)
        if file is None or file not in self.pages:
            return target
        page = Path(self.pages[file]).with_suffix(".html").as_posix()
        return self._relative(page, path) + _anchor(target)

    def _relative(self, target: str, path: str) -> str:
        """The path of the site's file `target`, relative to the page made from `path`."""
        return posixpath.relpath(target, posixpath.dirname(self.pages.get(path, path)))


def _anchor(target: str) -> str:
    fragment = urlsplit(target).fragment
    return f"#{fragment}" if fragment else ""


def _resolved(target: str, path: str) -> str | None:
    """The path below the root to which a link in the file `path` leads; None for other links."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))


def plain_badges(text: str) -> str:
    """Turn badges, which are images from other servers, into links with a style of their own."""
    return BADGE.sub(r"{.badge}\n[\1](\2)", text)


def broken(site: Path) -> list[str]:
    """Return a sentence for each link within a built site whose target is missing."""
    from bs4 import BeautifulSoup

    names: dict[Path, set[str]] = {}
    targets: dict[Path, list[str]] = {}
    for path in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        names[path] = {str(x.get("id") or x.get("name")) for x in soup.find_all(_is_named)}
        targets[path] = [
            str(tag[key])
            for key in ("href", "src")
            for tag in soup.find_all(lambda tag, key=key: tag.has_attr(key))
        ]
    return [
        f"{path.relative_to(site)}: the link {target} leads nowhere"
        for path in targets
        for target in dict.fromkeys(targets[path])
        if not _exists(target, path, names)
    ]


def _is_named(tag: Tag) -> bool:
    return tag.has_attr("id") or (tag.name == "a" and tag.has_attr("name"))


def _exists(target: str, page: Path, names: dict[Path, set[str]]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not path.is_file():
        return False
    return not parts.fragment or path not in names or unquote(parts.fragment) in names[path]
