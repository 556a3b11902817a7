from __future__ import annotations

import polars as pl
import pytest

from samplads.extracts import check, headers, personal, read_delivery
from tests.deliveries import CODES, UNITS, checked, rules, short, workbook, write

NUMBERS = ["010199-1234", "0101991234", "010199 1234", "010199\u00a01234", "010199 - 1234", "010199–1234", "290200-1234", "610199-1234"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("text", ["{}", "  {} ", "Borger {} flytter", "({})", "a|{}|b", "CPR{}", "p-{}.", "nr.:{};", "æ{}ø"])
def test_a_number_is_found_alone_and_inside_text(number: str, text: str) -> None:
    written = text.format(number)
    assert personal.holds_number(written)
    assert personal.rows_with_numbers(pl.Series(["", None, written, "x"])) == [2]
    assert not personal.holds_number(personal.redacted(written))
    assert number not in personal.redacted(written)


@pytest.mark.parametrize(
    "text",
    [
        "311302-1234",  # no month 13
        "320102-1234",  # no day 32
        "310402-1234",  # no 31 April
        "12345678",
        "+45 12 34 56 78",
        "2026-11-01",
        "01.11.2026",
        "010199-12345",
        "9010199-1234",
        "20261101123456",
        "9b3fd322-a75a-4ed8-9b74-425fa1e01c95",
        "ab010199-1234-4ed8-9b74-0101991234ab",
        "e79aac483b0101991234fdffb272aa252bd",
        "55,1011991234",
        "0.1011991234",
        "6101991234",  # an administrative number counts only where it is divided
        "",
        "A-1001",
    ],
)
def test_what_is_no_number_passes(text: str) -> None:
    assert not personal.holds_number(text)
    assert personal.redacted(text) == text
    assert personal.rows_with_numbers(pl.Series([text])) == []


def test_every_p_number_passes_in_its_own_column_only() -> None:
    example = "1003298422"  # its first six digits are the 10 March 1929
    assert not personal.holds_number(example, "p_number")
    assert not personal.holds_number(example, "P-nummer")
    assert personal.holds_number(example, "unit_id")
    assert personal.holds_number("0101991234", "p_number")
    assert personal.holds_number("100329-8422", "p_number")


def test_p_numbers_pass_as_typed_identifiers(tmp_path) -> None:
    rows = "id;identifier_type;identifier\n1;P-nummer;1003298422\n"
    assert rules(checked(tmp_path, {"organization_identifiers.csv": rows})) == ["table_not_used"]
    assert rules(checked(tmp_path, {"organization_identifiers.csv": rows.replace("_type", "s")})) == ["personal_number"]
    assert rules(checked(tmp_path, {"organization_identifiers.csv": rows.replace("1003298422", "0101991234")})) == ["personal_number"]


def test_amounts_pass_in_the_column_of_amounts_only() -> None:
    assert not personal.holds_number("1105000000", "amount")
    assert personal.holds_number("1105000000", "note")
    assert personal.holds_number("110500-0000 kr", "amount")


def test_typed_columns_are_searched() -> None:
    assert personal.rows_with_numbers(pl.Series([1, None, 3112991234])) == [2]
    assert personal.rows_with_numbers(pl.Series([1.5, 3112991234.0])) == [1]
    assert personal.rows_with_numbers(pl.Series([["a", "010199-1234"], []])) == [0]
    assert personal.rows_with_numbers(pl.Series([{"a": "010199-1234"}, {"a": "x"}])) == [0]
    assert personal.rows_with_numbers(pl.Series([b"010199-1234", None])) == [0]
    assert personal.rows_with_numbers(pl.Series(["010199-1234", "x"], dtype=pl.Categorical)) == [0]
    assert personal.rows_with_numbers(pl.Series([[[1]], [[2]]])) == []
    assert personal.rows_with_numbers(pl.Series([[1, 0], [3112991234, 1]], dtype=pl.Array(pl.Int64, 2))) == [1]
    assert personal.rows_with_numbers(pl.Series([True, None])) == []


@pytest.mark.parametrize(
    "header",
    [
        *("cpr", "CPR-nr.", "cpr_nummer", "Borgers CPR", "personnummer", "borgernavn", "Navn på borger", "borgerens navn", "citizen_name"),
        *("Fornavn", "efternavn", "First name", "last_name", "Borgeradresse", "citizen address", "Beboers navn", "client name", "SSN"),
        *("Navn på den unge", "Ungs navn", "Personens navn", "Elevens navn", "Indskrevnes navn", "Brugers navn", "Fulde navn"),
        *("Full name", "Beboerens adr.", "Borger", "Initialer", "Fødselsdato", "Bopæl", "Værge", "Værgens telefon", "Date of birth"),
    ],
)
def test_headers_that_promise_citizens_are_known(header: str) -> None:
    assert personal.promises_citizens(header, headers.all_names())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "name",
        "Navn",
        "address",
        "Adresse",
        "operator",
        "PersonalID",
        "ProjectName",
        "person_ref",
        "Bopælskommune",
        "Antal personer",
        "Personale",
    ],
)
def test_headers_of_units_pass(header: str) -> None:
    assert not personal.promises_citizens(header, headers.all_names())


