"""How much memory a process has used at its peak."""

from __future__ import annotations

from pathlib import Path


def peak_mb(process: int | str = "self") -> float:
    """A process's largest resident memory so far, in MB.

    From VmHWM: `ru_maxrss` of a child begins at what its parent had, so that it would tell of another process.
    """
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
