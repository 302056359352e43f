"""Every way in which a provider can lie, through the whole product: order, worker, settlement.

Each lie ends in a defined state, nothing is stuck, a failed job costs its customer nothing, and no
picture is paid for twice unless the table says why.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from medici.domain.rendering.models import RenderState
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.kernel.db.database import Database
from tests.support.databases import SqliteTemplate, Template
from tests.support.vendors import (
    ASKING,
    BRINGING,
    ORDERING,
    PATIENT,
    Market,
    Patience,
    Vendor,
    opened_market,
)

LATE = 10_000  # milliseconds: longer than anybody here waits
HASTY_SECONDS = 0.3  # where no answer can come in time
SHORT_SECONDS = 2.0  # where the next one shall, also on a busy machine
PAID, REFUNDED = (101, 0), (103, 0)
CLOSED_PORT = "http://127.0.0.1:9/inside.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What is left of a job: for the customer, at the vendor, and in our books.

    ``orders`` is how many paid requests arrived, ``billed`` how many pictures the vendor charges
    for, ``uncertain`` how many attempts are booked as such that may have cost something.
    """

    state: RenderState
    code: str | None = None
    purse: tuple[int, int] = REFUNDED
    orders: int = 1
    billed: int = 1
    uncertain: int = 0


DELIVERED = End(state=RenderState.SUCCEEDED, purse=PAID)
REFUSED = End(state=RenderState.FAILED, code="provider_dispatch_failed", billed=0)
IN_VAIN = replace(REFUSED, orders=3)  # as often as settings and rules allow
IN_DOUBT = End(state=RenderState.FAILED, code="provider_outcome_uncertain", uncertain=1)
NEVER_TAKEN = replace(IN_DOUBT, billed=0)
GONE = End(state=RenderState.EXPIRED, code="expired")
MODERATED = End(state=RenderState.MODERATED, code="moderated", billed=0)
AT_THE_SECOND_TRY = replace(DELIVERED, orders=2)
# The one thing that is paid for twice: a success without a picture gets one more try.
TWICE_NOTHING = replace(REFUSED, orders=2, billed=2)
TWICE_NOTHING_FOR_ONCE = replace(AT_THE_SECOND_TRY, billed=2)

