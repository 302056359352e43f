"""What goes through the broker: bells, and calls by name. Both sides of it share these settings."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from celery import Celery  # type: ignore[import-untyped]  # it brings no types

from medici.bootstrap import job_registry
from medici.jobs.handlers import Registry
from medici.jobs.kinds import Queue
from medici.settings import Settings
from medici.worker.calls import called_kind

RING = "medici.ring"
RING_SECONDS = 60.0  # how often beat rings, and how long a bell is worth hearing
UNHEARD = 100  # bells that may wait in a queue before no more are hung there
SILENCE_SECONDS = 5.0  # from a broker that is connected
CALL_THREADS = 4
ALIASES = {Queue.POLLING: "polling"}


class MediciCelery(Celery):  # type: ignore[misc]  # its base class has no types
    """A Celery application that reads its settings when it needs them, and checks what it calls."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        super().__init__("medici")
        self._make_settings = settings
        self.add_defaults(self._configuration)

    @cached_property
    def settings(self) -> Settings:
        return self._make_settings()

    @cached_property
    def registry(self) -> Registry:
        return job_registry()

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Send a message, if there is something that it can mean.

        Raises:
            UnknownJobKind: no job has this name.
            UnfitArguments: the job does not take these.
        """
        if name != RING:
            called_kind(self.registry, name, args or (), kwargs or {})
        return super().send_task(name, args, kwargs, **options)

    def _configuration(self) -> dict[str, Any]:
        return {
            "broker_url": self.settings.celery_broker_url,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            "broker_transport_options": {
                "socket_timeout": SILENCE_SECONDS,
                "socket_connect_timeout": SILENCE_SECONDS,
                "max_retries": 0,  # a publisher is told at once that the broker is away
            },
            "task_queues": {queue.value: _declared(queue) for queue in Queue},
            "task_default_queue": Queue.DEFAULT.value,
            "task_create_missing_queues": False,
            "task_routes": {kind.name: {"queue": kind.queue.value} for kind in self.registry.kinds},
            "task_ignore_result": True,
            "worker_consumer": "medici.worker.consumer:Consumer",
            "worker_pool": "threads",
            "worker_concurrency": CALL_THREADS,  # for messages; jobs have a number of their own
            "worker_redirect_stdouts": False,
            "worker_cancel_long_running_tasks_on_connection_loss": True,  # none is; it is asked for
            "beat_scheduler": "celery.beat:Scheduler",  # nothing to remember, so no file
            "beat_schedule": {f"ring {queue}": _each_minute(queue) for queue in Queue},
        }


class Bells:
    """Rings for workers in other processes, through the broker."""

    def __init__(self, app: MediciCelery) -> None:
        self._app = app

    def ring(self, queues: Collection[Queue]) -> None:
        """Leave a bell in each queue, unless so many wait there that nobody seems to listen.

        Waits a few seconds at most, and never tries twice; raises whatever the broker does.
        """
        with self._app.producer_pool.acquire(block=True) as producer:
            for queue in queues:
                declared = self._app.amqp.queues[queue].bind(producer.channel).queue_declare()
                if declared.message_count < UNHEARD:
                    self._app.send_task(
                        RING, args=[queue], producer=producer, retry=False, **_bell_for(queue)
                    )


def _declared(queue: Queue) -> dict[str, str | None]:
    return {"exchange": queue.value, "routing_key": queue.value, "alias": ALIASES.get(queue)}


def _each_minute(queue: Queue) -> dict[str, Any]:
    """Ring without a cause: it heals the loss of a bell. Schedules of jobs are kept by workers."""
    return {
        "task": RING,
        "schedule": RING_SECONDS,
        "args": [queue.value],
        "options": _bell_for(queue),
    }


def _bell_for(queue: Queue) -> dict[str, Any]:
    return {"queue": queue.value, "expires": RING_SECONDS}
