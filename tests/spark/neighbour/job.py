"""What the test of the neighbourhood runs in Spark: writes by each file system, then tells what it saw. Its argument is JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

targets = json.loads(sys.argv[1])
spark = SparkSession.builder.getOrCreate()
jvm: Any = spark._jvm
gateway: Any = spark.sparkContext._gateway
conf = spark._jsc.hadoopConfiguration()
seen: dict[str, Any] = {}
for name, target in targets.items():
    spark.range(0, 1000, 1, 2).write.parquet(f"{target}/parquet")
    spark.range(0, 1000, 1, 2).selectExpr("cast(id AS string)").write.text(f"{target}/text")
    spark.sparkContext.parallelize(range(10), 2).saveAsTextFile(f"{target}/rdd")
    path = jvm.org.apache.hadoop.fs.Path(target)
    context = jvm.org.apache.hadoop.fs.FileContext.getFileContext(path.toUri(), conf)
    first, second = (jvm.org.apache.hadoop.fs.Path(f"{target}/{part}") for part in ("rdd/part-00000", "renamed"))
    context.rename(first, second, gateway.new_array(jvm.org.apache.hadoop.fs.Options.Rename, 0))
    seen[name] = {
        "rows": spark.read.parquet(f"{target}/parquet").selectExpr("sum(id)").collect()[0][0] + spark.read.text(f"{target}/text").count(),
        "class": path.getFileSystem(conf).getClass().getName(),
        "renamed": context.getFileStatus(second).getLen(),
        "committed": path.getFileSystem(conf).getFileStatus(jvm.org.apache.hadoop.fs.Path(f"{target}/parquet/_SUCCESS")).getLen() > 0,
    }
entries = conf.getPropsWithPrefix("")
seen["configuration"] = {name: entries[name] for name in entries}
maps = Path(f"/proc/{jvm.java.lang.ProcessHandle.current().pid()}/maps").read_text()
seen["native"] = "s3core" in "".join(line for line in maps.splitlines() if ".so" in line)
Path(sys.argv[2]).write_text(json.dumps(seen))
spark.stop()
