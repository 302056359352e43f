"""The ledger as a child would keep it: parcels in a list, and nothing clever."""

from dataclasses import dataclass, field
from datetime import datetime

# In which turn credits of a source are spent, and whether somebody paid for them.
TURNS = {
    "plan_daily": (10, False),
    "plan_period": (30, True),
    "promo": (40, False),
    "refund": (45, False),
    "pack": (80, True),
}

Parts = list[tuple["Parcel", int]]


class NotCovered(Exception):
    """More was asked for than is free."""


@dataclass(eq=False)
class Parcel:
    """One grant: each of its credits is free, held, spent or gone."""

    priority: int
    paid: bool
    ends: datetime | None
    number: int
    free: int
    held: int = 0
    spent: int = 0
    gone: int = 0

    def over(self, now: datetime) -> bool:
        return self.ends is not None and self.ends <= now

    def take_back(self, amount: int, now: datetime) -> None:
        if self.over(now):
            self.gone += amount
        else:
            self.free += amount


@dataclass
class Model:
    """All parcels of one wallet."""

    parcels: list[Parcel] = field(default_factory=list)

    @property
    def purse(self) -> tuple[int, int]:
        return sum(p.free for p in self.parcels), sum(p.held for p in self.parcels)

    def give(self, amount: int, source: str, ends: datetime | None) -> Parcel:
        priority, paid = TURNS[source]
        parcel = Parcel(priority, paid, ends, len(self.parcels), amount)
        self.parcels.append(parcel)
        return parcel

    def pass_time(self, now: datetime) -> None:
        for parcel in self.parcels:
            if parcel.over(now):
                parcel.gone, parcel.free = parcel.gone + parcel.free, 0

    def take(self, amount: int) -> Parts:
        """Take free credits out, one at a time, always from the parcel that should go first."""
        if amount > self.purse[0]:
            raise NotCovered
        parts: dict[Parcel, int] = {}
        for _ in range(amount):
            first = min((p for p in self.parcels if p.free), key=_turn)
            first.free -= 1
            parts[first] = parts.get(first, 0) + 1
        return list(parts.items())


def count_of(parts: Parts) -> int:
    return sum(count for _, count in parts)


def first_of(parts: Parts, amount: int) -> tuple[Parts, Parts]:
    """Part ``amount`` credits from the others, from the front."""
    credits = [parcel for parcel, count in parts for _ in range(count)]
    return _counted(credits[:amount]), _counted(credits[amount:])


def _counted(credits: list[Parcel]) -> Parts:
    return [(parcel, credits.count(parcel)) for parcel in dict.fromkeys(credits)]


def _turn(parcel: Parcel) -> tuple[int, float, bool, int]:
    ends = parcel.ends.timestamp() if parcel.ends else float("inf")
    return parcel.priority, ends, parcel.paid, parcel.number
