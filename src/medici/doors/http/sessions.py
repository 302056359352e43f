"""The request's database session: one transaction, committed before the answer leaves."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from medici.doors.http.context import resources_of
from medici.doors.http.idempotency import attempt_of


async def write_session(request: Request) -> AsyncIterator[AsyncSession]:
    attempt = attempt_of(request)
    opened = attempt.session() if attempt else resources_of(request).database.transaction()
    async with opened as session:
        yield session


async def read_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with resources_of(request).database.reading() as session:
        yield session


# With scope "function" the exit, hence the commit, comes before the response is sent: a failed
# commit is a 5xx and never a false 2xx. In a route's signature the caller comes first, so that
# no request holds two connections and nobody unknown opens a transaction.
DbSession = Annotated[AsyncSession, Depends(write_session, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(read_session, scope="function")]
