package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import java.util.Arrays;
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

  @Test
  void severalGpusAreNamedOnceEachAndInOneWay() {
    for (String[] wrong :
        new String[][] {
          {"--devices names something twice: [0, 0]", "--devices", "0,0"},
          {"--devices: device is -1, must be at least 0", "--devices", "-1,0"},
          {"--device and --devices exclude each other", "--devices", "0,1", "--device", "0"},
          {"which --backend vector does not use", "--devices", "0,1", "--backend", "vector"},
        }) {
      SeveralOpener opener = new SeveralOpener();
      new CommandLine(opener).parseArgs(Arrays.copyOfRange(wrong, 1, wrong.length));
      ParameterException e = assertThrows(ParameterException.class, opener.backends::open);
      assertTrue(e.getMessage().contains(wrong[0]), e.getMessage());
    }
  }

  @Test
  void withoutDevicesThereIsOneBackend() {
    SeveralOpener opener = new SeveralOpener();
    new CommandLine(opener).parseArgs("--backend", "scalar");
    try (BackendsMixin.Opened opened = opener.backends.open()) {
      assertEquals(1, opened.all().size());
      assertEquals("scalar", opened.all().getFirst().name());
    }
  }

  @Command(name = "opener")
  private static final class SeveralOpener {
    @Mixin private BackendsMixin backends;
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
