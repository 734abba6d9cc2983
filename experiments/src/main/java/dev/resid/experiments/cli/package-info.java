/**
 * The {@code resid} command. Start at {@link dev.resid.experiments.cli.ResidCommand}, whose list of
 * subcommands is the one place where a command is registered; {@code CONTRIBUTING.md} says how to
 * add one. May depend on everything in this module; nothing depends on it.
 */
package dev.resid.experiments.cli;
