"""Characters that could forge a line, colour a terminal or turn its text around."""

import re

# C0 and C1 controls but line feed, line and paragraph separators, direction marks, surrogates.
HARMFUL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def neutralise(text: str) -> str:
    """Return the text with each harmful character written as its escape, such as ``\\u2028``.

    A line feed stays: a traceback is read in lines, and the JSON renderer escapes it.
    """
    return HARMFUL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"
