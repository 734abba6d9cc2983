package dev.resid.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import dev.resid.architecture.violations.BackendInAStatic;
import dev.resid.architecture.violations.BooleanParameter;
import dev.resid.architecture.violations.ChangingStatic;
import dev.resid.architecture.violations.EndsTheProcess;
import dev.resid.architecture.violations.LooksABackendUp;
import dev.resid.architecture.violations.PrintsStackTrace;
import dev.resid.architecture.violations.PrintsToStandardOutput;
import dev.resid.architecture.violations.StringUtils;
import dev.resid.architecture.violations.UsesJavaLogging;
import dev.resid.architecture.violations.UsesTheVectorApi;
import dev.resid.architecture.violations.first.First;
import dev.resid.architecture.violations.second.Second;
import dev.resid.architecture.violations.tensor.KnowsProgress;
import dev.resid.tensor.Dim;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each rule fails on a class that breaks it. */
class ArchitectureRulesTest {
  private static final Map<Class<?>, String> CULPRITS =
      Map.ofEntries(
          Map.entry(First.class, "packages depend on each other in one direction"),
          Map.entry(UsesTheVectorApi.class, "only backend.vector uses the Vector API"),
          Map.entry(LooksABackendUp.class, "only backend and the command line look backends up"),
          Map.entry(KnowsProgress.class, "tensor depends on nothing else of the project"),
          Map.entry(PrintsToStandardOutput.class, "a library prints nothing"),
          Map.entry(PrintsStackTrace.class, "a library prints nothing"),
          Map.entry(UsesJavaLogging.class, "messages go to System.Logger"),
          Map.entry(EndsTheProcess.class, "only the command line ends the process"),
          Map.entry(BackendInAStatic.class, "no backend is kept in a static"),
          Map.entry(ChangingStatic.class, "what is static does not change"),
          Map.entry(StringUtils.class, "no class is called Utils"),
          Map.entry(BooleanParameter.class, "public methods have no boolean parameter"));

  /** Read once, because reading also resolves what the classes refer to. */
  private static final JavaClasses SCENE =
      new ClassFileImporter()
          .importClasses(
              Stream.concat(CULPRITS.keySet().stream(), Stream.of(Second.class, Dim.class))
                  .toList());

  @Test
  void everyRuleHasACulprit() {
    assertEquals(ArchitectureRules.all().keySet(), Set.copyOf(CULPRITS.values()));
  }

  @TestFactory
  Stream<DynamicTest> everyRuleFindsItsCulprit() {
    return CULPRITS.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey().getSimpleName(),
                    () -> requireFound(entry.getKey(), entry.getValue())));
  }

  @TestFactory
  Stream<DynamicTest> everyRuleLetsTheInnocentPass() {
    return ArchitectureRules.all().entrySet().stream()
        .map(
            rule ->
                DynamicTest.dynamicTest(
                    rule.getKey(), () -> rule.getValue().check(scene(Dim.class))));
  }

  @Test
  void thePackageTableFindsAUseThatItDoesNotAllow() {
    JavaClasses scene = scene(KnowsProgress.class);
    String name = "architecture.violations.tensor";
    new PackageTable("dev.resid").allow(name, "progress").rule().check(scene);
    ArchRule strict = new PackageTable("dev.resid").allow(name).rule();
    AssertionError error = assertThrows(AssertionError.class, () -> strict.check(scene));
    assertTrue(error.getMessage().contains("Progress"), error.getMessage());
  }

  @Test
  void thePackageTableFindsAPackageThatItDoesNotKnow() {
    JavaClasses scene = scene(KnowsProgress.class);
    ArchRule empty = new PackageTable("dev.resid").rule();
    AssertionError error = assertThrows(AssertionError.class, () -> empty.check(scene));
    assertTrue(error.getMessage().contains("has no line"), error.getMessage());
  }

  private static JavaClasses scene(Class<?>... classes) {
    return SCENE.that(
        DescribedPredicate.describe(
            "are on the scene", c -> Stream.of(classes).anyMatch(c::isEquivalentTo)));
  }

  private static void requireFound(Class<?> culprit, String name) {
    ArchRule rule = ArchitectureRules.all().get(name);
    JavaClasses scene = scene(culprit, Second.class);
    AssertionError error = assertThrows(AssertionError.class, () -> rule.check(scene));
    assertTrue(error.getMessage().contains(culprit.getSimpleName()), error.getMessage());
  }
}
