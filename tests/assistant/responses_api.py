"""The scripted model behind the HTTP interface of OpenAI's models, as Codex CLI speaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .scripted_model import Answer, Event, Message, Script, tool_result

STILL_RUNNING = re.compile(r"^Process running with session ID (\d+)$", re.MULTILINE)
LONGEST_WAIT_MS = 30_000  # that Codex takes


def speak_openai(body: dict[str, Any], script: Script, number: int) -> Iterator[Event]:
    """
    The script's answer to a request, as the events of one streamed response.

    Where a command has not ended by then, the answer is to wait for it.

    Source: https://platform.openai.com/docs/api-reference/responses-streaming
    """
    conversation = messages(body["input"])
    unfinished = STILL_RUNNING.search(tool_result(conversation) or "")
    if unfinished:
        wait = {"session_id": int(unfinished[1]), "yield_time_ms": LONGEST_WAIT_MS}
        item = function_call("write_stdin", wait, number)
    else:
        item = as_item(script(conversation), number)
    response = {"id": f"resp_{number}"}
    yield {"type": "response.created", "response": response}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    counts = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    yield {"type": "response.completed", "response": response | {"usage": counts}}


def messages(items: list[dict[str, Any]]) -> list[Message]:
    """What was said in the form that scripts read: what comes from one side in a row is one."""
    found: list[Message] = []
    for item in items:
        if item["type"] == "function_call_output":
            role, blocks = "user", [{"type": "tool_result", "content": item["output"]}]
        elif item["type"] == "message":
            role = item["role"]
            blocks = [{"type": "text", "text": part["text"]} for part in item["content"]]
        else:
            role, blocks = "assistant", []
        if found and found[-1]["role"] == role:
            found[-1]["content"] += blocks
        else:
            found.append({"role": role, "content": blocks})
    return found


def as_item(answer: Answer, number: int) -> dict[str, Any]:
    """The answer as what a response holds."""
    if isinstance(answer, str):
        content = [{"type": "output_text", "text": answer}]
        return {
            "type": "message",
            "id": f"msg_{number}",
            "role": "assistant",
            "content": content,
        }
    wish: dict[str, Any] = {"cmd": answer.command, "yield_time_ms": LONGEST_WAIT_MS}
    if answer.leave_sandbox:
        wish |= {"sandbox_permissions": "require_escalated", "justification": "Back up?"}
    return function_call("exec_command", wish, number)


def function_call(name: str, arguments: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": json.dumps(arguments),
    }
