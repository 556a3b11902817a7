"""The catalogue: every text on the screen, in each language, by a dotted key.

Texts lie in `samplads/locale/<language>/<area>.yaml` or, where an area has several files, `<area>/<part>.yaml`; the key of a text is
`<area>.<path in the file>`. Blanks are `{name}`. Danish is the first language: a
key that lacks in another language is a fault that a test finds, never a silent fall-back.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from samplads import yamlfile
from samplads.errors import SampladsError

LANGUAGES = ("da", "en")
LOCALE = Path(__file__).parent / "locale"


def _flatten(tree: Any, prefix: str) -> dict[str, str]:
    if isinstance(tree, dict):
        return {key: text for name, child in tree.items() for key, text in _flatten(child, f"{prefix}.{name}").items()}
    return {prefix: str(tree)}


@cache
def catalogue(language: str) -> dict[str, str]:
    """All texts of a language by their keys."""
    texts: dict[str, str] = {}
    folder = LOCALE / language
    for path in sorted(folder.rglob("*.yaml")):
        area = path.relative_to(folder).with_suffix("").parts[0]
        texts |= _flatten(yamlfile.load(path.read_text(encoding="utf-8")) or {}, area)
    return texts


def text(key: str, language: str, /, **values: object) -> str:
    """The text of a key with its blanks filled. A missing key is a bug and raises KeyError."""
    template = catalogue(language)[key]
    return template.format(**values) if values else template


def has(key: str, language: str) -> bool:
    """Whether the catalogue knows a key: for codes that may have no text of their own (another country's)."""
    return key in catalogue(language)


def sentence(error: SampladsError, language: str) -> str:
    """A `SampladsError` as its sentence in a language."""
    return text(f"errors.{error.key}", language, **error.values)