def test_no_header_of_a_contract_is_refused() -> None:
    from samplads.contracts import CONTRACTS

    for contract in CONTRACTS.values():
        for name, column in contract.columns().items():
            metadata = column.metadata or {}
            for header in (name, metadata.get("delivered", name), metadata["da"], metadata["en"]):
                assert not personal.promises_citizens(header, headers.names(contract.extract), contract.extract), header


@pytest.mark.parametrize("extract", sorted(personal.ABOUT_PERSONS))
@pytest.mark.parametrize("header", ["Navn", "Name", "Adresse", "Address", "Tlf."])
def test_a_bare_name_is_a_citizens_where_rows_are_about_citizens(header: str, extract: str) -> None:
    assert personal.promises_citizens(header, headers.names(extract), extract)
    assert not personal.promises_citizens(header, headers.names("capacity"), "capacity")


def test_what_a_unit_may_be_called_does_not_open_the_file_of_stays(tmp_path) -> None:
    stay = "stay_id;person_ref;unit_id;municipality;starts_on;{}\nS-1;p-1;A-1;370;2026-01-01;Ib\n"
    found = checked(tmp_path, {"unit.csv": UNITS.replace("name", "Navn"), "stay.csv": stay.format("Navn")})
    assert short(found) == {("stay.csv", 1, "Navn", "personal_column")}
    assert found.frames["unit"].height == 2
    assert rules(checked(tmp_path, {"stay.csv": stay.format("Afdelingsnavn")})) == ["unknown_column"]


def test_a_name_is_no_pseudonym(tmp_path) -> None:
    head = "stay_id;person_ref;unit_id;municipality;starts_on\n"
    refs = ["Ib Hansen", "p-8f3a", "Åse-Marie d'Örsted Ø.", "A 17", "hansen"]
    rows = "".join(f"S-{number};{ref};A-1;370;2026-01-01\n" for number, ref in enumerate(refs))
    found = checked(tmp_path, {"unit.csv": UNITS, "stay.csv": head + rows})
    assert short(found) == {("stay.csv", 2, "person_ref", "pseudonym"), ("stay.csv", 4, "person_ref", "pseudonym")}
    assert found.frames["stay"]["person_ref"].to_list() == ["p-8f3a", "A 17", "hansen"]
    assert "Hansen" not in found.findings.write_csv()
    assert "Marie" not in found.findings.write_csv()


SHORTENED = ["101901234", "912551234", "312001111", "2501991234"]


