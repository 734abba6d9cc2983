package dev.resid.sae.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.DType;
import dev.resid.sae.Architecture;
import dev.resid.sae.SaeWeight;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedSaesTest {
  @TempDir Path temp;

  @Test
  void filesInsideAJarLoad() throws IOException {
    Path dir = temp.resolve("one");
    SaeCheckpoint.save(
        TinySae.config(Architecture.JUMP_RELU),
        TinySae.weights(Architecture.JUMP_RELU),
        DType.F32,
        dir);
    Path jar = temp.resolve("saes.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream zip = new JarOutputStream(out)) {
      add(zip, "tiny/saes/index.txt", "# comment\none\n\n".getBytes());
      for (String file : new String[] {"cfg.json", "sae_weights.safetensors"}) {
        add(zip, "tiny/saes/one/" + file, Files.readAllBytes(dir.resolve(file)));
      }
    }
    try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
      EmbeddedSaes saes = new EmbeddedSaes(loader, "tiny/saes/");
      assertEquals(List.of("one"), saes.names());
      try (SaeCheckpoint onDisk = SaeCheckpoint.open(dir);
          SaeCheckpoint inJar = saes.open("one")) {
        assertEquals(onDisk.sha256(), inJar.sha256());
        assertEquals(Architecture.JUMP_RELU, inJar.config().architecture());
        assertArrayEquals(
            onDisk.weights().get(SaeWeight.W_enc).toArray(),
            inJar.weights().get(SaeWeight.W_enc).toArray());
      }
      IOException unknown = assertThrows(IOException.class, () -> saes.open("two"));
      assertTrue(unknown.getMessage().contains("there are one"), unknown.getMessage());
    }
  }

  @Test
  void everySaeOfTheLibraryLoadsAndStatesItsWeights() throws IOException {
    EmbeddedSaes saes = EmbeddedSaes.ofLibrary();
    for (String name : saes.names()) {
      try (SaeCheckpoint sae = saes.open(name)) {
        assertTrue(sae.config().weights().isPresent(), name + " does not state its weights");
        assertEquals(sae.config().dSae(), sae.weights().dSae());
      }
    }
    IOException none = assertThrows(IOException.class, () -> saes.open("no such SAE"));
    assertTrue(none.getMessage().contains("no such SAE"), none.getMessage());
  }

  @Test
  void withoutAnIndexThereAreNone() throws IOException {
    assertEquals(List.of(), new EmbeddedSaes(getClass().getClassLoader(), "no/such/path/").names());
  }

  private static void add(JarOutputStream zip, String name, byte[] content) throws IOException {
    zip.putNextEntry(new JarEntry(name));
    zip.write(content);
    zip.closeEntry();
  }
}
