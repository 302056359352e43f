"""What can be wrong with the set-up of an experiment, in the words of the product."""

from collections.abc import Mapping
from enum import StrEnum

from medici.kernel.errors import Kind, MediciError


class Refusal(StrEnum):
    """The codes that go on the wire."""

    RESERVED_ID = "reserved_experiment_id"
    ASSIGNMENT_UNIT = "unsupported_assignment_unit"
    NO_METRIC = "primary_metric_required"
    NO_VARIANT = "at_least_one_variant_required"
    NO_VARIANT_ID = "variant_id_required"
    VARIANT_TWICE = "duplicate_variant_id"
    NO_WEIGHT = "variant_weight_total_must_be_positive"
    UNKNOWN_CONTROL = "control_variant_unknown"
    UNKNOWN_OVERRIDE = "override_variant_unknown"
    NO_PLANNED_SIZE = "planned_sample_size_required"
    NAMESPACE_RANGE = "namespace_range_invalid"
    NAMESPACE_ID = "namespace_id_reserved"
    NAMESPACE_OVERLAP = "namespace_overlap"
    ROUTING = "invalid_routing_treatment"


class SetUpRefused(MediciError):
    """A set-up that cannot be taken; the message says what to change."""

    kind = Kind.INVALID

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(message)
        self.code = code

    def details(self) -> Mapping[str, object]:
        return {"message": str(self)}


class RevisionConflict(MediciError):
    """Somebody changed the experiment since it was read; it is at ``revision`` now."""

    kind = Kind.CONFLICT
    code = "revision_conflict"

    def __init__(self, revision: int) -> None:
        super().__init__(f"the experiment is at revision {revision} now")
        self.revision = revision

    def details(self) -> Mapping[str, object]:
        return {"revision": self.revision}


class VariantIsRolledOut(MediciError):
    """The ladder hands this variant out, so it cannot be taken out of the experiment."""

    kind = Kind.CONFLICT
    code = "variant_is_rolled_out"

    def __init__(self, variant_id: str) -> None:
        super().__init__(f"{variant_id} is being rolled out; draw everybody anew to be rid of it")
