package dev.resid.spark;

import java.io.Serializable;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/** What is sent to executors: computes the one block of its partition. */
final class BlockTask extends AbstractFunction1<Iterator<Integer>, ComputedBlock>
    implements Serializable {
  private static final long serialVersionUID = 1L;

  private final SharedOrder order;

  BlockTask(SharedOrder order) {
    this.order = order;
  }

  @Override
  public ComputedBlock apply(Iterator<Integer> blocks) {
    return BlockServers.compute(order, blocks.next());
  }
}
