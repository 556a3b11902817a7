from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from samplads import disk
from samplads.contracts import CONTRACTS
from samplads.extracts import (
    COUNTS,
    SCHEMA,
    Checked,
    Finding,
    check,
    check_frames,
    checking,
    findings_frame,
    from_frame,
    read_delivery,
    reading,
    scouting,
    screen,
)
from tests.deliveries import CODES, EVERY_FAULT, KNOWN, UNIT, UNITS, checked, every_fault, rules, short, write

CAPACITY = "unit_id;as_of;maximum;occupied;reserved;accepting\n"


def test_one_fault_of_every_kind_gives_exactly_those_findings(tmp_path) -> None:
    found = checked(tmp_path, every_fault())
    assert short(found) == EVERY_FAULT
    assert found.findings.height == len(EVERY_FAULT) == 13
    assert found.frames["unit"]["unit_id"].to_list() == ["A-1", "A-4", "A-5", "A-6"]
    assert found.frames["unit"]["name"][0] == "Sæby"
    assert found.frames["unit"]["assumed_occupancy_pct"].to_list() == [98.5, None, 97.5, None]
    assert found.frames["capacity"]["unit_id"].to_list() == ["A-1", "A-4"]
    assert found.frames["target_group_approval"].rows() == [("A-1", "g-autism", "primary")]
    assert found.frames["need"].is_empty()
    assert found.counts.drop("delivery").rows() == [
        ("unit", 7, 4, 3, 0, 2, 1),
        ("target_group_approval", 3, 1, 2, 0, 0, 0),
        ("capacity", 4, 2, 2, 0, 1, 0),
        ("need", 1, 0, 0, 1, 0, 0),
    ]
    assert found.as_of == dt.date(2026, 11, 1)


def test_frames_hold_exactly_the_contracts_columns_and_types(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNITS, "capacity.csv": CAPACITY + "A-1;2026-11-01;8;6;1;1\n"})
    assert found.findings.schema == SCHEMA
    assert found.counts.schema == COUNTS
    assert len(found.frames) == 2
    for extract in found.frames:
        contract = CONTRACTS[extract]
        assert contract.is_valid(found.frames[extract])
        assert found.frames[extract].schema == contract.create_empty().schema
        assert found.frames.scan(extract).collect().equals(found.frames[extract])


def test_an_empty_delivery_has_nothing(tmp_path) -> None:
    found = checked(tmp_path, {})
    assert found.findings.is_empty()
    assert found.counts.is_empty()
    assert dict(found.frames) == {}


def test_a_row_that_refers_to_a_row_set_aside_names_the_cause(tmp_path) -> None:
    unit = UNIT + "A-1;T-1;Birk;999\nA-1;T-1;;370\n"
    found = checked(tmp_path, {"unit.csv": unit, "capacity.csv": CAPACITY + "A-1;2026-11-01;8;6;1;1\nA-9;2026-11-01;8;6;1;1\n"})
    told = {finding.rule: finding for finding in from_frame(found.findings)}
    assert told["refers_to_set_aside"].values == {"cause_file": "unit.csv", "cause_row": 2, "cause_rules": "unknown_code"}
    assert told["refers_to_set_aside"].value == "A-1"
    assert told["unknown_reference"].row == 3


def test_what_the_warehouse_knows_may_be_referred_to(tmp_path) -> None:
    files = {"capacity.csv": CAPACITY + "A-1;2026-11-01;8;6;1;1\nB-1;2026-11-01;8;6;1;1\n"}
    assert short(checked(tmp_path, files, KNOWN)) == {("capacity.csv", 3, "unit_id", "unknown_reference")}
    assert rules(checked(tmp_path, files)) == ["unknown_reference"] * 2
    both = files | {"unit.csv": UNIT + "B-1;T-1;Birk;370\n"}
    assert rules(checked(tmp_path, both, KNOWN)) == []


