package org.s3core.hadoop;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.util.Map;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * The file system that fits the Hadoop at hand. A method whose signature names a class that Hadoop lacks would do no harm
 * until somebody reflects on its class; py4j and Spark's class loaders do. So what newer Hadoops have is in subclasses, and
 * Hadoop is told to construct the right one where it was told to construct {@link S3CoreFileSystem}.
 */
final class FileSystemLayers {
  /** Where Hadoop keeps the constructors of classes that configurations name, from 2.7 to 3.5. */
  private static final String CONSTRUCTORS = "CONSTRUCTOR_CACHE";

  private FileSystemLayers() {
  }

  /** The class with the most that this Hadoop can load. */
  static Class<? extends S3CoreFileSystem> newest() {
    try {
      // By name, since a literal is resolved when this method is verified.
      return Class.forName(S3CoreFileSystem.class.getName() + suffix(), false, S3CoreFileSystem.class.getClassLoader())
          .asSubclass(S3CoreFileSystem.class);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("the jar of s3core is not whole", e);
    }
  }

  private static String suffix() {
    if (HadoopFeatures.HAS_BULK_DELETE) {
      return "34";
    } else if (HadoopFeatures.HAS_BUILDERS) {
      return "33";
    }
    return HadoopFeatures.has("org.apache.hadoop.fs.StorageStatistics") ? "28" : "";
  }

  /** From now on Hadoop constructs {@link #newest()} for {@link S3CoreFileSystem}. */
  static void bind() {
    try {
      Constructor<?> constructor = newest().getConstructor();
      Field field = ReflectionUtils.class.getDeclaredField(CONSTRUCTORS);
      field.setAccessible(true);
      @SuppressWarnings("unchecked")
      Map<Class<?>, Constructor<?>> constructors = (Map<Class<?>, Constructor<?>>) field.get(null);
      constructors.put(S3CoreFileSystem.class, constructor);
    } catch (ReflectiveOperationException | RuntimeException e) {
      NativeLog.LOG.warn("This Hadoop constructs file systems in another way than 2.7 to 3.5: builders, uploaders, bulk delete "
          + "and statistics are those of its base class, unless fs.s3a.impl is {}", S3CoreFileSystem.class.getName() + suffix(), e);
    }
  }
}
