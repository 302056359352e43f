"""What is sent through the broker, and what is not."""

import pytest

from medici.jobs.errors import UnfitArguments, UnknownJobKind
from medici.jobs.kinds import Queue
from medici.settings import Settings
from medici.worker.messages import UNHEARD, Bells, MediciCelery
from tests.worker.brokers import Broker


@pytest.fixture
def unread() -> MediciCelery:
    """An application without a broker."""
    return MediciCelery(lambda: Settings(_env_file=None, celery_broker_url="redis://127.0.0.1:1"))


class TestQueues:
    def test_are_those_of_the_jobs(self, unread: MediciCelery) -> None:
        assert list(unread.amqp.queues) == list(Queue)

    def test_have_an_alias_for_polling(self, unread: MediciCelery) -> None:
        unread.amqp.queues.select(["default", "polling"])

        assert list(unread.amqp.queues.consume_from) == [Queue.DEFAULT, Queue.POLLING]

    def test_take_each_call_in_the_queue_of_its_job(self, unread: MediciCelery) -> None:
        routes = {name: route["queue"] for name, route in unread.conf.task_routes.items()}

        assert routes == {kind.name: kind.queue for kind in unread.registry.kinds}


class TestBeat:
    def test_rings_in_every_queue_each_minute(self, unread: MediciCelery) -> None:
        rung = [
            (entry["task"], entry["args"], entry["schedule"], entry["options"])
            for entry in unread.conf.beat_schedule.values()
        ]

        assert rung == [
            ("medici.ring", [queue], 60.0, {"queue": queue, "expires": 60.0}) for queue in Queue
        ]

    def test_keeps_no_file(self, unread: MediciCelery) -> None:
        assert unread.conf.beat_scheduler == "celery.beat:Scheduler"


class TestSendTask:
    def test_refuses_what_no_job_is_called(self, unread: MediciCelery) -> None:
        with pytest.raises(UnknownJobKind):
            unread.send_task("medici.jobs.swept")

    def test_refuses_arguments_that_the_job_does_not_take(self, unread: MediciCelery) -> None:
        with pytest.raises(UnfitArguments, match="limit"):
            unread.send_task("medici.jobs.sweep", kwargs={"limit": 1})

    def test_refuses_arguments_by_position(self, unread: MediciCelery) -> None:
        with pytest.raises(UnfitArguments, match="by name"):
            unread.send_task("medici.jobs.sweep", [1])


class TestBells:
    def test_hang_in_the_queues_that_were_rung(self, broker: Broker) -> None:
        Bells(broker.celery()).ring([Queue.DEFAULT, Queue.POLLING])

        assert [broker.waiting(queue) for queue in Queue] == [1, 0, 1]

    def test_do_not_pile_up_where_nobody_listens(self, broker: Broker) -> None:
        bells = Bells(broker.celery())

        for _ in range(UNHEARD + 5):
            bells.ring([Queue.IMAGE])

        assert broker.waiting(Queue.IMAGE) == UNHEARD

    def test_ring_again_after_the_broker_was_away(self, broker: Broker) -> None:
        bells = Bells(broker.celery())
        bells.ring([Queue.DEFAULT])

        broker.kill()
        with pytest.raises(
            Exception, match=r"refused|closed|reset"
        ):  # each broker has errors of its own
            bells.ring([Queue.DEFAULT])
        broker.restart()
        bells.ring([Queue.DEFAULT])

        assert broker.waiting(Queue.DEFAULT) == 1
