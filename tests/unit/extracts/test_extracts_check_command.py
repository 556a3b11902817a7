from __future__ import annotations

import json

import openpyxl
import pytest

from samplads.__main__ import main
from tests.deliveries import UNIT, UNITS, write


@pytest.fixture
def given(tmp_path):
    reference = tmp_path / "reference"
    reference.mkdir()
    (reference / "municipalities.csv").write_text("code,name\n370,Næstved\n259,Køge\n", encoding="utf-8")
    return ["--reference", str(reference), "--warehouse", str(tmp_path / "warehouse")]


def test_a_clean_delivery(tmp_path, given, capsys) -> None:
    assert main(["check", str(write(tmp_path, {"unit.csv": UNITS})), *given]) == 0
    out = capsys.readouterr().out
    assert "2 af 2 rækker" in out
    assert "Ingen fund" in out


def test_findings_are_printed_with_place_and_remedy(tmp_path, given, capsys) -> None:
    folder = write(tmp_path, {"unit.csv": UNITS + "".join(f"B-{n};T;a;999\n" for n in range(60))})
    assert main(["--language", "en", "check", str(folder), *given]) == 1
    out = capsys.readouterr().out
    assert "unit.csv, row 4, column “municipality”" in out
    assert "Unknown code (set aside)" in out
    assert "and 10 findings more" in out
    main(["check", str(folder), "--all", *given])
    assert "fund mere" not in capsys.readouterr().out


def test_json_for_programs(tmp_path, given, capsys) -> None:
    folder = write(tmp_path, {"unit.csv": UNIT + "B-1;T;a;999\nB-2;T;a;370\n"})
    assert main(["check", str(folder), "--format", "json", "--mend", str(tmp_path / "m.xlsx"), *given]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert told["delivery"] == "delivery"
    assert told["counts"][0]["set_aside"] == 1
    assert told["findings"][0] | {"what_to_do": ""} == {
        **{"file": "unit.csv", "sheet": None, "row": 2, "column": "municipality", "rule": "unknown_code"},
        **{"severity": "set_aside", "value": "999", "extract": "unit", "municipality": "370", "what_to_do": ""},
    }


def test_the_sheet_to_mend_is_written(tmp_path, given, capsys) -> None:
    folder = write(tmp_path, {"unit.csv": UNIT + "B-1;T;a;999\nB-2;T;a;370\n"})
    file = tmp_path / "mend.xlsx"
    assert main(["check", str(folder), "--mend", str(file), *given]) == 1
    assert "mend.xlsx" in capsys.readouterr().out
    assert openpyxl.load_workbook(file).sheetnames == ["unit", "Fund"]
    assert main(["check", str(folder), "--mend", str(tmp_path / "no" / "m.xlsx"), *given]) == 2
    assert "kan ikke skrives" in capsys.readouterr().err
    assert main(["check", str(folder), str(folder), "--mend", str(file), *given]) == 2
    assert "en leverance ad gangen" in capsys.readouterr().err


def test_what_is_delivered_is_told_by_municipality(tmp_path, given, capsys) -> None:
    folder = write(tmp_path, {"unit.csv": UNITS + "B-1;T;;259\nB-2;T;a;999\n", "x.pdf": "x"})
    assert main(["check", str(folder), *given]) == 1
    out = capsys.readouterr().out
    assert "Næstved: 1 leveret, 1 modtaget, 0 rettet, 0 lagt til side, 0 i afviste filer, 0 fund" in out
    assert "Køge: 2 leveret, 1 modtaget, 0 rettet, 1 lagt til side, 0 i afviste filer, 1 fund" in out
    assert "Hele leverancen: 1 leveret, 0 modtaget, 0 rettet, 1 lagt til side, 0 i afviste filer, 2 fund" in out
    main(["check", str(folder), "--format", "json", *given])
    (told,) = json.loads(capsys.readouterr().out)
    assert [(row["municipality"], row["delivered"], row["findings"]) for row in told["municipalities"]] == [
        ("259", 2, 1),
        ("370", 1, 0),
        (None, 1, 2),
    ]
