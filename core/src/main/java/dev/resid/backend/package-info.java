/**
 * Finding and opening backends. Start at {@link dev.resid.backend.Backends}. May depend on {@code
 * tensor}; implementations are found through {@link java.util.ServiceLoader}.
 */
package dev.resid.backend;
