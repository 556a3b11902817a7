"""A plan for shared night cover as a paper that a committee decides on: PDF to read, workbook to calculate on.

Both say the same: the answer, who gains what, the couplings, the risk, the rules checked, what moves the result, the plans not chosen, and
every assumption with its source. The PDF is set in a static cut of the product's own font, so that it reads alike everywhere.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
import vl_convert
import xlsxwriter
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode
from fpdf.fonts import FontFace

from samplads import i18n, settings
from samplads.nightcover import plan
from samplads.nightcover.overlap import Simulated
from samplads.nightcover.plan import NIGHTS, FrontierPoint, NightPlan
from samplads.presenting import charts, exports, formats, nightcover, tables, theme
from samplads.presenting.nightcover import word
from samplads.presenting.tables import Column

FONT = "Samplads Sans"
"""IBM Plex Sans at two fixed weights (static/samplads-sans-*.ttf); under another name, as its licence asks of a changed font."""

_SIGNS = str.maketrans({"✓": "+", "✗": "×", "→": "-", "≤": "<=", "≥": ">=", "●": "·", "\N{NARROW NO-BREAK SPACE}": "\N{NO-BREAK SPACE}"})
"""Signs that the font has not, and what stands for them on paper."""

logging.getLogger("fontTools").setLevel(logging.WARNING)


@dataclass(frozen=True)
class BusinessCase:
    """What the paper says. `assumptions`: assumption_part, assumption, value, standing_value (where changed), source, all as texts.

    `calls`: break-even calls a night, one a coupling; `tornado`: rows of `nightcover.tornado`; `names`: municipality code -> name; `own`:
    the municipality whose small counts of persons are shown; `played`: `plan.simulate`, one a coupling; `moved`: `plan.co_locations`.
    """

    area: str
    day: dt.date
    version: str
    synthetic: bool
    best: NightPlan
    calls: tuple[float | None, ...]
    tornado: pl.DataFrame
    frontier: tuple[FrontierPoint, ...]
    more_ore: int
    assumptions: pl.DataFrame
    names: Mapping[str, str]
    outline: Mapping[str, Any] | None = None
    map_caption: str = ""
    together: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()
    own_pay: bool = True
    price_ore: int = 0
    terms_title: str | None = None
    valid_from: dt.date | None = None
    own: str | None = None
    played: tuple[Simulated, ...] = ()
    moved: pl.DataFrame | None = None


Part = tuple[str, pl.DataFrame, Sequence[str | Column]]
"""A table of the paper: its title, its rows, its columns."""

_ASSUMPTION_COLUMNS: tuple[str | Column, ...] = ("assumption_part", "assumption", Column("value"), Column("standing_value"), "source")
_RULE_COLUMNS: tuple[str | Column, ...] = ("night_rule", "rule_kind", "rule_limit", "kept_by", "warned_in", "unanswered_in", "source")
_COUPLES: tuple[str | Column, ...] = (
    "nr",
    "units_named",
    nightcover.MINUTES,
    Column("saving_ore", "money", "kr_per_year"),
    Column("net_ore", "money", "kr_per_year"),
    "net_by_municipality",
    "payback",
    "net_payback",
    "verdicts_named",
)
_RISKS: tuple[str | Column, ...] = (
    "nr",
    "units_named",
    nightcover.OVERLAPS,
    Column("chance_pct", "percent", "percent"),
    Column("wait_mean", "number", "minutes"),
    Column("wait_p95", "number", "minutes"),
    Column("uncovered_minutes", "number", "minutes"),
    Column("break_even_calls", "number", decimals=1),
)


def figures(case: BusinessCase, language: str) -> list[tuple[str, str]]:
    """The plan's sums, label and amount."""
    couples = case.best.couples
    incidents = sum(couple.risk.incidents_per_year for couple in couples)
    return [
        (word("figures.couplings", language), formats.number(len(couples), language)),
        (word("figures.gross", language), formats.kr(case.best.saving_ore, language)),
        (word("figures.net", language), formats.kr(case.best.net_ore, language)),
        (word("figures.one_off", language), formats.kr(case.best.one_off_ore, language)),
        (word("figures.payback", language), nightcover.payback(_last([couple.payback_month for couple in couples]), language)),
        (word("figures.net_payback", language), nightcover.payback(_last([couple.net_payback_month for couple in couples]), language)),
        (word("figures.present_value", language), formats.kr(sum(couple.present_value_ore for couple in couples), language)),
        (word("figures.net_present_value", language), formats.kr(sum(couple.net_present_value_ore for couple in couples), language)),
        (word("figures.incidents", language), formats.number(incidents, language)),
        (word("figures.overlaps", language), formats.number(case.best.overlaps_per_year, language, 1)),
    ]


