/**
 * How long computations say how far they are. Library code is handed a {@link
 * dev.resid.progress.Progress} and reports to it; what is shown, and where, is the caller's affair.
 * Depends on nothing.
 */
package dev.resid.progress;
