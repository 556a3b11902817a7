from __future__ import annotations

import re

import pytest

from samplads import i18n
from samplads.contracts import CONTRACTS, dictionary
from samplads.extracts import headers, values


def test_the_page_is_current() -> None:
    assert dictionary.PAGE.read_text(encoding="utf-8") == dictionary.page(), "run: python -m samplads.contracts.dictionary"


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_table_and_column_is_there_with_its_texts(language: str) -> None:
    found = dictionary.entries(language)
    assert [(entry.table, entry.column) for entry in found] == [
        (table, column) for table, contract in CONTRACTS.items() for column in contract.columns()
    ]
    for entry in found:
        assert entry.da
        assert entry.en
        assert entry.kind
        assert entry.rules
        assert all(rule and not re.search(r"[{}]", rule) for rule in entry.rules)
        if entry.kind in {"beløb", "amount"}:
            assert entry.unit.startswith("kr")
            assert entry.header != entry.column


@pytest.mark.parametrize("table", CONTRACTS)
def test_every_table_has_texts_and_named_rules(table: str) -> None:
    contract = CONTRACTS[table]
    assert contract.da
    assert contract.en
    for language in i18n.LANGUAGES:
        assert len(dictionary.row_rules(table, language)) == len(contract.row_rules())
        assert len(dictionary.flags(table, language)) == len(contract.flags())
    assert all(column in contract.columns() for column, _ in contract.flags().values())


def test_every_example_can_be_read_as_its_column() -> None:
    import polars as pl

    for table, contract in CONTRACTS.items():
        for name, column in contract.columns().items():
            metadata = column.metadata or {}
            if not metadata["example"]:
                assert metadata["kind"] == "day", f"{table}.{name} has no example"
                continue
            target = headers.names(table)[headers.squeezed(metadata.get("delivered", name))]
            made = values.convert(table, target, pl.Series([metadata["example"]]), values.Convention(decimal=","))
            assert made.values.null_count() == 0, f"{table}.{name}: {metadata['example']}"


def test_no_two_columns_of_a_table_share_a_header() -> None:
    for table, contract in CONTRACTS.items():
        texts = [(column.metadata or {})[language] for column in contract.columns().values() for language in i18n.LANGUAGES]
        per_column = [{headers.squeezed(t) for t in (m["da"], m["en"])} for m in ((c.metadata or {}) for c in contract.columns().values())]
        assert sum(map(len, per_column)) == len(set().union(*per_column)), (table, texts)


def test_writing_the_page_gives_the_page(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(dictionary, "PAGE", tmp_path / "page.md")
    assert dictionary.main() == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == dictionary.page("da")
    assert "# Data dictionary" in dictionary.page("en")