def test_an_unknown_reference_that_is_not_required_is_unknown(tmp_path) -> None:
    need = "need_id;municipality;registered_on;current_unit;target_groups;offer_types\n"
    found = checked(
        tmp_path,
        {"need.csv": need + "N-1;370;2026-11-01;;g-autism|g-other;\nN-2;370;2026-11-01;A-9;;A107\nN-3;370;2026-11-01;;g-other|g-x;A9\n"},
    )
    assert short(found) == {
        ("need.csv", 3, "current_unit", "unknown_reference"),
        ("need.csv", 4, "target_groups", "unknown_code"),
        ("need.csv", 4, "offer_types", "unknown_code"),
    }
    assert found.frames["need"]["target_groups"].to_list() == [["g-autism", "g-other"]]


def test_leading_zeros_follow_the_list_of_codes(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNIT + "A-1;T;a;0370\nA-2;T;a;101\nA-3;T;a;0101\nA-4;T;a;00999\nA-5;T;a;000\nA-6;T;a;00259\n"})
    assert found.frames["unit"]["municipality"].to_list() == ["370", "0101", "0101", "259"]
    assert found.findings.select("row", "rule", "value").rows() == [
        (2, "leading_zeros", "0370"),
        (5, "unknown_code", "00999"),
        (6, "unknown_code", "000"),
    ]
    assert json.loads(found.findings["values"][0]) == {"count": 3}
    assert found.counts["corrected"].to_list() == [3]


def test_a_list_of_codes_that_is_empty_is_not_held_against_anything(tmp_path) -> None:
    read = read_delivery(write(tmp_path, {"unit.csv": UNIT + "A-1;T;a;anything\n"}))
    assert check(read, {"municipality.code": []}).findings.is_empty()
    assert check(read, {}).findings.is_empty()


def test_repeated_rows(tmp_path) -> None:
    unit = UNIT + "A-1;T;a;370\nA-1;T;a;370\nA-1;T;b;370\nA-2;T;a;370\n"
    found = checked(tmp_path, {"unit.csv": unit, "units 2.csv": UNIT + "A-2;T;a;370\nA-3;T;a;999\nA-3;T;a;370\n"})
    assert short(found) == {
        ("unit.csv", 3, "unit_id", "duplicate_row"),
        ("unit.csv", 4, "unit_id", "duplicate_key"),
        ("units 2.csv", 2, "unit_id", "duplicate_row"),
        ("units 2.csv", 3, "municipality", "unknown_code"),
    }
    assert found.frames["unit"].select("unit_id", "name").rows() == [("A-1", "a"), ("A-2", "a"), ("A-3", "a")]
    other = from_frame(found.findings.filter(pl.col("file") == "units 2.csv"))[0]
    assert other.values == {"first_file": "unit.csv", "first_row": 5}


def test_a_repeated_row_is_not_also_flagged(tmp_path) -> None:
    rows = "A-1;2026-11-01;8;8;1;1\n" * 2 + "A-2;2026-11-01;8;8;1;1\n"
    found = checked(tmp_path, {"capacity.csv": CAPACITY + rows}, KNOWN)
    assert found.findings.select("row", "rule").rows() == [
        (2, "states_within_maximum"),
        (3, "duplicate_row"),
        (4, "states_within_maximum"),
    ]
    assert found.counts.select("accepted", "set_aside", "flagged").rows() == [(2, 1, 2)]


@pytest.mark.parametrize("share", [1, 3, 500_000])
def test_repeated_rows_are_found_in_shares_and_on_disk(tmp_path, monkeypatch, share: int) -> None:
    rows = "".join(f"A-{n % 40};T;navn {n % 80};370\n" for n in range(200))
    whole = checked(tmp_path, {"unit.csv": UNIT + rows})
    monkeypatch.setattr(checking, "SHARE", share)
    monkeypatch.setattr(checking, "MEMORY_BYTES", 0)
    apart = checked(tmp_path, {"unit.csv": UNIT + rows})
    assert apart.frames["unit"].equals(whole.frames["unit"])
    assert apart.frames.height("unit") == 40
    assert short(apart) == short(whole)
    assert apart.counts.equals(whole.counts)
    aside = apart.frames._parts["unit"][0].parent
    assert aside.is_dir()
    del apart
    assert not aside.exists()


