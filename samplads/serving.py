"""The web application as one ASGI app: Streamlit's pages inside a hull of our own.

    request -> Hull (headers, closed doors, the page's shell in its language, bundles compressed once) -> routes of ours -> Streamlit

What Streamlit leaves open is shut here: it sends no security headers, says `<html lang="en">` whatever the language, answers metrics and a
description of its agent interface to anybody, and sends 5 MB of scripts uncompressed. `streamlit run app.py` works too, without the hull.
"""

from __future__ import annotations

import base64
import gc
import gzip
import hashlib
import html
import importlib
import json
import mimetypes
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samplads import i18n, queries, settings, warehouse
from samplads.errors import SampladsError
from samplads.workbench import handover

LANGUAGE_PARAMETER: Final = "lang"
"""The query parameter that says a page's language, by code or by its own name (which is what a Streamlit widget writes there);
without it the first language holds."""

OPTIONS: Final[Mapping[str, Any]] = {
    "browser.gatherUsageStats": False,
    "runner.postScriptGC": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "client.allowedOrigins": [],
}
"""Streamlit's settings that an installation must not lose, whatever its config.toml says: no telemetry, no forced garbage collection after
each run (it takes three quarters of the time of a rerun), nobody else's pages steering ours by messages."""

LANGUAGE_SCRIPT: Final = "samplads-language.js"
_RESERVED: Final = re.compile(r"/(?:_stcore|static|media|component|app/static)/")
_CLOSED: Final = re.compile(r"/_stcore/(?:metrics|agent(?:/.*)?)/?$")
_START: Final = re.compile(r"/overview/?$")
"""The start page by its name: Streamlit knows it by the bare address alone, and says over it in English that there is no such page."""
_PRELOADED: Final = ("duckdb", "polars", "pyarrow", "altair", "samplads.ui")
_MINIMUM_COMPRESSED: Final = 1_000  # bytes; under one network packet compression gains nothing
_YEAR: Final = 31_536_000  # seconds


def content_security_policy(document: str) -> str:
    """The policy for a page's shell: everything from this address only, and no inline script but the ones that the shell itself holds.

    Inline styles stay allowed, since Streamlit's components set them at run time. `connect-src 'self'` covers the web socket of the same
    address.
    """
    inline = re.findall(r"<script>(.*?)</script>", document, flags=re.DOTALL)
    hashes = "".join(f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self'{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def security_headers(policy: str) -> dict[str, str]:
    """Headers of every answer."""
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def shell(original: str, language: str) -> str:
    """Streamlit's index.html in a language: `lang`, the product's title, what to say without JavaScript, the script that follows it,
    and no preloading of a font that our theme does not use.

    Raises ValueError where Streamlit's file no longer has the places that are changed, so that an upgrade cannot drop one in silence.
    """

    def put(pattern: str, replacement: str, text: str) -> str:
        changed, count = re.subn(pattern, lambda _: replacement, text, count=1, flags=re.DOTALL)
        if count == 0:
            raise ValueError(f"Streamlit's index.html has no {pattern}")
        return changed

    title = html.escape(i18n.text("serving.title", language))
    script = f'<script src="./{LANGUAGE_SCRIPT}"></script>'
    document = put(r'<html lang="en">', f'<html lang="{language}">', original)
    document = put(r"<title>.*?</title>", f"<title>{title}</title>{script}", document)
    document = put(r'\s*<link\s+rel="preload"[^>]*as="font"[^>]*>', "", document)
    document = put(r'\s*<!--(?:(?!-->).)*-->\s*<link rel="service-desc"[^>]*>', "", document)
    return put(
        r"<noscript>.*?</noscript>", f"<noscript><p>{html.escape(i18n.text('serving.needs_javascript', language))}</p></noscript>", document
    )


def language_script() -> str:
    """A script that keeps `<html lang>` true when the language changes without a new page: it follows the address."""
    return f"""(() => {{
  const languages = {json.dumps(_asked_languages(), ensure_ascii=False)};
  const follow = () => {{
    const asked = new URLSearchParams(location.search).get("{LANGUAGE_PARAMETER}");
    document.documentElement.lang = Object.hasOwn(languages, asked) ? languages[asked] : "{i18n.LANGUAGES[0]}";
  }};
  for (const name of ["pushState", "replaceState"]) {{
    const original = history[name];
    history[name] = function (...given) {{
      const result = original.apply(this, given);
      follow();
      return result;
    }};
  }}
  addEventListener("popstate", follow);
}})();
"""


def _asked_languages() -> dict[str, str]:
    """What an address may ask for, and the language that it means."""
    return {asked: language for language in i18n.LANGUAGES for asked in (language, i18n.text("serving.language", language))}


def language_of(query: str) -> str:
    """The language that an address asks for; the first language where it asks for none or one that we do not speak."""
    asked = parse_qs(query).get(LANGUAGE_PARAMETER, [""])[0]
    return _asked_languages().get(asked, i18n.LANGUAGES[0])


class Hull:
    """ASGI middleware around Streamlit: closed doors, security headers, the shell in its language, bundles compressed once and kept."""

    def __init__(self, app: ASGIApp, *, static: Path) -> None:
        self.app = app
        original = (static / "index.html").read_text(encoding="utf-8")
        self._shells = {language: shell(original, language).encode() for language in i18n.LANGUAGES}
        self._headers = security_headers(content_security_policy(self._shells[i18n.LANGUAGES[0]].decode()))
        bundles = (path for path in (static / "static").rglob("*") if path.suffix in {".js", ".css"})
        self._bundles = {f"/{path.relative_to(static).as_posix()}": path for path in bundles if path.stat().st_size >= _MINIMUM_COMPRESSED}
        self._compressed: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = f"max-age={_YEAR}"
                if "/media/" in path or "/_stcore/" in path:
                    # Exports and uploads hold data of citizens: no cache on the way keeps them.
                    headers["cache-control"] = "no-store"
            await send(message)

        if _CLOSED.search(path):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send_protected)
        elif _START.search(path):
            # By a relative way, so that it also leads home where a proxy puts us in a folder of its own.
            home = (".." if path.endswith("/") else ".") + "/"
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"{home}?{query}" if query else home, status_code=307)(scope, receive, send_protected)
        elif path in self._bundles and scope["method"] == "GET" and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            await (await self._bundle(path))(scope, receive, send_protected)
        elif _RESERVED.search(path):
            await self.app(scope, receive, send_protected)
        else:
            await self.app(scope, receive, self._with_shell(scope, send_protected))

    def _compress(self, path: str) -> bytes:
        return gzip.compress(self._bundles[path].read_bytes(), compresslevel=6, mtime=0)

    async def _bundle(self, path: str) -> Response:
        if path not in self._compressed:
            self._compressed[path] = await run_in_threadpool(self._compress, path)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        headers = {"content-encoding": "gzip", "vary": "accept-encoding", "cache-control": f"public, immutable, max-age={_YEAR}"}
        return Response(self._compressed[path], media_type=kind, headers=headers)

    def _with_shell(self, scope: Scope, send: Send) -> Send:
        """Send Streamlit's index.html, under whatever address of a page it is answered, as the shell in the language asked for."""
        document = self._shells[language_of(scope["query_string"].decode("latin-1"))]
        swapping = False

        async def send_shell(message: Message) -> None:
            nonlocal swapping
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                swapping = message["status"] in {200, 206} and headers.get("content-type", "").startswith("text/html")
                if swapping:
                    message["status"] = 200
                    for name in ("etag", "last-modified", "accept-ranges", "content-range", "content-encoding"):
                        del headers[name]
                    headers["content-length"] = str(len(document))
                    headers["cache-control"] = "no-cache"
                await send(message)
            elif not swapping:
                await send(message)
            elif not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else document})

        return send_shell


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"}, headers={"cache-control": "no-store"})


