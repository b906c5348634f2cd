"""
Run the tests with the packages of requirements-dev.lock, where there is nothing but Python 3.11.

    python3 -m tests [pytest arguments]           run the tests
    python3 -m tests --tools [pytest arguments]   the same, with the outside tools made ready first
    python3 -m tests --lint                       check the code's form and types
    python3 -m tests --run MODULE [arguments]     run one of those packages: ruff, mypy, uv;
                                                  or biome, of npm

With CI set in the environment, running the tests implies --tools, and --lint makes them ready.
"""

import concurrent.futures
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from holdfast import bootstrap  # noqa: E402 - only found once its folder is on the path

IN_BACKGROUND = concurrent.futures.ThreadPoolExecutor(max_workers=9)

LINT = [["ruff", "format", "--check"], ["ruff", "check"], ["mypy"]]
# Of the page's scripts: form, names that there are, and what is mostly a mistake.
BIOME_CONFIG = "--config-path=tests/web/page-biome.json"
LINT_PAGE = ["biome", "check", "--error-on-warnings", BIOME_CONFIG, "scripts/holdfast/web"]
BIOME_PACKAGE = "@biomejs/biome"
BIOME_VERSION = "2.6.8"

# These alone: what else a machine's Python has may fail the tests.
PLUGINS = ["-p", "xdist.plugin", "-p", "_hypothesis_pytestplugin"]
# For all tests: as many at once as there are cores.
IN_PARALLEL = ["--numprocesses=auto", "--dist=worksteal"]

# By program: the Debian package that holds it.
DEBIAN_PACKAGES = {
    "age": "age",
    "chromium": "chromium",
    "crontab": "cron",
    "jq": "jq",
    "restic": "restic",
    "sqldiff": "sqlite3-tools",
    "sqlite3": "sqlite3",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "unzip": "unzip",
    "valgrind": "valgrind",
    "zstd": "zstd",
}
# Kept in memory where there is room, the tests' files make nobody wait for a disk.
MEMORY = "/dev/shm"
MEMORY_BYTES = 4 * 1024**3

CLAUDE_PACKAGE = "@anthropic-ai/claude-code"
CLAUDE_VERSION = "2.1.329"
# Packages for this system alone, where there are any; those for all bring along what fetches them.
MACHINE = {"x86_64": "x64", "AMD64": "x64"}.get(platform.machine(), "arm64")
CODEX_PACKAGE = "@openai/codex"
CODEX_VERSION = f"0.169.0-{sys.platform}-{MACHINE}"
COPILOT_PACKAGE = f"@github/copilot-{sys.platform}-{MACHINE}"
COPILOT_VERSION = "1.0.102"
OPENCODE_PACKAGE = "opencode-{}-{}".format(
    {"win32": "windows"}.get(sys.platform, sys.platform), MACHINE
)
OPENCODE_VERSION = "1.18.33"
GEMINI_PACKAGE = "@google/gemini-cli"
GEMINI_VERSION = "0.61.0"
# Finds what keeps people out of a page.
AXE_PACKAGE = "axe-core"
AXE_VERSION = "4.14.1"
# Microsoft's own stand-in for Azure's object storage.
AZURITE_PACKAGE = "azurite"
AZURITE_VERSION = "3.37.0"
TOOLS_PYTHON = ">=3.11,<3.13"  # Open WebUI runs on no newer one


def main(arguments: "list[str]") -> int:
    bootstrap.refuse_old_python()
    packages = str(bootstrap.packages_or_exit(ROOT / "requirements-dev.lock"))
    # Inherited by every program that a test starts.
    search_path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, PYTHONPATH=search_path)
    readying = []
    if arguments == ["--lint"]:
        # As with the other tools from npm: CI has it, and others may.
        commands = LINT + [LINT_PAGE] * bool(shutil.which("npm") or os.environ.get("CI"))
        if os.environ.get("CI"):  # the tests come next: to wait for the network is no work
            readying.append(IN_BACKGROUND.submit(ready_tools, packages))
    elif arguments[:1] == ["--run"]:
        environment.update(PYTHONPATH=os.pathsep.join([str(ROOT / "scripts"), search_path]))
        commands = [arguments[1:]]
    else:
        if "--tools" in arguments or os.environ.get("CI"):
            environment.update(ready_tools(packages))
        words = [argument for argument in arguments if argument != "--tools"]
        if not words:
            environment.update(scratch_in_memory())
        environment.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        commands = [["pytest"] + PLUGINS + (words or IN_PARALLEL)]
    exit_codes = [
        subprocess.run(program(*command), cwd=str(ROOT), env=environment).returncode
        for command in commands
    ]
    for each in readying:
        each.result()
    return next(filter(None, exit_codes), 0)


def program(name: str, *arguments: str) -> "list[str]":
    """The words that run a module of Python, or biome, which is of npm."""
    if name == "biome":
        return [str(from_npm(BIOME_PACKAGE, BIOME_VERSION) / ".bin" / name), *arguments]
    return [sys.executable, "-m", name, *arguments]


def scratch_in_memory() -> "dict[str, str]":
    """Environment variables for all tests: where they put their files, unless that is said."""
    try:
        is_free = shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    except OSError:
        is_free = False
    return {"TMPDIR": MEMORY} if is_free and not os.environ.get("TMPDIR") else {}


