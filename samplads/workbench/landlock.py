"""The kernel's own wall round a process (Linux Landlock): after `only_read`, no file can be opened but those named, and no network reached.

Needs no rights and cannot be taken back. Where the kernel has none (before 5.13, or another system) it does nothing and says so: the
other walls stand without it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_READ_FILE = 1 << 2
_FS_RIGHTS_BY_ABI = (0, 13, 14, 15, 15, 16)
"""How many file rights each version of the interface knows: 1 has 13, 2 adds moving, 3 truncating, 5 device control."""
_NET_RIGHTS = 0b11
_SCOPES = 0b11
_NO_NEW_PRIVILEGES, _PARENT_DEATH_SIGNAL = 38, 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def die_with_parent(signal: int) -> None:
    """Ask the kernel to end this process when its parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal, 0, 0, 0)


def only_read(*paths: Path) -> bool:
    """From here on this thread, and every thread it starts, may open these files (and what lies in these folders) for reading, and
    nothing else. A path that does not exist is passed over. False where the kernel has no Landlock.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syscall"):
        return False
    abi = library.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if abi < 1:
        return False
    rights = _FS_RIGHTS_BY_ABI[min(abi, len(_FS_RIGHTS_BY_ABI) - 1)]
    rules = _Ruleset((1 << rights) - 1, _NET_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = library.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for path in paths:
            try:
                handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            beneath = _Beneath(_READ_FILE, handle)
            library.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(beneath), ctypes.c_uint32(0))
            os.close(handle)
        library.prctl(_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
        return bool(library.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)