def test_tables_that_together_are_too_large_to_keep_are_read_twice_and_told_the_same(tmp_path, monkeypatch) -> None:
    files = {f"unit {part}.csv": UNIT + "".join(f"A-{part}{n};T;navn {n};{370 if n % 7 else 9}\n" for n in range(50)) for part in "abc"}
    whole = checked(tmp_path / "whole", files)
    kept: list[bool] = []
    read = reading.Table.batches
    monkeypatch.setattr(reading.Table, "batches", lambda table: kept.append(True) or read(table))
    monkeypatch.setattr(scouting, "KEPT_BYTES", 2 * len(files["unit a.csv"]) + 10)
    apart = checked(tmp_path / "apart", files)
    # Each once, and the third again.
    assert len(kept) == 4
    assert apart.frames["unit"].equals(whole.frames["unit"])
    assert short(apart) == short(whole)


def test_two_keys_with_one_hash_are_two_rows(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checking, "_hash", lambda keys: pl.lit(7, dtype=pl.UInt64))
    found = checked(tmp_path, {"unit.csv": UNIT + "A-1;T;a;370\n", "unit 2.csv": UNIT + "A-2;T;a;370\n"})
    assert found.frames["unit"].height == 2
    assert found.findings.is_empty()
    assert rules(checked(tmp_path, {"unit.csv": UNITS + "A-2;T;a;370\n", "unit 2.csv": UNIT + "A-3;T;a;370\n"})) == ["duplicate_key"]


def test_bounds_and_lengths(tmp_path) -> None:
    head = "unit_id;offer_id;name;municipality;age_from;age_to;daily_rate;price_year\n"
    rows = f"{'A' * 81};T;a;370;;;;\nA-2;T;{'x' * 501};370;;;;\nA-3;T;a;370;-1;121;;\nA-4;T;a;370;30;20;;\nA-5;T;a;370;;;-5;2026\n"
    found = checked(tmp_path, {"unit.csv": head + rows})
    assert short(found) == {
        ("unit.csv", 2, "unit_id", "too_long"),
        ("unit.csv", 3, "name", "too_long"),
        ("unit.csv", 4, "age_from", "too_small"),
        ("unit.csv", 4, "age_to", "too_large"),
        ("unit.csv", 5, None, "age_range_ordered"),
        ("unit.csv", 6, "daily_rate", "too_small"),
    }
    told = {(finding.row, finding.rule): finding for finding in from_frame(found.findings)}
    assert told[4, "too_large"].values == {"most": 120}
    assert told[2, "too_long"].values == {"longest": 80}
    assert told[6, "too_small"].values == {"least": 0}
    assert len(told[3, "too_long"].value or "") == 80


def test_a_cell_that_cannot_be_read_is_not_also_missing(tmp_path) -> None:
    found = checked(tmp_path, {"capacity.csv": CAPACITY + "A-1;x;mange;6;;1\n"}, KNOWN)
    assert short(found) == {("capacity.csv", 2, "as_of", "not_a_date"), ("capacity.csv", 2, "maximum", "not_a_number")}


def test_what_contracts_flag_is_kept(tmp_path) -> None:
    head = "unit_id;as_of;maximum;occupied;reserved;accepting;status\n"
    found = checked(tmp_path, {"capacity.csv": head + "A-1;2026-11-01;0;0;0;0;\nA-2;2026-11-01;8;6;;1;lukket\n"}, KNOWN)
    assert short(found) == {("capacity.csv", 2, "maximum", "no_places"), ("capacity.csv", 3, "status", "closed_but_accepting")}
    assert found.frames["capacity"].height == 2
    assert found.counts["flagged"].to_list() == [2]


