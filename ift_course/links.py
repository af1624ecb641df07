"""Where the course is found on the web: one place, pyproject.toml, says it."""

from importlib.metadata import metadata


def repository_url() -> str:
    """The repository's address, from the package's metadata and so from pyproject.toml."""
    urls = dict(line.split(", ", 1) for line in metadata("ift-course").get_all("Project-URL") or [])
    return urls["Repository"]


def badge(notebook: str) -> str:
    """Markdown of the button that opens a notebook of the repository in Colab.

    notebook: its path in the repository.
    """
    colab = repository_url().replace(
        "https://github.com", "https://colab.research.google.com/github"
    )
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({picture})]({colab}/blob/main/{notebook})"