FAL, OPENAI, REPLICATE = Vendor
QUEUES = (FAL, REPLICATE)
ALL = tuple(Vendor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A fault in answer to one kind of call, on its first call or (``always``) on each."""

    kind: FaultKind
    when: str
    always: bool = False
    more: tuple[tuple[str, Any], ...] = ()

    def rule(self, vendor: Vendor) -> Rule:
        operations = {"order": ORDERING, "look": ASKING, "picture": BRINGING}[self.when]
        fault = Fault.model_validate({"kind": self.kind, **dict(self.more)})
        return Rule(operation=operations[vendor], fault=fault, calls=() if self.always else (1,))

    @property
    def patience(self) -> Patience:
        """How long to wait for answers, so that nobody waits long for what does not come."""
        if self.kind is not FaultKind.HANG and ("milliseconds", LATE) not in self.more:
            return PATIENT
        return replace(PATIENT, **{self.when: HASTY_SECONDS if self.always else SHORT_SECONDS})

    def __str__(self) -> str:
        words = (self.when, "always" if self.always else "once", self.kind)
        figures = [f"{value}" for _, value in self.more if isinstance(value, int)]
        return "-".join((*words, *figures))


def once(when: str, kind: FaultKind, **more: Any) -> Lie:
    return Lie(kind=kind, when=when, more=tuple(more.items()))


def always(when: str, kind: FaultKind, **more: Any) -> Lie:
    return Lie(kind=kind, when=when, always=True, more=tuple(more.items()))


OTHER_WORK = {
    "id": "somebody-elses",
    "request_id": "somebody-elses",
    "status": "succeeded",
    "output": "https://example.com/theirs.png",
}

LIES: tuple[tuple[Lie, tuple[Vendor, ...], End], ...] = (
    # Answers to an order that are lost: a queue calls when it is done, and heals what it took.
    (always("order", FaultKind.HANG), ALL, NEVER_TAKEN),
    (always("order", FaultKind.RESET_BEFORE_BODY), ALL, replace(NEVER_TAKEN, orders=0)),
    (once("order", FaultKind.RESET_AFTER_BODY), QUEUES, DELIVERED),
    (once("order", FaultKind.RESET_AFTER_BODY), (OPENAI,), IN_DOUBT),
    (once("order", FaultKind.MALFORMED_JSON), QUEUES, DELIVERED),
    (once("order", FaultKind.MALFORMED_JSON), (OPENAI,), IN_DOUBT),
    (once("order", FaultKind.SLOW_BODY, milliseconds=LATE), QUEUES, DELIVERED),
    (once("order", FaultKind.SLOW_BODY, milliseconds=LATE), (OPENAI,), IN_DOUBT),
    (once("order", FaultKind.SLOW_BODY, milliseconds=100), ALL, DELIVERED),
    (once("order", FaultKind.SLOW, milliseconds=100), ALL, DELIVERED),
    # Answers to an order that say something.
    (always("order", FaultKind.STATUS, status=500), ALL, NEVER_TAKEN),
    (always("order", FaultKind.JOB_FAILED), (OPENAI,), IN_VAIN),  # at once, by the API itself
    (once("order", FaultKind.JOB_FAILED), QUEUES, REFUSED),
    (once("order", FaultKind.RATE_LIMITED), ALL, AT_THE_SECOND_TRY),
    (always("order", FaultKind.RATE_LIMITED), ALL, IN_VAIN),
    (always("order", FaultKind.RATE_LIMITED, retry_after=600), ALL, REFUSED),
    (always("order", FaultKind.AUTH), ALL, REFUSED),
    (always("order", FaultKind.QUOTA), ALL, REFUSED),
    (always("order", FaultKind.MODERATED), ALL, MODERATED),
    (once("order", FaultKind.EMPTY_IMAGES), ALL, TWICE_NOTHING_FOR_ONCE),
    (always("order", FaultKind.EMPTY_IMAGES), ALL, TWICE_NOTHING),
    (always("order", FaultKind.BAD_IMAGE_BYTES), ALL, TWICE_NOTHING),
    # Answers to the question how far the work is.
    (once("look", FaultKind.HANG), QUEUES, DELIVERED),
    (always("look", FaultKind.HANG), QUEUES, IN_DOUBT),
    (once("look", FaultKind.RESET_BEFORE_BODY), QUEUES, DELIVERED),
    (always("look", FaultKind.RESET_AFTER_BODY), QUEUES, IN_DOUBT),
    (once("look", FaultKind.STATUS, status=500), QUEUES, DELIVERED),
    (always("look", FaultKind.STATUS, status=500), QUEUES, IN_DOUBT),
    (once("look", FaultKind.RATE_LIMITED), QUEUES, DELIVERED),
    (always("look", FaultKind.RATE_LIMITED), QUEUES, IN_DOUBT),
    (once("look", FaultKind.SLOW_BODY, milliseconds=LATE), QUEUES, DELIVERED),
    (once("look", FaultKind.MALFORMED_JSON), QUEUES, DELIVERED),
    (always("look", FaultKind.MALFORMED_JSON), QUEUES, IN_DOUBT),
    (once("look", FaultKind.STATUS, status=200, body=OTHER_WORK), QUEUES, DELIVERED),
    (always("look", FaultKind.STATUS, status=200, body=OTHER_WORK), QUEUES, IN_DOUBT),
    (always("look", FaultKind.STATUS, status=404), QUEUES, replace(GONE, uncertain=1)),
    # Pictures that are promised.
    (once("picture", FaultKind.HANG), QUEUES, DELIVERED),
    (always("picture", FaultKind.HANG), QUEUES, IN_DOUBT),
    (once("picture", FaultKind.RESET_BEFORE_BODY), QUEUES, DELIVERED),
    (once("picture", FaultKind.STATUS, status=500), QUEUES, DELIVERED),
    (always("picture", FaultKind.STATUS, status=500), QUEUES, IN_DOUBT),
    (once("picture", FaultKind.SLOW_BODY, milliseconds=LATE), QUEUES, DELIVERED),
    (always("picture", FaultKind.EXPIRED_URL), QUEUES, GONE),
    (once("picture", FaultKind.BAD_IMAGE_BYTES), QUEUES, TWICE_NOTHING_FOR_ONCE),
    (
        always("picture", FaultKind.REDIRECT_OTHER_ORIGIN, headers={"Location": CLOSED_PORT}),
        QUEUES,
        replace(REFUSED, billed=1),
    ),
)


ROWS = [
    pytest.param(vendor, lie, end, id=f"{vendor}-{lie}")
    for lie, vendors, end in LIES
    for vendor in vendors
]


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> Template:
    """One database is enough here: what is told apart is what vendors say."""
    return sqlite_template


class TestALie:
    @pytest.mark.parametrize(("vendor", "lie", "end"), ROWS)
    async def test_ends_as_the_table_says(
        self, database: Database, tmp_path: Path, vendor: Vendor, lie: Lie, end: End
    ) -> None:
        async with opened_market(database, tmp_path, patience=lie.patience) as market:
            await market.publish(vendor)
            market.planes[vendor].faults.set(lie.rule(vendor))

            assert await ended(market, vendor) == end


async def ended(market: Market, vendor: Vendor) -> End:
    """Order one picture and tell how that ended, once nothing is left to do."""
    job = await market.settled(await market.studio.order())
    attempts = await market.studio.attempts(job.id)
    assert job.state.is_terminal
    assert [attempt for attempt in attempts if attempt.state.is_open] == []
    return End(
        state=job.state,
        code=job.error_code,
        purse=await market.studio.purse(),
        orders=market.orders(vendor),
        billed=market.planes[vendor].billed,
        uncertain=sum(attempt.cost_uncertain for attempt in attempts),
    )
