"""Runs verbs under strace, with a fault at a chosen system call; many of them, quickly."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.running import SCRIPTS, environment

# The system calls by which anything on a disk changes.
CHANGING = (
    *("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync"),
    *("link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"),
)

# What is loaded once is in each fork of it, which waits to be traced before it begins.
_SERVER = """
import ctypes, importlib, json, os, pkgutil, signal, sys
sys.path.insert(0, sys.argv[1])
import holdfast, sqlite_utils, yaml
for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    importlib.import_module(module.name)
from holdfast.cli import run
for line in sys.stdin:
    words, output = json.loads(line)
    child = os.fork()
    if not child:
        ctypes.CDLL(None).prctl(0x59616D61, -1)  # PR_SET_PTRACER: strace, which is no ancestor
        said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            code = run.main(words)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.waitpid(child, os.WUNTRACED)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Traced:
    """Verbs of one home, run one after the other under strace."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self._trace, self._said = folder / "trace", folder / "said"

    def run(self, *words: str | Path, fault: str = "") -> tuple[int, str]:
        """
        Run a verb to its end; returns its exit code, and all that it said.

        Args: fault: as strace takes it for `inject=`, such as `fsync:error=EIO:when=2`.
        """
        assert self._server.stdin and self._server.stdout
        request = [[str(word) for word in words], str(self._said)]
        print(json.dumps(request), file=self._server.stdin, flush=True)
        process = int(self._server.stdout.readline())
        inject = ["-e", f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}"]
        trace = ["-y", "-e", f"trace={','.join(CHANGING)}"]
        options = ["-o", str(self._trace), *(inject if fault else trace)]
        strace = ["strace", "-f", *options, "-p", str(process)]
        with subprocess.Popen(strace, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr
            assert "attached" in tracer.stderr.readline()
            os.kill(process, signal.SIGCONT)
            code = int(self._server.stdout.readline())
            tracer.communicate()
        return code, self._said.read_text()

    def calls(self) -> dict[str, list[int]]:
        """
        Number the system calls of the last run, which had no fault: by name, those to interrupt.

        Of calls of one name on one file with nothing between them, these are the first and the
        last: each between those leaves what the first left, and some more of it.
        Of several threads the one counts that made the most: strace counts each on its own.
        """
        trace = self._trace.read_text(errors="replace")
        by_thread: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for thread, name, path in _CALL.findall(trace):
            by_thread[thread].append((name, path))
        found: dict[str, list[int]] = {}
        most: Counter[str] = Counter()
        for made in by_thread.values():
            numbers, counts = _telling(made)
            for name, count in counts.items():
                if count > most[name]:
                    found[name], most[name] = numbers[name], count
        return found


_CALL = re.compile(
    rf"(?m)^(\d+) +({'|'.join(CHANGING)})\((?:AT_FDCWD[^,]*, )?(\d+<[^>]*>|\"[^\"]*\")"
)


def _telling(made: list[tuple[str, str]]) -> tuple[dict[str, list[int]], Counter[str]]:
    """Of a thread's calls: the numbers of the first and last of each series; the count of all."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for (name, _), series in itertools.groupby(made):
        first = counts[name] + 1
        counts[name] += len(list(series))
        numbers[name] += sorted({first, counts[name]})
    return numbers, counts


@contextlib.contextmanager
def tracing(home: Path, folder: Path) -> Iterator[Traced]:
    """Yield what runs verbs in a home under strace; `folder` is for what it notes."""
    command = [sys.executable, "-c", _SERVER, str(SCRIPTS)]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Traced(server, folder)
        assert server.stdin
        server.stdin.close()
