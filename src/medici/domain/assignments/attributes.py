"""What is known of a user as an experiment asks who they are."""

from dataclasses import dataclass

from medici.domain.assignments.definition import Targeting
from medici.domain.assignments.versions import version


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """None is unknown. The client tells the first three, the server itself the others."""

    platform: str | None = None
    country: str | None = None
    app_version: str | None = None
    plan_id: str | None = None
    new_user: bool = False  # came at or after the start of the phase


UNKNOWN = Attributes()


def meets(targeting: Targeting, attributes: Attributes) -> bool:
    """Tell whether a user is meant; nobody is of whom too little is known."""
    return (
        _is_one_of(targeting.platforms, attributes.platform and attributes.platform.lower())
        and _is_one_of(targeting.countries, attributes.country and attributes.country.upper())
        and _is_one_of(targeting.plan_ids, attributes.plan_id)
        and (targeting.app_version_min is None or _is_new_enough(targeting, attributes))
        and (attributes.new_user or not targeting.new_users_only)
    )


def _is_one_of(wanted: frozenset[str], value: str | None) -> bool:
    return not wanted or value in wanted


def _is_new_enough(targeting: Targeting, attributes: Attributes) -> bool:
    oldest = version(targeting.app_version_min or "")
    own = version(attributes.app_version or "")
    return oldest is not None and own is not None and own >= oldest
