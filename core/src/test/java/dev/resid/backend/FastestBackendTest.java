package dev.resid.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.backend.Availability.Available;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.scalar.ScalarBackendProvider;
import dev.resid.tensor.Backend;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;
import org.junit.jupiter.api.Test;

/** Which backend is taken, and what is said of those that are passed over. */
class FastestBackendTest {
  /** A backend that is faster than the others. */
  private record Faster(Availability availability, boolean isMissed) implements BackendProvider {
    @Override
    public String name() {
      return "faster";
    }

    @Override
    public int priority() {
      return 1000;
    }

    @Override
    public Backend open(BackendOptions options) {
      throw new BackendUnavailableException("faster: it is out of order.");
    }
  }

  private static List<String> saidWith(BackendProvider... providers) {
    List<String> said = new ArrayList<>();
    Logger logger = Logger.getLogger(Backends.class.getName());
    Handler handler =
        new StreamHandler(OutputStream.nullOutputStream(), new SimpleFormatter()) {
          @Override
          public void publish(LogRecord entry) {
            said.add(entry.getLevel() + ": " + entry.getMessage());
          }
        };
    logger.addHandler(handler);
    try {
      for (int i = 0; i < 2; i++) {
        try (Backend taken = Backends.fastest(BackendOptions.defaults(), List.of(providers))) {
          assertEquals("scalar", taken.name());
        }
      }
    } finally {
      logger.removeHandler(handler);
    }
    return said;
  }

  @Test
  void whyABackendThatIsMissedCannotBeUsedIsSaidOnce() {
    Unavailable tooOld = new Unavailable("the driver is of 2011", "Install a newer one");
    assertEquals(
        List.of("WARNING: Not using faster: the driver is of 2011. Install a newer one."),
        saidWith(new Faster(tooOld, true), new ScalarBackendProvider()));
  }

  @Test
  void whyABackendCannotBeOpenedIsSaidOnce() {
    assertEquals(
        List.of("WARNING: Not using faster: it is out of order."),
        saidWith(new Faster(new Available("ready"), true), new ScalarBackendProvider()));
  }

  @Test
  void aBackendThatNobodyMissesIsPassedOverWithoutAWord() {
    Unavailable nothingThere = new Unavailable("no driver found", "Install one");
    assertEquals(List.of(), saidWith(new Faster(nothingThere, false), new ScalarBackendProvider()));
  }

  @Test
  void withoutAnyTheErrorSaysSo() {
    Unavailable none = new Unavailable("there is none", "Find one");
    assertThrows(
        BackendUnavailableException.class,
        () -> Backends.fastest(BackendOptions.defaults(), List.of(new Faster(none, true))));
  }
}
