package org.s3core.contract;

/** As files are read by default. */
public class TestSeekAdaptive extends SeekTest {

  public TestSeekAdaptive() {
    super("normal");
  }
}
