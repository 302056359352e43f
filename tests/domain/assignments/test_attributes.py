"""Whom an experiment is for: who is not known well enough is not meant."""

import pytest

from medici.domain.assignments.attributes import Attributes, meets
from medici.domain.assignments.definition import Targeting
from medici.domain.assignments.versions import version

ANA = Attributes(platform="iOS", country="tr", app_version="2.5.1", plan_id="free", new_user=True)


class TestMeets:
    @pytest.mark.parametrize(
        "targeting",
        [
            pytest.param(Targeting(), id="everybody"),
            pytest.param(Targeting(platforms=frozenset({"ios", "web"})), id="platform"),
            pytest.param(Targeting(countries=frozenset({"TR"})), id="country"),
            pytest.param(Targeting(app_version_min="2.5.1"), id="app-version"),
            pytest.param(Targeting(plan_ids=frozenset({"free"})), id="plan"),
            pytest.param(Targeting(new_users_only=True), id="new-users"),
        ],
    )
    def test_takes_whoever_is_meant(self, targeting: Targeting) -> None:
        assert meets(targeting, ANA)
        assert meets(targeting, Attributes()) is (targeting == Targeting())

    @pytest.mark.parametrize(
        "targeting",
        [
            pytest.param(Targeting(platforms=frozenset({"android"})), id="platform"),
            pytest.param(Targeting(countries=frozenset({"DE"})), id="country"),
            pytest.param(Targeting(app_version_min="2.10"), id="app-version"),
            pytest.param(Targeting(app_version_min="newest"), id="no-version"),
            pytest.param(Targeting(plan_ids=frozenset({"pro"})), id="plan"),
            pytest.param(
                Targeting(platforms=frozenset({"ios"}), countries=frozenset({"DE"})),
                id="one-of-two",
            ),
        ],
    )
    def test_leaves_out_everybody_else(self, targeting: Targeting) -> None:
        assert not meets(targeting, ANA)

    def test_takes_no_text_for_a_version(self) -> None:
        targeting = Targeting(app_version_min="0.0.1")

        for app_version in ("", "latest", "2.x", "9" * 65):
            assert not meets(targeting, Attributes(app_version=app_version))


class TestVersion:
    @pytest.mark.parametrize(
        ("older", "newer"),
        [
            ("0.9.99", "1.0.0"),
            ("0.9.0", "0.10.0"),
            ("9.0.0", "10.0.0"),
            ("9999.0.0", "10000.0.0"),
            ("v0.9.9", "1.0.0"),
            ("2.7.2+asdf", "3.0.0"),
            ("1.2.3-asdf", "1.2.3"),
            ("1.0.0-alpha", "1.0.0-alpha.1"),
            ("1.0.0-alpha.1", "1.0.0-alpha.beta"),
            ("1.0.0-alpha.beta", "1.0.0-beta"),
            ("1.0.0-beta.2", "1.0.0-beta.11"),
            ("1.0.0-beta.11", "1.0.0-rc.1"),
            ("1.0.0-99", "1.0.0-100"),
            ("2.4", "2.4.0.1"),
        ],
    )
    def test_comes_after_an_older_one(self, older: str, newer: str) -> None:
        before, after = version(older), version(newer)

        assert before is not None
        assert after is not None
        assert before < after

    @pytest.mark.parametrize(
        ("one", "other"),
        [("1.2.3", "v1.2.3"), ("2.4", "2.4.0"), ("1.2.3-beta+1", "1.2.3-beta+2"), (" 1 ", "1.0")],
    )
    def test_may_be_written_in_several_ways(self, one: str, other: str) -> None:
        assert version(one) == version(other) is not None
