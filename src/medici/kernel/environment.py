"""Real money, or a store's sandbox."""

from enum import StrEnum


class Environment(StrEnum):
    """Where money is real, and where stores only pretend. Their credits never meet."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
