"""Charts and maps, in the product's colours and the page's language, each with a text that says the same.

A chart function takes a frame with one row a mark and gives an Altair chart; its twin `<name>_alt` gives the text alternative. Nothing is
fetched: the map is a coast outline from the reference folder, as GeoJSON in the chart itself. Sizes, colours and shapes always go with a
word in the tooltip, and no meaning rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from samplads import i18n
from samplads.presenting import formats, tables, theme

_AXIS_HEIGHT = 50
"""Pixels of an axis with its title: a chart's height on a page counts axes and legends in."""


@dataclass(frozen=True)
class Picture:
    """A chart and its rows apart from each other: Altair checks and copies whatever lies in a chart, a coast of two thousand points too.

    `chart` names its data (`alt.NamedData`), `data` has them by those names.
    """

    chart: alt.TopLevelMixin
    data: Mapping[str, Any]


def themed(picture: Picture | alt.TopLevelMixin, language: str, dark: bool = False) -> dict[str, Any]:
    """The chart as a Vega-Lite specification with our type, colours and number forms; `dark` is the page's colour scheme."""
    chart, data = (picture.chart, picture.data) if isinstance(picture, Picture) else (picture, {})
    spec: dict[str, Any] = chart.to_dict(format="vega-lite", validate=not data)
    spec["datasets"] = {**spec.get("datasets", {}), **data}
    config = theme.altair_config(language)
    # Vega describes axes and legends to a screen reader in English; each chart's own text alternative says what they say.
    config["axis"] |= {"labelColor": theme.TEXT, "titleColor": theme.TEXT, "gridColor": theme.LINE, "aria": False}
    config["legend"] |= {"labelColor": theme.TEXT, "titleColor": theme.TEXT, "aria": False}
    config["text"] = {"color": theme.TEXT, "fontSize": 13}
    config["title"] = {"color": theme.TEXT, "fontSize": 15}
    # The coast is the ground, not data: who hears the map rather than sees it is not told of it (axe: svg-img-alt).
    config["geoshape"] = {"fill": theme.LAND, "stroke": theme.COAST, "strokeWidth": 0.7, "aria": False}
    spec["config"] = config
    if not dark:
        return spec
    # Light values are dark on paper: on a dark page the ramp runs the other way.
    config["range"]["ramp"] = config["range"]["ramp"][::-1]
    return {name: part if name == "datasets" else _darkened(part) for name, part in spec.items()}


def _darkened(part: Any) -> Any:
    """A part of a specification with each of our colours as it is on a dark page."""
    if isinstance(part, dict):
        return {name: _darkened(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_darkened(value) for value in part]
    return theme.DARK.get(part, part) if isinstance(part, str) else part


_ROWS = alt.NamedData("rows")


def _rows(frame: pl.DataFrame) -> dict[str, Any]:
    """Rows as the dataset `rows`: what a chart shows is small."""
    rows = [{name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()} for row in frame.to_dicts()]
    return {"rows": rows}


def _written(frame: pl.DataFrame, key: str, language: str) -> pl.Series:
    """A column as it is written on the screen."""
    spec = tables.column(key, frame.schema[key])
    unit = f"{formats.NARROW}{i18n.text(f'units.{spec.unit}', language)}" if spec.unit else ""
    plain = tables.plain(frame, [spec], language)[key]
    texts = tables.written(plain, spec, language)
    return pl.Series([f"{text}{unit if value is not None else ''}" for text, value in zip(texts, plain, strict=True)], dtype=pl.String)


def written_value(frame: pl.DataFrame, row: int, key: str, language: str) -> str:
    """One value of a frame as it is written on the screen, with its unit."""
    return str(_written(frame.slice(row, 1), key, language)[0])


def bars(
    frame: pl.DataFrame,
    label: str,
    value: str,
    language: str,
    *,
    highlight: Sequence[str] = (),
    colour: str | None = None,
    bar_height: int = 26,
) -> Picture:
    """Lying bars in the frame's order, each with its value written at its end. `highlight` names labels that carry the accent.

    `colour` names a column whose word picks the colour, for bars of different kinds.
    """
    header = tables.header(tables.column(value, frame.schema[value]), language)
    shown = frame.with_columns(_written(frame, value, language).alias("written"), pl.col(label).fill_null(formats.unknown(language)))
    if tables.column(value).kind == "money":
        shown = shown.with_columns(pl.col(value) / 100)
    base = alt.Chart(_ROWS).encode(
        y=alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=320)),
        x=alt.X(f"{value}:Q", title=header, axis=alt.Axis(format=",.0f", tickCount=5)),
        tooltip=[
            alt.Tooltip(f"{label}:N", title=tables.header(tables.column(label), language)),
            alt.Tooltip("written:N", title=header),
        ],
    )
    bar = base.mark_bar(height={"band": 0.72})
    if colour is not None:
        title = tables.header(tables.column(colour), language)
        bar = bar.encode(color=alt.Color(f"{colour}:N", title=title, scale=alt.Scale(range=list(theme.CATEGORICAL))))
    elif highlight:
        chosen = alt.FieldOneOfPredicate(field=label, oneOf=list(highlight))
        bar = bar.encode(color=alt.condition(chosen, alt.value(theme.ACCENT), alt.value(theme.CATEGORICAL[4])))
    text = base.mark_text(align="left", dx=5).encode(text="written:N")
    chart = alt.layer(bar, text).properties(height=max(60, bar_height * shown.height) + _AXIS_HEIGHT, width="container")
    return Picture(chart, _rows(shown))


