"""Ids that sort by the time they were made (UUID version 7)."""

from uuid import UUID

import uuid_utils.compat as uuid_utils


def new_id() -> UUID:
    """Make a new UUIDv7: unique, hard to guess, rising with time."""
    made: UUID = uuid_utils.uuid7()
    return made


def parse_id(text: str) -> UUID | None:
    """Read an id as a client sends it; None where it is no UUID at all."""
    try:
        return UUID(text)
    except ValueError:
        return None
