package dev.resid.backend.cuda;

import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Device memory that is used again: blocks that are given back wait for the next request of their
 * size class, which is safe because everything runs on one stream. When the device has none left,
 * first the waiting blocks are freed, then what the garbage collector finds to be unused; only then
 * the request fails. Used by one thread at a time, except for what the collector hands back.
 */
final class DeviceMemory implements AutoCloseable {
  private static final long SMALL = 256;
  private static final long COLLECTOR_NANOS = 200_000_000L;
  private static final Cleaner CLEANER = Cleaner.create();

  private final TreeMap<Long, Deque<Block>> waiting = new TreeMap<>();
  private final Map<Long, Block> all = new HashMap<>();
  private final Queue<Block> unreachable = new ConcurrentLinkedQueue<>();
  private final long limit;
  private long allocated;
  private long mostAllocated;

  /**
   * Creates an empty pool.
   *
   * @param limit bytes it never goes beyond
   */
  DeviceMemory(long limit) {
    this.limit = limit;
  }

  /**
   * A piece of device memory.
   *
   * @param address of its first byte
   * @param bytes how large it is
   */
  record Block(long address, long bytes) {}

  /** Returns a block of at least so many bytes with arbitrary contents. */
  Block take(long bytes) {
    long size = sizeClass(bytes);
    collect();
    Deque<Block> free = waiting.get(size);
    if (free != null && !free.isEmpty()) {
      return free.pop();
    }
    try {
      return allocate(size);
    } catch (CudaFailureException e) {
      if (!e.isOutOfMemory()) {
        throw e;
      }
    }
    trim();
    System.gc();
    // The collector hands back one block after the other.
    long until = System.nanoTime() + COLLECTOR_NANOS;
    while (true) {
      try {
        return allocate(size);
      } catch (CudaFailureException e) {
        if (!e.isOutOfMemory() || !awaitCollector(until)) {
          throw e;
        }
      }
      trim();
    }
  }

  /** Takes a block that is given back when its owner is no longer reachable. */
  Block takeFor(Object owner, long bytes) {
    Block block = take(bytes);
    CLEANER.register(owner, new Return(unreachable, block));
    return block;
  }

  private record Return(Queue<Block> unreachable, Block block) implements Runnable {
    @Override
    public void run() {
      unreachable.add(block);
    }
  }

  void give(Block block) {
    waiting.computeIfAbsent(block.bytes(), size -> new ArrayDeque<>()).push(block);
  }

  private Block allocate(long size) {
    if (allocated + size > limit) {
      throw CudaErrors.failure(
          "allocate "
              + Driver.megabytes(size)
              + " beside the "
              + Driver.megabytes(allocated)
              + " in use",
          "CUDA_ERROR_OUT_OF_MEMORY");
    }
    Block block = new Block(Driver.allocate(size), size);
    all.put(block.address(), block);
    allocated += size;
    mostAllocated = Math.max(mostAllocated, allocated);
    return block;
  }

  // Multiples of 256 bytes, and above a megabyte of an eighth of the power of two below: at most an
  // eighth is wasted, and sizes that differ little share blocks.
  private static long sizeClass(long bytes) {
    long step = bytes < 1 << 20 ? SMALL : Long.highestOneBit(bytes) / 8;
    return Math.max(SMALL, (bytes + step - 1) / step * step);
  }

  private void collect() {
    for (Block block = unreachable.poll(); block != null; block = unreachable.poll()) {
      give(block);
    }
  }

  /** Returns whether the collector hands something back before a time. */
  private boolean awaitCollector(long until) {
    while (unreachable.isEmpty()) {
      if (System.nanoTime() > until) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  /** Frees what is not in use. */
  void trim() {
    collect();
    for (Deque<Block> blocks : waiting.values()) {
      for (Block block : blocks) {
        Driver.free(block.address());
        all.remove(block.address());
        allocated -= block.bytes();
      }
    }
    waiting.clear();
  }

  /**
   * Returns the bytes that can still be taken.
   *
   * @param onDevice bytes that nobody has allocated
   */
  long free(long onDevice) {
    long waitingBytes = allocated - inUse();
    return waitingBytes + Math.min(onDevice, limit - allocated);
  }

  /** Returns the bytes held, in use or waiting. */
  long allocated() {
    return allocated;
  }

  /** Returns the bytes in use. */
  long inUse() {
    collect();
    long free = 0;
    for (Map.Entry<Long, Deque<Block>> entry : waiting.entrySet()) {
      free += entry.getKey() * entry.getValue().size();
    }
    return allocated - free;
  }

  /** Returns the most bytes ever held at the same time. */
  long mostAllocated() {
    return mostAllocated;
  }

  /** Frees everything, in use or not. */
  @Override
  public void close() {
    for (Block block : all.values()) {
      Driver.free(block.address());
    }
    all.clear();
    waiting.clear();
    allocated = 0;
  }
}
