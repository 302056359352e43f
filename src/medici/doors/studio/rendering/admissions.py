"""Where render orders wait for the transaction that they share."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.orders import Application
from medici.domain.rendering.rows import JobRow
from medici.domain.rendering.service.admission.admit import Outcome, admit, admit_on
from medici.doors.http.context import resources_of
from medici.doors.http.idempotency import attempt_of
from medici.kernel.db.group import Batcher
from medici.kernel.errors import MediciError
from medici.resources import Resources

ADMISSIONS = "render_admissions"


class Admissions:
    """The one door to the render table of this process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._batcher: Batcher[Application, JobRow] = Batcher(self._together)

    async def admit(self, application: Application, keyed: AsyncSession | None) -> JobRow:
        """Admit an order, beside others unless it has a transaction of its own.

        Raises:
            MediciError: as ``submit`` does.
        """
        if keyed is None:
            return await self._batcher.submit(application)
        (outcome,) = await admit(keyed, [application], now=self._resources.now())
        if isinstance(outcome, MediciError):
            raise outcome
        return outcome

    async def _together(self, applications: Sequence[Application]) -> Sequence[Outcome]:
        now = self._resources.now()
        return await self._resources.database.carry_out(
            lambda driver: admit_on(driver, applications, now=now)
        )


def admissions_of(request: Request) -> Admissions:
    """Return the door of this process."""
    state = request.app.state
    if not hasattr(state, ADMISSIONS):
        setattr(state, ADMISSIONS, Admissions(resources_of(request)))
    return cast("Admissions", getattr(state, ADMISSIONS))


async def _admissions(request: Request) -> Admissions:
    return admissions_of(request)


async def _keyed_session(request: Request) -> AsyncIterator[AsyncSession | None]:
    attempt = attempt_of(request)
    if attempt is None:
        yield None
        return
    async with attempt.session() as session:
        yield session


RenderAdmissions = Annotated[Admissions, Depends(_admissions)]
# A request with an Idempotency-Key stores its answer in the transaction of its own effect.
KeyedSession = Annotated[AsyncSession | None, Depends(_keyed_session, scope="function")]
