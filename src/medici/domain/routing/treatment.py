"""Providers tested against each other: a variant's routes over those in force. Pure.

The config of a variant may hold ``routing``, any part of the provider settings. It is merged over
what its user's renders would go by, as a change of the draft is (RFC 7396).
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, cast

from pydantic import JsonValue

from medici.domain.assignments.definition import Definition
from medici.domain.routing.changes import merged
from medici.domain.routing.drafting import parse
from medici.domain.routing.errors import NoCandidate, SettingsRefused
from medici.domain.routing.rules import Candidate, Problem, validate
from medici.domain.routing.settings import ProviderSettings

Routing: TypeAlias = Mapping[str, object]
"""Any part of the provider settings, as JSON."""
Choose: TypeAlias = Callable[[ProviderSettings], tuple[Candidate, ...]]
"""Chooses for one render; raises ``NoCandidate``."""

ROUTING = "routing"
# Switching a provider off must reach every render, and a provider counts all of ours as one.
EVERYBODYS = ("enabled_providers", "in_flight_caps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """The variant that a user's renders take part in; without ``routing`` it changes none."""

    experiment_id: str
    variant_id: str
    routing: Routing | None

    def over(self, settings: ProviderSettings) -> ProviderSettings | None:
        """Return what the user's renders go by; None where the two do not go together."""
        return settings if self.routing is None else treated(settings, self.routing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A variant by which a render goes elsewhere."""

    experiment_id: str
    variant_id: str
    chain: tuple[Candidate, ...]


def routing_of(config: Mapping[str, object]) -> Routing | None:
    """Return what a variant's config says about providers; None where it says nothing."""
    routing = config.get(ROUTING)
    return routing if isinstance(routing, Mapping) and routing else None


def treated(published: ProviderSettings, routing: Routing) -> ProviderSettings | None:
    """Merge a variant's routing over settings; None where that gives none.

    It is reckoned once for the same settings and routing.
    """
    return _treated(_Same(published), json.dumps(routing, sort_keys=True))


def deviations(
    tests: Sequence[Definition], settings: ProviderSettings, choose: Choose
) -> Iterator[Deviation]:
    """Return the variants whose users are served otherwise than by ``settings`` alone."""
    usual = choose(settings)
    for test in tests:
        for variant in test.variants:
            chain = _chain(settings, routing_of(variant.config), choose)
            if chain and chain != usual:
                yield Deviation(
                    experiment_id=test.experiment_id, variant_id=variant.variant_id, chain=chain
                )


def check(
    published: ProviderSettings, routing: object, registered: Collection[str]
) -> tuple[Problem, ...]:
    """Return everything that keeps a variant's routing from being used; nothing: it is fine.

    What is wrong with the published settings themselves is not told. ``registered`` names the
    providers that may be enabled here.
    """
    return tuple(_problems(published, routing, registered))


def _problems(
    published: ProviderSettings, routing: object, registered: Collection[str]
) -> Iterator[Problem]:
    if not isinstance(routing, Mapping):
        yield Problem(code="routing_not_an_object", message="routing is a part of the settings")
        return
    for name in EVERYBODYS:
        if name in routing:
            yield Problem(
                code="routing_not_for_a_variant", message=f"{name} holds for all users alike"
            )
    try:
        settings = parse(_merged(published, routing))
    except SettingsRefused as refused:
        for code, message in refused.problems:
            yield Problem(code=code, message=message)
        return
    yield from _unfit(published, settings, registered)


def _unfit(
    published: ProviderSettings, settings: ProviderSettings, registered: Collection[str]
) -> Iterator[Problem]:
    known = validate(published, registered)
    yield from (each for each in validate(settings, registered) if each not in known)
    for name in sorted(_routed_to(settings) - _routed_to(published)):
        if name not in settings.enabled_providers:
            yield Problem(
                code="route_provider_not_enabled",
                message=f"{name} is named by a route but not enabled: it would be passed over",
            )


def _routed_to(settings: ProviderSettings) -> Set[str]:
    return {
        name
        for route in settings.routes
        for name in (
            route.preview_provider,
            route.final_provider,
            *(each.provider for each in (*route.preview_providers, *route.final_providers)),
        )
    }


def _chain(
    settings: ProviderSettings, routing: Routing | None, choose: Choose
) -> tuple[Candidate, ...]:
    changed = treated(settings, routing) if routing else None
    try:
        return choose(changed) if changed else ()
    except NoCandidate:  # then the settings hold as they are
        return ()


class _Same:
    """Settings that are the same object: they are parsed once for each content."""

    __slots__ = ("settings",)

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.settings is self.settings

    def __hash__(self) -> int:
        return id(self.settings)


@lru_cache(maxsize=256)  # variants times versions in use; nobody changes what has been merged
def _treated(published: _Same, routing: str) -> ProviderSettings | None:
    try:
        return parse(_merged(published.settings, json.loads(routing)))
    except SettingsRefused:
        return None


def _merged(settings: ProviderSettings, routing: Routing) -> JsonValue:
    own = {name: value for name, value in routing.items() if name not in EVERYBODYS}
    return merged(settings.model_dump(mode="json"), cast("JsonValue", own))
