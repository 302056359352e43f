"""Looking at background work from the shell, reviving it, and taking it out."""

from uuid import UUID

from tests.cli.conftest import Shell

UNFIT = ("call", "rendering.dispatch", "--args", '{"render_job_id": 7}')
NOBODY = UUID(int=7)


def dead_jobs(shell: Shell) -> list[str]:
    """Return the ids of dead jobs, the latest first."""
    return [line.split()[0] for line in shell.done("jobs", "--dead") if " rendering." in line]


class TestJobs:
    def test_says_that_there_is_none(self, shell_on_either: Shell) -> None:
        assert shell_on_either.done("jobs") == ["nothing waits, runs or is dead"]
        assert shell_on_either.done("jobs", "--dead") == ["nothing is dead"]

    def test_counts_by_kind_and_state(self, shell_on_either: Shell) -> None:
        shell_on_either.refused(*UNFIT)
        shell_on_either.refused(*UNFIT)

        head, line = shell_on_either.done("jobs", "--kind", "rendering.dispatch")

        assert head.split() == ["kind", "ready", "running", "dead"]
        assert line.split() == ["rendering.dispatch", "0", "0", "2"]
        assert shell_on_either.done("jobs", "--kind", "ledger.audit") == [
            "nothing waits, runs or is dead"
        ]

    def test_tells_why_a_job_is_dead(self, shell_on_either: Shell) -> None:
        shell_on_either.refused(*UNFIT)

        (line,) = shell_on_either.done("jobs", "--dead")

        assert line.endswith(
            " rendering.dispatch unfit_job_arguments: render_job_id is not of its type"
        )
        assert shell_on_either.done("jobs", "--dead", "--kind", "ledger.audit") == [
            "nothing is dead"
        ]

    def test_shows_so_many_dead_jobs_and_no_more(self, shell: Shell) -> None:
        for _ in range(2):
            shell.refused(*UNFIT)

        assert len(shell.done("jobs", "--dead", "--limit", "1")) == 1


class TestCancel:
    def test_takes_a_waiting_job_out(self, shell_on_either: Shell) -> None:
        shell_on_either.refused(*UNFIT)
        shell_on_either.done("jobs", "revive", "--all-dead")
        (line,) = shell_on_either.done("jobs", "--waiting")
        job_id = line.split()[0]

        assert shell_on_either.done("jobs", "cancel", job_id) == ["1 canceled"]

        assert " rendering.dispatch unfit_job_arguments: " in line
        assert shell_on_either.done("jobs", "--waiting") == ["nothing waits"]
        assert shell_on_either.refused("jobs", "cancel", job_id) == (
            f"medici: job {job_id} is canceled (job_not_waiting)"
        )

    def test_refuses_what_is_not_there(self, shell: Shell) -> None:
        shell.done("migrate")

        assert shell.refused("jobs", "cancel", str(NOBODY)) == f"medici: {NOBODY} (job_not_found)"

    def test_looks_at_the_living_or_the_dead(self, shell: Shell) -> None:
        assert shell.run("jobs", "--dead", "--waiting").exit_code == 2


class TestRevive:
    def test_gives_one_job_its_attempts_again(self, shell_on_either: Shell) -> None:
        for _ in range(2):
            shell_on_either.refused(*UNFIT)
        latest, earlier = dead_jobs(shell_on_either)

        assert shell_on_either.done("jobs", "revive", earlier) == ["1 revived"]

        assert dead_jobs(shell_on_either) == [latest]
        _, line = shell_on_either.done("jobs")
        assert line.split() == ["rendering.dispatch", "1", "0", "1"]

    def test_revives_all_of_a_kind(self, shell_on_either: Shell) -> None:
        for _ in range(2):
            shell_on_either.refused(*UNFIT)

        assert shell_on_either.done("jobs", "revive", "--kind", "ledger.audit") == ["0 revived"]
        assert shell_on_either.done("jobs", "revive", "--kind", "rendering.dispatch") == [
            "2 revived"
        ]

        assert dead_jobs(shell_on_either) == []

    def test_revives_whatever_is_dead(self, shell: Shell) -> None:
        shell.refused(*UNFIT)

        assert shell.done("jobs", "revive", "--all-dead") == ["1 revived"]

    def test_refuses_what_is_not_dead(self, shell: Shell) -> None:
        (told,) = shell.done("call", "ledger.expire_holds")
        job_id = told.removeprefix("done ")

        assert shell.refused("jobs", "revive", job_id) == (
            f"medici: job {job_id} is done (job_not_dead)"
        )
        assert shell.refused("jobs", "revive", str(NOBODY)) == f"medici: {NOBODY} (job_not_found)"

    def test_has_to_be_told_what_to_revive(self, shell: Shell) -> None:
        assert shell.run("jobs", "revive").exit_code == 2
        assert shell.run("jobs", "revive", "--all-dead", "--kind", "x").exit_code == 2
