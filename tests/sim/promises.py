"""How a broken promise is told."""

from tests.sim.rows import Violation


def hold_to(promise: bool, otherwise: str) -> None:
    if not promise:
        raise Violation(otherwise)