def bars_alt(frame: pl.DataFrame, label: str, value: str, language: str, most: int = 12) -> str:
    """The bars as a sentence: what is measured, then each label with its value."""
    parts = [
        f"{name or formats.unknown(language)} {amount}" for name, amount in zip(frame[label], _written(frame, value, language), strict=True)
    ]
    rest = i18n.text("ui.chart.more", language, n=formats.number(len(parts) - most, language)) if len(parts) > most else ""
    what = tables.header(tables.column(value, frame.schema[value]), language)
    return i18n.text("ui.chart.bars_alt", language, what=what, values="; ".join(parts[:most]) + rest)


def line(frame: pl.DataFrame, x: str, y: str, language: str, *, series: str | None = None, height: int = 280) -> Picture:
    """A line over days or numbers, one a `series`; points carry the value, dash patterns tell the series apart without colour."""
    by_day = frame.schema[x] in (pl.Date, pl.Datetime)
    header = tables.header(tables.column(y, frame.schema[y]), language)
    shown = frame.with_columns(_written(frame, y, language).alias("written"), _written(frame, x, language).alias("at"))
    if tables.column(y).kind == "money":
        shown = shown.with_columns(pl.col(y) / 100)
    tooltip = [
        alt.Tooltip("at:N", title=tables.header(tables.column(x), language)),
        alt.Tooltip("written:N", title=header),
    ]
    chart: alt.Chart = (
        alt.Chart(_ROWS)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                f"{x}:{'T' if by_day else 'Q'}",
                title=tables.header(tables.column(x, frame.schema[x]), language),
                axis=alt.Axis(format="%b %Y" if by_day else ",", tickCount=8),
                scale=alt.Scale(zero=False) if not by_day else alt.Undefined,
            ),
            y=alt.Y(f"{y}:Q", title=header, axis=alt.Axis(format=",f")),
            tooltip=tooltip,
        )
    )
    if series is not None:
        title = tables.header(tables.column(series), language)
        chart = chart.encode(
            color=alt.Color(f"{series}:N", title=title, sort=None),
            strokeDash=alt.StrokeDash(f"{series}:N", title=title, sort=None),
            tooltip=[alt.Tooltip(f"{series}:N", title=title), *tooltip],
        )
    return Picture(chart.properties(height=height, width="container"), _rows(shown))