async def _ready(request: Request) -> Response:
    """200 with the version in force, or 503 with a sentence on what is missing."""

    def look() -> dict[str, Any]:
        version = warehouse.current()
        row = queries.run("warehouse_meta", version.path).row(0, named=True)
        return {"status": "ready", "version": version.id, "as_of": row["as_of"].isoformat(), "synthetic": row["synthetic"]}

    no_store = {"cache-control": "no-store"}
    language = language_of(request.url.query)
    try:
        return JSONResponse(await run_in_threadpool(look), headers=no_store)
    except SampladsError as error:
        return JSONResponse({"status": "not_ready", "why": i18n.sentence(error, language)}, status_code=503, headers=no_store)
    except Exception as error:  # noqa: BLE001  whatever stops the warehouse from being read, the answer to a load balancer is the same
        why = i18n.text("serving.unreadable", language, kind=type(error).__name__)
        return JSONResponse({"status": "not_ready", "why": why}, status_code=503, headers=no_store)


async def _language_script(_request: Request) -> Response:
    return Response(language_script(), media_type="text/javascript", headers={"cache-control": "no-cache"})


async def _fetch(request: Request) -> Response:
    """A finished file, streamed from disk; 404 with a sentence where its token is unknown or has run out."""
    found = handover.shared.find(request.path_params["token"])
    no_store = {"cache-control": "no-store"}
    if found is None:
        return PlainTextResponse(i18n.text("serving.file_gone", language_of(request.url.query)), status_code=404, headers=no_store)
    return FileResponse(found.path, media_type=found.media_type, filename=found.name, headers=no_store)


def preload() -> None:
    """Import what the first visitor would else wait for, and put it out of the garbage collector's sight."""
    for module in _PRELOADED:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    await run_in_threadpool(preload)
    yield {}
    # What was frozen is let go in good order, else DuckDB's binding complains of leaks on the way out.
    gc.unfreeze()


def application(script: Path | None = None) -> ASGIApp:
    """The whole application, for any ASGI server that runs lifespans: `uvicorn --factory samplads.serving:application`.

    `script` is Streamlit's entry file (default: the project's app.py). One process serves all sessions: they live in its memory, so that
    several processes need a proxy that keeps a visitor with one of them.
    """
    import streamlit
    from streamlit import config, file_util
    from streamlit.runtime.pages_manager import PagesManager

    # A folder called pages/ is, until the first st.navigation, taken for Streamlit's older way of many pages: the first visitor after a
    # start who comes by a link to a page would get that page without its frame.
    PagesManager.uses_pages_directory = False
    app = streamlit.App(
        script or settings.ROOT / "app.py",
        lifespan=_lifespan,
        routes=[
            Route("/health", _alive),
            Route("/ready", _ready),
            Route(f"/{LANGUAGE_SCRIPT}", _language_script),
            Route(f"/{handover.PATH}/{{token}}", _fetch),
        ],
        middleware=[Middleware(Hull, static=Path(file_util.get_static_dir()))],
    )
    for name, value in OPTIONS.items():
        config.set_option(name, value)
    handover.shared.served = True
    return app
