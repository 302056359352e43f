"""What can go wrong with the catalogue, in the words of the product."""

from medici.kernel.errors import Kind, MediciError


class PlanNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "plan_not_found"