def line_alt(frame: pl.DataFrame, x: str, y: str, language: str, *, series: str | None = None) -> str:
    """Each line from its first to its last value, with its highest."""
    parts = []
    groups = [("", frame)] if series is None else [(str(key[0]), part) for key, part in frame.group_by(series, maintain_order=True)]
    for name, part in groups:
        known = part.drop_nulls(y)
        if known.is_empty():
            continue
        at, written = _written(known, x, language), _written(known, y, language)
        top = known[y].arg_max() or 0
        words = {"first": written[0], "start": at[0], "last": written[-1], "end": at[-1], "top": written[top], "when": at[top]}
        parts.append(f"{name + ': ' if name else ''}{i18n.text('ui.chart.line_part', language, **words)}")
    what = tables.header(tables.column(y, frame.schema[y]), language)
    return i18n.text("ui.chart.line_alt", language, what=what, values="; ".join(parts) or formats.unknown(language))


def scatter(
    frame: pl.DataFrame,
    x: str,
    y: str,
    language: str,
    *,
    name: str,
    kind: str | None = None,
    select: str | None = None,
    height: int = 320,
) -> Picture:
    """One point a row; `kind` (a worded column) picks colour and shape; `select` names a click selection on `name`."""
    header_x, header_y = (tables.header(tables.column(key, frame.schema[key]), language) for key in (x, y))
    shown = frame.with_columns(_written(frame, x, language).alias("written_x"), _written(frame, y, language).alias("written_y"))
    shown = shown.with_columns(pl.col(key) / 100 for key in dict.fromkeys((x, y)) if tables.column(key).kind == "money")
    chart: alt.Chart = (
        alt.Chart(_ROWS)
        .mark_point(filled=True, size=90, opacity=0.85)
        .encode(
            x=alt.X(f"{x}:Q", title=header_x, axis=alt.Axis(format=",~f")),
            y=alt.Y(f"{y}:Q", title=header_y, axis=alt.Axis(format=",~f")),
            tooltip=[
                alt.Tooltip(f"{name}:N", title=tables.header(tables.column(name), language)),
                alt.Tooltip("written_x:N", title=header_x),
                alt.Tooltip("written_y:N", title=header_y),
            ],
        )
    )
    if kind is not None:
        title = tables.header(tables.column(kind), language)
        chart = chart.encode(
            color=alt.Color(f"{kind}:N", title=title, sort=None, scale=alt.Scale(range=list(theme.CATEGORICAL))),
            shape=alt.Shape(f"{kind}:N", title=title, sort=None),
        )
    if select is not None:
        chart = chart.add_params(alt.selection_point(name=select, fields=[name]))
    return Picture(chart.properties(height=height, width="container"), _rows(shown))


def scatter_alt(frame: pl.DataFrame, x: str, y: str, language: str, *, name: str, most: int = 8) -> str:
    """How many points, and the first of them with both values."""
    headers = [tables.header(tables.column(key, frame.schema[key]), language) for key in (x, y)]
    rows = zip(frame[name], _written(frame, x, language), _written(frame, y, language), strict=True)
    parts = [f"{label}: {first}, {second}" for label, first, second in list(rows)[:most]]
    count = formats.number(frame.height, language)
    return i18n.text("ui.chart.scatter_alt", language, x=headers[0], y=headers[1], n=count, values="; ".join(parts))


