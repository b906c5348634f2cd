"""What is written for each scheduler: it says just the job, whatever the paths are called."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import ScheduleFailed
from holdfast.schedulers import cron, launchd, systemd, windows
from holdfast.schedulers.calendar import Calendar, read_calendar
from holdfast.schedulers.interface import Job, Machine
from holdfast.schedulers.registry import SCHEDULERS
from tests.running import needs

COMMAND = ("/usr/bin/python3", "/opt/holdfast/schedule.py", "run", "--home", "/home/ann")
MACHINE = Machine({"USER": "nobody at all"}, Path("/home/ann"), "linux")
NAME = "holdfast-backup-3f9a1c2b"
# Any text that a path may be, but for control characters, which are refused.
words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
properties = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NASTY = [
    "it's",
    'a "quoted" word',
    "100%",
    "%h %% %i",
    "$HOME $$ ${HOME}",
    "back\\slash \\n \\x41 \\\\",
    " two  spaces ",
    "é漢🙂",
    "# ; & | < > ` ~ * ? [a] {b} !",
    "--yes",
    "@x",
    "tilde~",
]


def job(calendar: Calendar = Calendar(), *, home: str = "/home/ann") -> Job:  # noqa: B008
    command = (*COMMAND[:-1], home)
    return Job(NAME, calendar, command, datetime(2026, 11, 21, 3, 0))  # noqa: DTZ001 - local


CALENDARS = {
    "hour": read_calendar("hour", ":15"),
    "day": read_calendar("day", "03:00"),
    "week": read_calendar("week", "18:30", "sun"),
    "month": read_calendar("month", "03:05", "9"),
}


# systemd


def test_a_timer_and_its_service_say_what_runs_and_when():
    assert SCHEDULERS["systemd"].texts(job(), MACHINE) == {
        f"/home/ann/.config/systemd/user/{NAME}.service": """\
# Written by Holdfast; `schedule install` writes it anew, `schedule remove` deletes it.
[Unit]
Description=Holdfast: back up the databases

[Service]
Type=oneshot
Nice=10
ExecStart=/usr/bin/env "/usr/bin/python3" "/opt/holdfast/schedule.py" "run" "--home" "/home/ann"
""",
        f"/home/ann/.config/systemd/user/{NAME}.timer": """\
# Written by Holdfast; `schedule install` writes it anew, `schedule remove` deletes it.
[Unit]
Description=Holdfast: back up the databases every day at 03:00

[Timer]
OnCalendar=*-*-* 03:00:00
Persistent=true

