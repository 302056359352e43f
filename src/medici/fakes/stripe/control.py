"""What only a fake has: paying, renewing, failing and disputing on order.

Bodies are JSON. ``POST /__fake/stripe`` changes habits; ``/__fake/pay/{session}`` completes a
checkout (``{"delayed": true}`` leaves the payment to come), ``/__fake/settle/{session}`` brings it;
``/__fake/advance`` moves subscriptions on by a period (``{"subscription": …, "pays": false}``);
``/__fake/recover/{subscription}`` pays what was overdue; ``/__fake/set/{id}`` changes fields of any
object and tells of it by an ``event``; ``/__fake/refunds/{id}/fail``; ``/__fake/disputes`` begins a
dispute of a ``charge`` or ``payment_intent``, ``/__fake/disputes/{id}/close`` ends it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from medici.fakes.plane import Handler
from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.checkouts import Checkouts
from medici.fakes.stripe.habits import Habits
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.payments import Payments
from medici.fakes.stripe.problems import Problem, missing
from medici.fakes.stripe.subscriptions import Subscriptions


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Paying(Order):
    delayed: bool = False


class Settling(Order):
    pays: bool = True


class Advance(Order):
    subscription: str | None = None  # without it every one that runs
    pays: bool = True


class Setting(Order):
    fields: dict[str, JsonValue]
    event: str | None = None


class Disputing(Order):
    charge: str | None = None
    payment_intent: str | None = None
    amount: int | None = None
    status: str | None = None


class Closing(Order):
    status: str


Wanted = TypeVar("Wanted", bound=BaseModel)
RUNNING = frozenset({"trialing", "active", "past_due"})


class Control:
    def __init__(
        self,
        books: Books,
        log: Log,
        checkouts: Checkouts,
        subscriptions: Subscriptions,
        payments: Payments,
    ) -> None:
        self._books = books
        self._log = log
        self._checkouts = checkouts
        self._subscriptions = subscriptions
        self._payments = payments

    def install(self, app: web.Application, habits: Habits) -> None:
        def choose(_id: str, wanted: Habits) -> Record:
            for name in wanted.model_fields_set:
                setattr(habits, name, getattr(wanted, name))
            return habits.model_dump(mode="json")

        routes: tuple[tuple[str, Handler], ...] = (
            ("stripe", self._route(Habits, choose)),
            ("pay/{id}", self._route(Paying, self._pay)),
            ("settle/{id}", self._route(Settling, self._settle)),
            ("advance", self._route(Advance, self._advance)),
            ("recover/{id}", self._route(Order, self._recover)),
            ("set/{id}", self._route(Setting, self._set)),
            ("refunds/{id}/fail", self._route(Order, self._fail_refund)),
            ("disputes", self._route(Disputing, self._dispute)),
            ("disputes/{id}/close", self._route(Closing, self._close)),
        )
        for path, handler in routes:
            app.router.add_post(f"/__fake/{path}", handler)

    def _route(self, kind: type[Wanted], act: Callable[[str, Wanted], Record]) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            try:
                wanted = kind.model_validate_json(await request.read() or b"{}")
            except ValidationError as error:
                raise web.HTTPUnprocessableEntity(text=str(error)) from error
            try:
                found = act(request.match_info.get("id", ""), wanted)
            except Problem as problem:
                return web.json_response(problem.body, status=problem.status)
            return web.json_response(self._books.told(found) if "object" in found else found)

        return handler

    def _pay(self, session_id: str, wanted: Paying) -> Record:
        return self._checkouts.pay(session_id, delayed=wanted.delayed)

    def _settle(self, session_id: str, wanted: Settling) -> Record:
        return self._checkouts.settle(session_id, pays=wanted.pays)

    def _advance(self, _id: str, wanted: Advance) -> Record:
        found = (
            [self._books.get("subscription", wanted.subscription)]
            if wanted.subscription
            else [each for each in self._books.all("subscription") if each["status"] in RUNNING]
        )
        moved = [self._subscriptions.renew(each, pays=wanted.pays) for each in found]
        return {"advanced": [each["id"] for each in moved]}

    def _recover(self, subscription_id: str, _wanted: Order) -> Record:
        return self._subscriptions.recover(self._books.get("subscription", subscription_id))

    def _set(self, object_id: str, wanted: Setting) -> Record:
        found = self._books.find(object_id)
        if found is None:
            raise missing("object", object_id)
        previous: dict[str, Any] = {name: found.get(name) for name in wanted.fields}
        found |= wanted.fields
        if wanted.event:
            self._log.happened(wanted.event, found, previous)
        return found

    def _fail_refund(self, refund_id: str, _wanted: Order) -> Record:
        return self._payments.fail_refund(refund_id)

    def _dispute(self, _id: str, wanted: Disputing) -> Record:
        params = wanted.model_dump(exclude_none=True)
        return self._payments.dispute(Ask(ids={}, params=params, base=""))

    def _close(self, dispute_id: str, wanted: Closing) -> Record:
        return self._payments.close_dispute(dispute_id, wanted.status)
