package dev.resid.experiments.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Backend;
import dev.resid.testing.DelegatingBackend;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
  private static final long MEBIBYTE = 1 << 20;

  private static MemoryPlan ofGpuWith(long free) {
    try (Backend backend =
        new DelegatingBackend(new ScalarBackend()) {
          @Override
          public OptionalLong freeBytes() {
            return OptionalLong.of(free);
          }
        }) {
      return MemoryPlan.of(backend, 768 * MEBIBYTE);
    }
  }

  @Test
  void onTheHeapAnEighthIsForActivationsAndNothingMoreIsSaid() {
    try (Backend backend = new ScalarBackend()) {
      MemoryPlan plan = MemoryPlan.of(backend, 5);
      assertEquals(5, plan.budget());
      assertEquals("", plan.words(1));
      plan.requireRoomFor(Long.MAX_VALUE);
      long heap = Runtime.getRuntime().maxMemory();
      assertEquals(heap / 8, MemoryPlan.of(backend, Long.MAX_VALUE).budget());
    }
  }

  @Test
  void onADeviceHalfOfWhatIsFreeIsForActivations() {
    assertEquals(100 * MEBIBYTE, ofGpuWith(200 * MEBIBYTE).budget());
    assertEquals(768 * MEBIBYTE, ofGpuWith(20_000 * MEBIBYTE).budget());
    assertEquals(
        "; on the GPU: 7 MiB of the activations for the clean run, 200 MiB free beside the weights",
        ofGpuWith(200 * MEBIBYTE).words(7 * MEBIBYTE));
  }

  @Test
  void whatCannotFitIsASentence() {
    MemoryPlan plan = ofGpuWith(200 * MEBIBYTE);
    plan.requireRoomFor(200 * MEBIBYTE);
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> plan.requireRoomFor(300 * MEBIBYTE));
    assertTrue(
        e.getMessage().contains("take about 300 MiB, and the GPU has 200 MiB free"),
        e.getMessage());
  }
}