@pytest.mark.parametrize(
    ("manifest", "given", "capacity", "expired"),
    [
        ("as_of: 2026-11-02\n", None, "", True),
        ("as_of: 2026-11-01\n", dt.date(2027, 1, 1), "", False),  # the last day is still within
        ("", dt.date(2026, 11, 2), "", True),
        ("", None, CAPACITY + "A-1;2026-11-02;8;6;1;1\n", True),
        ("", None, CAPACITY + "A-1;2026-10-02;8;6;1;1\n", False),
        ("", None, "", False),
    ],
)
def test_an_approval_expires_by_the_day_of_the_delivery(tmp_path, manifest, given, capacity, expired) -> None:
    unit = "unit_id;offer_id;name;municipality;approved_until\nA-1;T;a;370;01.11.2026\nA-2;T;a;370;\n"
    files = {"unit.csv": unit} | ({"manifest.yaml": manifest} if manifest else {}) | ({"capacity.csv": capacity} if capacity else {})
    found = check(read_delivery(write(tmp_path, files)), CODES, as_of=given)
    assert rules(found) == (["approval_expired"] if expired else [])
    assert found.counts["flagged"][0] == int(expired)


def test_assumptions_are_told(tmp_path) -> None:
    unit = "unit_id;offer_id;name;municipality;daily_rate;price_year;approved_until\nA-1;T;a;370;2.845;2026;03/04/2028\n"
    found = checked(tmp_path, {"unit.csv": unit})
    assert short(found) == {
        ("unit.csv", None, "daily_rate", "number_sign_assumed"),
        ("unit.csv", None, "approved_until", "date_order_assumed"),
    }
    assert found.frames["unit"].select("daily_rate_ore", "approved_until").rows() == [(284500, dt.date(2028, 4, 3))]


def test_many_findings_of_one_kind_are_summed_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checking, "MOST_FINDINGS", 3)
    rows = "".join(f"A-{n};T;a;999\n" for n in range(10)) + "B;T;a;370\n" * 6
    found = checked(tmp_path, {"unit.csv": UNIT + rows})
    assert rules_count(found) == {"unknown_code": 3, "duplicate_row": 3, "and_more": 2}
    more = [finding for finding in from_frame(found.findings) if finding.rule == "and_more"]
    assert {(finding.values["rule"], finding.values["count"]) for finding in more} == {("unknown_code", 7), ("duplicate_row", 2)}
    assert {finding.severity for finding in more} == {"set_aside"}
    assert found.counts.select("delivered", "accepted", "set_aside").rows() == [(16, 1, 15)]


def rules_count(found) -> dict[str, int]:
    return dict(found.findings.group_by("rule").len().rows())


def test_frames_of_a_profile_are_checked_by_the_same_rules() -> None:
    frame = pl.DataFrame(
        {
            "unit_id": ["A-1", "A-2", None],
            "as_of": ["2026-11-01", "01.11.2026", "2026-11-01"],
            "maximum": [8, 8, 8],
            "occupied": ["1,046", "6", "6"],
            "accepting": [1, 1, 1],
            "extra": [1, 2, 3],
            "_file": ["a.csv", "a.csv", "b.csv"],
            "_row": [12, 13, 40],
        }
    )
    found = check_frames({"capacity": frame}, CODES, KNOWN, delivery="fra profil")
    assert set(found.findings.select("file", "row", "column", "rule").rows()) == {
        ("a.csv", None, "extra", "unknown_column"),
        ("b.csv", None, "extra", "unknown_column"),
        ("a.csv", 12, "accepting", "states_within_maximum"),
        ("b.csv", 40, "unit_id", "missing_key"),
    }
    assert found.frames["capacity"]["occupied"].to_list() == [1046, 6]
    assert found.counts["delivery"].to_list() == ["fra profil"]
    typed = check_frames({"unit": pl.DataFrame({"unit_id": ["A"], "offer_id": ["T"], "name": ["010199-1234"]})}, CODES, delivery="x")
    assert rules(typed) == ["personal_number"]
    assert check_frames({"unit": pl.DataFrame(schema={"unit_id": pl.String})}, CODES, delivery="x").frames["unit"].is_empty()


