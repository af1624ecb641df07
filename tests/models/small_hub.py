"""A small Hugging Face Hub on 127.0.0.1 that answers the requests of huggingface_hub.

with SmallHub({"models/org/name": folder, "datasets/org/name": folder}) as hub: hub.url
"""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class SmallHub:
    """A server of repositories, as a context manager.

    Attributes:
        requests: The requests so far, as (method, path).
        url: The address of the server.
    """

    def __init__(self, repositories: dict[str, Path], gated: tuple[str, ...] = ()) -> None:
        """Prepare a server.

        Args:
            repositories: Folders by name, such as "models/owner/name".
            gated: Names of repositories, "owner/name", that refuse access.
        """
        self.repositories, self.gated = repositories, gated
        self.requests: list[tuple[str, str]] = []

    def __enter__(self) -> SmallHub:
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: SmallHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        self.hub.requests.append((self.command, self.path))
        path = unquote(urlsplit(self.path).path).strip("/")
        if path.startswith("api/"):
            self.api(path.removeprefix("api/"))
        elif "/resolve/" in path:
            name, _, rest = path.partition("/resolve/")
            name = name if name.startswith("datasets/") else f"models/{name}"
            self.file(name, *rest.split("/", 1))
        else:
            self.fail(404)

    def api(self, path: str) -> None:
        kind, owner, name, *rest = [*path.split("/"), "", ""]
        repository = f"{kind}/{owner}/{name}"
        folder = self.repository_folder(repository)
        if folder is None:
            return
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        names = [p.relative_to(folder).as_posix() for p in files]
        entries = [
            {"type": "file", "path": n, "oid": _sha(p), "size": p.stat().st_size}
            for n, p in zip(names, files, strict=True)
        ]
        if rest[:1] == ["revision"] and rest[1] not in ("main", COMMIT):
            self.fail(404, "RevisionNotFound")
        elif rest[:1] == ["tree"]:
            below = "/".join(rest[2:]).strip("/")
            recursive = (
                "true" in parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower()
            )
            self.json([e for e in entries if _is_below(e["path"], below, recursive)])
        elif rest[:1] == ["paths-info"]:
            paths = parse_qs(self.body.decode()).get("paths") or json.loads(self.body)["paths"]
            self.json([e for e in entries if e["path"] in paths])
        else:
            siblings = [{"rfilename": n} for n in names]
            info = {"id": f"{owner}/{name}", "sha": COMMIT, "siblings": siblings, "tags": [],
                    "private": False, "gated": False, "downloads": 0, "likes": 0}  # fmt: skip
            self.json(info)

    def file(self, repository: str, revision: str, name: str) -> None:
        folder = self.repository_folder(repository)
        if folder is None:
            return
        if revision not in ("main", COMMIT):
            self.fail(404, "RevisionNotFound")
        elif not (folder / name).is_file():
            self.fail(404, "EntryNotFound")
        else:
            data = (folder / name).read_bytes()
            start = 0
            if "Range" in self.headers:
                first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
                start, whole = int(first), len(data)
                data = data[start : int(last) + 1 if last else None]
                self.send_response(206)
                end = start + len(data) - 1
                self.send_header("Content-Range", f"bytes {start}-{end}/{whole}")
            else:
                self.send_response(200)
            self.send_header("ETag", f'"{_sha(folder / name)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Accept-Ranges", "bytes")
            self.end(data, "application/octet-stream")

    def repository_folder(self, repository: str) -> Path | None:
        if repository.partition("/")[2] in self.hub.gated:
            self.fail(403, "GatedRepo")
        elif repository not in self.hub.repositories:
            self.fail(401, "RepoNotFound")  # the real Hub does not distinguish missing from private
        else:
            return self.hub.repositories[repository]
        return None

    def json(self, value: object) -> None:
        self.send_response(200)
        self.end(json.dumps(value).encode(), "application/json")

    def fail(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.end(json.dumps({"error": code}).encode(), "application/json")

    def end(self, data: bytes, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _sha(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _is_below(path: str, folder: str, recursive: bool) -> bool:
    if folder and not path.startswith(folder + "/"):
        return False
    rest = path[len(folder) + 1 :] if folder else path
    return recursive or "/" not in rest
