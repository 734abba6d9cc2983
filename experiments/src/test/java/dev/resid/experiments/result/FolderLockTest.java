package dev.resid.experiments.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
  @TempDir private Path temporary;

  @Test
  void theSecondIsRefusedUntilTheFirstHasEnded() throws IOException {
    Path out = temporary.resolve("out");
    try (FolderLock _ = FolderLock.of(out, out.resolve("checkpoint"))) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class, () -> FolderLock.of(out, out.resolve("checkpoint")));
      assertEquals(
          "another process is working in " + out + "; wait for it, or choose another --out",
          e.getMessage());
    }
    FolderLock.of(out, out.resolve("checkpoint")).close();
  }

  /** Another process would see it: reading the file, and closing it, would end the lock. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void theSystemKnowsOfTheLock() throws IOException {
    try (FolderLock _ = FolderLock.of(temporary, temporary)) {
      requireKnown();
    }
  }

  private void requireKnown() throws IOException {
    Object inode = Files.getAttribute(temporary.resolve(FolderLock.NAME), "unix:ino");
    String mine = ".* " + ProcessHandle.current().pid() + " [^ ]*:" + inode + " .*";
    List<String> locks = Files.readAllLines(Path.of("/proc/locks"));
    assertTrue(locks.stream().anyMatch(line -> line.matches(mine)), locks::toString);
  }

  /** Opening the file for the second try, and closing it, would end the lock of the first. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aSecondTryOfTheSameProcessLeavesTheFirstItsLock() throws IOException {
    Path link = Files.createSymbolicLink(temporary.resolve("link"), temporary);
    try (FolderLock _ = FolderLock.of(temporary, temporary)) {
      for (Path name : List.of(temporary, link, link.resolve("link"))) {
        assertThrows(IllegalStateException.class, () -> FolderLock.of(name, name));
      }
      requireKnown();
    }
    FolderLock.of(link, link).close();
  }

  @Test
  void nothingIsLeftOfFoldersThatWereMadeForItAlone() throws IOException {
    Path out = temporary.resolve("new/out");
    FolderLock.of(out, out.resolve("checkpoint")).close();
    assertFalse(Files.exists(temporary.resolve("new")));
    try (FolderLock _ = FolderLock.of(out, out.resolve("checkpoint"))) {
      Files.createFile(out.resolve("result"));
    }
    assertTrue(Files.exists(out.resolve("result")));
    assertFalse(Files.exists(out.resolve("checkpoint")));
    Path mine = Files.createDirectory(temporary.resolve("mine"));
    FolderLock.of(mine, mine).close();
    assertTrue(Files.isDirectory(mine), "it was there before");
  }

  @Test
  void whatAKilledProcessLeftIsNoLock() throws IOException {
    Files.createFile(temporary.resolve(FolderLock.NAME));
    FolderLock.of(temporary, temporary).close();
    assertFalse(Files.exists(temporary.resolve(FolderLock.NAME)));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFileThatCannotBeReadIsNamed() throws IOException {
    Path file = temporary.resolve(FolderLock.NAME);
    Files.createSymbolicLink(file, Path.of("/proc/self/mem"));
    IOException e =
        assertThrows(IOException.class, () -> FolderLock.of(temporary, temporary).close());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    Files.delete(file);
  }

  /** Threads that know nothing of each other, as processes do not: two never hold it together. */
  @Test
  void neverDoTwoHoldIt() throws Exception {
    AtomicInteger holders = new AtomicInteger();
    Callable<Integer> worker =
        () -> {
          int held = 0;
          for (int i = 0; i < 200; i++) {
            Set<Path> own = ConcurrentHashMap.newKeySet();
            try (FolderLock _ = FolderLock.of(temporary, temporary.resolve("in"), own)) {
              assertEquals(1, holders.incrementAndGet());
              held++;
              holders.decrementAndGet();
            } catch (IllegalStateException e) {
              Thread.onSpinWait();
            }
          }
          return held;
        };
    int held = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<Integer>> all =
          IntStream.range(0, 3).mapToObj(i -> threads.submit(worker)).toList();
      for (Future<Integer> each : all) {
        held += each.get();
      }
    }
    assertTrue(held > 0);
  }
}