def ready_tools(packages: str) -> "dict[str, str]":
    """Install the outside tools that tests drive, where they are missing; where they are."""
    debian = IN_BACKGROUND.submit(install_debian_packages)
    tools = IN_BACKGROUND.submit(real_tools, packages, "tools.txt")
    webui = IN_BACKGROUND.submit(real_tools, packages, "open_webui.txt", "--no-deps")
    opencode = IN_BACKGROUND.submit(from_npm, OPENCODE_PACKAGE, OPENCODE_VERSION)
    codex = IN_BACKGROUND.submit(from_npm, CODEX_PACKAGE, CODEX_VERSION)
    copilot = IN_BACKGROUND.submit(from_npm, COPILOT_PACKAGE, COPILOT_VERSION)
    gemini = IN_BACKGROUND.submit(from_npm, GEMINI_PACKAGE, GEMINI_VERSION)
    axe = IN_BACKGROUND.submit(from_npm, AXE_PACKAGE, AXE_VERSION)
    azurite = IN_BACKGROUND.submit(from_npm, AZURITE_PACKAGE, AZURITE_VERSION)
    client = os.environ.get("HOLDFAST_TEST_CLAUDE") or str(claude())
    debian.result()
    return {
        "HOLDFAST_TEST_AXE": str(axe.result() / AXE_PACKAGE / "axe.min.js"),
        "HOLDFAST_TEST_AZURITE": str(azurite.result() / "azurite/dist/src/blob/main.js"),
        "HOLDFAST_TEST_CLAUDE": client,
        "HOLDFAST_TEST_CODEX": str(next(codex.result().glob("@openai/codex/vendor/*/bin/codex"))),
        "HOLDFAST_TEST_COPILOT": str(copilot.result() / COPILOT_PACKAGE / "copilot"),
        "HOLDFAST_TEST_GEMINI": str(gemini.result() / ".bin" / "gemini"),
        "HOLDFAST_TEST_OPEN_WEBUI": str(webui.result()),
        "HOLDFAST_TEST_OPENCODE": str(opencode.result() / OPENCODE_PACKAGE / "bin" / "opencode"),
        "HOLDFAST_TEST_REAL_TOOLS": str(tools.result()),
    }


def real_tools(packages: str, requirements: str, *options: str) -> Path:
    """The Python that has tools whose databases are backed up in tests, in the user's cache."""
    wanted = ROOT / "tests" / "real" / requirements
    name = f"real-tools-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]}"
    folder = bootstrap.cache_folder() / "tools" / name

    def build(staging: Path) -> None:
        uv = [sys.executable, "-m", "uv", "--no-config", "--quiet"]
        environment = {"PYTHONPATH": packages, "UV_LINK_MODE": "copy"}
        target = staging / "finished"
        run(*uv, "venv", "--relocatable", "--python", TOOLS_PYTHON, target, **environment)
        install = [*uv, "pip", "install", "--python", str(target / "bin" / "python")]
        run(*install, *options, "--requirement", wanted, **environment)

    bootstrap.build_once(folder, build, notice="installing the tools of the tests ...")
    return folder / "bin" / "python"


def install_debian_packages() -> None:
    """Leave a machine alone that is not Debian's, or where we are not root."""
    missing = [name for program, name in DEBIAN_PACKAGES.items() if not shutil.which(program)]
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        run("apt-get", "update")
        run("apt-get", "install", "--yes", "--no-install-recommends", *missing)


def claude() -> Path:
    """The assistant's client at the pinned version, from npm, in the user's cache folder."""
    folder = bootstrap.cache_folder() / "tools" / f"claude-code-{CLAUDE_VERSION}"
    bootstrap.build_once(folder, install_claude, notice="installing claude-code for its tests ...")
    return folder / "node_modules" / ".bin" / "claude"


def install_claude(staging: Path) -> None:
    target = staging / "finished"
    run(
        "npm",
        "install",
        "--ignore-scripts",
        "--prefix",
        target,
        f"{CLAUDE_PACKAGE}@{CLAUDE_VERSION}",
    )
    # By hand: newer versions of npm run no package's script unasked.
    run("node", target / "node_modules" / CLAUDE_PACKAGE / "install.cjs")
    run(target / "node_modules" / ".bin" / "claude", "--version")


def from_npm(package: str, version: str) -> Path:
    """The folder of modules with a package of npm, in the user's cache folder."""
    folder = bootstrap.cache_folder() / "tools" / f"{package.replace('/', '-')}-{version}"

    def install(staging: Path) -> None:
        finished = staging / "finished"
        run("npm", "install", "--ignore-scripts", "--prefix", finished, f"{package}@{version}")

    bootstrap.build_once(folder, install, notice=f"installing {package} for its tests ...")
    return folder / "node_modules"


def run(*command: "str | Path", **variables: str) -> None:
    """Run a command silently; when it fails, show its output and end the process."""
    words = [str(word) for word in command]
    if not shutil.which(words[0]):
        sys.exit(f"tests: {words[0]} is needed here, and is not installed")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", **variables)
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"tests: {' '.join(words)} failed:\n{done.stdout.decode('utf-8', 'replace')}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
