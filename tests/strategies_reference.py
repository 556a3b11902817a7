"""Hypothesis strategies for reference folders: small countries with a tree of groups, offer types and regions whose borders move."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Files = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows of each file of a folder; a file that is not there is not written. None is an empty cell."""

FIRST = dt.date(2026, 1, 1)
NAMES = ("Aalborg", "Ålsgårde", "Æbelø", "Østerby", "aabenraa", "Odense", "Zealand", "Bogense", "ål", "Årby", "Bø")
ANY_NAME = st.sampled_from(NAMES)
DAYS = st.integers(0, 60).map(lambda days: FIRST + dt.timedelta(days=days))


def write(folder: Path, files: Files) -> Path:
    """The folder, written as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        needed = ["region", "municipality"] if name == "region_membership" else ["code"]
        columns = list(dict.fromkeys(column for row in rows for column in row)) or needed
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({column: "" if row.get(column) is None else row[column] for column in columns} for row in rows)
    return folder


@st.composite
def trees(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Target groups in any order, each below another, none or one that nobody knows; kinds told or left to the shape of the tree."""
    codes = [f"g{number}" for number in draw(st.permutations(range(draw(st.integers(1, 9)))))]
    rows = []
    for number, code in enumerate(codes):
        above = draw(st.none() | st.just("nobody") | st.sampled_from(codes[:number])) if number else draw(st.none() | st.just("nobody"))
        danish, english = draw(st.none() | ANY_NAME), draw(st.none() | ANY_NAME)
        kind = draw(st.sampled_from([None, None, "leaf", "group"]))
        rows.append({"code": code, "parent_code": above, "da": danish, "en": english, "kind": kind})
    return draw(st.permutations(rows))


@st.composite
def countries(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """A folder: towns always; groups, offer types, regions and memberships perhaps."""
    towns = [
        {"code": code, "name": draw(ANY_NAME), "region": draw(st.sampled_from([None, "north", "south"]))}
        | dict(zip(("population", "lat", "lon"), draw(st.none() | st.just((1_000, 55.5, 11.5))) or (None,) * 3, strict=True))
        for code in draw(st.lists(st.sampled_from(["01", "02", "10", "a", "B"]), min_size=1, unique=True))
    ]
    files: dict[str, list[dict[str, Any]]] = {"municipalities": towns}
    if draw(st.integers(0, 5)):
        files["target_groups"] = draw(trees())
    if draw(st.integers(0, 5)):
        files["offer_types"] = [
            {"code": code, "da": draw(ANY_NAME), "paragraph": draw(st.none() | st.just("§ 1"))}
            | {"residential": draw(st.sampled_from([None, "ja", "0", "1"]))}
            for code in draw(st.lists(st.sampled_from(["t1", "t2", "t3", "t10", "T4"]), unique=True))
        ]
    if draw(st.booleans()):
        known = draw(st.lists(st.sampled_from(["north", "south", "east"]), unique=True))
        files["regions"] = [{"code": code, "name": draw(st.none() | ANY_NAME)} for code in known]
    if draw(st.integers(0, 3)):
        codes = st.sampled_from([row["code"] for row in towns] + ["elsewhere"])
        files["region_membership"] = []
        for region, code in draw(st.lists(st.tuples(st.sampled_from(["north", "south", "west"]), codes), unique=True, max_size=8)):
            ends = sorted([draw(DAYS), draw(DAYS)])
            start, end = (draw(st.none() | st.just(day)) for day in ends)
            files["region_membership"].append({"region": region, "municipality": code, "valid_from": start, "valid_to": end})
    return files
