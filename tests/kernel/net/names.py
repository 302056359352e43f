"""A name service for tests."""

import asyncio
from collections.abc import Sequence


class Names:
    """Gives each name its answers one after the other, the last one again and again."""

    def __init__(self, *, delay: float = 0, **answers: Sequence[Sequence[str]]) -> None:
        self._delay = delay
        self._answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        await asyncio.sleep(self._delay)
        if host not in self._answers:
            raise OSError(f"{host} is unknown")
        answers = self._answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]
