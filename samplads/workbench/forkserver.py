"""The process that makes worker processes: it has loaded what they need, runs no SQL itself, and forks one child per query.

Started by `worker` as `python -m samplads.workbench.forkserver FD`. Its environment is nearly empty, its folder is `/`, and nothing in it
comes from the application's memory: a child cannot give away what it never had. It opens the analyst copy once, with one thread and behind
its locks, and children inherit it: opening costs ten times what a short query does. For each job the parent sends file descriptors over the
control socket with a message of `q` (query) and the analyst copy's path, or `f` (format):

    leash      parent <-> here: a byte from the parent, or its end closed, kills the child; here answers how the child ended
    status     parent <-> child: the job in, messages out
    stream     the child's result (query) or its source (format)
    target     the file that a format job writes

When the control socket closes, everything here ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any


class _NoPandas(importlib.abc.MetaPathFinder):
    """pyarrow looks for pandas when it first makes an array. It is to look here, once, and find none: a child can open no file."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the shape of a finder
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


class _Copies:
    """The analyst copies that are open, the last few versions of them."""

    def __init__(self, child: Any, keep: int = 2) -> None:
        self._child, self._keep = child, keep
        self._open: dict[str, tuple[tuple[int, ...], Any]] = {}

    def get(self, path: str) -> Any:
        """The open copy; None where it cannot be opened: the child then tries, and says why not."""
        try:
            told = Path(path).stat()
        except OSError:
            return None
        mark = (told.st_ino, told.st_size, told.st_mtime_ns)
        held = self._open.pop(path, None)
        if held is not None and held[0] != mark:
            held[1].connection.close()
            held = None
        if held is None:
            try:
                held = (mark, self._child.connect(path))
            except Exception:  # noqa: BLE001 - whatever is wrong with the file, the child finds it, too, and tells the analyst
                return None
        self._open[path] = held
        while len(self._open) > self._keep:
            self._open.pop(next(iter(self._open)))[1].connection.close()
        return held[1]


def main(control_fd: int) -> None:
    """Serve until the parent is gone."""
    sys.meta_path.insert(0, _NoPandas())
    # What children need is loaded here, once. Nothing here may start a thread: a fork loses it.
    from samplads.workbench import child

    child.warm_up()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    gc.collect()
    gc.freeze()
    if threading.active_count() != 1:
        raise RuntimeError("a fork server must have one thread")
    waiting = selectors.DefaultSelector()
    waiting.register(control, selectors.EVENT_READ, "control")
    leashes: dict[int, tuple[socket.socket, int]] = {}
    copies = _Copies(child)
    control.sendall(b"r")
    while True:
        for key, _ in waiting.select():
            if key.data == "control":
                message, fds, _, _ = socket.recv_fds(control, 8192, 8)
                if not message:
                    for pid in leashes:
                        os.kill(pid, signal.SIGKILL)
                    # Without taking the interpreter apart: there is nothing to save.
                    os._exit(0)
                kind, path = message[:1].decode(), os.fsdecode(message[1:])
                opened = copies.get(path) if kind == "q" else None
                pid = os.fork()
                if pid == 0:
                    servers = [
                        control.fileno(),
                        waiting.fileno(),
                        fds[0],
                        *(fd for held in leashes.values() for fd in (held[0].fileno(), held[1])),
                    ]
                    _become(child, kind, opened, fds[1:], servers)
                leash = socket.socket(fileno=fds[0])
                for fd in fds[1:]:
                    os.close(fd)
                handle = os.pidfd_open(pid)
                leashes[pid] = (leash, handle)
                waiting.register(leash, selectors.EVENT_READ, ("leash", pid))
                waiting.register(handle, selectors.EVENT_READ, ("ended", pid))
                with contextlib.suppress(OSError):
                    leash.sendall(json.dumps({"pid": pid}).encode() + b"\n")
                continue
            what, pid = key.data
            if pid not in leashes:
                continue
            leash, handle = leashes[pid]
            if what == "leash":
                # The child may have ended and not been seen yet; its number is its own until it is waited for below.
                command = leash.recv(1)
                if command == b"n":
                    with contextlib.suppress(OSError):
                        os.setpriority(os.PRIO_PROCESS, pid, 19)
                    continue
                os.kill(pid, signal.SIGKILL)
                waiting.unregister(leash)
            else:
                _, status, used = os.wait4(pid, 0)
                with contextlib.suppress(KeyError):
                    waiting.unregister(leash)
                waiting.unregister(handle)
                del leashes[pid]
                os.close(handle)
                end = {"exit": os.waitstatus_to_exitcode(status), "peak_mb": used.ru_maxrss // 1024, "cpu": used.ru_utime + used.ru_stime}
                with contextlib.suppress(OSError):
                    leash.sendall(json.dumps(end).encode() + b"\n")
                leash.close()


def _become(child: Any, kind: str, opened: Any, own: list[int], servers: list[int]) -> None:
    """Turn this fork into a child: it keeps its own descriptors and the analyst copy's, none of the server's or of another query's."""
    code = 70
    try:
        for fd in servers:
            os.close(fd)
        code = child.main(kind, opened, *own)
    except BaseException:  # noqa: BLE001 - a child must never run on into the server's loop, whatever happened to it
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
