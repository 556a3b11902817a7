"""The hull around Streamlit, without a browser: what an answer carries, what is shut, what a taken port says."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from samplads import i18n, serving, warehouse
from samplads.commands import serve
from samplads.errors import SampladsError
from samplads.workbench import handover

INDEX = """<!DOCTYPE html><html lang="en"><head><title>Streamlit</title>
<link
  rel="preload"
  href="./static/media/font.woff2"
  as="font"
/>
<!-- of no use here --><link rel="service-desc" href="./_stcore/agent/openapi.json" />
<script>window.early = 1</script><script type="module" src="./static/js/index.js"></script></head>
<body><noscript><p>You need to enable JavaScript.</p></noscript><div id="root"></div></body></html>"""
BUNDLE = "export const answer = 42;\n" * 200


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "index.html").write_text(INDEX, encoding="utf-8")
    (tmp_path / "static" / "js" / "index.js").write_text(BUNDLE, encoding="utf-8")
    return tmp_path


def answer(
    static: Path,
    path: str,
    *,
    query: str = "",
    method: str = "GET",
    scheme: str = "http",
    inside: ASGIApp | None = None,
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the hull gives for one request, over a stand-in for Streamlit or what is `inside`."""

    async def standin(scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = FileResponse(static / "index.html")
        if scope["path"].startswith(("/_stcore/", "/static/")):
            response = PlainTextResponse("of Streamlit")
        if scope["path"].startswith("/media/"):
            response = Response("<p>an export</p>", media_type="text/html")
        await response(scope, receive, send)

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        # The visitor stays: nothing more ever comes.
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(serving.Hull(inside or standin, static=static)(scope, receive, send))
    received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], received, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("query", "language"),
    [("", "da"), ("lang=en", "en"), ("lang=da&x=1", "da"), ("lang=English", "en"), ("lang=<script>", "da"), ("x=%ff&lang=en", "en")],
)
@pytest.mark.parametrize("path", ["/", "/match", "/ledige-pladser"])
def test_a_page_says_its_language(static: Path, path: str, query: str, language: str) -> None:
    status, headers, body = answer(static, path, query=query)
    assert status == 200
    assert f'<html lang="{language}">' in body.decode()
    assert int(headers["content-length"]) == len(body)
    assert headers["cache-control"] == "no-cache"
    assert "etag" not in headers


def test_the_shell_is_ours(static: Path) -> None:
    body = answer(static, "/")[2].decode()
    assert "<title>Samplads</title>" in body
    assert "Streamlit" not in body
    assert "agent" not in body
    assert "preload" not in body
    assert i18n.text("serving.needs_javascript", "da") in body
    assert body.index(serving.LANGUAGE_SCRIPT) < body.index("static/js/index.js")


def test_a_head_request_has_the_length_and_no_body(static: Path) -> None:
    length = len(answer(static, "/")[2])
    status, headers, body = answer(static, "/", method="HEAD")
    assert (status, int(headers["content-length"]), body) == (200, length, b"")


def test_a_part_of_the_page_is_answered_with_all_of_it(static: Path) -> None:
    status, headers, body = answer(static, "/", range="bytes=0-20")
    assert status == 200
    assert "content-range" not in headers
    assert body.endswith(b"</html>")


def test_the_policy_allows_exactly_the_inline_scripts_of_the_shell(static: Path) -> None:
    _, headers, body = answer(static, "/")
    inline = re.findall(r"<script>(.*?)</script>", body.decode())
    allowed = re.findall(r"'sha256-([^']+)'", headers["content-security-policy"])
    assert allowed == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    assert inline == ["window.early = 1"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/static/js/index.js", "/media/export.xlsx", "/_stcore/health", "/_stcore/metrics"])
def test_every_answer_is_protected(static: Path, path: str) -> None:
    headers = answer(static, path)[1]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    assert "strict-transport-security" in answer(static, path, scheme="https")[1]


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact", "/_stcore/agent/mcp", "/base/_stcore/metrics"]
)
def test_what_streamlit_tells_anybody_is_shut(static: Path, path: str) -> None:
    assert answer(static, path)[0] == 404


def test_exports_and_uploads_are_kept_by_no_cache_and_are_never_the_shell(static: Path) -> None:
    _, headers, body = answer(static, "/media/export.html")
    assert headers["cache-control"] == "no-store"
    assert body == b"<p>an export</p>"
    assert answer(static, "/_stcore/upload_file/a/b")[1]["cache-control"] == "no-store"


def test_bundles_are_compressed_for_those_who_can_read_that(static: Path) -> None:
    status, headers, body = answer(static, "/static/js/index.js", accept_encoding="gzip, br")
    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "accept-encoding")
    assert "immutable" in headers["cache-control"]
    assert gzip.decompress(body).decode() == BUNDLE
    plain = answer(static, "/static/js/index.js")
    assert "content-encoding" not in plain[1]
    assert plain[2] == b"of Streamlit"
    assert answer(static, "/static/js/../../index.html", accept_encoding="gzip")[2] == b"of Streamlit"


def test_an_upgrade_that_moves_a_place_in_the_shell_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"index\.html has no"):
        serving.shell(INDEX.replace('<html lang="en">', "<html>"), "da")