def _last(months: Sequence[int | None]) -> int | None:
    """When the last coupling is paid back; None where one never is."""
    told = [month for month in months if month is not None]
    return max(told, default=0) if len(told) == len(months) else None


def assumed(case: BusinessCase, language: str) -> pl.DataFrame:
    """Every assumption: what was chosen, read off the plan itself, and then each figure with its source."""
    nights = case.best.candidates.nights
    chosen = nightcover.choices(
        nights.assumptions,
        language,
        own_pay=case.own_pay,
        price_ore=case.price_ore,
        terms_title=case.terms_title,
        valid_from=case.valid_from,
        travel_pairs=len(nights.told_pairs),
    )
    return pl.concat([chosen, case.assumptions.select(nightcover.ASSUMPTION_KEYS)])


def sentences(case: BusinessCase, language: str) -> list[str]:
    """What is said before the tables: the answer, the proof, what was looked at, break-even, and what questions are worth."""
    told: list[str | None] = [
        nightcover.proof(case.best, language),
        nightcover.considered(case.best, language),
        nightcover.break_even(case.best, case.calls, language),
        nightcover.worth_asking(case.best.candidates, case.more_ore, language),
        nightcover.beyond(case.best, language),
    ]
    named = dict(zip(case.best.candidates.nights.ids, case.best.candidates.nights.names, strict=True))
    for key, pairs in (("together", case.together), ("apart", case.apart)):
        if pairs:
            listed = "; ".join(formats.listing([named.get(a, a), named.get(b, b)], language) for a, b in pairs)
            told.append(word(f"case.{key}", language, pairs=listed))
    if case.without:
        told.append(word("case.without", language, units="; ".join(named.get(unit, unit) for unit in case.without)))
    return [sentence for sentence in told if sentence]


def parts(case: BusinessCase, language: str) -> list[Part]:
    """Every table of the paper, in order."""
    couples = nightcover.couples(case.best, case.calls, case.names, language)
    money = nightcover.by_municipality(case.best, case.names, language, case.own)
    nights = case.best.candidates.nights
    named = dict(zip(nights.ids, nights.names, strict=True))
    moved = nightcover.co_locations(
        (plan.co_locations(case.best.candidates) if case.moved is None else case.moved).head(10), named, language
    )
    return [
        (word("case.money", language), money, nightcover.MONEY_COLUMNS),
        (word("case.couplings", language), couples, _COUPLES),
        (word("case.risks", language), couples, _RISKS),
        (word("case.played", language), _played(case, language), _PLAYED),
        (word("case.shares", language), nightcover.shares(case.best, case.names, language), nightcover.SHARE_COLUMNS),
        (word("case.rules", language), nightcover.rules_checked(case.best, language), _RULE_COLUMNS),
        (word("case.sensitivity", language), case.tornado, nightcover.TORNADO_COLUMNS),
        (word("case.frontier", language), nightcover.frontier(case.frontier, case.best, language), nightcover.FRONTIER_COLUMNS),
        (word("case.variant", language), moved, nightcover.COLOCATION_COLUMNS),
        (word("case.assumptions", language), assumed(case, language), _ASSUMPTION_COLUMNS),
    ]


