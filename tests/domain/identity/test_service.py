from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity import queries, service
from medici.domain.identity.errors import UserDisabled
from medici.domain.identity.models import AccessToken, User, UserIdentity
from medici.domain.identity.oidc import Subject
from medici.domain.identity.principal import Operator, Proof, SignedIn
from medici.kernel.db.database import Database
from medici.kernel.tokens import hash_token

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def enter(session: AsyncSession, user_id: str = "ada") -> SignedIn:
    return await service.sign_in(
        session, user_id=user_id, platform="ios", ttl=HOUR, prefix="dev_", now=NOW
    )


class TestSignIn:
    async def test_gives_a_token_that_resolves_to_the_user(self, session: AsyncSession) -> None:
        signed_in = await enter(session)

        user = await queries.authenticated(session, hash_token(signed_in.token), now=NOW)

        assert signed_in.token.startswith("dev_")
        assert user is not None
        assert (user.id, user.platform, user.expires_at) == ("ada", "ios", NOW + HOUR)

    async def test_stores_the_hash_and_never_the_token(self, session: AsyncSession) -> None:
        signed_in = await enter(session)

        stored = await session.scalars(select(AccessToken.token_hash))

        assert stored.all() == [hash_token(signed_in.token)]
        assert signed_in.token not in repr(signed_in)

    async def test_makes_a_user_once(self, session: AsyncSession) -> None:
        first, second = await enter(session), await enter(session)

        assert first.token != second.token
        assert await session.scalar(select(func.count()).select_from(User)) == 1

    async def test_refuses_a_disabled_user(self, session: AsyncSession) -> None:
        await enter(session)
        await service.disable_user(session, user_id="ada", now=NOW)
        session.expire_all()

        with pytest.raises(UserDisabled):
            await enter(session)


class TestAuthenticated:
    async def test_ends_at_the_second_of_expiry(self, session: AsyncSession) -> None:
        token_hash = hash_token((await enter(session)).token)

        before = await queries.authenticated(
            session, token_hash, now=NOW + HOUR - timedelta(seconds=1)
        )
        after = await queries.authenticated(session, token_hash, now=NOW + HOUR)

        assert before is not None
        assert after is None

    async def test_ends_for_a_disabled_user_and_returns_with_them(
        self, session: AsyncSession
    ) -> None:
        token_hash = hash_token((await enter(session)).token)

        await service.disable_user(session, user_id="ada", now=NOW)
        disabled = await queries.authenticated(session, token_hash, now=NOW)
        await service.enable_user(session, user_id="ada")
        enabled = await queries.authenticated(session, token_hash, now=NOW)

        assert disabled is None
        assert enabled is not None


class TestSignOut:
    async def test_revokes_one_token_once(self, session: AsyncSession) -> None:
        gone, kept = [hash_token((await enter(session)).token) for _ in range(2)]

        first = await service.sign_out(session, token_hash=gone, now=NOW)
        second = await service.sign_out(session, token_hash=gone, now=NOW)

        assert (first, second) == (True, False)
        assert await queries.authenticated(session, gone, now=NOW) is None
        assert await queries.authenticated(session, kept, now=NOW) is not None


class TestUserFor:
    async def test_names_the_same_person_the_same_always(self, session: AsyncSession) -> None:
        subject = Subject(issuer="https://accounts.example", name="42")

        first = await service.user_for(session, subject=subject, now=NOW)
        second = await service.user_for(session, subject=subject, now=NOW)

        assert first == second
        assert first.startswith("oidc_")
        assert len(first) == 45

    async def test_tells_issuers_apart(self, session: AsyncSession) -> None:
        users = [
            await service.user_for(session, subject=Subject(issuer=issuer, name="42"), now=NOW)
            for issuer in ("https://one.example", "https://two.example")
        ]

        assert users[0] != users[1]

    async def test_returns_the_user_whom_the_identity_was_linked_to(
        self, session: AsyncSession
    ) -> None:
        await service.ensure_user(session, user_id="ada", now=NOW)
        session.add(
            UserIdentity(issuer="https://one.example", subject="42", user_id="ada", created_at=NOW)
        )
        await session.flush()

        found = await service.user_for(
            session, subject=Subject(issuer="https://one.example", name="42"), now=NOW
        )

        assert found == "ada"


class TestAudit:
    async def record(self, session: AsyncSession, target: str) -> None:
        await service.record_audit(
            session,
            action="plan_updated",
            operator=Operator(proof=Proof.LISTED_USER, actor="user:ada"),
            target=(target, "pro"),
            reason="spring sale",
            before={"price": "14.99"},
            after={"price": "9.99"},
            request_id="r-1",
            now=NOW,
        )

    async def test_keeps_who_what_why_before_and_after(self, session: AsyncSession) -> None:
        await self.record(session, "plan")

        [entry] = await queries.audit_trail(session, target_kinds=["plan"], limit=10)

        assert (entry.action, entry.reason) == ("plan_updated", "spring sale")
        assert (entry.proof, entry.actor) == (Proof.LISTED_USER, "user:ada")
        assert (entry.before, entry.after) == ({"price": "14.99"}, {"price": "9.99"})
        assert (entry.at, entry.request_id) == (NOW, "r-1")

    async def test_reads_some_kinds_newest_first_in_pages(self, session: AsyncSession) -> None:
        for kind in ("plan", "style", "variable"):
            await self.record(session, kind)

        newest = await queries.audit_trail(session, target_kinds=["plan", "variable"], limit=1)
        older = await queries.audit_trail(
            session, target_kinds=["plan", "variable"], limit=5, before=newest[0].id
        )

        assert [entry.target_kind for entry in [*newest, *older]] == ["variable", "plan"]

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries"],
    )
    async def test_cannot_be_rewritten(self, database: Database, statement: str) -> None:
        async with database.transaction() as session:
            await self.record(session, "plan")

        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as session:
                await session.execute(text(statement))

        async with database.reading() as session:
            [entry] = await queries.audit_trail(session, target_kinds=["plan"], limit=10)
        assert entry.actor == "user:ada"
