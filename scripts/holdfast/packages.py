"""The packages that are needed, and those that only some people need; read by any Python."""

import sys

CLOUD = "cloud"  # the extra of those who keep backups in object storage
WEB = "web"  # and of those who look at them in a browser

NO_LIMIT = (sys.maxsize,)
# By import name: the project on PyPI, its first version that will do, the first that will not.
NEEDED = {
    "filelock": ("filelock", (3, 16), NO_LIMIT),
    "msgspec": ("msgspec", (0, 22), NO_LIMIT),
    "nacl": ("pynacl", (1, 6), NO_LIMIT),
    "platformdirs": ("platformdirs", (4,), NO_LIMIT),
    "sqlite_utils": ("sqlite-utils", (4, 2), (5,)),
    "yaml": ("pyyaml", (6,), NO_LIMIT),
}
# By extra: the packages that it adds, as in NEEDED.
EXTRAS = {
    CLOUD: {"obstore": ("obstore", (0, 12), NO_LIMIT)},
    WEB: {
        "fastapi": ("fastapi", (0, 165), NO_LIMIT),
        "fastapi_swagger": ("fastapi-swagger", (0, 4), NO_LIMIT),
        "python_multipart": ("python-multipart", (0, 0), NO_LIMIT),
        "uvicorn": ("uvicorn", (0, 54), NO_LIMIT),
    },
}
if sys.version_info < (3, 14):
    NEEDED["backports.zstd"] = ("backports-zstd", (1, 5), NO_LIMIT)
