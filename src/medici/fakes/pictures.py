"""The pictures that fakes hand out: valid, small, and of a colour that tells them apart."""

from medici.adapters.providers.mock import plain_png

NO_PICTURE = b"<html>this is no picture</html>"


def picture_of(text: str) -> bytes:
    """Draw a PNG whose colour follows from ``text``."""
    return plain_png(text)
