"""Talk to a client as an editor does, by JSON-RPC on its standard input and output."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

Message = dict[str, Any]


@dataclass(slots=True)
class Peer:
    """
    A client that runs.

    Attributes:
        answer: what the person says to every question of the client.
        asked: the parameters of each such question, oldest first.
        told: what the client reported unasked, oldest first.
    """

    process: subprocess.Popen[str]
    answer: Message = field(default_factory=dict)
    asked: list[Message] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    sent: int = 0

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a request and wait for its result; what is asked meanwhile is answered."""
        self.sent += 1
        self.send({"id": self.sent, "method": method, "params": parameters})
        reply = self.read_until(lambda message: "method" not in message)
        assert reply["id"] == self.sent and "result" in reply, reply
        return reply["result"]

    def wait_for(self, method: str) -> Message:
        """Wait until the client reports this; what comes with it."""
        return dict(self.read_until(lambda message: message.get("method") == method)["params"])

    def meanwhile(self, happens: Callable[[], object]) -> tuple[list[Message], list[Message]]:
        """What was asked, and what was told, while something happened."""
        asked, told = len(self.asked), len(self.told)
        happens()
        return self.asked[asked:], self.told[told:]

    def read_until(self, is_it: Callable[[Message], bool]) -> Message:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message: Message = json.loads(line)
            if "method" in message and "id" in message:
                self.asked.append(message["params"])
                self.send({"id": message["id"], "result": self.answer})
            elif "method" in message:
                self.told.append(message)
            if is_it(message):
                return message
        raise AssertionError(f"the client ended, or said nothing for too long; before: {self.told}")

    def send(self, message: Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    time_limit_seconds: float,
) -> Iterator[Peer]:
    """Start a client, and end it afterwards, or when its time is over."""
    with (cwd.parent / "stderr").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
        timer = Timer(time_limit_seconds, process.kill)
        timer.start()
        try:
            with process:  # closes its input, upon which it ends by itself
                yield Peer(process)
        finally:
            timer.cancel()
