"""Run every bench and write docs/bench.md: one table per bench, medians of one run, with the machine they were taken on.

python -m benches [NAME ...]     only the named ones (bench_<NAME>.py); the others' tables stay as they are
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

REPORT = Path(__file__).resolve().parent.parent / "docs" / "bench.md"
SECTION = re.compile(r"^## (?P<name>[a-z_]+)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def machine() -> str:
    """The machine in a line: processor, cores, memory, versions."""
    processor = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.import_module(name).__version__}" for name in ("duckdb", "polars", "numpy", "scipy"))
    return f"{processor}, {os.cpu_count()} cores, {gib:.0f} GiB; Python {platform.python_version()}, {versions}"


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table; columns in the order in which they first appear."""
    columns = list(dict.fromkeys(column for row in rows for column in row))

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return (
            f"{value:,.3g}"
            if isinstance(value, float) and abs(value) < 1000
            else f"{value:,.0f}"
            if isinstance(value, float)
            else str(value)
        )

    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(cell(row.get(column)) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def main(names: list[str]) -> int:
    """Run the named benches, or all, and renew their sections of the report."""
    known = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    if unknown := set(names) - set(known):
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    sections = dict(SECTION.findall(REPORT.read_text(encoding="utf-8"))) if REPORT.is_file() else {}
    for name in names or known:
        module = importlib.import_module(f"benches.bench_{name}")
        print(f"== {name}", flush=True)
        body = table(module.run())
        print(body, flush=True)
        about = (module.__doc__ or "").strip()
        sections[name] = f"\n{about}\n\n{dt.date.today().isoformat()}, {machine()}\n\n{body}\n\n"
    text = "# Speed and memory\n\nWritten by `make bench`. Medians of one run; ratios are between rows of the same run.\n\n"
    REPORT.write_text(text + "".join(f"## {name}\n{sections[name]}" for name in sorted(sections)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
