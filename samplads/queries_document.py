"""docs/queries.md: every query by what it says of itself.

The page is made, never written by hand: `python -m samplads.queries_document` writes it anew, and a test holds it against the files.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from samplads import queries, settings
from samplads.workbench import library

PAGE = settings.ROOT / "docs" / "queries.md"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(folder: Path, prefix: str) -> Iterator[str]:
    """The files of one folder: name, what one row is, grain and parameters, readers."""
    yield "| query | one row is | grain and parameters | read by |"
    yield "| --- | --- | --- | --- |"
    for name in queries.names(folder):
        told = queries.get(name, folder)
        cells = (
            f"`{prefix}{name}`",
            *(re.sub(r"^(One row is|Grain:|Read by:) ", "", text) for text in (told.row, told.grain, told.readers)),
        )
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def page() -> str:
    """The document as Markdown."""
    root = settings.ROOT / "queries"
    lines = [
        "# Queries",
        "",
        "One file, one statement, one result: `queries/<name>.sql` begins with three lines that say what one row is, its grain",
        "and parameters, and who reads it. `python -m samplads.queries_document` makes this page of those lines: change the",
        "files, not the page. Ask one with `samplads query NAME --param name=value`.",
        "",
        "## Asked by pages and commands",
        "",
        *_table(root, ""),
        "",
        "## Tables that a publish builds",
        "",
        "`queries/warehouse/`, in the order of `order.txt`. The other tables are the deliveries' own: see the data dictionary.",
        "",
        *_table(root / "warehouse", "warehouse/"),
        "",
        "## Analysts' questions, ready made",
        "",
        "`queries/workbench/`; `samplads sql --query NAME` runs them on the analysts' copy.",
        "",
        "| query | question | answers | parameters | for |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in library.all_queries():
        parameters = ", ".join(f"`${parameter.name}` ({parameter.type})" for parameter in one.parameters)
        cells = (f"`workbench/{one.name}`", one.title["en"], one.explain["en"], parameters, one.user)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    lines += ["", "## Profiles", "", "`queries/import/<profile>/<extract>.sql`: SELECTs over somebody else's export.", ""]
    for folder in sorted(path for path in (root / "import").iterdir() if path.is_dir()):
        lines += [f"### {folder.name}", "", *_table(folder, ""), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
