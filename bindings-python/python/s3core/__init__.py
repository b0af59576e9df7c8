"""S3 for Spark and Python, made for Ceph Radosgw first.

>>> import s3core
>>> store = s3core.Store("s3a://lake/raw", endpoint="http://rgw:8080", access_key="…", secret_key="…")
>>> store.put("2013/flights.csv", b"year,month\\n")
>>> bytes(store.get("2013/flights.csv"))
b'year,month\\n'

``s3core.spark`` brings the FileSystem to PySpark; ``s3core.testing`` starts an S3 endpoint for tests.
"""

from s3core import exceptions
from s3core._s3core import __version__
from s3core.store import Explained, ObjectMeta, OperationCounts, Store

__all__ = ["Explained", "ObjectMeta", "OperationCounts", "Store", "__version__", "exceptions"]
