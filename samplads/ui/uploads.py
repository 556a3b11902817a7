"""A file that a visitor hands over: read aside, held against the rules, and gone before the answer is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

import polars as pl
import streamlit as st

from samplads import disk, extracts, queries, reference, settings
from samplads.errors import SampladsError
from samplads.extracts import headers, personal, values
from samplads.ui import session
from samplads.ui.page import note
from samplads.ui.session import language, say

LARGEST_MB = 50
"""What one visitor may have checked in the page at once; the command line takes files of any size."""

LARGEST_UNPACKED = 1 << 30
"""Bytes that the archives of one such file may unpack to: it is read beside what other visitors ask."""

KINDS = ("csv", "txt", "xlsx", "xlsm", "xls", "ods", "parquet", "zip")

# Streamlit writes the field's own words in English; they are hidden and written in the page's language instead.
_WORDS = """<style>
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"] p {{ display: none; }}
[data-testid="stFileUploaderDropzone"] button:has([data-testid="stMarkdownContainer"] p)::after {{
  content: "{browse}"; font-size: 0.95rem;
}}
[data-testid="stFileUploaderDropzoneInstructions"] span, [data-testid="stFileUploaderDropzoneInstructions"] small {{ font-size: 0; }}
[data-testid="stFileUploaderDropzoneInstructions"]::after {{ content: "{drop}"; font-size: 0.95rem; }}
</style>"""


@dataclass(frozen=True)
class Checked:
    """What checking came to; `mend` is the workbook to mend, None where nothing is to be mended or nothing may be handed back."""

    counts: pl.DataFrame
    findings: pl.DataFrame
    mend: bytes | None

    @property
    def personal(self) -> bool:
        """Whether anything was refused for personal data."""
        return bool(self.findings["rule"].is_in(list(extracts.PERSONAL)).any())


def pick_file(label: str, *, key: str, help: str | None = None) -> tuple[str, bytes] | None:
    """A file's name and content; None until one is chosen, and where it is too large, which is said."""
    st.html(_WORDS.format(browse=say("deliveries.page.upload.browse"), drop=say("deliveries.page.upload.drop")))
    given = st.file_uploader(label, type=list(KINDS), key=key, help=help, max_upload_size=LARGEST_MB)
    note(say("deliveries.page.upload.limit", mb=LARGEST_MB))
    if given is None:
        return None
    if given.size > LARGEST_MB << 20:
        st.error(say("deliveries.page.upload.too_large", mb=LARGEST_MB))
        return None
    return given.name, given.getvalue()


@contextmanager
def aside(name: str, content: bytes) -> Iterator[Path]:
    """The file in a folder of its own for as long as it is read. A name that holds a number is not written to the disk."""
    plain = PurePath(name.replace("\\", "/")).name or "file"
    with disk.told_when_full(), disk.Aside() as folder:
        suffix = PurePath(plain).suffix
        path = folder / (f"upload{suffix}" if personal.holds_number(plain) else plain)
        path.write_bytes(content)
        yield path


def check(name: str, content: bytes) -> Checked:
    """Hold a file against the contracts as if it had been delivered: known units may be referred to. Nothing is kept.

    Raises SampladsError for what cannot be read at all.
    """
    if personal.holds_number(name):
        raise SampladsError("upload_name_refused")
    facts = reference.read(settings.read().reference)
    known = {"unit": queries.run("unit_ids", session.warehouse().path)}
    with aside(name, content) as path:
        delivery = extracts.read_delivery(path, name=path.name, most_unpacked=LARGEST_UNPACKED)
        checked = extracts.check(delivery, facts.codes(), known)
        found = checked.findings
        refused = bool(found["rule"].is_in(list(extracts.PERSONAL)).any())
        to_mend = bool(found["severity"].is_in(["set_aside", "refused_file", "flagged"]).any())
        mend = extracts.mend_workbook(delivery, found, language()) if to_mend and not refused else None
        return Checked(checked.counts, found, mend)


def unit_ids(name: str, content: bytes) -> list[str]:
    """The unit ids that a file names, in a column that a delivery would know as `unit_id`, of any of its tables.

    Raises SampladsError `upload_name_refused`, `upload_personal` where the file holds personal data, `upload_refused` where it cannot be
    read.
    """
    if personal.holds_number(name):
        raise SampladsError("upload_name_refused")
    found: dict[str, None] = {}
    with aside(name, content) as path:
        delivery = extracts.read_delivery(path, name=path.name, most_unpacked=LARGEST_UNPACKED)
        refused = extracts.from_frame(extracts.screen(delivery))
        if any(finding.rule in extracts.PERSONAL for finding in refused):
            raise SampladsError("upload_personal")
        if refused:
            raise SampladsError("upload_refused", why=extracts.what_to_do(refused[0], language()))
        for table in delivery.tables:
            position = headers.mapped(table.headers, "capacity").positions.get("unit_id")
            if position:
                for batch in table.batches():
                    # As a delivery's: an id that some tool made a number of is 1001 and not 1001.0.
                    cells = values.as_text(batch[f"c{position[0]}"]).str.strip_chars().drop_nulls()
                    found |= dict.fromkeys(cells.filter(cells != "").to_list())
    return list(found)
