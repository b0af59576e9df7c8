"""Operations are told from the gateway's log."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from bench.requests import operation, operations


@pytest.mark.parametrize(
    ("logged", "uri", "name"),
    [
        ("put_obj", "PUT /b/a HTTP/1.1", "PutObject"),
        ("put_obj", "PUT /b/a?uploadId=2~x&partNumber=1 HTTP/1.1", "UploadPart"),
        ("copy_obj", "PUT /b/a HTTP/1.1", "CopyObject"),
        ("get_obj", "HEAD /b/a HTTP/1.1", "HeadObject"),
        ("get_obj", "GET /b/a HTTP/1.1", "GetObject"),
        ("complete_multipart", "POST /b/a?uploadId=2~x HTTP/1.1", "CompleteMultipartUpload"),
        ("get_bucket_location", "GET /b?location HTTP/1.1", "get_bucket_location"),
    ],
)
def test_operations_are_told_apart(logged: str, uri: str, name: str) -> None:
    assert operation({"operation": logged, "uri": uri}) == name


def test_an_array_without_an_end() -> None:
    put = {"operation": "put_obj", "uri": "PUT /b/a HTTP/1.1"}
    delete = {"operation": "multi_object_delete", "uri": "POST /b?delete HTTP/1.1"}
    log = f"[{json.dumps(put)},\n{json.dumps(put)},{json.dumps(delete)},"
    assert Counter(operations(log)) == {"PutObject": 2, "DeleteObjects": 1}
