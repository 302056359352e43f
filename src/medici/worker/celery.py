"""The Celery application: ``celery -A medici.worker worker``, ``beat`` or ``call NAME``.

A worker process holds a drain: our own worker, on an event loop in a thread of its own, which takes
its jobs from the table. Celery's messages only ring for it or put in a job, so that a message which
is lost, late or delivered twice does no harm. Schedules are kept by the drain as well; beat merely
rings each minute.
"""

import logging
import os
from collections.abc import Callable, Collection
from threading import Event, Thread
from typing import Any

import structlog
from celery import bootsteps, signals  # type: ignore[import-untyped]  # it brings no types
from celery.exceptions import ImproperlyConfigured  # type: ignore[import-untyped]  # nor does this
from celery.worker import state  # type: ignore[import-untyped]  # nor this
from kombu.transport.virtual import QoS

from medici.jobs.kinds import JobKind, Queue
from medici.kernel.db.errors import DatabaseUnavailable
from medici.settings import Settings
from medici.startup import check_settings, start_telemetry
from medici.worker.calls import called_kind
from medici.worker.drain import Drain
from medici.worker.messages import RING, Bells, MediciCelery

log = structlog.get_logger("medici.worker")
THREADS = "celery.concurrency.thread"
CHATTY = ("celery.worker.strategy", "celery.app.trace")  # they tell of every bell
FAILURE = 1
BROKER_SECONDS = 5.0  # that it may take Celery to take leave of it
app = MediciCelery(Settings)
# A connection that is lost cannot give messages back: the attempt ends the worker with an error.
# The broker offers them again by itself when their time is over.
QoS.restore_at_shutdown = False


class Resident:
    """The drain of this process, if it is a worker's."""

    def __init__(self) -> None:
        self._drain: Drain | None = None
        self._has_left_broker = Event()

    @property
    def drain(self) -> Drain:
        if self._drain is None:
            raise ImproperlyConfigured("this process is no worker")
        return self._drain

    def move_in(self, queues: Collection[Queue]) -> None:
        """Have the queues drained from now on, or raise what prevents it."""
        drain = Drain(
            app.settings, queues=queues, publish=Bells(app).ring, on_death=self._end_process
        )
        drain.start()
        self._drain = drain

    def give_notice(self, *, code: int = os.EX_OK, **_: Any) -> None:
        """See to it that the process ends, even if Celery waits for a broker that is silent."""
        Thread(target=self._outwait_broker, args=(code,), daemon=True).start()

    def move_out(self, **_: Any) -> None:
        """Stop draining, if it was begun."""
        self._has_left_broker.set()
        if self._drain is not None:
            self._drain.stop()

    def _end_process(self) -> None:
        """Fail, so that whoever started this process starts it anew."""
        state.should_stop = FAILURE
        self.give_notice(code=FAILURE)

    def _outwait_broker(self, code: int) -> None:
        if not self._has_left_broker.wait(BROKER_SECONDS):
            log.warning("worker.broker_silent")
            self.move_out()
            os._exit(code)


resident = Resident()


class Draining(bootsteps.StartStopStep):  # type: ignore[misc]  # its base class has no types
    """Begins before a broker is asked for messages, hence whether there is one or not."""

    def __init__(self, worker: Any, **options: Any) -> None:
        # Workers meet in the table, so they need no word of each other from the broker. It costs
        # a second of each start, and a stack trace whenever the broker has been away.
        worker.options |= {"without_gossip": True, "without_mingle": True}
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        if worker.pool_cls.__module__ != THREADS:
            raise ImproperlyConfigured("this needs threads: leave out the option --pool")
        check_settings(app.settings)
        consumed = worker.app.amqp.queues.consume_from
        resident.move_in([queue for queue in Queue if queue in consumed])


def _log_as_we_do(**_: Any) -> None:
    start_telemetry(app.settings)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _ring(_queue: str) -> None:
    """Have the drain look for work."""
    resident.drain.ring()


def _put(kind: JobKind) -> Callable[..., str]:
    def put(*args: Any, **kwargs: Any) -> str:
        called_kind(app.registry, kind.name, args, kwargs)
        job_id = resident.drain.put(kind, kwargs)
        log.info("job.called", kind=kind.name, job_id=job_id)
        return str(job_id)

    return put


app.steps["worker"].add(Draining)
signals.setup_logging.connect(_log_as_we_do)
signals.worker_shutting_down.connect(resident.give_notice)
# By then no message is under way any more that might put in a job.
signals.worker_shutdown.connect(resident.move_out)

app.task(name=RING)(_ring)
for _kind in app.registry.kinds:
    app.task(
        name=_kind.name,
        typing=False,  # arguments are checked against what the handler takes
        autoretry_for=(DatabaseUnavailable,),
        retry_backoff=True,
        max_retries=10,
    )(_put(_kind))
