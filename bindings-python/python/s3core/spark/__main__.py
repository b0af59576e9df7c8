"""``python -m s3core.spark conf | install | uninstall | doctor``"""

from __future__ import annotations

import argparse
import sys

from s3core.exceptions import ConfigurationError, S3CoreError
from s3core.spark.conf import FORMATS, format_settings, settings_without_secrets
from s3core.spark.doctor import diagnose, print_findings
from s3core.spark.install import install, uninstall
from s3core.spark.settings import Option

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 where doctor found a fault, 2 for a wrong call."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "conf":
            return _conf(given)
        if given.command == "install":
            print(f"installed {install(given.spark_home)}")
            print(f"now set {format_settings(_only_binding(), 'defaults')}, and endpoint and keys")
        elif given.command == "uninstall":
            for jar in uninstall(given.spark_home):
                print(f"removed {jar}")
        else:
            findings = diagnose(_options(given), bucket=given.bucket, home=given.spark_home)
            print_findings(findings)
            return 1 if any(finding.state == "FAIL" for finding in findings) else 0
    except S3CoreError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m s3core.spark", description="s3core for Spark")
    commands = parser.add_subparsers(dest="command", required=True)
    conf = commands.add_parser("conf", help="print the settings for spark-submit, spark-defaults.conf or JSON")
    conf.add_argument("--format", choices=FORMATS, default="defaults")
    for name, text in (("install", "copy the jar into Spark's jars folder"), ("uninstall", "take it out again")):
        commands.add_parser(name, help=text).add_argument("--spark-home", metavar="DIRECTORY")
    doctor = commands.add_parser("doctor", help="check versions, Java, machine, endpoint, clock and credentials")
    doctor.add_argument("--spark-home", metavar="DIRECTORY")
    doctor.add_argument("--bucket", help="also look into this bucket, in the name of the keys found")
    for command in (conf, doctor):
        command.add_argument("--endpoint", metavar="URL")
        command.add_argument("--region")
        command.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="any other option, multipart_size=64M"
        )
    return parser


def _conf(given: argparse.Namespace) -> int:
    print(format_settings(settings_without_secrets(_options(given)), given.format))
    print(
        "keys are not printed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the driver runs, "
        "or fs.s3a.access.key and fs.s3a.secret.key in a file that only its user can read",
        file=sys.stderr,
    )
    return 0


def _options(given: argparse.Namespace) -> dict[str, Option]:
    options: dict[str, Option] = {"endpoint": given.endpoint, "region": given.region}
    for pair in given.option:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigurationError(f"--option {pair}: write NAME=VALUE")
        if name in ("access_key", "secret_key", "session_token"):
            raise ConfigurationError(f"{name} does not belong on a command line, which every user of a machine sees")
        options[name] = value
    return options


def _only_binding() -> dict[str, str]:
    settings = settings_without_secrets({})
    return {name: value for name, value in settings.items() if name.endswith("fs.s3a.impl")}


if __name__ == "__main__":
    sys.exit(main())
