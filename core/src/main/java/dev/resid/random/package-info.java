/**
 * Random numbers that depend only on their key. Start at {@link dev.resid.random.CounterRandom}.
 * Depends on nothing but the JDK.
 */
package dev.resid.random;
