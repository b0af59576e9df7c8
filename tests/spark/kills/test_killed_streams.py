"""Structured Streaming from s3a to s3a, with its checkpoint there: killed at the worst moments, and each row once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.driver import Driver
from support.endpoint import Bucket, Endpoint
from support.proxy import Request, proxy_before
from support.session import spark_session

BATCHES = 50
FILES = 52  # after a restart a batch may take more than one
ROWS_OF_A_FILE = 20

QUERY = """
stream = spark.readStream.schema("id long").option("maxFilesPerTrigger", 1).parquet({source!r})
sink = stream.writeStream.format("parquet").option("path", {sink!r}).option("checkpointLocation", {checkpoint!r})
sink.trigger(availableNow=True).start().awaitTermination()
"""


def writing(path: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "PUT" and request.path.endswith(path)


def test_fifty_batches_with_three_kills(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    source, sink, checkpoint = (bucket.url(f"stream/{name}") for name in ("source", "sink", "checkpoint"))
    with spark_session(tmp_path, jar, endpoint) as spark:
        spark.range(0, FILES * ROWS_OF_A_FILE, 1, FILES).write.parquet(source)
    query = QUERY.format(source=source, sink=sink, checkpoint=checkpoint)
    # Before the batch's files count, before the batch counts as done, and before it is planned.
    moments = ("/sink/_spark_metadata/10", "/checkpoint/commits/22", "/checkpoint/offsets/37")
    with proxy_before(endpoint.url) as proxy:
        behind = Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key)
        for number, moment in enumerate(moments):
            reached = proxy.hold(writing(moment))
            driver = Driver(tmp_path / f"driver-{number}", jar, behind, query)
            reached.wait_for_one(180)
            driver.kill()
            reached.drop()
            assert f"stream{moment}" not in bucket.objects("stream/")
    # On the real gateway, where nothing is held back.
    Driver(tmp_path / "driver-last", jar, endpoint, query).wait(180)
    batches = [key for key in bucket.objects("stream/checkpoint/commits/") if key.rsplit("/", 1)[1].isdigit()]
    assert len(batches) >= BATCHES
    with spark_session(tmp_path, jar, endpoint) as spark:
        found = sorted(row[0] for row in spark.read.parquet(sink).collect())
    assert found == list(range(FILES * ROWS_OF_A_FILE))
