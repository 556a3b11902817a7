"""The one family of errors that is meant for a person.

A `SampladsError` is a sentence that says what is wrong and what to do about it, in the user's language. It is shown as it stands, without
a traceback. Anything else that is raised is a bug and surfaces as one.
"""

from __future__ import annotations


class SampladsError(Exception):
    """Something a person can mend.

    `key` names a sentence of the catalogue (`samplads/locale/<language>/errors/*.yaml`), `values` fill its blanks. Without a
    catalogue (in a log, in a test) `str()` gives the key and its values.
    """

    def __init__(self, key: str, /, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(key)

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.key} ({details})" if details else self.key
