"""The data dictionary: every extract and column of the contracts, as rows and as the page `docs/data-dictionary.md`.

The page is made, never written by hand: `python -m samplads.contracts.dictionary` writes it anew, and a test holds it against the
contracts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samplads import i18n
from samplads.contracts import CONTRACTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-dictionary.md"


@dataclass(frozen=True)
class Entry:
    """One column of one table.

    `header` is what a delivery calls it (the column's name, or for money the name under which kroner are delivered). `rules` are
    sentences in the language asked for.
    """

    table: str
    column: str
    header: str
    da: str
    en: str
    kind: str
    unit: str
    example: str
    rules: tuple[str, ...]


def _limits(column: Any, language: str) -> Iterator[str]:
    def say(key: str, **values: object) -> str:
        return i18n.text(f"deliveries.limits.{key}", language, **values)

    metadata = column.metadata or {}
    if column.primary_key:
        yield say("key")
    yield say("optional" if column.nullable else "required")
    for bound, key in (("min", "least"), ("max", "most")):
        value = getattr(column, bound, None)
        if value is not None:
            # Money is bounded in øre and told in kroner; a bound that is whole is told without decimals.
            value = value / 100 if metadata["kind"] == "money" else value
            yield say(key, value=int(value) if value == int(value) else value)
    if metadata["kind"] in {"text", "code"}:
        yield say("longest", value=column.max_length)
    if "choices" in metadata:
        name = str(column.name)
        yield say("choices", value=", ".join(f"{code} ({i18n.text(f'choices.{name}.{code}', language)})" for code in metadata["choices"]))
    if "refers_to" in metadata:
        yield say("refers_to", value=metadata["refers_to"])


def entries(language: str) -> list[Entry]:
    """Every column of every contract, in order."""
    found = []
    for table, contract in CONTRACTS.items():
        for name, column in contract.columns().items():
            metadata = column.metadata or {}
            found.append(
                Entry(
                    table=table,
                    column=name,
                    header=metadata.get("delivered", name),
                    da=metadata["da"],
                    en=metadata["en"],
                    kind=i18n.text(f"deliveries.kinds.{metadata['kind']}", language),
                    unit=metadata.get("unit", ""),
                    example=metadata["example"],
                    rules=tuple(_limits(column, language)),
                )
            )
    return found


def row_rules(table: str, language: str) -> list[str]:
    """Names of the rules that set a whole row of a table aside."""
    return [i18n.text(f"deliveries.rules.{rule}.name", language) for rule in CONTRACTS[table].row_rules()]


def flags(table: str, language: str) -> list[str]:
    """Names of the rules under which a row of a table is kept and reported."""
    return [i18n.text(f"deliveries.rules.{rule}.name", language) for rule in CONTRACTS[table].flags()]


def page(language: str = "da") -> str:
    """The dictionary as a Markdown page."""

    def say(key: str) -> str:
        return i18n.text(f"deliveries.dictionary.{key}", language)

    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    lines = [f"# {say('title')}", "", say("intro"), "", say("reading"), ""]
    by_table: dict[str, list[Entry]] = {}
    for entry in entries(language):
        by_table.setdefault(entry.table, []).append(entry)
    heads = [say(key) for key in ("column", "header", "danish", "english", "kind", "unit", "example", "rules")]
    for table, columns in by_table.items():
        contract = CONTRACTS[table]
        lines += [f"## {table}", "", f"{contract.da}. *{contract.en}.*", ""]
        lines += [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
        for entry in columns:
            cells = [
                f"`{entry.column}`",
                f"`{entry.header}`",
                entry.da,
                entry.en,
                entry.kind,
                entry.unit,
                entry.example,
                "; ".join(entry.rules),
            ]
            lines.append(f"| {' | '.join(cell(text) for text in cells)} |")
        lines.append("")
        for title, rules in (("row_rules", row_rules(table, language)), ("flags", flags(table, language))):
            if rules:
                lines += [f"{say(title)}: {'; '.join(rules)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
