package org.s3core.contract;

/** As columnar files are read. */
public class TestSeekRandom extends SeekTest {

  public TestSeekRandom() {
    super("random");
  }
}
