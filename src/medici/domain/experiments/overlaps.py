"""Namespaces: experiments that must not meet the same user each take a stretch of their own. Pure.

A stretch is half open: ``[0, 0.5)`` and ``[0.5, 1)`` have nobody in common.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from medici.domain.assignments.definition import Namespace
from medici.domain.experiments.errors import Refusal, SetUpRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A running experiment: what its users are hashed with, and the stretch that it takes."""

    experiment_id: str
    seed: str
    namespace: Namespace | None


def overlap(one: Namespace, other: Namespace) -> bool:
    """Tell whether some users belong to both stretches."""
    return one.id == other.id and one.start < other.end and other.start < one.end


def contains(outer: Namespace, inner: Namespace) -> bool:
    """Tell whether all users of the one stretch belong to the other."""
    return outer.id == inner.id and outer.start <= inner.start and inner.end <= outer.end


def check_apart(mine: Neighbour, others: Iterable[Neighbour]) -> None:
    """Make sure that an experiment gets along with those that run.

    Raises:
        SetUpRefused: some of its stretch is taken, ``namespace_overlap``; or a user's place in a
            namespace would decide a variant as well, ``namespace_id_reserved``.
    """
    for other in others:
        if _share_hashes(mine, other) or _share_hashes(other, mine):
            raise SetUpRefused(
                Refusal.NAMESPACE_ID,
                f"{other.experiment_id} draws its variants, or its namespace, by the same text",
            )
        taken = other.namespace
        if taken and mine.namespace and overlap(mine.namespace, taken):
            raise SetUpRefused(
                Refusal.NAMESPACE_OVERLAP,
                f"{other.experiment_id} takes [{taken.start}, {taken.end}) of {taken.id}",
            )


def _share_hashes(one: Neighbour, other: Neighbour) -> bool:
    return one.namespace is not None and one.namespace.id == other.seed
