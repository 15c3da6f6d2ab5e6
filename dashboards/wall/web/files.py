"""The page's own files, read once and packed once.

They are served below a digest of all of them, so that a browser may keep them for ever and still gets every
file anew after an upgrade.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from dashboards.wall.web.answers import BadRequestError

if TYPE_CHECKING:
    from starlette.requests import Request

_FOLDER: Final = Path(__file__).parent.parent / "static"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_PACKED_ALREADY: Final = {".woff2"}
_COMMENTED: Final = {".js", ".css"}


@dataclass(frozen=True, slots=True)
class File:
    """A file in both forms."""

    plain: bytes
    packed: bytes | None
    media_type: str


class Files:
    """All files of the page."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _TYPES
        }
        content = blake2s(digest_size=8)
        for name, file in self._files.items():
            content.update(name.encode() + b"\0" + file.plain)
        self.digest = content.hexdigest()

    async def page(self, request: Request) -> Response:
        """The page itself, asked for anew each time, answered with 304 when it is the same."""
        tag = f'"{self.digest}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        html = self._files["index.html"].plain.replace(b"{{static}}", f"/static/{self.digest}".encode())
        headers = {"etag": tag, "cache-control": "no-cache"}
        return Response(html, headers=headers, media_type="text/html")

    async def file(self, request: Request) -> Response:
        """One file, kept by the browser for ever."""
        name = request.path_params["name"]
        file = self._files.get(name)
        if file is None or request.path_params["digest"] != self.digest:
            raise BadRequestError(f"no such file: {name}; reload the page", 404)
        headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
        body = file.plain
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = file.packed
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type=file.media_type)

    def packed_bytes(self) -> dict[str, int]:
        """Size of each file as it travels."""
        return {name: len(file.packed or file.plain) for name, file in self._files.items()}


def _read(path: Path) -> File:
    plain = path.read_bytes()
    if path.suffix in _PACKED_ALREADY:
        return File(plain, None, _TYPES[path.suffix])
    sent = without_comments(plain) if path.suffix in _COMMENTED and "vendor" not in path.parts else plain
    return File(plain, gzip.compress(sent, compresslevel=9, mtime=0), _TYPES[path.suffix])


def without_comments(source: bytes) -> bytes:
    """Our own scripts and styles with an empty line for each that is a comment alone: comments are for who reads the source.

    Lines keep their numbers. What stands behind code on its line stays.
    """
    lines, inside = [], False
    for line in source.split(b"\n"):
        text = line.strip()
        if inside or text.startswith(b"/*"):
            _, ended, rest = text.partition(b"*/")
            inside = not ended
            lines.append(rest)
        else:
            lines.append(b"" if text.startswith(b"//") else line)
    return b"\n".join(lines)
