package dev.resid.architecture.violations;

/** Breaks a rule on purpose. */
public final class StringUtils {}
