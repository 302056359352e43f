"""Which texts may name an object, and what its extension says."""

import re

from medici.adapters.storage.errors import InvalidKey

MAX_KEY_LENGTH = 512
SEGMENT = re.compile(r"[a-z0-9_-][a-z0-9_.-]{0,199}", re.ASCII)
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "json": "application/json",
    "csv": "text/csv",
    "zip": "application/zip",
}


def check_key(key: str) -> str:
    """Return the content type of a good key.

    Lower-case segments between slashes, the last one with an extension that we know; no other
    segment has one, so that a file never lies where a folder must be.

    Raises:
        InvalidKey: anything else, a way out of the store above all.
    """
    check_folder(key)
    *folders, name = key.split("/")
    content_type = _content_type(name)
    if content_type is None or any(map(_content_type, folders)):
        raise InvalidKey("a file key ends in one of the extensions that we store")
    return content_type


def check_folder(folder: str) -> None:
    """Raise ``InvalidKey`` unless the text is one or more good segments."""
    if len(folder) > MAX_KEY_LENGTH or ".." in folder:
        raise InvalidKey("a file key is too long or points upwards")
    if not all(map(SEGMENT.fullmatch, folder.split("/"))):
        raise InvalidKey("a file key has a character or an empty part that it may not have")


def is_key(key: str) -> bool:
    """Tell whether the text is a good key."""
    try:
        check_key(key)
    except InvalidKey:
        return False
    return True


def _content_type(segment: str) -> str | None:
    _, dot, extension = segment.rpartition(".")
    return CONTENT_TYPES.get(extension) if dot else None
