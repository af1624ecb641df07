"""Web addresses of the course, all derived from pyproject.toml."""

from __future__ import annotations

from importlib.metadata import metadata


def repository_url() -> str:
    """The repository's address, from the package's metadata and so from pyproject.toml."""
    urls = dict(line.split(", ", 1) for line in metadata("ift-course").get_all("Project-URL") or [])
    return urls["Repository"]


def badge(notebook: str) -> str:
    """Markdown of the button that opens a notebook of the repository in Colab.

    Args:
        notebook: Its path in the repository, with slashes.
    """
    colab = repository_url().replace(
        "https://github.com", "https://colab.research.google.com/github"
    )
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})]({colab}/blob/main/{notebook})"