def states(occupied: int | None, reserved: int | None, accepting: int | None, maximum: int | None, language: str) -> Picture:
    """A unit's places in their four states as one bar, with the number written in each part."""
    parts = _states(occupied, reserved, accepting, maximum)
    rows: list[dict[str, Any]] = []
    start = 0
    for name in theme.STATES:
        count = parts[name]
        rows.append(
            {
                "state": i18n.text(f"ui.states.{name}", language),
                "start": start,
                "end": start + count,
                "middle": start + count / 2,
                "count": count,
                "written": formats.number(count, language),
            }
        )
        start += count
    base = alt.Chart(_ROWS)
    colours = alt.Scale(domain=[row["state"] for row in rows], range=[theme.STATE_COLOURS[name] for name in theme.STATES])
    bar = base.mark_bar(height=30).encode(
        x=alt.X("start:Q", title=None, axis=None, scale=alt.Scale(domain=[0, max(start, 1)], nice=False)),
        x2="end:Q",
        color=alt.Color("state:N", title=None, scale=colours, legend=alt.Legend(orient="bottom", columns=4, symbolType="square")),
        tooltip=[
            alt.Tooltip("state:N", title=i18n.text("ui.states.title", language)),
            alt.Tooltip("written:N", title=i18n.text("units.places", language)),
        ],
    )
    # A part too narrow for its number, as wide as the page lets it be, has it in the tooltip and in the text alternative.
    fits = alt.expr(f"(datum.end - datum.start) / {max(start, 1)} * width >= 9 * length(datum.written) + 6 ? 1 : 0")
    idle = alt.FieldEqualPredicate(field="state", equal=rows[-1]["state"])
    text = base.mark_text(fontWeight=600, opacity=fits).encode(
        x="middle:Q", text="written:N", color=alt.condition(idle, alt.value(theme.TEXT), alt.value(theme.PAPER))
    )
    chart = alt.layer(bar, text).properties(height=72, width="container")
    return Picture(chart, {"rows": [row for row in rows if row["count"]]})


def _states(occupied: int | None, reserved: int | None, accepting: int | None, maximum: int | None) -> dict[str, int]:
    used = {"occupied": occupied or 0, "reserved": reserved or 0, "accepting": accepting or 0}
    return used | {"idle": max(0, (maximum or 0) - sum(used.values()))}


def states_alt(occupied: int | None, reserved: int | None, accepting: int | None, maximum: int | None, language: str) -> str:
    """The four states as a sentence; says so where more places are told than there are."""
    parts = _states(occupied, reserved, accepting, maximum)
    words = [f"{formats.number(parts[name], language)} {i18n.text(f'ui.states.{name}', language).casefold()}" for name in theme.STATES]
    told = i18n.text("ui.states.alt", language, parts=formats.listing(words, language), maximum=formats.number(maximum, language))
    over = sum(parts[name] for name in ("occupied", "reserved", "accepting")) - (maximum or 0)
    return f"{told} {i18n.text('ui.states.over', language)}" if maximum is not None and over > 0 else told


def bubble_map(
    frame: pl.DataFrame,
    outline: Mapping[str, Any] | None,
    language: str,
    *,
    size: str = "accepting",
    band: str = "freshness",
    name: str = "municipality_name",
    height: int = 430,
) -> Picture:
    """The coast, and a bubble on each municipality: its size is a count, its colour and shape the freshness band.

    `frame` has `lat`, `lon` (degrees; rows without are left out), `name`, `size` (a count) and `band` (a freshness code). Without an
    outline the bubbles stand alone.
    """
    words = {code: i18n.text(f"choices.freshness.{code}", language) for code in theme.FRESHNESS}
    shown = frame.drop_nulls(["lat", "lon"]).sort(size, descending=True)
    shown = shown.select(
        "lat", "lon", name, size, pl.col(band).replace_strict(words, default=formats.unknown(language), return_dtype=pl.String)
    )
    header = tables.header(tables.column(size), language)
    domain = list(words.values())
    title = i18n.text("ui.map.freshness", language)
    bubbles = (
        alt.Chart(_ROWS)
        .mark_point(filled=True, opacity=0.8, stroke=theme.PAPER, strokeWidth=0.6)
        .encode(
            latitude="lat:Q",
            longitude="lon:Q",
            size=alt.Size(
                f"{size}:Q",
                title=header,
                scale=alt.Scale(range=[25, 700]),
                legend=alt.Legend(orient="bottom", format=",.0f", values=_round_sizes(shown[size]), direction="horizontal"),
            ),
            color=alt.Color(
                f"{band}:N",
                title=title,
                scale=alt.Scale(domain=domain, range=[theme.FRESHNESS_COLOURS[code] for code in theme.FRESHNESS]),
                legend=alt.Legend(orient="bottom", symbolSize=90, direction="horizontal"),
            ),
            shape=alt.Shape(
                f"{band}:N", title=title, scale=alt.Scale(domain=domain, range=[theme.FRESHNESS_SHAPES[code] for code in theme.FRESHNESS])
            ),
            tooltip=[
                alt.Tooltip(f"{name}:N", title=tables.header(tables.column(name), language)),
                alt.Tooltip(f"{size}:Q", title=header, format=","),
                alt.Tooltip(f"{band}:N", title=title),
            ],
        )
    )
    data = _rows(shown)
    layers = [bubbles]
    if outline is not None:
        layers.insert(0, alt.Chart(alt.NamedData("coast")).mark_geoshape())
        data["coast"] = _features(outline)
    return Picture(alt.layer(*layers).project(type="mercator").properties(height=height, width="container"), data)


