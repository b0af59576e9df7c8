"""PySpark reads and writes ``s3a://`` through s3core.

Before the session starts::

    import s3core.spark
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("job")
    spark = s3core.spark.configure(builder, endpoint="http://rgw:8080", access_key="…", secret_key="…").getOrCreate()

In a session that runs already: ``s3core.spark.attach(spark, endpoint=…)``. For ``spark-submit``, a cluster's defaults
and images: ``python -m s3core.spark conf | install | uninstall | doctor``.

Importing this package imports no pyspark.
"""

from s3core.spark.attach import attach
from s3core.spark.configure import configure
from s3core.spark.jar import jar_path

__all__ = ["attach", "configure", "jar_path"]
