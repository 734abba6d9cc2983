package dev.resid.experiments.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PngFileTest {
  /** The largest one takes several buffers of compressed bytes. */
  @ParameterizedTest
  @CsvSource({"1, 1", "7, 3", "3, 7", "300, 200"})
  void everyPixelIsReadBackByAnotherReader(int width, int height) throws IOException {
    int[] pixels = new Random(width).ints((long) width * height, 0, 1 << 24).toArray();
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(PngFile.of(width, pixels)));
    assertEquals(width, image.getWidth());
    assertEquals(height, image.getHeight());
    int[] read = image.getRGB(0, 0, width, height, null, 0, width);
    assertArrayEquals(pixels, Arrays.stream(read).map(rgb -> rgb & 0xffffff).toArray());
  }

  @ParameterizedTest
  @CsvSource("1000, 800")
  void aPlainPageIsSmall(int width, int height) {
    int[] white = new int[width * height];
    Arrays.fill(white, 0xffffff);
    assertTrue(PngFile.of(width, white).length < 20_000);
  }
}
