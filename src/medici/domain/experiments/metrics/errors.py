"""Keys that name no metric."""

from medici.kernel.errors import Kind, MediciError


class UnknownPrimaryMetric(MediciError):
    """No metric has this key; it never silently becomes another one."""

    kind = Kind.INVALID
    code = "unknown_primary_metric"

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no metric {key!r}")