def test_frames_of_a_profile_may_tell_the_sheet() -> None:
    frame = pl.DataFrame(
        {"unit_id": [None], "offer_id": ["T"], "name": ["a"], "municipality": ["370"], "_file": ["x.xlsx"], "_sheet": ["Ark1"]}
    )
    found = check_frames({"unit": frame}, CODES, delivery="x")
    assert found.findings.select("file", "sheet", "row", "rule").rows() == [("x.xlsx", "Ark1", None, "missing_key")]


def test_raw_files_can_be_screened_before_a_profile_reads_them(tmp_path) -> None:
    found = screen(read_delivery(write(tmp_path, {"a.csv": "x;y\n1;010199-1234\n", "b.csv": "x;y\n1;2\n", "c.csv": b""})))
    assert found.select("file", "row", "column", "rule").rows() == [
        ("c.csv", None, None, "empty_file"),
        ("a.csv", 2, "y", "personal_number"),
    ]


def test_findings_go_to_a_frame_and_back() -> None:
    one = Finding("d", "f.csv", "not_a_date", "set_aside", "Ark1", 3, "dato", "x", "unit", {"a": 1, "day": dt.date(2026, 1, 1)})
    frame = findings_frame([one])
    assert frame.schema == SCHEMA
    assert from_frame(frame) == [Finding(**{**one.__dict__, "values": {"a": 1, "day": "2026-01-01"}})]
    assert findings_frame([]).schema == SCHEMA
    hidden = findings_frame(
        [Finding("010199-1234", "010199-1234", "x", "flagged", "010199-1234", 1, "010199-1234", "a" * 75 + "010199-1234")]
    )
    assert "1234" not in hidden.write_csv()
    assert "010199" not in hidden.write_csv()


