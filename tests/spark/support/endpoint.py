"""The S3 endpoint under test, seen through boto3: a client that shares no code with ours tells what is really there."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.config

FILE_SYSTEM_CLASS = "org.s3core.hadoop.S3CoreFileSystem"


class MissingSettingError(Exception):
    """The environment does not say what to test against."""


def setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise MissingSettingError(f"{name} is not set: run this suite under tests/ceph/with-ceph.sh --tls -- ...")
    return value


def jar_under_test() -> Path:
    """S3CORE_TEST_JAR, or the newest in dist/."""
    named = os.environ.get("S3CORE_TEST_JAR")
    if named:
        if not Path(named).is_file():
            raise MissingSettingError(f"S3CORE_TEST_JAR={named}: no such file")
        return Path(named).resolve()
    directory = Path(__file__).resolve().parents[3] / "dist"
    jars = sorted(directory.glob("s3core-hadoop-*.jar"), key=lambda jar: jar.stat().st_mtime)
    if not jars:
        raise MissingSettingError(f"no s3core-hadoop-*.jar in {directory}: run make jar, or set S3CORE_TEST_JAR")
    return jars[-1]


@dataclass(frozen=True)
class Endpoint:
    """One gateway and the keys of a user who may create buckets there."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)

    @classmethod
    def from_environment(cls, variable: str = "S3CORE_TEST_ENDPOINT") -> Endpoint:
        return cls(setting(variable), setting("S3CORE_TEST_ACCESS_KEY"), setting("S3CORE_TEST_SECRET_KEY"))

    def hadoop_settings(self) -> dict[str, str]:
        """All that a user has to set."""
        return {
            "fs.s3a.impl": FILE_SYSTEM_CLASS,
            "fs.s3a.endpoint": self.url,
            "fs.s3a.access.key": self.access_key,
            "fs.s3a.secret.key": self.secret_key,
        }

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=botocore.config.Config(
                s3={"addressing_style": "path"},
                # Ceph before 19 does not know the trailing checksums that boto3 sends by default.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def new_bucket(self) -> Bucket:
        name = f"spark-{uuid.uuid4().hex[:16]}"
        client = self.client()
        client.create_bucket(Bucket=name)
        return Bucket(name, client)


@dataclass(frozen=True)
class Bucket:
    """A bucket made for one test module."""

    name: str
    client: Any = field(repr=False)

    def url(self, path: str) -> str:
        return f"s3a://{self.name}/{path}"

    def objects(self, prefix: str) -> dict[str, int]:
        """Key and size in bytes of everything below `prefix` that is no directory marker."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")}

    def read(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def write(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def uploads(self, prefix: str) -> list[str]:
        """Keys of the multipart uploads in progress below `prefix`."""
        answer = self.client.list_multipart_uploads(Bucket=self.name, Prefix=prefix)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def remove(self) -> None:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            for entry in page.get("Contents", []):
                self.client.delete_object(Bucket=self.name, Key=entry["Key"])
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.name):
            for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
                self.client.delete_object(Bucket=self.name, Key=entry["Key"], VersionId=entry["VersionId"])
        for upload in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])
        self.client.delete_bucket(Bucket=self.name)
