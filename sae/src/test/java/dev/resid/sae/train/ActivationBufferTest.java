package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.sae.testing.SmallSaes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationBufferTest {
  /** Above two writes of the file, and no multiple of one. */
  private static final int MANY = 150_001;

  @ParameterizedTest
  @ValueSource(longs = {0, MANY + 7})
  void whatIsWrittenIsRead(long memoryNumbers, @TempDir Path dir) throws IOException {
    float[] values = SmallSaes.normal(1, 0, MANY, 1);
    try (ActivationBuffer buffer = ActivationBuffer.of(MANY + 7, memoryNumbers, dir)) {
      assertEquals(memoryNumbers == 0, buffer instanceof ActivationBuffer.OnDisk);
      buffer.write(7, values);
      buffer.write(0, new float[] {1, 2, 3, 4, 5, 6, 7});
      float[] all = new float[MANY + 9];
      buffer.read(0, all, 1, MANY + 7);
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, Arrays.copyOf(all, 8));
      assertArrayEquals(values, Arrays.copyOfRange(all, 8, MANY + 8));
      assertEquals(0, all[MANY + 8]);
    }
    try (Stream<Path> left = Files.list(dir)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void whatWasNeverWrittenCannotBeReadFromAFile(@TempDir Path dir) throws IOException {
    try (ActivationBuffer buffer = ActivationBuffer.of(10, 0, dir)) {
      buffer.write(0, new float[4]);
      String message =
          assertThrows(IOException.class, () -> buffer.read(2, new float[5], 0, 5)).getMessage();
      assertTrue(message.contains("temporary file"), message);
    }
  }
}
