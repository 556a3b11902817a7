"""Personal data that a delivery must not hold: civil registration numbers, and columns that promise names or addresses of citizens.

What counts as a number
    ddmmyy-xxxx, ddmmyy xxxx or ddmmyyxxxx with a valid date, alone or inside a longer text. Check digits are not asked for: numbers
    without a valid one have been issued since 2007. Administrative numbers (day + 60) count where a hyphen or blank divides them.

What does not, although it may look like one
    * a UUID, and a token of twelve or more hexadecimal digits with at least one letter among them (keys of other systems);
    * a cell that is one decimal number (55,1011991234);
    * a whole cell of ten digits that begins with 10 in a column of P-numbers: those issued so far do, and many pass for a date
      (in Open Referral packages they stand in `identifier`, beside a column that tells its type);
    * a whole cell of digits in the column of the spend extract that holds an amount, where a sum of a billion may pass for a date.
    The last two hold for the form without hyphen or blank only.

The broad search runs as one expression a column; only what it catches is looked at by hand. The date is judged by python-stdnum.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import polars as pl
from stdnum.dk import cpr
from stdnum.exceptions import ValidationError

_DAY = "(?:0[1-9]|[12][0-9]|3[01]|6[1-9]|[78][0-9]|9[01])"
_BLANK = "[\\s\u00a0\u200b-\u200d\u2060\ufeff]"
_HYPHEN = "[-\u2010-\u2015\u2212\u00ad]"
_BETWEEN = f"{_BLANK}{{0,2}}{_HYPHEN}?{_BLANK}{{0,2}}"
_NUMBER = f"{_DAY}(?:0[1-9]|1[0-2])[0-9]{{2}}{_BETWEEN}[0-9]{{4}}"

BROAD = f"(?:^|[^0-9]){_NUMBER}(?:$|[^0-9])"
"""For the vectorised search (Rust has no look-around): catches every number and some that are none."""

_EXACT = re.compile(f"(?<![0-9])({_DAY}(?:0[1-9]|1[0-2])[0-9]{{2}})({_BETWEEN})([0-9]{{4}})(?![0-9])", re.ASCII)
# A divided number must have blanks of any alphabet, which re.ASCII would not take as \s: they are listed in _BLANK.
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])")
_KEY = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{12,}(?![0-9A-Za-z])")
_DECIMAL = re.compile(r"\s*[+-]?[0-9]{1,7}[.,][0-9]{5,}(?:[eE][+-]?[0-9]+)?\s*")
_P_NUMBER = re.compile(r"\s*10[0-9]{8}\s*")
_AMOUNT = re.compile(r"\s*[0-9]+\s*")

P_NUMBER_HEADERS = frozenset({"pnumber", "pnummer", "produktionsenhedsnummer", "productionunitnumber", "produktionsnummer"})
SAMPLE = 2_000
"""Cells by which a column is judged to hold another kind of numbers."""

REPEATING = 20_000
"""Cells by which a column is judged to repeat itself: as many days as there are in thirty years fit in twice."""

TYPED_IDENTIFIER = ("identifier", frozenset({"identifierscheme", "identifiertype"}))
"""Open Referral's column of identifiers, and the columns beside it that tell what they are."""

AMOUNT_HEADERS = frozenset({"amount", "amountore", "udgift", "spend"})

_PERSON = (
    "borger|citizen|beboer|resident|klient|client|patient|pårørende|paaroerende|relative|barnet|barns|denunge|ungs|unges|ungens"
    "|elevens|elevs|elevers|indskrevn|brugers|brugeren|persons|personens|personers|værge|vaerge|guardian"
)
_PROMISE = "navn|name|adr|address|telefon|phone|mobil|mail|initialer|initials|fødselsda|foedselsda|birth|bopæl|bopael"
_PERSONAL_HEADER = re.compile(f"(?:{_PERSON}).*(?:{_PROMISE})|(?:{_PROMISE})(?:på|paa|pa|of|for|til|the)+(?:{_PERSON})")
_NUMBER_WORDS = frozenset({"cpr", "cprnr", "cprnummer", "cprno", "cprnumber", "personnummer", "personnr", "ssn", "socialsecuritynumber"})
_NAME_WORDS = frozenset(
    {
        *("fornavn", "fornavne", "mellemnavn", "efternavn", "kaldenavn", "firstname", "middlename", "lastname", "surname"),
        *("givenname", "familyname", "personnavn", "personname", "personsnavn", "navnpåperson", "hjemadresse", "bopælsadresse"),
        *("bopaelsadresse", "homeaddress", "folkeregisteradresse", "fuldenavn", "fuldtnavn", "heltnavn", "fullname"),
    }
)
_WHOLE_HEADERS = frozenset(
    {
        *("borger", "borgeren", "citizen", "beboer", "beboeren", "resident", "klient", "klienten", "client", "patient", "patienten"),
        *("elev", "eleven", "person", "personen", "pårørende", "paaroerende", "værge", "værgen", "vaerge", "guardian", "initialer"),
        *("initials", "fødselsdato", "foedselsdato", "fødselsdag", "foedselsdag", "født", "foedt", "birthdate", "birthday"),
        *("dateofbirth", "dob", "bopæl", "bopael", "residence"),
    }
)
"""Headers that promise a citizen's name, address or birthday where they stand alone; as part of a longer one they may be harmless
("Bopælskommune", "Antal personer")."""