def test_the_installed_streamlit_has_all_places_of_the_shell() -> None:
    from streamlit import file_util

    for language in i18n.LANGUAGES:
        document = serving.shell((Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8"), language)
        assert f'<html lang="{language}">' in document
        assert len(re.findall(r"<script>", document)) == 1


def ready(monkeypatch: pytest.MonkeyPatch, folder: Path, query: str = "") -> tuple[int, Any]:
    import json

    from starlette.requests import Request

    monkeypatch.setenv("SAMPLADS_WAREHOUSE", str(folder))
    request = Request(
        {"type": "http", "method": "GET", "path": "/ready", "query_string": query.encode(), "headers": [], "server": ("x", 1)}
    )
    response = asyncio.run(serving._ready(request))
    return response.status_code, json.loads(bytes(response.body))


def test_not_ready_without_a_warehouse_says_so_in_both_languages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for language in i18n.LANGUAGES:
        status, told = ready(monkeypatch, tmp_path, f"lang={language}")
        assert status == 503
        assert told == {"status": "not_ready", "why": i18n.text("errors.warehouse_missing", language, folder=tmp_path.name)}


def test_not_ready_when_the_file_of_the_version_is_no_warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"not a database" * 100)
    (tmp_path / "current.json").write_text(
        '{"format": 1, "history": [{"id": "broken", "deliveries": [], "published_at": "2026-11-01T00:00:00"}]}'
    )
    assert warehouse.current(tmp_path).id == "broken"
    status, told = ready(monkeypatch, tmp_path)
    assert status == 503
    assert "rollback" in told["why"]
    assert str(tmp_path) not in told["why"]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_a_sentence(taken: int) -> None:
    for address in ("localhost", "127.0.0.1", "0.0.0.0"):
        with pytest.raises(SampladsError) as raised:
            serve.listen(address, taken)
        assert raised.value.key == "port_taken"
        assert str(taken) in i18n.sentence(raised.value, "da")


@pytest.mark.parametrize(
    ("address", "port", "key"), [("127.0.0.1", 70_000, "port_forbidden"), ("no-such-host.invalid", 0, "address_unknown")]
)
def test_what_cannot_be_listened_on_is_a_sentence(address: str, port: int, key: str) -> None:
    with pytest.raises(SampladsError) as raised:
        serve.listen(address, port)
    assert raised.value.key == key
    assert all(i18n.sentence(raised.value, language) for language in i18n.LANGUAGES)


def test_localhost_is_every_address_of_this_machine_on_one_port() -> None:
    sockets = serve.listen("localhost", 0)
    try:
        ports = {one.getsockname()[1] for one in sockets}
        places = {one.getsockname()[0] for one in sockets}
        assert len(ports) == 1
        assert places <= {"127.0.0.1", "::1"}
        assert "127.0.0.1" in places
    finally:
        for one in sockets:
            one.close()


def test_the_pages_folder_is_never_taken_for_the_older_way_of_many_pages() -> None:
    from streamlit.runtime.pages_manager import PagesManager

    serving.application()
    assert PagesManager.uses_pages_directory is False


def fetch(static: Path, token: str, **more: str) -> tuple[int, dict[str, str], bytes]:
    app = Starlette(routes=[Route(f"/{handover.PATH}/{{token}}", serving._fetch)])
    return answer(static, f"/{handover.PATH}/{token}", inside=app, **more)


def test_a_finished_file_is_streamed_to_whoever_has_its_token(static: Path, tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_bytes("\ufeffnavn;antal\r\nKøge;3\r\n".encode())
    token = handover.shared.offer(path, "åbne pladser.csv", "csv")
    status, headers, body = fetch(static, token)
    assert (status, body) == (200, path.read_bytes())
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"] == "attachment; filename*=utf-8''%C3%A5bne%20pladser.csv"
    assert headers["content-length"] == str(len(body))
    assert headers["cache-control"] == "no-store"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    # A part of it, as a browser asks that goes on with a broken download.
    assert fetch(static, token, range="bytes=3-6")[2] == b"navn"
    handover.shared.take_back(token)
    status, headers, body = fetch(static, token)
    assert (status, body.decode()) == (404, i18n.text("serving.file_gone", "da"))
    assert fetch(static, token, query="lang=en")[2].decode() == i18n.text("serving.file_gone", "en")


@pytest.mark.parametrize("token", ["x", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "A" * 43])
def test_nothing_is_fetched_that_was_not_handed_over(static: Path, token: str) -> None:
    assert fetch(static, token)[0] == 404


def test_a_file_can_be_fetched_for_an_hour_and_as_long_as_it_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(handover.time, "monotonic", lambda: now[0])
    store = handover.Handover()
    path = tmp_path / "result.parquet"
    path.write_bytes(b"PAR1")
    first, second = store.offer(path, "a.parquet", "parquet"), store.offer(path, "b.parquet", "parquet")
    assert first != second
    assert min(len(first), len(second)) >= 43
    found = store.find(first)
    assert found is not None
    assert (found.name, found.media_type) == ("a.parquet", "application/vnd.apache.parquet")
    now[0] += handover.SECONDS - 1
    assert store.find(first) is not None
    now[0] += 1
    assert store.find(first) is None
    third = store.offer(path, "c.parquet", "parquet")
    path.unlink()
    assert store.find(third) is None


@pytest.mark.parametrize(
    ("path", "query", "home"),
    [
        ("/overview", "", "./"),
        ("/overview/", "", "../"),
        ("/overview", "lang=English&municipality=K%C3%B8ge", "./?lang=English&municipality=K%C3%B8ge"),
        ("/samplads/overview", "", "./"),
    ],
)
def test_the_start_page_by_its_name_leads_to_the_start(static: Path, path: str, query: str, home: str) -> None:
    status, headers, _ = answer(static, path, query=query)
    assert (status, headers["location"]) == (307, home)
    assert "content-security-policy" in headers
