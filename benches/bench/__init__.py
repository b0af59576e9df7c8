"""Benches: a Spark job and plain FileSystem calls on s3core, stock S3A, HDFS and local disk, in one run."""
