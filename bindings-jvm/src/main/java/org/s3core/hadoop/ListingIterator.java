package org.s3core.hadoop;

import java.io.IOException;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.hadoop.fs.RemoteIterator;

/** What is in a directory, page by page. Closed at its end, or by the collector where nobody goes that far. */
final class ListingIterator implements RemoteIterator<Decoder.Entry>, AutoCloseable {
  private final long listing;
  private final Cleanup cleanup;
  private Iterator<Decoder.Entry> page = Collections.emptyIterator();
  private boolean isAtEnd;

  private ListingIterator(long listing) {
    this.listing = listing;
    this.cleanup = Cleanup.when(this, () -> Native.closeListing(listing));
  }

  /** The first page is there when this returns, so that a missing directory is an error here. */
  static ListingIterator open(long store, String key, boolean recursive) throws IOException {
    ListingIterator entries = new ListingIterator(Native.openListing(store, key, recursive));
    try {
      entries.hasNext();
      return entries;
    } catch (IOException | RuntimeException e) {
      entries.close();
      throw e;
    }
  }

  @Override
  public boolean hasNext() throws IOException {
    while (!page.hasNext() && !isAtEnd) {
      byte[] next = Native.nextPage(listing);
      if (next == null) {
        close();
      } else {
        page = new Decoder(next).entries().iterator();
      }
    }
    return page.hasNext();
  }

  @Override
  public Decoder.Entry next() throws IOException {
    if (!hasNext()) {
      throw new NoSuchElementException("the listing is at its end");
    }
    return page.next();
  }

  @Override
  public void close() {
    isAtEnd = true;
    cleanup.cancel();
    Native.closeListing(listing);
  }
}
