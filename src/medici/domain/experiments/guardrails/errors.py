"""What can be wrong about a guardrail."""

from medici.kernel.errors import Kind, MediciError


class UnknownGuardrail(MediciError):
    """There is no such guardrail, or its threshold is no number."""

    kind = Kind.INVALID
    code = "unknown_guardrail"
