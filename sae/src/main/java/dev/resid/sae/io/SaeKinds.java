package dev.resid.sae.io;

import dev.resid.io.TensorFile;
import java.io.IOException;

/** Finds out which of the published kinds a folder or file is. */
final class SaeKinds {
  private SaeKinds() {}

  static SaeContents ofFolder(SaeFolder folder, Stated stated) throws IOException {
    if (folder.has(SaeLensReader.WEIGHTS)) {
      requireConfig(folder, SaeLensReader.CONFIG, "a SAELens folder");
      return SaeLensReader.read(folder, stated);
    }
    throw new SaeCheckpointException(
        folder.path("") + ": holds no SAE. Expected " + SaeLensReader.WEIGHTS);
  }

  static SaeContents ofFile(SaeFolder folder, String name, Stated stated) throws IOException {
    if (name.equals(SaeLensReader.WEIGHTS)) {
      return ofFolder(folder, stated);
    }
    TensorFile file = folder.tensors(name);
    try {
      if (ApolloReader.recognises(file)) {
        return ApolloReader.read(file, stated);
      }
      throw new SaeCheckpointException(
          file.file() + ": its tensors are those of no known kind of SAE");
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static void requireConfig(SaeFolder folder, String config, String what)
      throws SaeCheckpointException {
    if (!folder.has(config)) {
      throw new SaeCheckpointException(
          folder.path(config) + ": " + what + " needs it. Fetch it into the folder");
    }
  }
}
