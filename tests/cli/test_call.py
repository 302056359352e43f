"""Running one task from the shell."""

from tests.cli.conftest import Shell


class TestCall:
    def test_runs_a_task_to_its_end(self, shell: Shell) -> None:
        (told,) = shell.done("call", "ledger.expire_holds")

        assert told.startswith("done ")

    def test_knows_its_tasks(self, shell: Shell) -> None:
        assert shell.refused("call", "no.such.task") == (
            "medici: no handler is registered for no.such.task (unknown_job_kind)"
        )

    def test_says_why_a_task_failed(self, shell: Shell) -> None:
        words = shell.refused("call", "rendering.dispatch", "--args", '{"render_job_id": 7}')

        assert words.endswith("is dead: render_job_id is not of its type (unfit_job_arguments)")

    def test_takes_arguments_as_a_json_object_alone(self, shell: Shell) -> None:
        for args in ("[1]", "{"):
            words = shell.refused("call", "ledger.audit", "--args", args)

            assert words.endswith("(unreadable_arguments)")

    def test_lists_tasks_with_their_schedules(self, shell: Shell) -> None:
        told = [" ".join(line.split()) for line in shell.done("call", "--list")]

        assert "ledger.expire_holds default 5 every 5 min" in told
        assert "ledger.audit default 5 daily at 03:20 UTC" in told
        assert "rendering.dispatch image_queue 3" in told

    def test_needs_a_name_without_the_list(self, shell: Shell) -> None:
        assert shell.run("call").exit_code == 2
