package dev.resid.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublicCommentsTest {
  @TempDir private Path sources;

  @Test
  void coreHasNoPublicMemberWithoutAComment() throws IOException {
    assertEquals(List.of(), PublicComments.missing(Path.of("src/main/java")));
  }

  @Test
  void whatLacksACommentIsNamedWithItsLine() throws IOException {
    Files.writeString(
        sources.resolve("Bare.java"),
        """
        package p;
        /** Has a comment. @param y nothing */
        public record Bare(int x) {
          public static final int ZERO = 0;
          static final int HIDDEN = 0;
          public int twice() { return 2 * x; }
          @Override public String toString() { return ""; }
          int thrice() { return 3 * x; }
          /** */
          public enum Colour {
            /** Said. */
            RED,
            GREEN
          }
          public interface Shape { int area(); }
          static final class Hidden { public int area() { return 0; } }
        }
        """);
    assertEquals(
        List.of(
            " package-info.java",
            "Bare.java:3 Bare @param x",
            "Bare.java:4 ZERO",
            "Bare.java:6 twice()",
            "Bare.java:10 Colour",
            "Bare.java:13 GREEN",
            "Bare.java:15 Shape",
            "Bare.java:15 area()"),
        PublicComments.missing(sources));
  }
}
