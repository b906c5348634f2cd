"""Files: the page, the API's reference, the way in, and backups to be downloaded."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files as files_of
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from holdfast import files
from holdfast.formats.sqlite_copy import MANIFEST_SUFFIX
from holdfast.formats.zip_file import zip_of
from holdfast.formats.zipped_copy import zip_of_copy
from holdfast.here import context_here
from holdfast.web.documents import other_answer, problems
from holdfast.web.names import backup_named
from holdfast.web.problems import HttpProblem
from holdfast.web.state import state_of

router = APIRouter()
_HERE = Path(__file__).parent
_PAGE, _ASIDE = _HERE / "page", _HERE / "aside"
_SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


def _served(path: Path) -> Response:
    return FileResponse(path, media_type=_TYPES.get(path.suffix, "application/octet-stream"))


def _missing() -> HttpProblem:
    return HttpProblem(HTTPStatus.NOT_FOUND, "There is no such file.")


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
def root() -> Response:
    """Lead to the page."""
    return RedirectResponse("/ui", HTTPStatus.SEE_OTHER)


@router.api_route("/ui", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/ui/", methods=["GET", "HEAD"], include_in_schema=False)
def page() -> Response:
    """Show the page."""
    return _served(_PAGE / "index.html")


@router.api_route("/ui/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)
def page_file(name: str) -> Response:
    """Return a file of the page, looked up among those that there are."""
    there = {path.relative_to(_PAGE).as_posix(): path for path in _PAGE.rglob("*.*")}
    if name not in there:
        raise _missing()
    return _served(there[name])


@router.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
def docs() -> Response:
    """Show the API's reference."""
    return _served(_ASIDE / "docs.html")


@router.api_route("/docs/{name}", methods=["GET", "HEAD"], include_in_schema=False)
def docs_file(name: str) -> Response:
    """Return a file of the reference."""
    if name == "docs.js":
        return _served(_ASIDE / name)
    if name not in _SWAGGER:
        raise _missing()
    # The package itself would be imported together with what it does to an application.
    package = Path(str(files_of("fastapi_swagger"))) / "resources"
    return _served(package / name)


@router.api_route("/login", methods=["GET", "HEAD"], include_in_schema=False)
def login_page() -> Response:
    """Ask for the password."""
    return _served(_ASIDE / "login.html")


@router.api_route("/login.css", methods=["GET", "HEAD"], include_in_schema=False)
def login_style() -> Response:
    """Return how the question for the password looks."""
    return _served(_ASIDE / "login.css")


@router.post("/login", include_in_schema=False)
async def login(request: Request) -> Response:
    """Let in who knows the password."""
    state = state_of(request)
    given = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    if not state.doorkeeper.has_password:
        raise HttpProblem(
            HTTPStatus.NOT_FOUND, "There is no password.", "Open the address that serve printed."
        )
    state.doorkeeper.complain_of_password(given.get("password", [""])[0])
    is_secure = request.url.scheme == "https"
    return RedirectResponse(
        "/ui",
        HTTPStatus.SEE_OTHER,
        headers={"Set-Cookie": state.access.set_cookie(is_secure=is_secure)},
    )


@router.get(
    "/backup/download/{name}",
    responses=other_answer(
        "application/octet-stream",
        {"type": "string"},
        "The file; a folder, or a page copy with what proves it, as a zip",
    )
    | problems(404, 409, 422),
)
def download(name: Annotated[str, InPath(description="its name in /backup/list")]) -> Response:
    """Download a backup of the output folder."""
    with files.reading():
        backup = backup_named(context_here(), name)
        is_copy = backup.path.with_name(backup.path.name + MANIFEST_SUFFIX).is_file()
        if is_copy or backup.path.is_dir():
            return StreamingResponse(
                (zip_of_copy if is_copy else zip_of)(backup.path),
                media_type="application/zip",
                headers={"Content-Disposition": f'attachment; filename="{backup.path.name}.zip"'},
            )
        return FileResponse(
            backup.path, media_type="application/octet-stream", filename=backup.path.name
        )
