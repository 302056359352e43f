"""Handlers: the functions that do the work, each tied to the kind that it serves."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Generic, ParamSpec

from medici.jobs.arguments import Parameters
from medici.jobs.claims import Claim
from medici.jobs.errors import UnknownJobKind
from medici.jobs.kinds import JobKind
from medici.jobs.run import Again, Run
from medici.jobs.schedules import Schedule

P = ParamSpec("P")
LastWords = Callable[..., Awaitable[None]]


class Handler(Generic[P]):
    """A function that does the work of one kind; it can still be called as what it is."""

    def __init__(
        self,
        kind: JobKind,
        function: Callable[P, Awaitable[Again | None]],
        buried: LastWords | None,
    ) -> None:
        self.kind = kind
        self._function = function
        self._parameters = Parameters(function)
        self._buried = buried
        if buried is not None:
            self._last_parameters = Parameters(buried)
            if self._last_parameters.names != self._parameters.names | {"reason"}:
                raise TypeError(f"the last words of {kind.name} take its arguments and a reason")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[Again | None]:
        return self._function(*args, **kwargs)

    def check(self, args: Mapping[str, object]) -> None:
        """Make sure that the work takes these arguments, as a job stores them.

        Raises:
            UnfitArguments: one is missing, unknown, or not of its type.
        """
        self._parameters.read(args)

    async def carry_out(self, run: Run[Any], claim: Claim) -> Again | None:
        """Do the work, or say the last words of a job that is given up."""
        function: Callable[..., Awaitable[Again | None]] = self._function
        if claim.standing.burial is None:
            return await function(run, **self._parameters.read(claim.args))
        if self._buried is not None:
            words = {**claim.args, "reason": claim.standing.burial}
            await self._buried(run, **self._last_parameters.read(words))
        return None


def handles(
    kind: JobKind, *, buried: LastWords | None = None
) -> Callable[[Callable[P, Awaitable[Again | None]]], Handler[P]]:
    """Make a function the handler of a kind.

    It takes a ``Run`` and then the job's arguments as keywords, converted to their annotations.
    ``buried`` takes the same and ``reason``, the code of what stopped the job for good. Both are
    correct when they run twice.
    """
    return lambda function: Handler(kind, function, buried)


class Registry:
    """The handlers and schedules that a process knows."""

    def __init__(
        self, handlers: Iterable[Handler[...]], schedules: Iterable[Schedule] = ()
    ) -> None:
        self._handlers: dict[str, Handler[...]] = {}
        for handler in handlers:
            if self._handlers.setdefault(handler.kind.name, handler) is not handler:
                raise ValueError(f"two handlers of {handler.kind.name}")
        self.schedules = tuple(schedules)
        self._missed: set[str] = set()

    @classmethod
    def of(cls, *modules: ModuleType) -> "Registry":
        """Collect the handlers and schedules that stand in these modules."""
        found = {id(value): value for module in modules for value in vars(module).values()}
        return cls(
            [value for value in found.values() if isinstance(value, Handler)],
            [value for value in found.values() if isinstance(value, Schedule)],
        )

    @property
    def kinds(self) -> tuple[JobKind, ...]:
        return tuple(handler.kind for handler in self._handlers.values())

    def handler(self, name: str) -> Handler[...]:
        """Return the handler of a kind.

        Raises:
            UnknownJobKind: nothing here serves it.
        """
        if name not in self._handlers:
            raise UnknownJobKind(name)
        return self._handlers[name]

    def miss(self, name: str) -> bool:
        """Note that work of an unknown kind came by; tell whether it is the first of its kind."""
        news = name not in self._missed
        self._missed.add(name)
        return news