@pytest.mark.parametrize(
    ("header", "cells", "refused"),
    [
        ("note", SHORTENED[:3], True),
        ("note", [*SHORTENED[:3], "", ""], True),
        ("lbnr", [SHORTENED[0]] * 9 + ["x"], True),
        ("note", SHORTENED[:2], False),  # two alone may be anything
        ("note", [*SHORTENED[:3], "999999999"], False),  # three in four
        ("note", ["12345678", "87654321", "23456789"], False),  # CVR and telephone numbers have eight digits
        ("note", ["913551234", "900551234", "113001111"], False),  # no such month
        ("note", [f"nr {number}" for number in SHORTENED[:3]], False),  # not a column of whole numbers
        ("p_number", SHORTENED[:3], False),
    ],
)
def test_a_column_of_numbers_without_their_leading_zero(tmp_path, header: str, cells: list[str], refused: bool) -> None:
    rows = "".join(f"A-{number};T;a;370;{cell}\n" for number, cell in enumerate(cells))
    found = checked(tmp_path, {"unit.csv": f"unit_id;offer_id;name;municipality;{header}\n{rows}"})
    assert (("unit.csv", None, header, "personal_number_shortened") in short(found)) == refused
    assert found.frames["unit"].is_empty() == refused
    if refused:
        assert SHORTENED[0] not in found.findings.write_csv()


def test_numbers_without_their_leading_zero_in_a_workbook_and_in_parquet(tmp_path) -> None:
    frame = pl.DataFrame(
        {"unit_id": ["A", "B", "C"], "offer_id": "T", "name": "a", "municipality": "370", "x": [101901234, 912551234, 312001111]}
    )
    workbook(tmp_path / "unit.xlsx", {"unit": [frame.columns, *map(list, frame.rows())]})
    frame.write_parquet(tmp_path / "unit.parquet")
    for name in ("unit.xlsx", "unit.parquet"):
        assert rules(check(read_delivery(tmp_path / name), CODES)) == ["personal_number_shortened"]


@pytest.mark.parametrize(
    ("files", "rule", "row", "column"),
    [
        ({"unit.csv": UNITS.replace("Birkehuset 2", "Hos 010199-1234")}, "personal_number", 3, "name"),
        ({"unit.csv": UNITS.replace("municipality", "010199-1234")}, "personal_number_in_header", 1, "D"),
        ({"unit.csv": UNITS.replace("offer_id", "borgernavn")}, "personal_column", 1, "borgernavn"),
        ({"unit.csv": "Liste over 010199-1234;;;\n" + UNITS}, "personal_number", 1, None),
        ({"unit 010199-1234.csv": UNITS}, "personal_number_in_name", None, None),
        ({"unit.csv": UNITS.replace("370", "370;0101991234")}, "personal_number", 2, None),
    ],
)
def test_the_file_is_refused_with_its_place_and_never_the_value(tmp_path, files, rule, row, column) -> None:
    found = checked(tmp_path, files)
    assert found.findings.select("rule", "row", "column").rows() == [(rule, row, column)]
    assert "unit" not in found.frames or found.frames["unit"].is_empty()
    assert "1234" not in found.findings.write_csv()
    if found.counts.height:
        assert found.counts["refused"].sum() == found.counts["delivered"].sum() == 2


def test_other_files_of_the_delivery_are_kept(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNITS, "need.csv": "need_id;municipality;registered_on\nN-010199-1234;370;01.11.2026\n"})
    assert rules(found) == ["personal_number"]
    assert found.frames["unit"].height == 2
    assert found.frames["need"].is_empty()


def test_rows_that_refer_to_a_refused_file_say_so(tmp_path) -> None:
    found = checked(
        tmp_path,
        {
            "unit.csv": UNITS + "A-3;T-1;0101991234;370\n",
            "capacity.csv": "unit_id;as_of;maximum;occupied;accepting\nA-1;2026-11-01;8;6;1\n",
        },
    )
    assert rules(found) == ["personal_number", "refers_to_refused_file"]


def test_the_name_of_the_delivery_is_redacted(tmp_path) -> None:
    from samplads.extracts import check, read_delivery

    found = check(read_delivery(write(tmp_path, {"x.csv": "a;b\n1;2\n"}), name="fra 010199-1234"), {})
    assert found.findings["delivery"].unique().to_list() == [f"fra {personal.REDACTED}"]
