"""The page Dataleverancer in words and tables: the round, deliveries, findings, confirmations, reminders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from samplads import extracts, i18n
from samplads.presenting import formats
from samplads.presenting.tables import Column
from samplads.rounds import Round

DELIVERY_COLUMNS: tuple[str | Column, ...] = (
    "delivery",
    "sender",
    "covers",
    "as_of",
    Column("delivered", "whole"),
    Column("accepted", "whole"),
    Column("corrected", "whole"),
    Column("flagged", "whole"),
    Column("set_aside", "whole"),
    Column("refused", "whole"),
    Column("findings", "whole"),
    Column("oldest_confirmation", "day"),
)
"""The columns of the table of deliveries."""

MUNICIPALITY_COLUMNS: tuple[str | Column, ...] = (
    "municipality_name",
    "delivery",
    "as_of",
    *(Column(name, "whole") for name in ("delivered", "accepted", "corrected", "set_aside", "refused", "findings")),
    Column("oldest_confirmation", "day"),
)
"""The columns of the table of what each delivery holds of each municipality."""

FINDING_COLUMNS: tuple[str | Column, ...] = (
    Column("severity_text", width=105),
    Column("rule_name", width=235),
    Column("file", width=135),
    Column("row", "whole", width=65),
    Column("column", width=105),
    Column("value", width=110),
    Column("what_to_do", width=700),
    "municipality_name",
    Column("sheet", width=90),
    Column("delivery", width=110),
)
"""The columns of a table of findings, the ones that say where and what first."""

UNIT_COLUMNS: tuple[str | Column, ...] = (
    "unit_name",
    "offer_name",
    "municipality_name",
    "operator",
    "confirmed_by",
    "confirmed_at",
    "as_of",
    "unit_id",
)

SEVERITIES = ("refused_file", "set_aside", "flagged", "corrected")


def answer(towns: pl.DataFrame, findings: pl.DataFrame, this: Round, day: dt.date, language: str) -> str:
    """Who has reported in the round, and what is to be mended. Markdown.

    `towns` is `rounds.compliance` by municipality; `findings` the rows of `queries/findings.sql`.
    """
    first = i18n.text(
        "deliveries.page.answer",
        language,
        reported=formats.number(towns.filter(pl.col("standing") == "reported").height, language),
        towns=formats.plural(towns.height, "deliveries.page.towns", language),
        month=month(this.closes, language),
        closing=closing(this, day, language),
    )
    partly = towns.filter(pl.col("standing") == "partly").height
    more = f" {formats.plural(partly, 'deliveries.page.partly', language)}" if partly else ""
    return f"{first}{more} {findings_answer(findings, language)}"


def closing(this: Round, day: dt.date, language: str) -> str:
    """When the round opens and closes, as seen from a day."""
    if day > this.closes:
        return i18n.text("deliveries.page.closed", language, day=short(this.closes, language))
    if day < this.opens:
        return i18n.text("deliveries.page.opens", language, first=short(this.opens, language), day=short(this.closes, language))
    return i18n.text("deliveries.page.closes", language, day=short(this.closes, language))


def short(day: dt.date, language: str) -> str:
    """A day of this year: "14.11." in Danish, "14 Nov" in English."""
    return f"{day.day:02d}.{day.month:02d}." if language == "da" else f"{day.day} {formats.months(language)[day.month - 1]}"


def month(day: dt.date, language: str) -> str:
    """The month's whole name."""
    return i18n.text("deliveries.page.months", language).split()[day.month - 1]


def findings_answer(findings: pl.DataFrame, language: str) -> str:
    """How many findings, and of the two severe kinds how many each."""
    if findings.is_empty():
        return i18n.text("deliveries.page.no_findings", language)
    counts = dict(findings.group_by("severity").len().iter_rows())
    parts = [
        formats.plural(counts.get(severity, 0), f"deliveries.page.found.{severity}", language)
        for severity in SEVERITIES
        if counts.get(severity) or severity == "refused_file"
    ]
    return i18n.text(
        "deliveries.page.findings",
        language,
        findings=formats.plural(findings.height, "deliveries.page.findings_n", language),
        parts=formats.listing(parts, language),
    )


def confirmed(standings: pl.DataFrame, this: Round, language: str) -> str:
    """How many units somebody has vouched for in the round."""
    return i18n.text(
        "deliveries.page.confirmed",
        language,
        n=formats.number(int(standings["confirmed"].sum()), language),
        units=formats.plural(standings.height, "deliveries.page.units", language),
        day=formats.date(this.counts_from, language),
    )


