package dev.resid.backend.vector;

import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed set of threads that work through numbered tasks together with the thread that calls.
 * Which thread runs a task is not determined, so a task must write to places of its own only.
 * Several threads may call at once. A task must not call {@link #run} itself.
 */
final class Workers implements AutoCloseable {
  // About the time between two kernels of a forward pass; parking and waking costs more.
  private static final int SPINS = 2_000;

  private final Thread[] threads;
  private final ConcurrentLinkedQueue<Job> jobs = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Scratch> idleScratch = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;

  /** One numbered piece of work. */
  @FunctionalInterface
  interface Task {
    void run(int index, Scratch scratch);
  }

  Workers(int count) {
    threads = new Thread[count - 1];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(this::work, "resid-vector-" + (i + 1));
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  int count() {
    return threads.length + 1;
  }

  /** Returns the threads besides the caller's. */
  List<Thread> threads() {
    return List.of(threads);
  }

  /** Runs tasks 0 to count-1 and returns when all have ended. */
  void run(int count, Task task) {
    if (closed) {
      throw new IllegalStateException("this vector backend is closed; open another one");
    }
    if (count <= 0) {
      return;
    }
    Job job = new Job(count, task);
    if (count > 1 && threads.length > 0) {
      jobs.add(job);
      for (Thread thread : threads) {
        LockSupport.unpark(thread);
      }
    }
    Scratch scratch = idleScratch.poll();
    if (scratch == null) {
      scratch = new Scratch();
    }
    try {
      job.work(scratch);
    } finally {
      idleScratch.add(scratch);
      jobs.remove(job);
    }
    job.await();
  }

  private void work() {
    Scratch scratch = new Scratch();
    int idle = 0;
    while (!closed) {
      Job job = jobs.peek();
      if (job != null) {
        job.work(scratch);
        jobs.remove(job);
        idle = 0;
      } else if (idle < SPINS) {
        idle++;
        Thread.onSpinWait();
      } else {
        LockSupport.park(this);
        idle = 0;
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }

  private static final class Job {
    private final int count;
    private final Task task;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int count, Task task) {
      this.count = count;
      this.task = task;
    }

    void work(Scratch scratch) {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            task.run(i, scratch);
          }
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
        } finally {
          if (done.incrementAndGet() == count) {
            LockSupport.unpark(caller);
          }
        }
      }
    }

    void await() {
      boolean interrupted = false;
      for (int spins = 0; done.get() < count; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted();
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      Throwable thrown = failure.get();
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown != null) {
        throw (RuntimeException) thrown;
      }
    }
  }
}
