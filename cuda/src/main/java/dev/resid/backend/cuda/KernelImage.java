package dev.resid.backend.cuda;

import dev.resid.backend.BackendUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernels as the driver loads them: the PTX text of the jar, which it compiles, or, where that
 * is asked for and NVRTC is there, what NVRTC makes of the sources for the GPU's own architecture.
 * The text is the default because its numbers do not depend on what else is installed.
 *
 * @param bytes of the text or the binary
 * @param description what follows the name of the backend; empty for the text
 */
record KernelImage(byte[] bytes, String description) {
  /** System property: {@code ptx} or {@code nvrtc}. */
  static final String PROPERTY = "resid.cuda.kernels";

  /** Environment variable of the same meaning. */
  static final String VARIABLE = "RESID_CUDA_KERNELS";

  private static final String FIRST = "resid.cu";
  private static final Set<String> NO_COMPILER =
      Set.of(
          "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
          "CUDA_ERROR_JIT_COMPILATION_DISABLED",
          "CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");

  /** Returns the PTX text. */
  static KernelImage ptx() {
    return new KernelImage(Kernels.ptx(), "");
  }

  /**
   * Returns what was asked for; the text where that cannot be had, and says why in the log.
   *
   * @param capability of the GPU
   */
  static KernelImage chosen(int capability) {
    String name = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    if (name == null || name.isBlank() || name.equals("ptx")) {
      return ptx();
    }
    if (!name.equals("nvrtc")) {
      throw new BackendUnavailableException(
          "cuda: " + PROPERTY + " is \"" + name + "\", expected ptx or nvrtc.");
    }
    List<String> steps = new ArrayList<>();
    Optional<Nvrtc> nvrtc = Nvrtc.find(steps);
    if (nvrtc.isEmpty()) {
      return instead(String.join("; ", steps));
    }
    try {
      return compiled(nvrtc.get(), capability);
    } catch (CudaFailureException e) {
      return instead(e.getMessage());
    }
  }

  private static KernelImage compiled(Nvrtc nvrtc, int capability) {
    Map<String, String> included = new LinkedHashMap<>();
    String source = source(FIRST);
    include(source, included);
    byte[] binary = nvrtc.compile(source, included, capability);
    return new KernelImage(binary, ", kernels by " + nvrtc.description() + " for sm_" + capability);
  }

  /** Returns whether an error says that the driver compiles no text, or not this one. */
  static boolean cannotCompile(String error) {
    return NO_COMPILER.contains(error);
  }

  /**
   * Returns what NVRTC makes where the driver cannot compile the text, after a line in the log.
   *
   * @param failure what the driver said
   * @param capability of the GPU
   * @throws CudaFailureException what the driver said, where there is no NVRTC; else what NVRTC
   *     says
   */
  static KernelImage insteadOfText(CudaFailureException failure, int capability) {
    Nvrtc nvrtc = Nvrtc.find(new ArrayList<>()).orElseThrow(() -> failure);
    System.getLogger(KernelImage.class.getName())
        .log(
            System.Logger.Level.WARNING,
            "{0} {1} compiles them instead.",
            failure.getMessage(),
            nvrtc.description());
    return compiled(nvrtc, capability);
  }

  /** Returns the text, after a line in the log. */
  static KernelImage instead(String reason) {
    System.getLogger(KernelImage.class.getName())
        .log(
            System.Logger.Level.WARNING,
            "{0}; taking the PTX of the jar instead.",
            reason.replaceFirst("\\.$", ""));
    return ptx();
  }

  /** Adds the files that a source includes, and those that they include. */
  static void include(String source, Map<String, String> included) {
    Matcher name = INCLUDE.matcher(source);
    while (name.find()) {
      if (!included.containsKey(name.group(1))) {
        String text = source(name.group(1));
        included.put(name.group(1), text);
        include(text, included);
      }
    }
  }

  static String source(String name) {
    try (InputStream in = KernelImage.class.getResourceAsStream("kernels/" + name)) {
      if (in == null) {
        throw new IllegalStateException("kernels/" + name + " is missing in the jar of resid-cuda");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("kernels/" + name + " cannot be read", e);
    }
  }
}
