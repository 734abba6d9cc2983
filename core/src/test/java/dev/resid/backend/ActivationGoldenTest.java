package dev.resid.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Formulas;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Activation functions and their slopes as Hugging Face transformers and torch give them. */
class ActivationGoldenTest {
  /** What the case allows an implementation in float32. */
  private static final Tolerance FLOAT32 = Tolerance.within(1e-6, 1e-5);

  /** One part of the file: the points, and what every activation makes of them. */
  private record Golden(Tensor x, Map<Activation, double[]> values) {
    static Golden read(String suffix) throws IOException {
      String path = "goldens/hf/activation-functions/expected.safetensors";
      try (Safetensors file = Safetensors.open(Shared.require(path))) {
        Map<Activation, double[]> values = new EnumMap<>(Activation.class);
        for (String name : file.names()) {
          if (name.endsWith(suffix)) {
            String key = name.substring(0, name.length() - suffix.length());
            values.put(Activation.valueOf(key.toUpperCase(Locale.ROOT)), file.doubles(name));
          }
        }
        int points = file.doubles("x").length;
        Tensor x = file.tensor("x").reshape(Shape.of(Axis.ROW, 1, Axis.D_MLP, points));
        return new Golden(x, values);
      }
    }
  }

  @Test
  void everyActivationButTheIdentityIsCovered() throws IOException {
    Set<Activation> covered = Golden.read(".y").values().keySet();
    assertEquals(Activation.values().length - 1, covered.size(), () -> "found only " + covered);
  }

  @Test
  void valuesAgreeOnBothBackends() throws IOException {
    Golden golden = Golden.read(".y");
    for (String name : List.of("scalar", "vector")) {
      try (Backend backend = Backends.named(name)) {
        golden.values.forEach(
            (activation, expected) -> {
              Tensor y = backend.allocate(golden.x.shape());
              backend.activate(golden.x, activation, y);
              new TensorAssert(name, "activate " + activation, 0).close(expected, y, FLOAT32);
            });
      }
    }
  }

  @Test
  void slopesAgreeOnBothBackends() throws IOException {
    Golden golden = Golden.read(".dydx");
    for (String name : List.of("scalar", "vector")) {
      try (Backend backend = Backends.named(name)) {
        golden.values.forEach(
            (activation, expected) -> {
              Tensor slope = backend.allocate(golden.x.shape());
              Tensor ones = golden.x.map(x -> 1);
              backend.activateBackward(ones, golden.x, activation, slope);
              new TensorAssert(name, "activateBackward " + activation, 0)
                  .close(expected, slope, FLOAT32);
            });
      }
    }
  }

  /** The formulas that tests use without the golden file are the golden ones. */
  @Test
  void theFormulasOfTheTestsAreTheGoldenOnes() throws IOException {
    Golden values = Golden.read(".y");
    Golden slopes = Golden.read(".dydx");
    // The points ±1e-4 are rounded to float, 2e-12; integrals and differences are off by 1e-9.
    Tolerance numerical = Tolerance.within(2e-9, 0);
    values.values.forEach(
        (activation, expected) ->
            new TensorAssert("formula", activation.name(), 0)
                .close(
                    values.x.shape(),
                    expected,
                    Formulas.each(values.x, x -> Formulas.activation(activation, x)),
                    numerical));
    slopes.values.forEach(
        (activation, expected) ->
            new TensorAssert("slope of formula", activation.name(), 0)
                .close(
                    slopes.x.shape(),
                    expected,
                    Formulas.each(slopes.x, x -> Formulas.activationSlope(activation, x)),
                    numerical));
  }
}
