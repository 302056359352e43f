"""Where fal's work is found: by its own addresses where they are fal's, else by the path rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from medici.adapters.providers.fal.answers import Accepted

NAMESPACES = frozenset({"workflows", "comfy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Status, result and cancelling of one piece of work."""

    status: str
    response: str
    cancel: str

    def as_ref(self) -> dict[str, str]:
        return {"status_url": self.status, "response_url": self.response, "cancel_url": self.cancel}


def app_of(endpoint: str) -> str:
    """Return the part of an endpoint's id under which its work is kept.

    ``fal-ai/flux/dev/image-to-image`` works under ``fal-ai/flux``; a namespace counts in addition.
    """
    parts = endpoint.strip("/").split("/")
    return "/".join(parts[: 3 if parts[0] in NAMESPACES else 2])


def addresses_of(base: str, endpoint: str, accepted: Accepted) -> Addresses:
    """Return where accepted work is found; an address of another origin is not believed."""
    ruled = ruled_addresses(base, endpoint, accepted.request_id)
    return Addresses(
        status=_ours(base, accepted.status_url) or ruled.status,
        response=_ours(base, accepted.response_url) or ruled.response,
        cancel=_ours(base, accepted.cancel_url) or ruled.cancel,
    )


def known_addresses(base: str, ref: Mapping[str, object]) -> Addresses:
    """Return the addresses that a ref holds; work found again by its webhook has none."""
    ruled = ruled_addresses(base, str(ref["model"]), str(ref["request_id"]))
    return Addresses(
        status=str(ref.get("status_url", ruled.status)),
        response=str(ref.get("response_url", ruled.response)),
        cancel=str(ref.get("cancel_url", ruled.cancel)),
    )


def ruled_addresses(base: str, endpoint: str, request_id: str) -> Addresses:
    root = f"{base.rstrip('/')}/{app_of(endpoint)}/requests/{request_id}"
    return Addresses(status=f"{root}/status", response=root, cancel=f"{root}/cancel")


def _ours(base: str, address: str | None) -> str | None:
    if not address:
        return None
    try:
        same = URL(address).origin() == URL(base).origin()
    except ValueError:
        return None
    return address if same else None
