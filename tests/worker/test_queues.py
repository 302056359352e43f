"""``medici worker --queues`` names the queues that a worker looks after."""

import pytest

from medici.cli.worker import UnknownQueue, queues_of
from medici.jobs.kinds import Queue


class TestQueuesOf:
    def test_reads_names(self) -> None:
        assert queues_of("image_queue, default") == (Queue.IMAGE, Queue.DEFAULT)

    @pytest.mark.parametrize("text", ["", "default,", "images"])
    def test_refuses_what_is_no_queue(self, text: str) -> None:
        with pytest.raises(UnknownQueue, match="default, image_queue, polling_queue"):
            queues_of(text)