[Install]
WantedBy=timers.target
""",
    }


MOMENTS = {
    "hour": ("*-*-* *:15:00", "2026-11-20 14:15:00"),
    "day": ("*-*-* 03:00:00", "2026-11-21 03:00:00"),
    "week": ("Sun *-*-* 18:30:00", "2026-11-22 18:30:00"),
    "month": ("*-*-09 03:05:00", "2026-12-09 03:05:00"),
}


@needs("systemd-analyze")
@pytest.mark.parametrize("every", CALENDARS)
def test_systemd_itself_reads_the_moments_as_they_are_meant(every):
    written, following = MOMENTS[every]
    assert systemd.on_calendar(CALENDARS[every]) == written
    words = ["systemd-analyze", "calendar", "--base-time=2026-11-20 14:00:00 UTC", written]
    done = subprocess.run(
        words, capture_output=True, text=True, env=dict(os.environ, TZ="UTC"), check=True
    )
    assert f"{following} UTC" in done.stdout


@needs("systemd-analyze")
def test_systemd_itself_finds_no_fault_with_the_units(tmp_path):
    (tmp_path / "run").mkdir(mode=0o700)
    paths = []
    for where, text in SCHEDULERS["systemd"].texts(job(home="/a b/%i $x\"'\\"), MACHINE).items():
        paths.append(tmp_path / Path(where).name)
        paths[-1].write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", *paths],
        capture_output=True,
        text=True,
        env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path / "run")),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SYSTEMD = Path("/lib/systemd/systemd")


@needs("systemd-analyze")
@needs("setpriv")
def test_systemd_itself_reads_each_word_back_as_it_was():
    with tempfile.TemporaryDirectory() as name:  # pytest's own are for its user alone
        folder = Path(name)
        units = folder / "config" / "systemd" / "user"
        units.mkdir(parents=True)
        lines = "".join(f"ExecStart=/usr/bin/env {systemd.quoted(word)}\n" for word in NASTY)
        (units / "nasty.service").write_text(f"[Service]\nType=oneshot\n{lines}")
        (folder / "run").mkdir()
        variables = [f"XDG_CONFIG_HOME={folder}/config", f"XDG_RUNTIME_DIR={folder}/run"]
        command = ["env", "-i", f"HOME={folder}", "LANG=C.UTF-8", *variables, str(SYSTEMD)]
        if os.geteuid() == 0:  # which its test mode refuses
            folder.chmod(0o755)
            (folder / "run").chmod(0o777)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        done = subprocess.run(
            [*command, "--user", "--test", "--unit=nasty.service"],
            capture_output=True,
            encoding="utf-8",
        )
    dumped = re.findall(r"Command Line: /usr/bin/env (.*)", done.stdout)
    program = "".join(f"printf '%s\\0' {line}\n" for line in dumped)  # it quotes as for a shell
    read = subprocess.run(["sh", "-c", program], capture_output=True, encoding="utf-8").stdout
    # `$$` becomes `$` only as the program is started; systemd.service(5), command lines.
    assert [word.replace("$$", "$") for word in read.split("\0")[:-1]] == NASTY


def unquoted(text: str) -> str:
    """A quoted word of a command line as systemd.syntax(7) and systemd.service(5) read it."""
    assert text[0] == text[-1] == '"'
    plain = re.sub(r"\\(.)", r"\1", text[1:-1])
    assert re.sub(r'\\[\\"]', "", text[1:-1]).count('"') == 0
    assert re.findall(r"%(?!%)", plain.replace("%%", "")) == []
    return plain.replace("%%", "%").replace("$$", "$")


@properties
@given(words)
def test_systemd_gets_any_path_whole(word):
    assert unquoted(systemd.quoted(word)) == word


# cron


def test_a_line_for_cron_looks_every_hour_whether_it_is_due():
    assert cron.line(job()) == (
        "0 * * * * /usr/bin/python3 /opt/holdfast/schedule.py run --home /home/ann"
        " --if-due --every day --at 03:00 --quiet"
    )
    assert cron.line(job(CALENDARS["week"])).startswith("30 * * * * ")
    assert cron.line(job(CALENDARS["week"])).endswith(
        " --if-due --every week --at 18:30 --on sun --quiet"
    )


def shell_command(line: str) -> str:
    """What cron hands to the shell of a line: crontab(5), the sixth field."""
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)  # would end it
    return command.replace(r"\%", "%")


@properties
@given(words.filter(lambda word: "\\" not in word))
def test_cron_and_its_shell_get_any_path_whole(word):
    given_words = shlex.split(shell_command(cron.line(job(home=f"/{word}"))))
    assert given_words[4] == f"/{word}"


def test_a_real_shell_reads_the_words_as_they_were():
    nasty = [word for word in NASTY if "\\" not in word]
    for word in nasty:
        line = shell_command(cron.line(job(home=word)))
        program = f"set -- {line}\nprintf '%s' \"$5\""
        assert subprocess.run(["sh", "-c", program], capture_output=True).stdout == word.encode()


def test_what_crons_read_in_several_ways_or_not_to_its_end_is_refused():
    with pytest.raises(ScheduleFailed, match="backslash"):
        cron.line(job(home="/a\\b"))
    with pytest.raises(ScheduleFailed, match="too long"):
        cron.line(job(home="/" + "a" * 1000))


one_line = st.text().filter(lambda text: "\n" not in text)


@properties
@given(st.lists(one_line))
def test_the_lines_of_others_in_a_crontab_stay_as_they_are(lines):
    theirs = "".join(f"{line}\n" for line in lines)
    once = cron.with_job(theirs, job())
    assert once.startswith(theirs)
    assert cron.with_job(once, job(CALENDARS["week"])).count("schedule.py") == 1
    assert cron.without_job(once, NAME) == theirs
    assert cron.with_job(once, job()) == once


def test_a_crontab_whose_last_line_does_not_end_gets_an_end():
    once = cron.with_job("5 4 * * * true", job())
    assert once.startswith("5 4 * * * true\n# ")
    assert cron.without_job(once, NAME) == "5 4 * * * true\n"


def test_lines_that_were_changed_by_hand_are_left_to_the_person():
    once = cron.with_job("", job())
    for changed in (once.replace(f"# {NAME}: end\n", ""), once.replace("# ", "5 * * * * x\n# ")):
        with pytest.raises(ScheduleFailed, match="changed by hand"):
            cron.without_job(changed, NAME)


# launchd


INTERVALS = {
    "hour": {"Minute": 15},
    "day": {"Hour": 3, "Minute": 0},
    "week": {"Hour": 18, "Minute": 30, "Weekday": 0},
    "month": {"Hour": 3, "Minute": 5, "Day": 9},
}


@pytest.mark.parametrize("every", CALENDARS)
def test_an_agent_says_what_runs_and_when_in_the_keys_of_launchd(every):
    [(where, text)] = SCHEDULERS["launchd"].texts(job(CALENDARS[every]), MACHINE).items()
    assert where == f"/home/ann/Library/LaunchAgents/{NAME}.plist"
    assert plistlib.loads(text.encode()) == {
        "Label": NAME,
        "ProgramArguments": [
            *COMMAND,
            "--if-due",
            *CALENDARS[every].options,
            "--quiet",
        ],
        "StartCalendarInterval": INTERVALS[every],
        "RunAtLoad": True,
        "ProcessType": "Background",
    }
    assert launchd.interval(CALENDARS[every]) == INTERVALS[every]


@properties
@given(words)
def test_launchd_gets_any_path_whole(word):
    [text] = SCHEDULERS["launchd"].texts(job(home=word), MACHINE).values()
    assert plistlib.loads(text.encode())["ProgramArguments"][4] == word


# Windows

NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
TRIGGERS = {
    "hour": ["TimeTrigger", "Repetition", "Interval", "StartBoundary", "Enabled"],
    "day": ["CalendarTrigger", "StartBoundary", "Enabled", "ScheduleByDay", "DaysInterval"],
    "week": [
        *("CalendarTrigger", "StartBoundary", "Enabled", "ScheduleByWeek"),
        *("DaysOfWeek", "Sunday", "WeeksInterval"),
    ],
    "month": [
        *("CalendarTrigger", "StartBoundary", "Enabled", "ScheduleByMonth"),
        *("DaysOfMonth", "Day", "Months", "January", "February", "March", "April", "May"),
        *("June", "July", "August", "September", "October", "November", "December"),
    ],
}


def task(of: Job) -> ET.Element:
    return ET.fromstring(windows.task(of).encode("utf-16"))


@pytest.mark.parametrize("every", CALENDARS)
def test_a_task_of_windows_says_when_and_makes_up_for_what_was_missed(every):
    root = task(job(CALENDARS[every]))
    [triggers] = root.iter(f"{NAMESPACE}Triggers")
    names = [each.tag.removeprefix(NAMESPACE) for each in triggers.iter()]
    assert names == ["Triggers", *TRIGGERS[every]]
    assert root.findtext(f".//{NAMESPACE}StartBoundary") == "2026-11-21T03:00:00"
    assert root.findtext(f".//{NAMESPACE}StartWhenAvailable") == "true"
    assert root.findtext(f".//{NAMESPACE}Command") == "/usr/bin/python3"


def windows_words(line: str) -> list[str]:
    """The words of a line as CommandLineToArgvW takes it apart, after the program's name."""
    found: list[str] = []
    word, is_open, quoted, at = "", False, False, 0
    while at < len(line):
        slashes = len(line[at:]) - len(line[at:].lstrip("\\"))
        at += slashes
        if at < len(line) and line[at] == '"':
            word += "\\" * (slashes // 2)
            is_open = True
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            at += 1
        elif slashes:
            word, is_open = word + "\\" * slashes, True
        elif line[at] in " \t" and not quoted:
            found += [word] if is_open else []
            word, is_open, at = "", False, at + 1
        else:
            word, is_open, at = word + line[at], True, at + 1
    return [*found, word] if is_open else found


@properties
@given(words.filter(lambda word: word.count("%") < 2))
def test_windows_gets_any_path_whole(word):
    arguments = task(job(home=word)).findtext(f".//{NAMESPACE}Arguments", "")
    assert windows_words(arguments) == [*COMMAND[1:-1], word]


def test_a_path_in_which_windows_would_put_a_variable_is_refused():
    with pytest.raises(ScheduleFailed, match="variable"):
        windows.task(job(home="C:\\%TEMP%\\home"))


# All


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("word", ["a\nb", "a\0b", "a\x7fb", os.fsdecode(b"a\xff")])
def test_what_cannot_be_written_is_refused_and_not_mended(name, word):
    with pytest.raises(ScheduleFailed, match="cannot be written into a schedule"):
        SCHEDULERS[name].texts(job(home=word), MACHINE)
