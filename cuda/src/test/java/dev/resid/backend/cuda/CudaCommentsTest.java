package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.testing.PublicComments;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaCommentsTest {
  @Test
  void thereIsNoPublicMemberWithoutAComment() throws IOException {
    assertEquals(List.of(), PublicComments.missing(Path.of("src/main/java")));
  }
}
