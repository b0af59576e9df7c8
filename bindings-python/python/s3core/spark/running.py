"""What a JVM that runs already knows about s3core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3core._s3core import __version__
from s3core.exceptions import ConfigurationError
from s3core.spark.jar import FILE_SYSTEM_CLASS

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject, JVMView

__all__ = ["cached_file_systems", "check_version", "find_file_system_class"]


def find_file_system_class(jvm: JVMView) -> JavaObject | None:
    """Our FileSystem class as the driver's thread finds it; ``None`` where no jar of s3core is on the class path."""
    from py4j.protocol import Py4JJavaError

    try:
        return jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(FILE_SYSTEM_CLASS)
    except Py4JJavaError as failure:
        if failure.java_exception.getClass().getSimpleName() == "ClassNotFoundException":
            return None
        raise


def cached_file_systems(jvm: JVMView, scheme: str) -> list[JavaObject]:
    """The file systems of a scheme that Hadoop keeps in this JVM, of every bucket and user.

    Hadoop has no public list of them. The fields have had these names since before 2.7.
    """
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    cache = _field_of(loader.loadClass("org.apache.hadoop.fs.FileSystem"), "CACHE").get(None)
    kept = jvm.java.util.ArrayList(_field_of(cache.getClass(), "map").get(cache).values())
    return [one for one in kept if one.getUri().getScheme() == scheme]


def _field_of(owner: JavaObject, name: str) -> JavaObject:
    field = owner.getDeclaredField(name)
    field.setAccessible(True)
    return field


def check_version(loaded: JavaObject) -> None:
    """Refuses a jar of another version than this package: the two are tested together only.

    Raises:
        ConfigurationError: the versions differ.
    """
    package = loaded.getPackage()
    version = package.getImplementationVersion() if package is not None else None
    if version != __version__:
        source = loaded.getProtectionDomain().getCodeSource()
        place = source.getLocation().toString() if source is not None else "the class path"
        raise ConfigurationError(
            f"the JVM has loaded s3core {version} from {place}, and this Python has s3core {__version__}: "
            "install one version in both"
        )
