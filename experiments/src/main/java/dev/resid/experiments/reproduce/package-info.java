/**
 * Published numbers beside those of the files at hand: which can be checked, what this machine
 * measures, how far apart both may be and why. The numbers are a table; each is measured by the
 * study that owns its definition. Start at {@link dev.resid.experiments.reproduce.ReproduceStudy}.
 * May depend on every package of this module but {@code cli}, {@code feature}, {@code patch} and
 * {@code dictionary}.
 */
package dev.resid.experiments.reproduce;
