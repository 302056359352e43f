"""What can go wrong with the catalogue, in the words of the product."""

from collections.abc import Mapping

from medici.kernel.errors import Kind, MediciError


class PlanNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "plan_not_found"


class PackNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "pack_not_found"


class StyleNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "style_not_found"


class VariableNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "variable_not_found"


class DiscoverSectionNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "discover_section_not_found"


class DiscoverItemNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "discover_item_not_found"


class PlanRequired(MediciError):
    kind = Kind.CONFLICT
    code = "plan_required"

    def __init__(self, plan_id: str) -> None:
        super().__init__(f"the plan {plan_id} is what everybody else falls back to")


class ProductIdTaken(MediciError):
    """``holder`` is a plan or a pack, such as ``plan:pro``."""

    kind = Kind.CONFLICT
    code = "product_id_taken"

    def __init__(self, *, store: str, product_id: str, holder: str) -> None:
        super().__init__(f"{product_id} of {store} is sold as {holder}")
        self.store = store
        self.product_id = product_id
        self.holder = holder

    def details(self) -> Mapping[str, object]:
        """Return which product of which store, and who has it."""
        return {"store": self.store, "product_id": self.product_id, "taken_by": self.holder}


class VariableRefused(MediciError):
    """A known variable cannot have this value; ``terms`` tell what it can have."""

    kind = Kind.UNPROCESSABLE
    code = "variable_out_of_bounds"

    def __init__(self, key: str, terms: Mapping[str, object]) -> None:
        super().__init__(f"{key} takes {terms}")
        self.key = key
        self.terms = terms

    def details(self) -> Mapping[str, object]:
        """Return the type and the bounds that hold."""
        return {"key": self.key, **self.terms}


class VariableOfWrongType(VariableRefused):
    code = "variable_wrong_type"
