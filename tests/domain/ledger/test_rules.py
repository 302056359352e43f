from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from medici.domain.ledger import rules
from medici.domain.ledger.models import Account, GrantCategory, GrantSource
from medici.domain.ledger.rules import GrantState, Move, Slice
from tests.domain.ledger.teller import HOUR, LATER, NOW

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
PLAIN = GrantState(
    id=A,
    source=GrantSource.PROMO,
    source_ref="spring",
    category=GrantCategory.PROMOTIONAL,
    priority=40,
    amount=10,
    effective_at=NOW,
    expires_at=LATER,
    created_seq=1,
    issued_seq=1,
)


def cut(grant_id: UUID, amount: int) -> Slice:
    return Slice(grant_id=grant_id, amount=amount)


class TestBurnOrder:
    @pytest.mark.parametrize(
        "later",
        [
            replace(PLAIN, id=B, priority=41, expires_at=NOW),
            replace(PLAIN, id=B, expires_at=None),
            replace(PLAIN, id=B, expires_at=LATER + HOUR),
            replace(PLAIN, id=B, category=GrantCategory.PAID),
            replace(PLAIN, id=B, created_seq=2),
            replace(PLAIN, id=B),
        ],
        ids=["priority", "no end", "later end", "paid", "younger", "id"],
    )
    def test_puts_first_what_would_be_lost_first(self, later: GrantState) -> None:
        assert rules.in_burn_order([later, PLAIN]) == [PLAIN, later]

    def test_spends_the_plan_before_the_pack(self) -> None:
        by_priority = sorted(GrantSource, key=lambda source: rules.PRIORITY[source])

        assert by_priority[0] is GrantSource.PLAN_DAILY
        assert by_priority[-1] is GrantSource.PACK


class TestBurn:
    def test_drains_each_grant_before_the_next(self) -> None:
        first, second = replace(PLAIN, held=7), replace(PLAIN, id=B, expires_at=None)

        assert rules.burn([second, first], 5) == (cut(A, 3), cut(B, 2))

    def test_passes_over_what_is_used_up_or_still_to_come(self) -> None:
        used = replace(PLAIN, consumed=10)
        to_come = replace(PLAIN, id=B, issued_seq=None)

        assert rules.burn([used, to_come, replace(PLAIN, id=C)], 1) == (cut(C, 1),)

    def test_needs_grants_that_cover_the_amount(self) -> None:
        with pytest.raises(ValueError, match="1 credits more"):
            rules.burn([PLAIN], 11)


class TestSplit:
    def test_cuts_inside_a_slice(self) -> None:
        assert rules.split([cut(A, 2), cut(B, 3)], 3) == (
            (cut(A, 2), cut(B, 1)),
            (cut(B, 2),),
        )

    def test_keeps_everything_or_nothing(self) -> None:
        slices = (cut(A, 2), cut(B, 3))

        assert rules.split(slices, 0) == ((), slices)
        assert rules.split(slices, 5) == (slices, ())


class TestGiveBack:
    def test_returns_to_live_grants_and_lets_the_others_expire(self) -> None:
        grants = {A: PLAIN, B: replace(PLAIN, id=B, closed_at=NOW)}

        moves = rules.give_back([cut(A, 1), cut(B, 2)], Account.HELD, grants, NOW)

        assert moves == (
            Move(source=Account.HELD, target=Account.AVAILABLE, amount=1, grant_id=A),
            Move(source=Account.HELD, target=Account.EXPIRED, amount=2, grant_id=B),
        )
        assert rules.lost(moves) == 2


class TestGrantState:
    @pytest.mark.parametrize(
        ("moment", "spendable"), [(NOW, 10), (LATER - HOUR, 10), (LATER, 0), (LATER + HOUR, 0)]
    )
    def test_ends_at_its_end_and_not_after(self, moment: datetime, spendable: int) -> None:
        assert PLAIN.spendable(moment) == spendable

    def test_begins_at_its_beginning(self) -> None:
        to_come = replace(PLAIN, issued_seq=None, effective_at=NOW + HOUR)

        assert (to_come.spendable(NOW), to_come.spendable(NOW + HOUR)) == (0, 10)
        assert (to_come.waiting(NOW), to_come.waiting(NOW + HOUR)) == (False, True)


class TestRequest:
    def test_is_the_same_for_the_same_content_alone(self) -> None:
        first = rules.request(A, "consume", "k", 1, "render")

        assert first == rules.request(A, "consume", "k", 1, "render")
        assert first.fingerprint != rules.request(A, "consume", "k", 2, "render").fingerprint

    def test_keeps_wallets_and_operations_apart(self) -> None:
        scopes = {
            rules.request(wallet, operation, "k").scope
            for wallet in (A, B)
            for operation in ("consume", "grant")
        }

        assert len(scopes) == 4


class TestSamePeriod:
    def test_knows_a_base_and_its_top_ups(self) -> None:
        day = "2026-11-24"

        assert rules.same_period(day, day)
        assert rules.same_period(f"{day}:pro", day)
        assert not rules.same_period("2026-11-240", day)
