"""From the address of a bucket to the bucket: obstore itself, the way there, and the log-in."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast import bootstrap, files, packages
from holdfast.errors import ProgramFailed, SettingsError, StoreFailed
from holdfast.profiles import StoreSettings
from holdfast.programs import find_program, output_of
from holdfast.stores.cloud import CloudObjects, client_options, retry_config

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_ADDRESS = re.compile(r"(s3|gs|az)://([A-Za-z0-9][\w.-]*)(?:/([^?#@]*))?")


def open_cloud(
    name: str,
    settings: StoreSettings,
    environment: Mapping[str, str],
    wait_seconds: float | None = None,
) -> CloudObjects:
    """
    Return the place for objects that an address such as s3://bucket/prefix means.

    Nothing is asked of the service yet, but obstore is installed where it is missing.

    Args:
        name: of the store in backup.yaml.
        wait_seconds: how long an answer may take; None: as long as a slow line needs.

    Raises: SettingsError; EnvironmentNotReady; StoreFailed when a log-in is set up and fails.
    """
    found = _ADDRESS.fullmatch(settings.url)
    if not found:
        raise SettingsError(
            f"backup.yaml: stores.{name}.url: give a bucket and perhaps a prefix, such as"
            " s3://bucket/backups",
            hint="Credentials and the like do not belong there: see docs/off-site.md.",
        )
    scheme, bucket, prefix = found[1], found[2], (found[3] or "").strip("/")
    if bucket.endswith("--x-s3"):
        raise SettingsError(
            f"backup.yaml: stores.{name}.url: a directory bucket does not list by name",
            hint="Choose a general purpose bucket.",
        )
    for key, value in settings.options.items():
        if key in settings.credentials:
            raise SettingsError(
                f"backup.yaml: stores.{name}.options.{key}: credentials do not belong there",
                hint="Give them to the environment, as the service's own tools take them:"
                " see docs/off-site.md.",
            )
        # Without it, the library does not complain: it panics.
        if "endpoint" in key and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise SettingsError(
                f"backup.yaml: stores.{name}.options.{key}: give an address that begins with"
                " https:// or http://",
                hint=f"If that is what is meant: https://{value}.",
            )
    config: dict[str, Any] = dict(settings.options)
    is_http = any(
        "endpoint" in key and value.startswith("http://") for key, value in config.items()
    )
    if scheme == "s3":
        config = aws_config(config.pop("profile", None), environment) | config
    return CloudObjects(
        _opened(name, scheme, bucket, prefix, config, is_http, wait_seconds),
        f"{scheme}://{bucket}/{prefix}".rstrip("/"),
    )


def _opened(
    name: str,
    scheme: str,
    bucket: str,
    prefix: str,
    config: dict[str, Any],
    is_http: bool,  # noqa: FBT001
    wait_seconds: float | None,
) -> ObjectStore:
    bootstrap.add_packages(packages.CLOUD)
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    makers: Mapping[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    try:
        store: ObjectStore = makers[scheme](
            bucket,
            prefix=prefix or None,
            config=config,
            client_options=client_options(wait_seconds, is_http=is_http),
            retry_config=retry_config(wait_seconds),
        )
    except (BaseError, ValueError) as error:
        key = re.search(r"not a valid config(?:uration)? key.*?|key: *'?(\w+)", str(error))
        raise SettingsError(
            f"backup.yaml: stores.{name}.options: {type(error).__name__}"
            f"{f' ({key[1]})' if key else ''}",
            hint="See docs/settings.md for those that are known, and docs/off-site.md for the"
            " environment that each service needs.",
        ) from None  # its text may hold what the environment holds
    return store


def aws_config(profile: str | None, environment: Mapping[str, str]) -> dict[str, Any]:
    """
    Find what the AWS tools' own files say, where the environment has no key.

    What obstore does not know is asked of `aws`: a single sign-on, a role, a program that tells.

    Returns: options for obstore; empty where there is nothing, and it looks for itself.
    Raises: StoreFailed when `aws` is needed and fails, or is not there.
    """
    if not profile and (
        "AWS_ACCESS_KEY_ID" in environment or "AWS_WEB_IDENTITY_TOKEN_FILE" in environment
    ):
        return {}
    profile = profile or environment.get("AWS_PROFILE") or "default"
    credentials, config = _aws_files(environment)
    keys = _section(credentials, profile)
    wide = _section(config, profile if profile == "default" else f"profile {profile}")
    found: dict[str, Any] = {}
    if "region" in wide and not {"AWS_REGION", "AWS_DEFAULT_REGION"} & environment.keys():
        found["region"] = wide["region"]
    both = wide | keys
    if "aws_access_key_id" in both:
        return found | {
            "access_key_id": both["aws_access_key_id"],
            "secret_access_key": both.get("aws_secret_access_key", ""),
            **({"token": both["aws_session_token"]} if "aws_session_token" in both else {}),
        }
    if {"sso_session", "sso_start_url", "role_arn", "credential_process"} & both.keys():
        found |= _asked_of_aws(profile, environment)
    return found


def credential_files(address: str, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Name the files of this machine that log in to where an address leads, there or not."""
    if address.startswith("s3://"):
        return tuple(path for path in _aws_files(environment))
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    return (files.user_path(named),) if named and address.startswith("gs://") else ()


def _aws_files(environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Return where the AWS tools keep their credentials, and their settings."""
    folder = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~") / ".aws"
    credentials = environment.get("AWS_SHARED_CREDENTIALS_FILE") or str(folder / "credentials")
    config = environment.get("AWS_CONFIG_FILE") or str(folder / "config")
    return files.user_path(credentials), files.user_path(config)


def _section(path: Path, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        return dict(parser.items(name)) if parser.has_section(name) else {}
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        # Without its words: they may quote a line of the file.
        raise StoreFailed(
            f"{path} cannot be read ({type(error).__name__})", hint="See whether aws can read it."
        ) from None


def _asked_of_aws(profile: str, environment: Mapping[str, str]) -> dict[str, str]:
    program = find_program("aws", environment)
    if not program:
        raise StoreFailed(
            f"the profile {profile} of AWS needs the program aws to log in",
            hint="Install it, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    words = ["configure", "export-credentials", "--profile", profile, "--format", "process"]
    try:
        said = msgspec.json.decode(output_of([program, *words], environment), type=dict[str, Any])
        return {
            "access_key_id": str(said["AccessKeyId"]),
            "secret_access_key": str(said["SecretAccessKey"]),
            **({"token": str(said["SessionToken"])} if said.get("SessionToken") else {}),
        }
    except (ProgramFailed, ValueError, KeyError):
        raise StoreFailed(
            f"aws has no credentials of the profile {profile}",
            hint=f"Log in again, as with: aws sso login --profile {profile}",
        ) from None