def line_map(
    frame: pl.DataFrame,
    outline: Mapping[str, Any] | None,
    language: str,
    *,
    labels: Sequence[str],
    breadth: str | None = None,
    height: int = 520,
) -> Picture:
    """The coast, and a line for each row from (from_lat, from_lon) to (lat, lon), in degrees; `labels` are the columns of the tooltip.

    `breadth` is a column of counts: the more, the broader the line, and the larger the dot at its end (by area). A line of no length is a
    dot. Rows without a point are left out.
    """
    shown = frame.drop_nulls(["from_lat", "from_lon", "lat", "lon"]).select("from_lat", "from_lon", "lat", "lon", *labels)
    tip = [alt.Tooltip(f"{name}:N", title=tables.header(tables.column(name, shown.schema[name]), language)) for name in labels]
    rows = alt.Chart(_ROWS)
    rule = rows.mark_rule(color=theme.ACCENT, opacity=0.6, strokeWidth=1.6)
    dots = rows.mark_circle(color=theme.ACCENT, size=34, opacity=0.9)
    if breadth is not None:
        most = int(max(shown[breadth], default=0))
        scale = alt.Scale(type="sqrt", domain=[0, most], range=[0, 9])
        rule = rule.encode(strokeWidth=alt.StrokeWidth(f"{breadth}:Q", scale=scale, legend=None))
        dots = dots.encode(size=alt.Size(f"{breadth}:Q", scale=alt.Scale(domain=[0, most], range=[0, 400]), legend=None))
    layers: list[alt.Chart] = [
        rule.encode(longitude="from_lon:Q", latitude="from_lat:Q", longitude2="lon:Q", latitude2="lat:Q", tooltip=tip),
        dots.encode(longitude="lon:Q", latitude="lat:Q", tooltip=tip),
    ]
    data = _rows(shown)
    if outline is not None:
        layers.insert(0, alt.Chart(alt.NamedData("coast")).mark_geoshape())
        data["coast"] = _features(outline)
    return Picture(alt.layer(*layers).project(type="mercator").properties(height=height, width="container"), data)


def _features(outline: Mapping[str, Any]) -> list[Any]:
    """A GeoJSON object of any kind as a list of features."""
    if outline.get("type") == "FeatureCollection":
        return list(outline["features"])
    return [outline if outline.get("type") == "Feature" else {"type": "Feature", "properties": {}, "geometry": outline}]


def _round_sizes(counts: pl.Series) -> list[int]:
    """Up to three round counts for the legend of sizes: 1, 5, 20."""
    most = counts.max()
    largest = int(most) if isinstance(most, int | float) else 0
    rounds = [step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000) if step <= largest]
    return rounds if len(rounds) <= 3 else [rounds[0], rounds[len(rounds) // 2], rounds[-1]]


def bubble_map_alt(frame: pl.DataFrame, language: str, *, size: str = "accepting", name: str = "municipality_name", most: int = 8) -> str:
    """How many municipalities have something, and those with most."""
    some = frame.filter(pl.col(size) > 0).sort(size, name, descending=[True, False])
    top = [f"{label} {formats.number(count, language)}" for label, count in some.select(name, size).head(most).iter_rows()]
    what = tables.header(tables.column(size), language)
    places = formats.plural(some.height, "ui.map.municipalities", language)
    return i18n.text("ui.map.alt", language, what=what, places=places, values="; ".join(top) or formats.number(0, language))