def delivered(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    """The rows of `queries/deliveries.sql` with what each covers in words."""
    covers = [
        name or formats.plural(count, "deliveries.page.towns", language) if count else formats.unknown(language)
        for name, count in rows.select("municipality_name", "municipalities").iter_rows()
    ]
    return rows.with_columns(pl.Series("covers", covers, dtype=pl.String))


def at_home(rows: pl.DataFrame, language: str) -> pl.DataFrame:
    """Rows by municipality, in which what has none is the delivery as a whole."""
    return rows.with_columns(pl.col("municipality_name").fill_null(i18n.text("deliveries.check.whole", language)))


def worded(findings: pl.DataFrame, language: str) -> pl.DataFrame:
    """Findings in words: severity_text, rule_name and what_to_do beside file, sheet, row, column and value."""
    found = extracts.from_frame(findings)
    # A file that a visitor has checked knows codes alone, and they are not shown.
    findings = at_home(findings, language) if "municipality_name" in findings.columns else findings
    # A finding of a whole file has no row's column or value: that is no unknown.
    return findings.drop("values").with_columns(
        pl.col("sheet", "column", "value").fill_null(""),
        pl.Series("severity_text", [i18n.text(f"deliveries.severity.{one.severity}", language) for one in found], dtype=pl.String),
        pl.Series("rule_name", [extracts.rule_name(one.rule, language) for one in found], dtype=pl.String),
        pl.Series("what_to_do", [extracts.what_to_do(one, language) for one in found], dtype=pl.String),
    )


def in_full(finding: Mapping[str, Any], language: str) -> str:
    """One worded finding in full: where it stands, what is wrong and what to do. Markdown; what was delivered stays plain text."""
    parts = [formats.plain(str(finding["file"]))]
    for key in ("sheet", "row", "column"):
        if finding[key]:
            parts.append(i18n.text(f"deliveries.place.{key}", language, value=formats.plain(str(finding[key]))))
    return f"**{finding['rule_name']}** · {', '.join(parts)}\n\n{formats.plain(finding['what_to_do'])}"


def standing_columns(by: str) -> list[str | Column]:
    """The columns of a compliance list by "municipality_name" or "operator"."""
    return [
        by,
        Column("standing", "choice", width=110),
        Column("units", "whole"),
        Column("reported_units", "whole"),
        Column("confirmed_units", "whole"),
        Column("never_confirmed", "whole"),
        Column("oldest_confirmation", "day"),
    ]


def reminder(recipient: str, units: pl.DataFrame, everyone: int, this: Round, language: str, link: str = "") -> str:
    """A reminder to one municipality or operator about units that nobody has confirmed in the round, ready to send."""
    lines = [
        i18n.text(
            "deliveries.page.reminder.unit",
            language,
            name=name,
            unit=unit_id,
            municipality=town,
            last=i18n.text("deliveries.page.reminder.last", language, day=formats.date(last, language))
            if last
            else i18n.text("deliveries.page.reminder.never", language),
        )
        for name, unit_id, town, last in units.select("unit_name", "unit_id", "municipality_name", "confirmed_at").iter_rows()
    ]
    return i18n.text(
        "deliveries.page.reminder.text",
        language,
        recipient=recipient,
        month=month(this.closes, language),
        opens=formats.date(this.opens, language),
        closes=formats.date(this.closes, language),
        missing=formats.number(units.height, language),
        everyone=formats.plural(everyone, "deliveries.page.units", language),
        units="\n".join(lines),
        link=link or i18n.text("deliveries.page.reminder.page", language),
    )


def reminders(late: pl.DataFrame, standings: pl.DataFrame, by: str, this: Round, language: str, link: str = "") -> pl.DataFrame:
    """One row a recipient that has units to confirm: recipient, units, oldest_confirmation, text; the one with most to confirm first."""
    everyone = dict(standings.group_by(by).len().iter_rows())
    rows = [
        {
            "recipient": str(recipient[0]),
            "units": part.height,
            "oldest_confirmation": part["confirmed_at"].min(),
            "reminder_text": reminder(str(recipient[0]), part, everyone[recipient[0]], this, language, link),
        }
        for recipient, part in late.drop_nulls(by).group_by(by, maintain_order=True)
    ]
    schema = {"recipient": pl.String, "units": pl.Int64, "oldest_confirmation": pl.Date, "reminder_text": pl.String}
    return pl.DataFrame(rows, schema=schema).sort("units", "recipient", descending=[True, False])


def outcome(counts: pl.DataFrame, findings: pl.DataFrame, language: str) -> str:
    """What checking an uploaded file came to. Markdown."""
    return i18n.text(
        "deliveries.page.upload.outcome",
        language,
        accepted=formats.number(int(counts["accepted"].sum() or 0), language),
        delivered=formats.plural(int(counts["delivered"].sum() or 0), "deliveries.page.rows", language),
        findings=findings_answer(findings, language),
    )


def named(extracts_told: Sequence[str], language: str) -> list[str]:
    """Extracts by the name a reader knows."""
    from samplads.contracts import CONTRACTS

    return [(CONTRACTS[name].da if language == "da" else CONTRACTS[name].en).split(":")[0] for name in extracts_told]
