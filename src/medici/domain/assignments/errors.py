"""Why nobody is assigned."""

from medici.kernel.errors import Kind, MediciError, Unavailable


class ExperimentNotFound(MediciError):
    kind = Kind.NOT_FOUND
    code = "experiment_not_found"


class ExperimentInactive(MediciError):
    """The experiment does not run: clients use what is built into them."""

    kind = Kind.CONFLICT
    code = "experiment_inactive"


class SetupChanged(Unavailable):
    """The experiment was changed meanwhile; whoever reads it again can be told."""

    code = "experiment_changed"
