package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.FeatureEffectOptions;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.experiments.plateau.PlateauOptions;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.plateau.Regime;
import dev.resid.experiments.plateau.Scale;
import dev.resid.experiments.plateau.TargetKind;
import dev.resid.experiments.robustness.RobustnessOptions;
import dev.resid.experiments.robustness.RobustnessStudy;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** No study takes an SAE for what it is not. */
class FittingSaesTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(6, 6, 6);

  private Backend backend;
  private Gpt2 gpt2;

  @BeforeEach
  void open() {
    backend = TinyModel.backend(1);
    gpt2 = TinyModel.on(backend);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void studiesOfOnePointRefuseAnSaeOfAnother() {
    for (HookPoint point :
        List.of(HookPoint.residPre(2), HookPoint.residPost(1), HookPoint.mlpOut(1))) {
      NamedSae elsewhere = TinySaes.at(point);
      String sentence =
          "other reads "
              + point
              + ", but the activations that are changed are blocks.1.hook_resid_pre; choose"
              + " another --sae or --layer";
      refused(sentence, () -> sensitivity(elsewhere));
      refused(sentence, () -> plateau(elsewhere));
    }
  }

  @Test
  void theOutputOfABlockIsTheInputOfTheNext() {
    NamedSae before = TinySaes.at(HookPoint.residPost(0));
    assertDoesNotThrow(() -> sensitivity(before));
    assertDoesNotThrow(() -> plateau(before));
  }

  @Test
  void whereAReconstructionReplacesItsInputATranscoderIsRefused() {
    NamedSae transcoder = TinySaes.transcoder(HookPoint.residPre(1), HookPoint.mlpOut(1));
    String sentence =
        "other is a transcoder: it reads blocks.1.hook_resid_pre and writes blocks.1.hook_mlp_out,"
            + " but here an activation is compared with its own reconstruction; choose an --sae"
            + " that writes what it reads";
    List<NamedSae> saes = List.of(TinySaes.both().getFirst(), transcoder);
    ClozeOptions cloze =
        new ClozeOptions(
            ClozeTask.LAMBADA,
            List.of(new ClozePrompt(TOKENS.slice(0, 1), 1, "text", 0)),
            saes,
            "test",
            1);
    ContextOptions context = new ContextOptions(TOKENS, saes, "test", 1);
    for (Executable study :
        List.<Executable>of(
            () -> sensitivity(transcoder),
            () -> plateau(transcoder),
            () -> new SubstitutionStudy(gpt2, SubstitutionOptions.of(TOKENS, "test", saes)),
            () -> new RobustnessStudy(gpt2, RobustnessOptions.of(TOKENS, "test", 3, saes)),
            () -> new ContextStudy(gpt2, context),
            () -> new PropagationStudy(gpt2, context),
            () -> new ClozeStudy(gpt2, cloze),
            () -> new FeatureEffectStudy(gpt2, new FeatureEffectOptions(cloze, 3)))) {
      refused(sentence, study);
    }
    assertDoesNotThrow(
        () -> new DictionaryStudy(gpt2, DictionaryOptions.of(TOKENS, "test", saes)),
        "it measures at the point that is written");
  }

  private void sensitivity(NamedSae sae) {
    new SensitivityStudy(
        gpt2,
        new SensitivityOptions(
            TOKENS,
            "test",
            1,
            Lengths.parse("1"),
            List.of(SweptDirection.of("sae-error:" + sae.name())),
            List.of(sae),
            1,
            10,
            0.01,
            0));
  }

  private void plateau(NamedSae sae) {
    new PlateauStudy(
        gpt2,
        new PlateauOptions(
            TOKENS,
            "test",
            1,
            2,
            List.of(TargetKind.SAE_RECONSTRUCTION),
            List.of(),
            PlateauOptions.RealBase.OWN,
            Optional.of(new PlateauSae(sae, Optional.empty())),
            List.of(Regime.RELATIVE),
            new Scale(
                Scale.Rule.SCALED,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                OptionalDouble.empty()),
            1,
            0));
  }

  private static void refused(String sentence, Executable study) {
    String message = assertThrows(IllegalArgumentException.class, study).getMessage();
    assertTrue(message.contains(sentence), message);
  }
}