_PLAYED: tuple[str | Column, ...] = ("nr", "units_named", "played_overlaps", "played_wait", "played_uncovered")


def _played(case: BusinessCase, language: str) -> pl.DataFrame:
    """The simulated risk; no rows where nothing was simulated."""
    if len(case.played) != len(case.best.couples):
        return pl.DataFrame(schema={str(key): pl.String for key in _PLAYED})
    return nightcover.risks(case.best, case.played, language)


def notes(case: BusinessCase, language: str) -> list[str]:
    """What the paper cannot tell."""
    names = ("published", "incidents", "quiet", "roster", "counts", "decision")
    blanks = {"nights": NIGHTS, "least": plan.LEAST_NIGHTS, "few": nightcover.LEAST_SHOWN}
    told = [word(f"reservation.{name}", language, **blanks) for name in names]
    return [i18n.text("app.demo_help", language), *told] if case.synthetic else told


def _about(case: BusinessCase, language: str) -> list[tuple[str, str]]:
    facts = [
        (word("case.area", language), case.area),
        (i18n.text("ui.export.day", language), formats.date(case.day, language)),
        (i18n.text("ui.export.source", language), i18n.text("ui.export.source_text", language, version=case.version[:12])),
    ]
    if case.synthetic:
        facts.append((i18n.text("ui.export.data", language), i18n.text("app.demo", language)))
    return facts


# --- PDF ---------------------------------------------------------------------------------------------------------------------------------


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _printable(text: str) -> str:
    return text.translate(_SIGNS)


