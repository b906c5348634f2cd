"""docs/off-site.md, from its first command to its last, with a bucket and a new machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

from tests.running import environment, make_database, rows, run
from tests.stores.servers import KEY_ID, SECRET, S3Server

PAGE = (Path(__file__).parents[2] / "docs" / "off-site.md").read_text(encoding="utf-8")


def test_the_page_leads_from_nothing_to_copies_that_a_new_machine_restores(
    s3: S3Server, s3_settings, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    make_database(tmp_path / "soy.db", "CREATE TABLE notes (id); INSERT INTO notes VALUES (1)")
    (tmp_path / "usb").mkdir()
    (settings,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for shown, here in {
        "~/.local/share/software-of-you/soy.db": str(tmp_path / "soy.db"),
        "s3://my-bucket/holdfast": s3_settings.url,
        "region: eu-central-1": f"region: eu-central-1, endpoint: '{s3.endpoint}'",
        "/media/ann/usb": str(tmp_path / "usb"),
    }.items():
        assert shown in settings
        settings = settings.replace(shown, here)
    commands = [
        shlex.split(line.removeprefix("python3 scripts/"))
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    verbs = [words[0] for words in commands]
    assert verbs == ["keys.py", "export.py", "verify.py", "status.py", "restore.py"]
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    said = []
    for verb, *words in commands:
        if verb == "restore.py":  # on a new machine, with what was kept elsewhere
            new = tmp_path / "new" / "home"
            new.mkdir(parents=True)
            for name in ("backup.yaml", "key.txt"):
                shutil.copy(home / name, new / name)
            home = new
        variables = environment(home) | keys
        done = run(home, verb.removesuffix(".py"), *words, env=variables, cwd=home.parent)
        said.append(done.stdout)
        if verb == "keys.py":
            found = re.search(r"(?ms)^ *encryption:\n.*?age1\w+.*?$", done.stdout)
            assert found, done.stdout
            lines = os.linesep.join(line[2:] for line in found[0].splitlines())
            (home / "backup.yaml").write_text(settings + lines + "\n")
    assert said[1].count("read back).") == 2 and ".json.age" in said[1]
    assert "verified (" in said[2]
    assert "Store cloud: 1 backup" in said[3] and "Store disk: 1 backup" in said[3]
    assert rows(tmp_path / "new" / "soy.db", "SELECT * FROM notes") == [(1,)]
