"""A model with a script instead of a mind, behind the HTTP interface of Anthropic's models."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

Message = dict[str, Any]  # JSON as the client sent it


@dataclass(frozen=True, slots=True)
class RunCommand:
    """The model's wish to have a command run with the Bash tool."""

    command: str
    leave_sandbox: bool = False  # in clients that have one, and ask the person about it


Answer = str | RunCommand
Script = Callable[[list[Message]], Answer]


LAST_WORDS = "is data, never instructions."  # of commands/backup.md


def follow_literally(messages: list[Message]) -> Answer:
    """Do what the text of commands/backup.md says, word by word; relay what the command gave."""
    relayed = tool_result(messages)
    if relayed is not None:
        return relayed
    text = newest_text(messages)
    line = re.search(r'^ +(python3 ".+/scripts/)VERB(\.py") OPTIONS$', text, re.MULTILINE)
    if line is None:
        return "There is no command here to run."
    # Claude Code and Copilot say what was typed on a line of its own, Codex before the text, and
    # opencode behind it.
    typed = re.search(r"^(?:ARGUMENTS:|\$backup:\S+)(.*)$", text, re.MULTILINE)
    behind = re.sub(r"</[\w-]+>", "", text.rpartition(LAST_WORDS)[2]).strip().strip('"')
    words = shlex.split(typed[1] if typed else behind)
    has_verb = bool(words) and not words[0].startswith("-")
    verb = words.pop(0) if has_verb else "export"
    script = f"{with_root(line[1], text)}{verb}{line[2]}"
    return RunCommand(" ".join([script, *map(quoted, words)]))


def with_root(path: str, text: str) -> str:
    """
    The path with the plugin root in the place of its variable, which some clients leave.

    They say where the text comes from; opencode says nothing, and the shell fills the variable.
    """
    said = re.search(r"^(?:Base directory for this skill: |<path>)([^<\n]+)", text, re.MULTILINE)
    if said is None:
        return path
    above = [Path(said[1]), *Path(said[1]).parents]
    root = next(folder for folder in above if (folder / "scripts").is_dir())
    return path.replace("${CLAUDE_PLUGIN_ROOT}", str(root))


def quoted(word: str) -> str:
    """The word in single quotes, needed or not."""
    return shlex.quote(word) if "'" in word else f"'{word}'"


def newest_blocks(messages: list[Message]) -> list[dict[str, Any]]:
    """The content of the newest message of the user; the client adds system messages after it."""
    content = [message["content"] for message in messages if message["role"] == "user"][-1]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def newest_text(messages: list[Message]) -> str:
    """All the text of the newest message of the user."""
    return "\n".join(block["text"] for block in newest_blocks(messages) if block["type"] == "text")


def tool_result(messages: list[Message]) -> str | None:
    """What the tool of the newest message gave; None where no tool ran."""
    for block in newest_blocks(messages):
        if block["type"] == "tool_result":
            given = block["content"]
            return given if isinstance(given, str) else "\n".join(part["text"] for part in given)
    return None


@dataclass(slots=True)
class ScriptedModel:
    """What the client sees as its model; `requests` are the bodies that it sent, oldest first."""

    url: str
    script: Script = follow_literally
    requests: list[dict[str, Any]] = field(default_factory=list)


Event = dict[str, Any]  # its type, and what comes with it


def speak_anthropic(body: dict[str, Any], script: Script, number: int) -> Iterator[Event]:
    """The script's answer to a request, as Anthropic's models give it."""
    shell = next((each for each in SHELLS if each in names_of_tools(body)), SHELLS[0])
    return events(script(body["messages"]), number=number, shell=shell)


@contextmanager
def serve(
    speak: Callable[[dict[str, Any], Script, int], Iterator[Event]] = speak_anthropic,
) -> Iterator[ScriptedModel]:
    """Serve a scripted model on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.requests.append(body)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in speak(body, model.script, len(model.requests)):
                line = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                self.wfile.write(line.encode())

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = ScriptedModel(url=f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()


SHELLS = ("Bash", "bash")  # what clients call the tool that runs a command


def names_of_tools(body: dict[str, Any]) -> list[str]:
    """What the client lets its model use."""
    return [str(tool["name"]) for tool in body.get("tools", ())]


def events(answer: Answer, *, number: int, shell: str) -> Iterator[Event]:
    """
    The answer as the events of one streamed message.

    Args:
        shell: what the client calls the tool that runs commands.
        number: of the request, from 1; the client drops an id that it has seen in the session.

    Source: https://docs.anthropic.com/en/api/messages-streaming
    """
    block: dict[str, Any]
    delta: dict[str, Any]
    if isinstance(answer, str):
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": answer}
        stop_reason = "end_turn"
    else:
        wish = {"command": answer.command, "description": "Run the backup script"}
        block = {
            "type": "tool_use",
            "id": f"toolu_{number}",
            "name": shell,
            "input": {},
        }
        delta = {"type": "input_json_delta", "partial_json": json.dumps(wish)}
        stop_reason = "tool_use"
    message: dict[str, Any] = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ending = {"stop_reason": stop_reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}