ABOUT_PERSONS = frozenset({"stay", "need", "night_incident", "youth"})
"""Extracts whose rows are about citizens: a bare "Navn" or "Adresse" there is a citizen's."""

_BARE = frozenset(
    {
        *("navn", "navne", "name", "names", "adresse", "adr", "address", "vejnavn", "gade", "street", "telefon", "tlf", "phone"),
        *("telefonnummer", "mobil", "mobilnummer", "mail", "email", "emailadresse"),
    }
)

NAME_LIKE = r"^\s*[\p{L}][\p{L}'’.-]*(?:[\s\x{00a0}]+[\p{L}][\p{L}'’.-]*)+\s*$"
"""A reference made of words with blanks between them is somebody's name and no pseudonym (for the vectorised search)."""

SHORTENED = "^[1-9](?:0[1-9]|1[0-2])[0-9]{6}$"
"""A civil registration number whose leading zero a spreadsheet dropped: the days 1 to 9 are in every month."""
SHORTENED_LEAST = 3
SHORTENED_SHARE = 0.9
"""How many cells of a column, and which share of them, must look so: of other numbers of nine digits one in eight does."""

SHORTEST = 10
"""Bytes that a cell must have to hold a number."""

REDACTED = "••••••-••••"


def squeezed(header: str) -> str:
    """A header as its letters and digits in lower case: how headers are compared."""
    return "".join(sign for sign in unicodedata.normalize("NFC", header).casefold() if sign.isalnum())


def read_as(header: str, others: Iterable[str]) -> str:
    """The header by which a column is judged: P-numbers may stand under another one that its table explains."""
    name, beside = TYPED_IDENTIFIER
    if squeezed(header) == name and beside & {squeezed(other) for other in others}:
        return "p_number"
    return header


def _is_date(day: str, serial: str) -> bool:
    number = day + serial
    if int(day[:2]) > 60:
        number = f"{int(day[:2]) - 60:02d}{day[2:]}{serial}"
    # The seventh digit tells the century. The shape alone is asked for here, so a day that exists in any century counts: 29 February 00.
    for century_digit in (serial[0], "4"):
        try:
            cpr.get_birth_date(number[:6] + century_digit + serial[1:])
        except ValidationError:
            continue
        return True
    return False


def _matches(text: str) -> list[re.Match[str]]:
    """Where civil registration numbers stand in a text that carries no keys of other systems."""
    return [
        match
        for match in _EXACT.finditer(text)
        if _is_date(match.group(1), match.group(3)) and (match.group(2) or int(match.group(1)[:2]) <= 31)
    ]


def _without_keys(text: str) -> str:
    """A text of the same length in which keys of other systems are blotted out."""
    for pattern in (_UUID, _KEY):
        text = pattern.sub(lambda match: "x" * len(match.group()), text)
    return text


def holds_number(text: str, header: str = "") -> bool:
    """Whether a text holds a civil registration number; `header` is that of its column, where it stands in one."""
    if _DECIMAL.fullmatch(text):
        return False
    name = squeezed(header)
    if name in P_NUMBER_HEADERS and _P_NUMBER.fullmatch(text):
        return False
    if name in AMOUNT_HEADERS and _AMOUNT.fullmatch(text):
        return False
    return bool(_matches(_without_keys(text)))


def redacted(text: str) -> str:
    """A text with every civil registration number in it blotted out."""
    if _DECIMAL.fullmatch(text) or not any(sign.isdigit() for sign in text):
        return text
    for match in reversed(_matches(_without_keys(text))):
        text = text[: match.start()] + REDACTED + text[match.end() :]
    return text


