package org.s3core.hadoop;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import javax.net.ssl.SSLHandshakeException;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.PathIsNotEmptyDirectoryException;

/** Makes the exceptions that core's error table names. */
final class NativeFailure {
  private NativeFailure() {
  }

  /**
   * An exception of class {@code className} whose message is {@code message}.
   *
   * @param location {@code s3a://bucket/key}, which {@code message} begins with, or null where it happened nowhere in
   *     particular
   */
  static Throwable create(String className, String location, String message) {
    switch (className) {
      case "java.io.FileNotFoundException":
        return new FileNotFoundException(message);
      case "java.io.EOFException":
        return new EOFException(message);
      case "java.io.InterruptedIOException":
        return new InterruptedIOException(message);
      case "java.lang.IllegalArgumentException":
        return new IllegalArgumentException(message);
      case "java.lang.UnsupportedOperationException":
        return new UnsupportedOperationException(message);
      case "java.net.ConnectException":
        return new ConnectException(message);
      case "java.net.ProtocolException":
        return new ProtocolException(message);
      case "java.net.SocketException":
        return new SocketException(message);
      case "java.net.SocketTimeoutException":
        return new SocketTimeoutException(message);
      case "java.net.UnknownHostException":
        return new UnknownHostException(message);
      case "java.nio.file.AccessDeniedException":
        return location == null
            ? new AccessDeniedException(null, null, message)
            : new AccessDeniedException(location, null, without(location, message));
      case "javax.net.ssl.SSLHandshakeException":
        return new SSLHandshakeException(message);
      case "org.apache.hadoop.fs.FileAlreadyExistsException":
        return new FileAlreadyExistsException(message);
      case "org.apache.hadoop.fs.ParentNotDirectoryException":
        return new ParentNotDirectoryException(message);
      case "org.apache.hadoop.fs.PathIOException":
        return location == null ? new IOException(message) : new PathIOException(location, without(location, message));
      case "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException":
        return new PathIsNotEmptyDirectoryException(location == null ? message : location);
      default:
        return new IOException(message);
    }
  }

  private static String without(String location, String message) {
    String prefix = location + ": ";
    return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
  }
}
