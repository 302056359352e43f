"""What an operator is told of settings that may be published all the same."""

from collections.abc import Set

from medici.adapters.providers.request import Operation, Tier
from medici.domain.routing.checking import warnings
from medici.domain.routing.settings import Route, Strategy, initial_settings

SETTINGS = initial_settings(fal=True, openai=True)


def anything(_operation: Operation, _tier: Tier, *, masked: bool) -> Set[str]:
    return {"fal", "openai", "local", "mock"}


def no_removing(operation: Operation, _tier: Tier, *, masked: bool) -> Set[str]:
    if operation is Operation.REMOVE:
        return {"openai"} if not masked else set()
    return {"fal", "openai"}


class TestWarnings:
    def test_there_are_none_where_everybody_can_do_everything(self) -> None:
        assert warnings(SETTINGS, anything) == ()

    def test_name_who_is_passed_over(self) -> None:
        assert [(each.code, each.message) for each in warnings(SETTINGS, no_removing)] == [
            ("provider_not_capable", "fal cannot remove as preview: passed over"),
            ("nobody_takes_masks", "no provider of the chain takes a mask to remove as preview"),
            ("provider_not_capable", "fal cannot remove as final: passed over"),
            ("nobody_takes_masks", "no provider of the chain takes a mask to remove as final"),
        ]

    def test_name_routes_that_do_not_mean_what_they_say(self) -> None:
        route = Route(preview_provider="local", final_provider="fal", strategy=Strategy.WEIGHTED)
        settings = SETTINGS.model_copy(
            update={"operation_routes": {Operation.RESTYLE: route}, "part_routes": {}}
        )

        assert [each.code for each in warnings(settings, anything)] == [
            "route_provider_not_enabled",
            "weighted_without_weights",
        ]

    def test_tell_that_the_part_is_asked_before_the_operation(self) -> None:
        route = Route(preview_provider="fal", final_provider="fal", strategy=Strategy.CHEAPEST)
        settings = SETTINGS.model_copy(update={"operation_routes": {Operation.REMOVE: route}})

        assert [(each.code, each.message) for each in warnings(settings, anything)] == [
            (
                "operation_route_outranked",
                "the route of remove comes after those of the parts "
                "full_room, walls, floor, furniture, decor",
            )
        ]
