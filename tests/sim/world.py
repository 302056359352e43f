"""Everything together: who takes part, and what each kind of step does."""

from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import Any

from medici.adapters.providers.provider import Recovery
from medici.domain.ledger.errors import BooksDoNotBalance
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.values import GrantTerms
from medici.domain.rendering.errors import TooEarly
from medici.domain.rendering.rules import Policy
from medici.jobs.claims import Claim
from medici.jobs.outcomes import Outcome
from tests.sim.auditor import Auditor
from tests.sim.bugs import Bug
from tests.sim.desk import PLANS, ROUTE, Desk, Message
from tests.sim.process import Process
from tests.sim.queue import Queue
from tests.sim.rows import Store, Violation, Wallet
from tests.sim.runs import RenderRun
from tests.sim.studio import Studio
from tests.sim.till import Till
from tests.sim.vendor import Vendor
from tests.sim.waiting_room import WaitingRoom

SKEWS = (0, 0, 2, -2, 3600, -3600)
WAITS = (  # seconds; leases, looks, retries, deadlines, patience and holds each have their turn
    *[0.3, 1.0, 3.0, 5.0, 8.0, 12.0] * 4,
    *[20.0, 40.0, 70.0, 301.0] * 2,
    *[1000.0, 8000.0, 90_000.0],
)
CAPS = (None, None, 1, 2)
MEMORIES = (None, None, Recovery.UNKNOWN, Recovery.AWAITED)