def promises_citizens(header: str, known: Iterable[str] = (), extract: str | None = None) -> bool:
    """Whether a header promises civil registration numbers, names or addresses of citizens.

    `known` holds headers (squeezed) that the table's own contract asks for: they are never refused, whatever words they use. `extract` is
    what the table holds, where that is known: in one about citizens a bare "Navn" is a citizen's.
    """
    name = squeezed(header)
    if not name or name in known:
        return False
    if extract in ABOUT_PERSONS and name in _BARE:
        return True
    words = {squeezed(word) for word in re.split(r"[^\w]+|_", header) if word}
    return bool(
        name in _NUMBER_WORDS
        or name in _NAME_WORDS
        or name in _WHOLE_HEADERS
        or words & _NUMBER_WORDS
        or words & _NAME_WORDS
        or _PERSONAL_HEADER.search(name)
        or name.endswith(("cpr", "cprnr", "cprnummer", "personnummer"))
        or name.startswith("cpr")
    )


def _as_text(column: pl.Series) -> pl.Series:
    """A column of any type as text in which a number could stand; empty where its type cannot hold one."""
    kind = column.dtype
    nothing = pl.Series(column.name, [], dtype=pl.String)
    if kind == pl.String:
        return column
    if kind.is_integer():
        # A spreadsheet drops a leading zero, but nine digits are any number: refusing them would refuse one key in eight.
        return column.cast(pl.String)
    if kind.is_float():
        whole = (column == column.floor()).fill_null(False) & column.is_finite().fill_null(False) & (column.abs() < 1e15).fill_null(False)
        return column.set(~whole, None).cast(pl.Int64, strict=False).cast(pl.String)
    if isinstance(kind, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(kind, pl.Array):
        return _as_text(column.arr.to_list())
    if isinstance(kind, pl.List):
        if kind.inner.is_nested() or kind.inner in (pl.Binary, pl.Duration, pl.Object):
            return column.map_elements(lambda items: str(items.to_list()), return_dtype=pl.String)
        return column.list.eval(pl.element().cast(pl.String)).list.join("|")
    if isinstance(kind, pl.Struct):
        return column.struct.json_encode()
    if kind == pl.Binary:
        return column.map_elements(lambda raw: raw.decode("latin-1"), return_dtype=pl.String)
    if isinstance(kind, pl.Decimal):
        # As another system's number of ten digits: 1203851234 or 1203851234.00.
        return column.cast(pl.String).str.replace(r"\.0*$", "")
    if kind == pl.Duration:
        return column.to_physical().cast(pl.String)
    return nothing


def looks_shortened(column: pl.Series, header: str = "") -> tuple[int, int] | None:
    """How many cells of a column are whole numbers that look like civil registration numbers without their leading zero, and how many
    cells hold anything at all. None where the first cells show that it is another column, and for amounts and P-numbers."""
    if squeezed(header) in P_NUMBER_HEADERS | AMOUNT_HEADERS:
        return None
    text = _as_text(column)
    first = text.head(SAMPLE).str.strip_chars()
    if 2 * int(first.str.contains(SHORTENED).sum() or 0) < int((first != "").sum() or 0):
        return None
    text = text.str.strip_chars()
    return int(text.str.contains(SHORTENED).sum() or 0), int((text != "").sum() or 0)


def repeats(cells: pl.Series) -> bool:
    """Whether a column tells the same cells again and again, judged by its first ones."""
    return cells.len() > REPEATING and cells.head(REPEATING).n_unique() < REPEATING // 2


def few(cells: pl.Series) -> pl.Series:
    """The different cells of a column that repeats itself, else the column: a search need not look at the same cell twice."""
    return cells.unique() if repeats(cells) else cells


def rows_with_numbers(column: pl.Series, header: str = "", limit: int = 100, *, different: pl.Series | None = None) -> Sequence[int]:
    """Positions in a column whose cells hold a civil registration number, at most `limit` of them.

    `different` are the column's `few` cells, where its caller has them at hand.
    """
    text = _as_text(column)
    if not text.len():
        return []
    searched = few(text) if different is None or column.dtype != pl.String else different
    if not searched.str.contains(BROAD).any():
        return []
    candidates = text.str.contains(BROAD)
    found: list[int] = []
    for position in candidates.fill_null(False).arg_true().to_list():
        if holds_number(text[position], header):
            found.append(position)
            if len(found) >= limit:
                break
    return found
