"""Which encoding a delivered text file is in, and the file made UTF-8 without reading it whole.

1. A byte-order mark decides (UTF-8, UTF-16, UTF-32).
2. Else, a file that is valid UTF-8 from end to end is UTF-8.
3. Else, many NUL bytes at every second place mean UTF-16 without a mark; NUL bytes otherwise mean that this is no text.
4. Else, the one-byte encodings of offices and old systems are tried on the bytes that are not ASCII: the one under which most of them are
   letters that Danish text holds wins, if that is nine in ten. charset-normalizer is asked where none is.
5. Text that was UTF-8 once and was saved as Windows-1252 since, in part, fits nothing: it is refused rather than kept garbled.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

import charset_normalizer

BLOCK = 1 << 20

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ONE_BYTE = ("cp1252", "cp850", "cp865", "mac_roman", "iso8859_15", "iso8859_4")
NAMES = {
    "cp1252": "Windows-1252",
    "cp850": "DOS (CP850)",
    "cp865": "DOS (CP865)",
    "mac_roman": "Mac Roman",
    "iso8859_15": "ISO 8859-15",
    "iso8859_4": "ISO 8859-4",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
"""What an encoding is called to a person."""

LETTERS = frozenset("æøåÆØÅéÉèÈêëËáÁàÀâíÍóÓòôöÖäÄüÜúÚçñðÐþÞýßš")
SIGNS = frozenset("–—‘’“”„«»…·•°§½¼¾²³´¨£€±×µ©®\u00a0")
LEAST_EXPECTED = 0.9

GARBLED = re.compile("Ã[\u00a6\u00b8\u00a5\u0086\u0098\u2020\u02dc\u2026\u00a9\u00b6\u00a4\u00bc\u0085]|â€")
"""UTF-8 read as Windows-1252: Ã¦, Ã¸, Ã¥, Ã†, Ã˜, Ã…"""


@dataclass(frozen=True)
class Encoding:
    """What a file is in: `codec` for Python; `guessed` where nothing in the file says so;
    `quotes` unless it is certain that the file holds no quote."""

    codec: str
    guessed: bool = False
    quotes: bool = True

    @property
    def name(self) -> str:
        """What the encoding is called to a person."""
        return NAMES.get(self.codec, self.codec.upper())


class NotText(Exception):  # noqa: N818 - a fact about a file, caught by the reader and told as a finding
    """The bytes are no text in any encoding that offices use. `reason` is the rule of the finding."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass
class _Seen:
    utf8: bool = True
    nul_even: int = 0
    nul_odd: int = 0
    size: int = 0
    quotes: bool = False


MOST_JUDGED = 1 << 17
"""Bytes of text by which an encoding is judged."""

_HIGH = re.compile(rb"[\x01-\x7f]{0,12}[\x80-\xff]+[\x01-\x7f]{0,12}")


def _look(path: Path) -> _Seen:
    """One pass over a file's bytes, in bounded memory."""
    seen = _Seen()
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            if seen.utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    seen.utf8 = False
            seen.quotes = seen.quotes or b'"' in block
            if b"\0" in block:
                seen.nul_even += block[0::2].count(0)
                seen.nul_odd += block[1::2].count(0)
            seen.size += len(block)
    if seen.utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            seen.utf8 = False
    return seen


def _high(path: Path) -> bytes:
    """What is not ASCII in a file, with what stands around it, as far as an encoding is judged by it."""
    high = b""
    with path.open("rb") as stream:
        while len(high) < MOST_JUDGED and (block := stream.read(BLOCK)):
            if not block.isascii():
                high += b"\n".join(_HIGH.findall(block))
    return high[:MOST_JUDGED]


def _likeness(text: str) -> float:
    """How much of what is not ASCII in a text looks like Danish, 0 to 1.

    A letter counts whole, unless it is a capital after a small letter; a sign counts whole away from letters and half beside one, because
    the quotes of one encoding are the letters of another.
    """
    points, strange = 0.0, 0
    for position, sign in enumerate(text):
        if ord(sign) < 128:
            continue
        strange += 1
        before = text[position - 1 : position]
        if sign in LETTERS:
            points += not (sign.isupper() and before.islower())
        elif sign in SIGNS:
            beside = before.isalpha() and text[position + 1 : position + 2].isalpha()
            points += 0.5 if beside and sign != "’" else 0.95
    return points / strange if strange else 0.0


def _one_byte(high: bytes) -> Encoding:
    best, best_share = "", 0.0
    for codec in ONE_BYTE:
        try:
            text = high.decode(codec)
        except UnicodeDecodeError:
            continue
        share = _likeness(text)
        # Of two that fit equally well the earlier, more common one is meant.
        if share > best_share:
            best, best_share = codec, share
        if codec == "cp1252" and GARBLED.search(text):
            raise NotText("encoding_mixed")
    if best_share >= LEAST_EXPECTED:
        return Encoding(best, guessed=True)
    guess = charset_normalizer.from_bytes(high, cp_isolation=list(ONE_BYTE)).best()
    if guess is not None and best_share >= LEAST_EXPECTED / 2:
        return Encoding(guess.encoding, guessed=True)
    raise NotText("encoding_unknown")


def detect(path: Path) -> Encoding:
    """The encoding of a file.

    Raises NotText: `encoding_unknown`, `encoding_mixed`.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    for mark, codec in MARKS:
        if head.startswith(mark):
            return Encoding(codec)
    seen = _look(path)
    if seen.nul_even or seen.nul_odd:
        half = seen.size / 2
        if seen.nul_odd > 0.4 * half and seen.nul_even < 0.1 * half:
            return Encoding("utf-16-le", guessed=True)
        if seen.nul_even > 0.4 * half and seen.nul_odd < 0.1 * half:
            return Encoding("utf-16-be", guessed=True)
        raise NotText("encoding_unknown")
    if seen.utf8:
        return Encoding("utf-8", quotes=seen.quotes)
    return _one_byte(_high(path))


def as_utf8(path: Path, encoding: Encoding, target: Path) -> None:
    """Write a file anew as UTF-8 without a mark and with one kind of line end.

    Raises NotText `encoding_unknown` where the bytes do not keep to the encoding after all.
    """
    try:
        with (
            path.open("r", encoding=encoding.codec, newline=None) as source,
            target.open("w", encoding="utf-8", newline="\n") as written,
        ):
            while block := source.read(BLOCK):
                written.write(block)
    except (UnicodeError, ValueError) as error:
        raise NotText("encoding_unknown") from error
