"""What a Java exception tells the user, whichever way PySpark has wrapped it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError


@dataclass(frozen=True)
class Failure:
    """Class names and messages from the outermost exception to its last cause."""

    classes: list[str]
    messages: list[str]

    @property
    def text(self) -> str:
        return "\n".join(f"{name}: {message}" for name, message in zip(self.classes, self.messages, strict=True))


def failure_of(action: Callable[[], object]) -> Failure:
    """Runs `action`, which has to fail with a Java exception."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (PySpark turns some Java exceptions into Python ones, and which differs by release)
        action()
    throwable = _java_exception(caught.value)
    classes, messages = [], []
    while throwable is not None:
        classes.append(str(throwable.getClass().getName()))
        messages.append(str(throwable.getMessage()))
        throwable = throwable.getCause()
    return Failure(classes, messages)


def _java_exception(error: BaseException) -> Any:
    """What py4j raised, even where PySpark raised something else while it handled that."""
    raised: BaseException | None = error
    while raised is not None:
        if isinstance(raised, Py4JJavaError):
            return raised.java_exception
        raised = raised.__context__
    raise error
