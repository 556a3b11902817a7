"""How parent and worker talk: JSON with a length before it, and parameters with their type."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import socket
from typing import Any

from samplads.errors import SampladsError

EXIT_UNREAD = 4
"""A query's end where whoever read its rows went away first: the reader knows why."""

type_tags: dict[str, type] = {"flag": bool, "whole": int, "number": float, "text": str}


def send(channel: socket.socket, told: dict[str, Any]) -> None:
    """Send one message."""
    data = json.dumps(told).encode()
    channel.sendall(len(data).to_bytes(8, "big") + data)


class Reader:
    """Messages out of a stream of bytes, whole ones only."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes in; hand out the messages that are complete."""
        self._held += data
        messages = []
        while len(self._held) >= 8:
            size = int.from_bytes(self._held[:8], "big")
            if len(self._held) < 8 + size:
                break
            messages.append(json.loads(self._held[8 : 8 + size]))
            del self._held[: 8 + size]
        return messages


def receive(channel: socket.socket) -> dict[str, Any]:
    """Wait for one message. Raises EOFError where the other end is gone."""
    reader = Reader()
    while True:
        data = channel.recv(65536)
        if not data:
            raise EOFError
        for message in reader.feed(data):
            return message


def encode(value: object) -> dict[str, Any]:
    """A parameter's value with its type.

    Raises SampladsError `sql_parameter_type` for a type that SQL does not know.
    """
    if value is None:
        return {"type": "null"}
    if isinstance(value, (list, tuple)):
        return {"type": "list", "value": [encode(item) for item in value]}
    if isinstance(value, dt.datetime):
        return {"type": "moment", "value": value.isoformat()}
    if isinstance(value, dt.date):
        return {"type": "day", "value": value.isoformat()}
    if isinstance(value, dt.time):
        return {"type": "clock", "value": value.isoformat()}
    if isinstance(value, decimal.Decimal):
        return {"type": "decimal", "value": str(value)}
    for tag, kind in type_tags.items():
        if isinstance(value, kind):
            return {"type": tag, "value": value}
    raise SampladsError("sql_parameter_type", type=type(value).__name__)


def decode(told: dict[str, Any]) -> object:
    """The value again."""
    value: Any = told.get("value")
    match told["type"]:
        case "null":
            return None
        case "list":
            return [decode(item) for item in value]
        case "moment":
            return dt.datetime.fromisoformat(value)
        case "day":
            return dt.date.fromisoformat(value)
        case "clock":
            return dt.time.fromisoformat(value)
        case "decimal":
            return decimal.Decimal(value)
    return value
