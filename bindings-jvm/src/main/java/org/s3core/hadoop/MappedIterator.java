package org.s3core.hadoop;

import java.io.IOException;
import java.util.NoSuchElementException;
import org.apache.hadoop.fs.RemoteIterator;

/** Another iterator's elements, translated; those that become null are left out. */
final class MappedIterator<S, T> implements RemoteIterator<T> {
  private final RemoteIterator<S> source;
  private final Translation<S, T> translation;
  private T next;

  /** From one element to another, or to null where it is not wanted. */
  interface Translation<S, T> {
    T apply(S element) throws IOException;
  }

  private MappedIterator(RemoteIterator<S> source, Translation<S, T> translation) {
    this.source = source;
    this.translation = translation;
  }

  static <S, T> RemoteIterator<T> of(RemoteIterator<S> source, Translation<S, T> translation) {
    return new MappedIterator<>(source, translation);
  }

  @Override
  public boolean hasNext() throws IOException {
    while (next == null && source.hasNext()) {
      next = translation.apply(source.next());
    }
    return next != null;
  }

  @Override
  public T next() throws IOException {
    if (!hasNext()) {
      throw new NoSuchElementException("the listing is at its end");
    }
    T element = next;
    next = null;
    return element;
  }
}
