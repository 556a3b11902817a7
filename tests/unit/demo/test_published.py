"""The committed demo through the whole of reading and checking: what is found is what was planted, row by row."""

from __future__ import annotations

from collections import Counter

import polars as pl

from samplads import publishing, settings
from samplads.contracts import CONTRACTS

FOLDER = settings.ROOT / "data" / "demo"


def test_findings_are_the_planted_faults() -> None:
    checked = publishing.check(FOLDER, reference=settings.ROOT / "data" / "reference")
    assert checked.synthetic
    assert str(checked.as_of) == "2026-11-01"
    tables = {extract: pl.read_parquet(FOLDER / f"{extract}.parquet") for extract in CONTRACTS}
    found: Counter[tuple[str, str, str]] = Counter()
    for extract, row, rule in checked.findings.filter(pl.col("row").is_not_null()).select("extract", "row", "rule").iter_rows():
        key = tables[extract].row(row - 1, named=True)
        found[extract, "|".join(str(key[name]) for name in CONTRACTS[extract].primary_key()), rule] = 1
    faults = pl.read_csv(FOLDER / "faults.csv").filter(pl.col("outcome") != "quality")
    assert found == Counter(faults.select("extract", "key", "rule").iter_rows())

    # Nothing good is lost with the bad.
    spoiled = faults.filter(pl.col("outcome") == "set_aside").group_by("extract").len()
    for extract, count in spoiled.iter_rows():
        lost = tables[extract].height - checked.frames[extract].select(pl.len()).collect().item()
        assert count <= lost <= 2 * count, extract
