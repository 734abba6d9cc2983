package dev.resid.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import dev.resid.backend.BackendProvider;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The rules every module keeps, by name. Each module's test applies them to its own classes; {@link
 * ArchitectureRulesTest} applies each to a class that breaks it.
 */
public final class ArchitectureRules {
  private static final DescribedPredicate<JavaClass> COMMAND_LINE =
      DescribedPredicate.describe(
          "the command line", c -> c.getPackageName().endsWith(".experiments.cli"));

  private ArchitectureRules() {}

  /** Returns all rules by a name that says what they forbid. */
  public static Map<String, ArchRule> all() {
    Map<String, ArchRule> rules = new LinkedHashMap<>();
    addDependencies(rules);
    addHabits(rules);
    return rules;
  }

  private static void addDependencies(Map<String, ArchRule> rules) {
    rules.put(
        "packages depend on each other in one direction",
        SlicesRuleDefinition.slices().matching("dev.resid.(**)").should().beFreeOfCycles());
    rules.put(
        "only backend.vector uses the Vector API",
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.resid.backend.vector..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator.vector.."));
    rules.put(
        "only backend and the command line look backends up",
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.resid.backend..")
            .and(DescribedPredicate.not(COMMAND_LINE))
            .should()
            .dependOnClassesThat(
                DescribedPredicate.describe(
                    "Backends or BackendProvider",
                    c ->
                        c.isEquivalentTo(Backends.class)
                            || c.isAssignableTo(BackendProvider.class)))
            .allowEmptyShould(true));
    rules.put(
        "tensor depends on nothing else of the project",
        noClasses()
            .that()
            .resideInAPackage("dev.resid..tensor")
            .should()
            .dependOnClassesThat(
                DescribedPredicate.describe(
                    "classes of other packages of the project",
                    c ->
                        c.getPackageName().startsWith("dev.resid")
                            && !c.getPackageName().endsWith(".tensor")))
            .allowEmptyShould(true));
  }

  private static void addHabits(Map<String, ArchRule> rules) {
    rules.put(
        "a library prints nothing",
        noClasses()
            .that(DescribedPredicate.not(COMMAND_LINE))
            .should()
            .accessTargetWhere(
                DescribedPredicate.describe(
                    "System.out, System.err or printStackTrace()",
                    access ->
                        access.getTargetOwner().isEquivalentTo(System.class)
                                && Set.of("out", "err").contains(access.getTarget().getName())
                            || access.getTarget().getName().equals("printStackTrace"))));
    rules.put(
        "messages go to System.Logger",
        noClasses().should().dependOnClassesThat().resideInAPackage("java.util.logging.."));
    rules.put(
        "only the command line ends the process",
        noClasses()
            .that(DescribedPredicate.not(COMMAND_LINE))
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class));
    rules.put(
        "no backend is kept in a static",
        noFields()
            .that()
            .areStatic()
            .should()
            .haveRawType(JavaClass.Predicates.assignableTo(Backend.class))
            .allowEmptyShould(true));
    rules.put(
        "what is static does not change",
        fields().that().areStatic().should().beFinal().allowEmptyShould(true));
    rules.put("no class is called Utils", classes().should().haveSimpleNameNotEndingWith("Utils"));
    rules.put(
        "public methods have no boolean parameter",
        methods().that().arePublic().should(haveNoBooleanParameter()).allowEmptyShould(true));
  }

  /**
   * Returns the classes of the module that a class belongs to, without its tests.
   *
   * @param member a class of the module
   */
  public static JavaClasses classesOf(Class<?> member) {
    return new ClassFileImporter()
        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .importPath(locationOf(member));
  }

  /**
   * Returns the number of class files of the module that a class belongs to, counted without
   * ArchUnit.
   *
   * @param member a class of the module
   */
  public static long classFilesOf(Class<?> member) {
    try (Stream<Path> files = Files.walk(locationOf(member))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".class") && !name.equals("module-info.class"))
          .count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path locationOf(Class<?> member) {
    try {
      URI location = member.getProtectionDomain().getCodeSource().getLocation().toURI();
      return Path.of(location);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ArchCondition<JavaMethod> haveNoBooleanParameter() {
    return new ArchCondition<>("have no boolean parameter") {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        List<JavaClass> parameters = method.getRawParameterTypes();
        boolean found = parameters.stream().anyMatch(p -> p.isEquivalentTo(boolean.class));
        boolean visible = method.getOwner().getModifiers().contains(JavaModifier.PUBLIC);
        if (found && visible) {
          events.add(
              SimpleConditionEvent.violated(
                  method, method.getFullName() + ": use two methods or an enum"));
        }
      }
    };
  }
}
