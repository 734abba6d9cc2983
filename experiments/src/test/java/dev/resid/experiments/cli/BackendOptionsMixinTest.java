package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class BackendOptionsMixinTest {
  @Test
  void withoutOptionsItIsTheFastestBackend() {
    try (Backend expected = Backends.fastest();
        Backend opened = parse().open()) {
      assertEquals(expected.description(), opened.description());
    }
  }

  @Test
  void theNamedBackendIsOpened() {
    try (Backend opened = parse("--backend", "scalar").open()) {
      assertEquals("scalar", opened.name());
    }
  }

  @Test
  void aBackendThatDoesNotExistIsRefusedWithTheOnesThatDo() {
    BackendOptionsMixin options = parse("--backend", "abacus");
    BackendUnavailableException e = assertThrows(BackendUnavailableException.class, options::open);
    assertTrue(e.getMessage().contains("scalar"), e.getMessage());
  }

  @Test
  void valuesOutOfRangeAreWrongUsage() {
    assertThrows(ParameterException.class, parse("--threads", "0")::open);
    assertThrows(ParameterException.class, parse("--vector-bits", "100")::open);
    assertThrows(ParameterException.class, parse("--device", "-1")::open);
    assertThrows(ParameterException.class, parse("--precision", "fp16")::open);
  }

  private static BackendOptionsMixin parse(String... args) {
    Opener opener = new Opener();
    new CommandLine(opener).parseArgs(args);
    return opener.backend;
  }

  @Command(name = "opener")
  private static final class Opener {
    @Mixin private BackendOptionsMixin backend;
  }
}