def test_values_in_findings_never_hold_a_number(tmp_path) -> None:
    # In its own column a P-number passes; the same digits in a finding are blotted out, as nobody can tell them apart there.
    head = "unit_id;offer_id;name;municipality;p_number\n"
    found = checked(tmp_path, {"unit.csv": head + "A-1;T;a;370;1003298422" + "\n" + "A-2;T;a;370;1003298422xxxxxxxxxxxxxxxxxxxxx\n"})
    assert rules(found) in (["personal_number"], ["too_long"])
    assert "1003298422" not in found.findings.write_csv()


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    made: list[Path] = []

    class Spy(disk.Aside):
        def __init__(self) -> None:
            super().__init__()
            made.append(self.path)

    read = read_delivery(write(tmp_path, {"unit.csv": UNITS}))
    monkeypatch.setattr(checking.disk, "Aside", Spy)
    monkeypatch.setattr(checking, "MEMORY_BYTES", 0)
    monkeypatch.setattr(checking._Check, "expired", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check(read, CODES)
    assert made
    assert not made[0].exists()


@pytest.mark.parametrize(("ahead", "kept"), [(31, True), (32, False)])
@pytest.mark.parametrize("declared", [0, 400])
def test_what_is_dated_far_ahead_is_set_aside(tmp_path, ahead: int, kept: bool, declared: int) -> None:
    """Seen from the clock's day or from the manifest's, whichever is later."""
    latest = checking.today() + dt.timedelta(days=declared)
    day = latest + dt.timedelta(days=ahead)
    need = f"need_id;municipality;registered_on;wanted_from\nN-1;370;{day};2031-01-01\nN-2;370;2026-01-01;2031-01-01\n"
    capacity = "unit_id;as_of;maximum;occupied;accepting;confirmed_at\n"
    capacity += f"A-1;{day};8;6;1;2026-01-01\nA-2;2026-01-01;8;6;1;{day}\n"
    files = {"need.csv": need, "capacity.csv": capacity}
    if declared:
        files["manifest.yaml"] = f"as_of: {latest}\n"
    found = checked(tmp_path, files, KNOWN)
    expected = {
        ("need.csv", 2, "registered_on", "date_in_future"),
        ("capacity.csv", 2, "as_of", "date_in_future"),
        ("capacity.csv", 3, "confirmed_at", "date_in_future"),
    }
    assert short(found) == (set() if kept else expected)
    assert found.frames["need"]["need_id"].to_list() == (["N-1", "N-2"] if kept else ["N-2"])
    assert (found.as_of == day) == (kept and not declared)


def by_town(found: Checked) -> dict[tuple[str, str | None], tuple[int, ...]]:
    """(extract, municipality) -> delivered, accepted, set aside, refused, flagged, corrected."""
    return {(row[1], row[2]): row[3:] for row in found.by_municipality.rows()}


def test_rows_and_findings_are_told_by_municipality(tmp_path, monkeypatch) -> None:
    """By the row's own code where it is known, else by where its unit lies in this delivery or from before."""
    unit = UNIT + "A-1;T;a;370\nA-2;T;a;0259\nA-3;T;a;999\nA-4;T;;370\nA-2;T;a;259\nU-9;T;a;\n"
    capacity = CAPACITY + "A-1;2026-11-01;8;6;1;1\nA-2;x;8;6;1;1\nA-4;2026-11-01;8;6;1;1\nU-9;2026-11-01;8;8;1;1\nA-9;2026-11-01;8;6;1;1\n"
    need = "need_id;municipality;registered_on;note\nN-1;370;01.11.2026;for 010199-1234\n"
    stay = "stay_id;person_ref;unit_id;municipality;starts_on;ends_on\n"
    stay += "S-1;p-1;A-1;259;2026-01-01;2025-01-01\nS-2;p-1;A-1;999;2026-01-01;\nS-3;p-1;A-1;370;2026-01-01;\n"
    known = {"unit": pl.DataFrame({"unit_id": ["U-9", "A-1"], "municipality": ["0101", "259"]})}
    files = {"unit.csv": unit, "capacity.csv": capacity, "need.csv": need, "stay.csv": stay}
    found = checked(tmp_path, files, known)
    assert by_town(found) == {
        ("unit", "370"): (2, 1, 1, 0, 0, 0),
        ("unit", "259"): (2, 1, 1, 0, 0, 1),
        ("unit", "0101"): (1, 0, 1, 0, 0, 0),
        ("unit", None): (1, 0, 1, 0, 0, 0),
        ("capacity", "370"): (2, 1, 1, 0, 0, 0),
        ("capacity", "259"): (1, 0, 1, 0, 0, 0),
        ("capacity", "0101"): (1, 1, 0, 0, 1, 0),
        ("capacity", None): (1, 0, 1, 0, 0, 0),
        ("need", None): (1, 0, 0, 1, 0, 0),
        ("stay", "259"): (1, 0, 1, 0, 0, 0),
        ("stay", "370"): (2, 1, 1, 0, 0, 0),
    }
    assert set(found.findings.select("file", "row", "rule", "municipality").rows()) == {
        ("unit.csv", 3, "leading_zeros", None),
        ("unit.csv", 4, "unknown_code", None),
        ("unit.csv", 5, "missing_value", "370"),
        ("unit.csv", 6, "duplicate_row", "259"),
        ("unit.csv", 7, "missing_value", "0101"),
        ("capacity.csv", 3, "not_a_date", "259"),
        ("capacity.csv", 4, "refers_to_set_aside", "370"),
        ("capacity.csv", 5, "states_within_maximum", "0101"),
        ("capacity.csv", 6, "unknown_reference", None),
        ("need.csv", 2, "personal_number", None),
        ("stay.csv", 2, "ends_after_it_starts", "259"),
        ("stay.csv", 3, "unknown_code", "370"),
    }
    assert found.municipality is None
    monkeypatch.setattr(checking, "MEMORY_BYTES", 0)
    monkeypatch.setattr(checking, "SHARE", 1)
    assert by_town(checked(tmp_path, files, known)) == by_town(found)


def test_a_delivery_whose_units_lie_in_one_municipality_is_that_ones(tmp_path) -> None:
    stay = "stay_id;person_ref;unit_id;municipality;starts_on\nS-1;p-1;A-1;259;2026-01-01\n"
    unit = UNIT + "A-1;T;a;370\nA-2;T;a;999\n"
    found = checked(tmp_path, {"unit.csv": unit, "stay.csv": stay, "x.pdf": "x", "need.csv": "need_id;cpr\nN-1;\n"})
    assert by_town(found) == {
        ("unit", "370"): (2, 1, 1, 0, 0, 0),
        ("stay", "259"): (1, 1, 0, 0, 0, 0),
        ("need", "370"): (1, 0, 0, 1, 0, 0),
    }
    assert found.findings["municipality"].unique().to_list() == ["370"]
    assert found.municipality == "370"


def test_an_approval_that_ran_out_counts_where_its_unit_lies(tmp_path) -> None:
    unit = "unit_id;offer_id;name;municipality;approved_until\nA-1;T;a;370;2020-01-01\nA-2;T;a;259;2020-01-01\nA-3;T;a;259;2020-01-01\n"
    found = checked(tmp_path, {"unit.csv": unit, "manifest.yaml": "as_of: 2026-11-01\n"})
    assert by_town(found) == {("unit", "370"): (1, 1, 0, 0, 1, 0), ("unit", "259"): (2, 2, 0, 0, 2, 0)}
    assert sorted(found.findings["municipality"].to_list()) == ["259", "259", "370"]


def test_where_a_profile_tells_no_row_the_key_stands_in_the_value() -> None:
    head = {"unit_id": ["A-1", "A-2", "A-2", "A-3", "A-3"], "offer_id": ["T"] * 5, "name": ["a", "b", "b", "c", "d"]}
    frame = pl.DataFrame(head | {"municipality": ["370", "999", "370", "370", "370"], "approved_until": ["2020-01-01"] + [None] * 4})
    found = check_frames({"unit": frame}, CODES, delivery="x", as_of=dt.date(2026, 11, 1))
    assert set(found.findings.select("row", "rule", "value").rows()) == {
        (None, "unknown_code", "A-2: 999"),
        (None, "duplicate_key", "A-3"),
        (None, "approval_expired", "A-1: 2020-01-01"),
    }
    assert found.frames["unit"]["name"].to_list() == ["a", "b", "c"]
    (twice,) = from_frame(found.findings.filter(pl.col("rule") == "duplicate_key"))
    assert twice.values["first_row"] == "–"


def test_several_rows_made_of_one_row_of_a_file_stay_several() -> None:
    head = {"unit_id": ["A-1", "A-2", "A-2"], "offer_id": ["T"] * 3, "name": ["a", "b", "c"], "municipality": ["370", "370", "370"]}
    found = check_frames({"unit": pl.DataFrame(head | {"_row": [7, 7, 7], "_file": ["x.csv"] * 3})}, CODES, delivery="x")
    assert found.frames["unit"]["unit_id"].to_list() == ["A-1", "A-2"]
    assert short(found) == {("x.csv", 7, "unit_id", "duplicate_key")}
    assert from_frame(found.findings)[0].values == {"first_file": "x.csv", "first_row": 7}
