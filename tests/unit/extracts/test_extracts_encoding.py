from __future__ import annotations

from pathlib import Path

import pytest

from samplads.extracts import encoding
from tests.deliveries import UNIT, checked, rules

TEXT = UNIT + "A-1;T-1;Sæby på Ærø — Ågården;370\n"


def _detect(tmp_path: Path, raw: bytes) -> encoding.Encoding:
    file = tmp_path / "x.csv"
    file.write_bytes(raw)
    return encoding.detect(file)


@pytest.mark.parametrize(
    ("codec", "guessed"),
    [
        *(("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-32", False)),
        *(("utf-16-le", True), ("utf-16-be", True), ("cp1252", True)),
    ],
)
def test_letters_survive_every_encoding(tmp_path, codec: str, guessed: bool) -> None:
    found = checked(tmp_path, {"unit.csv": TEXT.encode(codec)})
    assert found.frames["unit"]["name"].to_list() == ["Sæby på Ærø — Ågården"]
    assert rules(found) == (["encoding_corrected"] if guessed else [])


@pytest.mark.parametrize("codec", ["cp850", "cp865", "mac_roman", "iso8859_15", "latin-1"])
def test_letters_of_old_systems_survive(tmp_path, codec: str) -> None:
    text = TEXT.replace("—", "-")
    found = checked(tmp_path, {"unit.csv": text.encode(codec)})
    assert found.frames["unit"]["name"].to_list() == ["Sæby på Ærø - Ågården"]
    assert rules(found) == ["encoding_corrected"]


def test_quotes_of_windows_are_not_letters_of_dos(tmp_path) -> None:
    assert _detect(tmp_path, "Anna’s ‘hus’ og “gård”, kr. 5 – 6".encode("cp1252")).codec == "cp1252"
    assert _detect(tmp_path, "Sæby".encode("cp850")).codec == "cp850"


def test_two_encodings_in_one_file_are_refused(tmp_path) -> None:
    raw = (UNIT + "A-1;T-1;Sæby;370\n").encode() + "A-2;T-1;Ærø;370\n".encode("cp1252")
    assert rules(checked(tmp_path, {"unit.csv": raw})) == ["encoding_mixed"]


@pytest.mark.parametrize("raw", [bytes(range(256)) * 4, b"unit_id;name\n\0\0\0", b"a;b\n" + bytes([0x81, 0x8D, 0x8F, 0xFE]) * 20])
def test_bytes_that_are_no_text_are_refused(tmp_path, raw: bytes) -> None:
    assert rules(checked(tmp_path, {"unit.csv": raw})) == ["encoding_unknown"]


def test_garbled_letters_are_flagged_and_kept(tmp_path) -> None:
    found = checked(tmp_path, {"unit.csv": UNIT + "A-1;T-1;NÃ¦stved;370\nA-2;T-1;N\ufffdstved;370\nA-3;T-1;São Paulo;370\n"})
    assert found.findings.select("rule", "row").rows() == [("garbled_text", 2), ("garbled_text", 3)]
    assert found.frames["unit"].height == 3


def test_long_files_are_read_in_blocks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 7)
    found = checked(tmp_path, {"unit.csv": TEXT.encode("utf-16")})
    assert found.frames["unit"]["name"].to_list() == ["Sæby på Ærø — Ågården"]
    assert _detect(tmp_path, ("æ" * 100).encode()).codec == "utf-8"
    # A file cut in the middle of a letter is no UTF-8.
    with pytest.raises(encoding.NotText):
        _detect(tmp_path, ("x" * 6 + "æ").encode()[:-1])
