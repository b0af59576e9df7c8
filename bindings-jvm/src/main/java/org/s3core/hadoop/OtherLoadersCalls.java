package org.s3core.hadoop;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.apache.hadoop.fs.FileSystem;

/**
 * Calls on a file system of ours that another class loader has loaded: Spark Connect and isolated sessions have loaders
 * of their own, while Hadoop keeps one FileSystem of a bucket for all.
 */
final class OtherLoadersCalls {
  private OtherLoadersCalls() {
  }

  /** Null where the class of {@code files} is not this one of another loader. */
  static CommitCalls on(FileSystem files) {
    Class<?> other = files.getClass();
    while (other != null && !other.getName().equals(S3CoreFileSystem.class.getName())) {
      other = other.getSuperclass();   // what is constructed is a subclass: see FileSystemLayers
    }
    if (other == null) {
      return null;
    }
    try {
      Method method = other.getDeclaredMethod("commitCalls");
      method.setAccessible(true);
      Object calls = method.invoke(files);
      return (CommitCalls) Proxy.newProxyInstance(CommitCalls.class.getClassLoader(), new Class<?>[] {CommitCalls.class},
          new SameName(calls));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("another version of s3core serves " + files.getUri()
          + " in this JVM: put one jar only on the class path", e);
    }
  }

  /** Hands each call to the method of the same name and parameters of another loader's object. */
  private static final class SameName implements InvocationHandler {
    private final Object target;

    SameName(Object target) {
      this.target = target;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
      try {
        Method same = target.getClass().getMethod(method.getName(), method.getParameterTypes());
        same.setAccessible(true);
        return same.invoke(target, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      } catch (ReflectiveOperationException e) {
        throw new IOException("another version of s3core is in this JVM: put one jar only on the class path", e);
      }
    }
  }
}
