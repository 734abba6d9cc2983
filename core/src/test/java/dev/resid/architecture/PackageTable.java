package dev.resid.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which packages of a module may use which others of it: what their {@code package-info.java} say
 * in words. A package that is not in the table may not exist.
 */
public final class PackageTable {
  private final String root;
  private final Map<String, Set<String>> allowed = new TreeMap<>();

  /**
   * Creates an empty table.
   *
   * @param root the package that all others lie in, for example {@code dev.resid}
   */
  public PackageTable(String root) {
    this.root = root;
  }

  /**
   * Returns this table with one more package.
   *
   * @param name package below the root
   * @param others packages below the root that it may use
   */
  public PackageTable allow(String name, String... others) {
    if (allowed.put(name, Set.of(others)) != null) {
      throw new IllegalArgumentException(name + " is in the table twice");
    }
    return this;
  }

  /** Returns the rule that classes use only what the table allows their package. */
  public ArchRule rule() {
    return ArchRuleDefinition.classes()
        .that(DescribedPredicate.describe("are below " + root, this::isOurs))
        .should(
            new ArchCondition<>("use only the packages that the table allows") {
              @Override
              public void check(JavaClass user, ConditionEvents events) {
                checkClass(user, events);
              }
            });
  }

  private void checkClass(JavaClass user, ConditionEvents events) {
    String from = nameOf(user);
    Set<String> others = allowed.get(from);
    if (others == null) {
      events.add(
          SimpleConditionEvent.violated(
              user, user.getName() + " is in the package " + from + ", which has no line"));
      return;
    }
    for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
      JavaClass target = dependency.getTargetClass().getBaseComponentType();
      if (isOurs(target) && !nameOf(target).equals(from) && !others.contains(nameOf(target))) {
        events.add(SimpleConditionEvent.violated(user, dependency.getDescription()));
      }
    }
  }

  private boolean isOurs(JavaClass c) {
    return c.getPackageName().startsWith(root + ".");
  }

  private String nameOf(JavaClass c) {
    return c.getPackageName().substring(root.length() + 1);
  }
}
