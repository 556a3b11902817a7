"""`samplads serve`: the web application, and the demonstration data on its first start."""

from __future__ import annotations

import argparse
import errno
import os
import socket
from pathlib import Path
from typing import Any

from samplads.errors import SampladsError

_BACKLOG = 2048  # connections that may wait to be accepted
_MESSAGE_BYTES = 32 * 1024 * 1024  # the largest message of a browser: Streamlit allows 25 MB of widget state in one
_PING_SECONDS = 20  # under the idle limit of common proxies (60)


def register(subparsers: Any) -> None:
    """Add `serve`."""
    command = subparsers.add_parser("serve", help="serve the web application")
    command.add_argument("--port", type=int, default=os.environ.get("PORT") or 8501, help="default: the variable PORT, else 8501")
    command.add_argument("--address", default="localhost", help="address to listen on (default: this machine only; 0.0.0.0 for all)")
    command.add_argument("--no-demo", action="store_true", help="start without data rather than with demonstration data")
    command.set_defaults(run=run)


def listen(address: str, port: int) -> list[socket.socket]:
    """Open sockets on every address that a name stands for (`localhost` is two), on one port.

    Raises SampladsError `port_taken`, `port_forbidden`, `address_unknown`.
    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in dict.fromkeys(found):
            try:
                one = socket.socket(family, kind, protocol)
            except OSError as error:
                if error.errno == errno.EAFNOSUPPORT:
                    continue
                raise
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Port 0 asks for a free one: the second address takes the port that the first was given.
            taken = port or (opened[0].getsockname()[1] if len(opened) > 1 else 0)
            try:
                one.bind((place[0], taken, *place[2:]))
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                    # A machine may know the name ::1 and still have no IPv6.
                    opened.pop().close()
                    continue
                raise
            one.listen(_BACKLOG)
        if not opened:
            raise SampladsError("address_unknown", address=address)
    except (OSError, OverflowError) as error:
        for one in opened:
            one.close()
        code = getattr(error, "errno", None)
        if code == errno.EADDRINUSE:
            raise SampladsError("port_taken", port=port, other=port + 1) from error
        if code in {errno.EACCES, errno.EPERM} or isinstance(error, OverflowError):
            raise SampladsError("port_forbidden", port=port) from error
        raise SampladsError("address_unknown", address=address) from error
    return opened


def publish_demo_once(folder: Path | None = None) -> bool:
    """Publish the demonstration deliveries where nothing has been published yet; returns whether it did.

    A warehouse that is there and cannot be read is left alone: the pages and the readiness route say what is wrong with it.
    """
    from samplads import publishing, settings, warehouse

    if warehouse.history(folder):
        return False
    publishing.publish([settings.ROOT / "data" / "demo"], folder=folder)
    return True


def run(given: argparse.Namespace) -> int:
    """Serve until told to stop."""
    # The port first: a taken port is said at once, not after the warehouse is made.
    sockets = listen(given.address, int(given.port))
    from samplads import i18n

    port = sockets[0].getsockname()[1]
    host = given.address if ":" not in given.address else f"[{given.address}]"
    try:
        if not given.no_demo and publish_demo_once():
            print(i18n.text("serving.demo_published", given.language), flush=True)
        import uvicorn

        from samplads import serving

        config = uvicorn.Config(
            serving.application(),
            access_log=False,
            server_header=False,
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_BYTES,
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        print(i18n.text("serving.serving", given.language, address=f"http://{host}:{port}"), flush=True)
        server.run(sockets=sockets)
        return 0 if server.started else 1
    except KeyboardInterrupt:
        # Uvicorn has shut down in good order and hands the signal on; a traceback would say that something went wrong.
        return 0
    finally:
        for one in sockets:
            one.close()
