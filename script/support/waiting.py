"""Waiting for something that another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
POLL_S = 0.2


def wait_until(condition: Callable[[], Result], what: str, seconds: float = 90) -> Result:
    """Ask again and again. :return: the condition's first answer that is true.

    :raise TimeoutError: when there is none in time; `what` says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(POLL_S)
    raise TimeoutError(f"{what}: not within {seconds} s.")
