"""The page for people, as it was built: fixed files, and the one document that all its addresses lead to."""

import mimetypes
from http import HTTPStatus

from aiohttp import web

from adapters.http.problems import NotFound, Problem
from adapters.http.services import SERVICES

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{directive} {value}" for directive, value in _POLICY.items())
"""Only what the service itself gives, no script or style in the document, and no text that becomes code."""

_VIEWS = "explore|event|entity|estate|investigate|findings|verify|health"


def add_page(app: web.Application) -> None:
    app.router.add_get("/", show_page)
    app.router.add_get(f"/{{view:({_VIEWS})}}{{rest:(/.*)?}}", show_page)
    app.router.add_get("/assets/{name}", give_asset)


async def show_page(request: web.Request) -> web.StreamResponse:
    """The document; what it shows follows from the address, which only the page itself reads."""
    document = request.app[SERVICES].page / "index.html"
    if not document.is_file():  # One look at a local file.
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "no-page",
            "The page is not built",
            "run `make` in the project's folder, or install the wheel, which has it",
        )
    return web.FileResponse(document, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


async def give_asset(request: web.Request) -> web.StreamResponse:
    """A file whose name changes with its content, so that it may be kept for ever."""
    name = request.match_info["name"]
    file = request.app[SERVICES].page / "assets" / name
    if "/" in name or name.startswith(".") or not file.is_file():  # One look at a local file.
        raise NotFound(f"the page has no file {name[:100]!r}")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    if kind := mimetypes.guess_type(name)[0]:
        headers["Content-Type"] = kind
    return web.FileResponse(file, headers=headers)
