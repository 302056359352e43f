"""What can go wrong with routing, in the words of the product."""

from medici.kernel.errors import Kind, MediciError, Unavailable


class NoCandidate(MediciError):
    """No provider that is enabled and reachable serves this render."""

    kind = Kind.INVALID
    code = "no_provider_available"


class NothingPublished(Unavailable):
    """Start-up has not written the first provider settings yet."""

    code = "provider_settings_missing"
