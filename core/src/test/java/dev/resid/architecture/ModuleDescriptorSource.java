package dev.resid.architecture;

import static java.util.stream.Collectors.toMap;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A module-info.java as it is written, and what the classes of its module say that it must hold. It
 * is compiled apart from the classes, so nothing else notices at once when they part.
 */
public final class ModuleDescriptorSource {
  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\n]*");
  private static final Pattern REQUIRES =
      Pattern.compile("requires\\s+(?:static\\s+|transitive\\s+)*([\\w.]+)\\s*;");
  private static final Pattern EXPORTS = Pattern.compile("exports\\s+([\\w.]+)\\s*;");
  private static final Pattern PROVIDES =
      Pattern.compile("provides\\s+[\\w.]+\\s+with\\s+([\\w.,\\s]+);");

  /** The one module whose packages do not begin with its name. */
  private static final String FASTUTIL = "it.unimi.dsi.fastutil.core";

  private static final String FASTUTIL_PACKAGES = "it.unimi.dsi.fastutil";

  private static final Map<String, String> SYSTEM =
      ModuleFinder.ofSystem().findAll().stream()
          .flatMap(
              module ->
                  module.descriptor().packages().stream()
                      .map(name -> Map.entry(name, module.descriptor().name())))
          .collect(toMap(Map.Entry::getKey, Map.Entry::getValue));

  private final String text;

  ModuleDescriptorSource(String text) {
    this.text = COMMENT.matcher(text).replaceAll("");
  }

  /** Returns the descriptor of the module whose folder this test runs in. */
  public static ModuleDescriptorSource ofThisModule() throws IOException {
    return new ModuleDescriptorSource(
        Files.readString(Path.of("src/main/module/module-info.java")));
  }

  /** Returns the packages that are exported, sorted. */
  public Set<String> exported() {
    return all(EXPORTS);
  }

  /** Returns the service providers, sorted. */
  public Set<String> provided() {
    Set<String> found = new TreeSet<>();
    for (String list : all(PROVIDES)) {
      found.addAll(Stream.of(list.split(",")).map(String::strip).toList());
    }
    return found;
  }

  /** Returns the packages that hold public classes, sorted. */
  public static Set<String> packagesToExport(JavaClasses classes) {
    Set<String> found = new TreeSet<>();
    for (JavaClass type : classes) {
      if (type.getModifiers().contains(JavaModifier.PUBLIC)) {
        found.add(type.getPackageName());
      }
    }
    return found;
  }

  /** Returns what the classes use and no required module has, as "class → package", sorted. */
  public Set<String> usedAndNotRequired(JavaClasses classes) {
    Set<String> required = all(REQUIRES);
    required.add("java.base");
    Set<String> own = new TreeSet<>();
    classes.forEach(type -> own.add(type.getPackageName()));
    Set<String> found = new TreeSet<>();
    for (JavaClass type : classes) {
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        String name = target.getPackageName();
        if (!target.isPrimitive() && !own.contains(name) && !isIn(name, required)) {
          found.add(type.getName() + " → " + name);
        }
      }
    }
    return found;
  }

  private static boolean isIn(String name, Set<String> required) {
    String system = SYSTEM.get(name);
    if (system != null) {
      return required.contains(system);
    }
    if (name.startsWith("dev.resid.") && !name.startsWith("dev.resid.sae")) {
      return required.contains("dev.resid.core");
    }
    return required.stream()
        .map(module -> module.equals(FASTUTIL) ? FASTUTIL_PACKAGES : module)
        .anyMatch(start -> (name + ".").startsWith(start + "."));
  }

  private Set<String> all(Pattern pattern) {
    Set<String> found = new TreeSet<>();
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }
}
