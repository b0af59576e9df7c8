package org.s3core.contract;

/** As files are read that are wanted whole. */
public class TestSeekSequential extends SeekTest {

  public TestSeekSequential() {
    super("sequential");
  }
}
