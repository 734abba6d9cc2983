package dev.resid.architecture.violations;

import jdk.incubator.vector.FloatVector;

/** Breaks a rule on purpose. */
public final class UsesTheVectorApi {
  int lanes() {
    return FloatVector.SPECIES_PREFERRED.length();
  }
}
