"""An app with the trial's routes beside our own."""

import pytest

from tests.doors.http.trial import Trial
from tests.doors.support import Parts, Worker


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def parts(trial: Trial) -> Parts:
    return Parts(routers=[trial.router()], worker=Worker())