class _Paper(FPDF):
    """A4, with the paper's name and the page's number at the foot of every page."""

    def __init__(self, foot: str, page_of: str) -> None:
        super().__init__(format="A4")
        self.foot, self.page_of = foot, page_of
        for style, name in (("", "regular"), ("B", "bold")):
            self.add_font(FONT, style, settings.ROOT / "static" / f"samplads-sans-{name}.ttf")
        self.set_margins(16, 16)
        self.set_auto_page_break(True, 18)
        self.set_font(FONT, size=10)
        self.set_text_color(*_rgb(theme.TEXT))
        self.set_draw_color(*_rgb(theme.LINE))

    def footer(self) -> None:
        """Foot of a page."""
        self.set_y(-13)
        self.set_font(FONT, size=8)
        self.set_text_color(*_rgb(theme.MUTED))
        self.cell(0, 5, self.foot)
        self.set_x(self.l_margin)
        self.cell(0, 5, f"{self.page_of} {self.page_no()} / {{nb}}", align="R")
        self.set_text_color(*_rgb(theme.TEXT))

    def heading(self, text: str, below: float = 40) -> None:
        """A part's title, never alone at the foot of a page: `below` millimetres of what follows stand with it."""
        if self.will_page_break(below):
            self.add_page()
        self.ln(4)
        self.start_section(text)
        self.set_font(FONT, "B", 13)
        self.multi_cell(0, 7, _printable(text), new_x="LMARGIN", new_y="NEXT")
        self.ln(1)
        self.set_font(FONT, size=10)

    def sentence(self, text: str, size: float = 10, style: str = "") -> None:
        """A paragraph."""
        self.set_font(FONT, style, size)
        self.multi_cell(0, size * 0.5, _printable(text), align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(1.2)
        self.set_font(FONT, size=10)


_WIDE = {
    "units_named": 5.0,
    "net_by_municipality": 3.7,
    "verdicts": 5.0,
    "verdicts_named": 4.4,
    "dearer": 3.0,
    "rule_limit": 3.0,
    "source": 6.0,
    "assumption": 5.0,
    "night_rule": 5.0,
}
_WIDTHS = _WIDE | {
    "nr": 0.8,
    "unit_name": 4.0,
    "frontier_plan": 5.0,
    "assumption_part": 2.0,
    "municipality_name": 2.4,
    "travel_minutes": 1.4,
    "saving_ore": 2.5,
    "net_ore": 2.3,
    "warned_in": 2.4,
    "value": 3.2,
    "payback": 1.9,
    "net_payback": 2.5,
    "sharing_now": 2.2,
    "couple_status": 2.2,
}


def _table(paper: _Paper, frame: pl.DataFrame, wanted: Sequence[str | Column], language: str, last_is_sum: bool) -> None:
    shown = tables.columns(frame, wanted)
    values = tables.plain(frame, shown, language)
    texts = [[_printable(text) for text in tables.written(values[spec.key], spec, language)] for spec in shown]
    empty = [values[spec.key].is_null().to_list() for spec in shown]
    heading = FontFace(emphasis="BOLD", fill_color=_rgb(theme.PANEL))
    paper.set_font(FONT, size=7.6)
    with paper.table(
        col_widths=tuple(_WIDTHS.get(spec.key, 2.0) for spec in shown),
        text_align=tuple("RIGHT" if spec.right else "LEFT" for spec in shown),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        cell_fill_mode=TableCellFillMode.NONE,
        headings_style=heading,
        line_height=3.7,
        padding=(0.8, 1),
        first_row_as_headings=True,
    ) as table:
        table.row([_printable(name) for name in tables.headers(shown, language)])
        for row in range(frame.height):
            bold = FontFace(emphasis="BOLD") if last_is_sum and row == frame.height - 1 else None
            # A sum has no number of its own; elsewhere unknown is said.
            cells = [
                "" if blank[row] and last_is_sum and row == frame.height - 1 else column[row]
                for column, blank in zip(texts, empty, strict=True)
            ]
            table.row(cells, style=bold)
    paper.set_font(FONT, size=10)


@cache
def _fonts_known() -> None:
    vl_convert.register_font_directory(str(settings.ROOT / "static"))


def picture(chart: charts.Picture, language: str, width: int = 640) -> bytes:
    """A chart as PNG at twice its size."""
    _fonts_known()
    spec = charts.themed(chart, language)
    spec["width"] = width
    spec["config"]["font"] = FONT
    spec["background"] = theme.PAPER
    text = vl_convert.vegalite_to_png(spec, scale=2, **_locale(spec))
    return bytes(text)


def _locale(spec: Mapping[str, Any]) -> dict[str, Any]:
    told = spec["config"].get("locale") or {}
    return {name: told[kind] for name, kind in (("format_locale", "number"), ("time_format_locale", "time")) if kind in told}


def _draw(paper: _Paper, chart: charts.Picture, alt: str, language: str) -> None:
    image = io.BytesIO(picture(chart, language))
    paper.image(image, w=paper.epw, keep_aspect_ratio=True, alt_text=_printable(alt))
    paper.ln(2)


def pdf(case: BusinessCase, language: str) -> bytes:
    """The paper as PDF: text that can be searched and copied, titles as bookmarks, pictures with their text."""
    title = word("case.title", language)
    paper = _Paper(f"{title} · {case.area} · {formats.date(case.day, language)}", word("case.page", language))
    paper.set_title(f"{title} · {case.area}")
    paper.set_lang(language)
    paper.set_creation_date(dt.datetime.combine(case.day, dt.time(12), dt.UTC))
    paper.set_creator("Samplads")
    paper.add_page()
    paper.set_font(FONT, "B", 20)
    paper.multi_cell(0, 9, title, new_x="LMARGIN", new_y="NEXT")
    if case.synthetic:
        paper.set_font(FONT, "B", 9)
        paper.set_fill_color(*_rgb(theme.WARNING))
        paper.set_text_color(255, 255, 255)
        paper.cell(paper.get_string_width(i18n.text("app.demo", language)) + 6, 6, i18n.text("app.demo", language), fill=True, align="C")
        paper.set_text_color(*_rgb(theme.TEXT))
        # Table cells would take the badge's colour.
        paper.set_fill_color(255, 255, 255)
        paper.ln(8)
    paper.sentence(" · ".join(f"{name}: {value}" for name, value in _about(case, language)), 9)
    paper.ln(1)
    paper.sentence(nightcover.answer(case.best, language), 13, "B")
    for sentence in sentences(case, language):
        paper.sentence(sentence)
    if case.best.couples:
        paper.heading(word("case.figures", language))
        frame = pl.DataFrame(figures(case, language), schema=["figure", "amount"], orient="row")
        _figures(paper, frame)
        _draw(
            paper,
            nightcover.couples_map(case.best, case.outline, case.names, language, height=300),
            nightcover.couples_map_alt(case.best, case.names, language),
            language,
        )
        paper.sentence(case.map_caption, 8)
    sums = (word("case.money", language), word("case.shares", language))
    for name, frame, wanted in parts(case, language):
        if frame.is_empty():
            continue
        pictured = name == word("case.sensitivity", language)
        paper.heading(name, 150 if pictured else 40)
        if pictured:
            _draw(paper, nightcover.tornado_chart(frame, language), nightcover.tornado_alt(frame, language), language)
        _table(paper, frame, wanted, language, name in sums)
    paper.heading(word("case.reservations", language))
    for sentence in notes(case, language):
        paper.sentence(sentence)
    return bytes(paper.output())


def _figures(paper: _Paper, frame: pl.DataFrame) -> None:
    paper.set_font(FONT, size=10)
    with paper.table(
        col_widths=(3, 2),
        text_align=("LEFT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        first_row_as_headings=False,
        line_height=5.4,
        width=130,
        align="LEFT",
    ) as table:
        for label, amount in frame.iter_rows():
            table.row([_printable(label), _printable(amount)])
    paper.ln(3)


# --- workbook ----------------------------------------------------------------------------------------------------------------------------


def xlsx(case: BusinessCase, language: str) -> bytes:
    """The paper as a workbook: a sheet with the answer, then one a table, money and counts as numbers."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        front = book.add_worksheet(word("case.sheet", language))
        front.set_column(0, 0, 44, wrap)
        front.set_column(1, 1, 60, wrap)
        front.write_string(0, 0, word("case.title", language), book.add_format({"bold": True, "font_size": 16}))
        line = 1
        for name, value in (*_about(case, language), *(figures(case, language) if case.best.couples else ())):
            front.write_string(line, 0, name, bold)
            front.write_string(line, 1, value)
            line += 1
        line += 1
        for sentence in (nightcover.answer(case.best, language), *sentences(case, language), *notes(case, language)):
            front.merge_range(line, 0, line, 1, sentence, wrap)
            front.set_row(line, 15 * (1 + len(sentence) // 95))
            line += 1
        for name, frame, wanted in parts(case, language):
            if frame.is_empty():
                continue
            sheet = book.add_worksheet(exports._SHEET_FORBIDS.sub(" ", name)[:31])
            heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
            more = nightcover.COUPLE_MORE if name == word("case.couplings", language) else ()
            shown = tables.columns(frame, dict.fromkeys((*wanted, *(column for column in more if column not in wanted))))
            values = tables.plain(frame, shown, language)
            sheet.write_row(0, 0, tables.headers(shown, language), heading)
            for index, spec in enumerate(shown):
                form = exports._cell_format(spec)
                cell = book.add_format({"num_format": form} if form else {"text_wrap": True, "valign": "top"})
                sheet.set_column(index, index, 14 if spec.right else 34, cell)
                for row, value in enumerate(values[spec.key], start=1):
                    exports._write(sheet, row, index, value, cell)
            sheet.freeze_panes(1, 0)
    return buffer.getvalue()