class World:
    """A small product under a script. ``play`` one step at a time."""

    def __init__(self, seed: int, bug: Bug | None = None) -> None:
        self.dice = Random(seed)
        self.bug = bug
        self.store = Store()
        self.queue = Queue(self.store, bug)
        self.till = Till(self.store, bug)
        caps = {name: self.dice.choice(CAPS) for name in ROUTE}
        room = WaitingRoom(self.store, caps, bug)
        self.studio = Studio(self.store, self.queue, self.till, room, dice=self.dice, bug=bug)
        self.vendors = {name: self._vendor(name) for name in ROUTE}
        self.auditor = Auditor(self.store, tuple(self.vendors.values()), caps)
        self.processes = [self._process(name) for name in ("left", "right")]
        self.desk = Desk(
            self.store,
            self.studio,
            self.till,
            self.auditor,
            policy=Policy(
                fall_back_on_moderation=self.dice.random() < 0.5,
                fall_back_on_uncertain=self.dice.random() < 0.3,
            ),
            bug=bug,
        )
        self.mail: deque[Message] = deque()
        self.sent = 0
        self.log: list[str] = []
        for _ in range(2):
            self._open_wallet()

    def play(self, step: str, draw: int) -> None:
        """Carry out one step; ``draw`` decides all that is left open."""
        self.dice.seed(draw)
        self.log.append(f"{step}: not survived")
        try:
            self.log[-1] = f"{step}: {getattr(self, f'do_{step}')(draw)}"
        except BooksDoNotBalance as found:
            raise Violation(str(found)) from found
        self.auditor.look()

    # People and their messages

    def do_order(self, draw: int) -> str:
        return self._post("order", amount=1 + draw % 4)

    def do_buy(self, draw: int) -> str:
        return self._post("buy", amount=1 + draw % 6)

    def do_sell(self, draw: int) -> str:
        return self._post("sell", amount=1 + draw % 3)

    def do_visit(self, draw: int) -> str:
        return self._post("visit", amount=0)

    def do_subscribe(self, draw: int) -> str:
        return self._post("subscribe", amount=draw % len(PLANS))

    def do_reset(self, draw: int) -> str:
        """Move the hour at which a new day's credits are due."""
        self.till.reset_hour = draw % 24
        return f"the day turns at {self.till.reset_hour}"

    def do_capture(self, draw: int) -> str:
        if not self.desk.sales:
            return "nothing sold"
        key, hold = list(self.desk.sales.items())[draw % len(self.desk.sales)]
        self.mail.append(Message(kind="capture", key=key, wallet=hold.wallet))
        return f"capture of {key} sent"

    def do_cancel(self, draw: int) -> str:
        if not self.store.orders_by_key:
            return "nothing to cancel"
        key = list(self.store.orders_by_key)[draw % len(self.store.orders_by_key)]
        wallet = self.store.orders_by_key[key].wallet
        self.mail.append(Message(kind="cancel", key=key, wallet=wallet))
        return f"cancellation of {key} sent"

    def do_gift(self, draw: int) -> str:
        """Give credits that end soon, and may begin only later."""
        now = self.processes[draw % 2].now()
        begins = now + timedelta(seconds=self.dice.choice((0.0, 0.0, 0.0, 30.0)))
        ends = begins + timedelta(seconds=self.dice.choice((5.0, 60.0, 900.0, 90_000.0)))
        terms = GrantTerms(
            source=GrantSource.PROMO,
            source_ref=f"gift:{self._next()}",
            amount=1 + draw % 5,
            effective_at=begins,
            expires_at=ends,
        )
        self.desk.give(self.dice.choice(self.store.wallets), terms, now=now)
        return f"{terms.amount} credits for {(ends - begins).total_seconds():g} s"

    # The way of messages

    def do_deliver(self, draw: int) -> str:
        """Let any message arrive, in whatever order they were sent."""
        if not self.mail:
            return "no mail"
        self.mail.rotate(-(draw % len(self.mail)))
        message = self.mail.popleft()
        process = self.processes[(draw >> 8) % 2]
        process.serve(self.desk.handled(message, process.now))
        return f"{message.kind} {message.key} arrives at {process.name}"

    def do_duplicate(self, draw: int) -> str:
        if self.mail:
            self.mail.append(self.mail[draw % len(self.mail)])
        return "a message is sent again"

    def do_drop(self, draw: int) -> str:
        if self.mail:
            del self.mail[draw % len(self.mail)]
        return "a message is lost"

    def do_news(self, draw: int) -> str:
        """Let a provider call us; it keeps its calls until somebody listens."""
        vendor = self.vendors[ROUTE[draw % len(ROUTE)]]
        if not vendor.news:
            return "no news"
        name, reference = vendor.news[0]
        attempt = self.studio.attempt_of(reference)
        ref = {"id": reference, "request_id": f"vendor-{reference}"}
        try:
            self.studio.take_news(attempt, ref, now=self.processes[draw >> 8 & 1].now())
        except TooEarly:
            return f"{name} called too early"
        vendor.news.popleft()
        return f"{name} called"

    # Processes and time

    def do_claim(self, draw: int) -> str:
        process = self.processes[draw & 1]
        done = "frozen" if process.frozen else process.claim(draw >> 1)
        self.auditor.look_at_runs(
            active.claim
            for each in self.processes
            for active in each.active
            if active.claim is not None and active.outcome is None
        )
        return f"{process.name}, {done}"

    def do_advance(self, draw: int) -> str:
        process = self.processes[draw & 1]
        done = "frozen" if process.frozen else process.advance(draw >> 1)
        return f"{process.name}, {done}"

    def do_crash(self, draw: int) -> str:
        self.processes[draw & 1].crash()
        return f"{self.processes[draw & 1].name} dies"

    def do_freeze(self, draw: int) -> str:
        process = self.processes[draw & 1]
        process.frozen = not process.frozen
        return f"{process.name} {'freezes' if process.frozen else 'thaws'}"

    def do_hand_back(self, draw: int) -> str:
        process = self.processes[draw & 1]
        if not process.frozen:
            process.hand_back()
        return f"{process.name} stops its runs"

    def do_wait(self, draw: int) -> str:
        seconds = WAITS[draw % len(WAITS)]
        self.pass_time(seconds)
        return f"{seconds:g} s pass"

    def do_sweep(self, draw: int) -> str:
        self.till.sweep(self.processes[draw & 1].now())
        return "the ledger is swept"

    def pass_time(self, seconds: float) -> None:
        self.store.moment += timedelta(seconds=seconds)
        for process in self.processes:
            if not process.frozen:
                process.beat()

    def close(self) -> None:
        """Let go of everything that is under way."""
        for process in self.processes:
            process.crash()

    # Making the world

    def _open_wallet(self) -> None:
        wallet = Wallet(id=self.store.new_id())
        self.store.wallets.append(wallet)
        welcome = GrantTerms(source=GrantSource.WELCOME, source_ref="welcome", amount=6)
        self.desk.give(wallet, welcome, now=self.store.moment)

    def _vendor(self, name: str) -> Vendor:
        return Vendor(
            name,
            self.store,
            self.dice,
            memory=self.dice.choice(MEMORIES),
            synchronous=self.dice.random() < 0.3,
        )

    def _process(self, name: str) -> Process:
        return Process(
            name=name,
            store=self.store,
            queue=self.queue,
            dice=self.dice,
            perform=self._perform,
            skew=timedelta(seconds=self.dice.choice(SKEWS)),
        )

    def _perform(self, claim: Claim, clock: Callable[[], datetime]) -> Coroutine[Any, Any, Outcome]:
        run = RenderRun(
            claim,
            studio=self.studio,
            queue=self.queue,
            vendors=self.vendors,
            clock=clock,
            dice=self.dice,
            bug=self.bug,
        )
        return run.perform()

    def _post(self, kind: str, *, amount: int) -> str:
        key = f"{kind}:{self._next()}"
        wallet = self.dice.choice(self.store.wallets)
        self.mail.append(Message(kind=kind, key=key, wallet=wallet, amount=amount))
        return f"{key} sent"

    def _next(self) -> int:
        self.sent += 1
        return self.sent
