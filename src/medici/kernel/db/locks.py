"""Locks that have a name instead of a row."""

import hashlib
from collections.abc import Collection

from medici.kernel.db.driver.transaction import Driver


async def lock_names(driver: Driver, names: Collection[str]) -> None:
    """Let other transactions that lock one of these names wait until this one ends.

    On SQLite one transaction writes at a time in any case.
    """
    if names and driver.engine.dialect.name == "postgresql":
        keys = sorted(map(_key, names))
        await driver.fetch(
            "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) key", [keys]
        )


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
