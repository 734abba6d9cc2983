package dev.resid.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Which format a file of tensors has, by its content. */
enum FileKind {
  SAFETENSORS,
  NPY,
  NPZ,
  TORCH;

  /**
   * Returns the format of a file. What is no zip file, npy file or pickle is taken for safetensors,
   * which has no magic number; its reader then says what is wrong.
   *
   * @throws TensorFileException if it is a damaged zip file
   */
  static FileKind of(MappedFile mapped) throws TensorFileException {
    MemorySegment bytes = mapped.bytes();
    if (startsWith(bytes, NpyHeader.MAGIC)) {
      return NPY;
    }
    if (startsWith(bytes, ZipArchive.MAGIC) || startsWith(bytes, ZipArchive.EMPTY_MAGIC)) {
      ZipArchive zip = ZipArchive.parse(mapped.file(), bytes);
      return zip.entries().keySet().stream().anyMatch(TorchCheckpoint::isPickle) ? TORCH : NPZ;
    }
    return isPickle(bytes) ? TORCH : SAFETENSORS;
  }

  /** A pickle of protocol 2 to 5; as the length of a safetensors header it would be too large. */
  private static boolean isPickle(MemorySegment bytes) {
    if (bytes.byteSize() < 8) {
      return false;
    }
    int protocol = bytes.get(ValueLayout.JAVA_BYTE, 1);
    boolean safetensorsLength = true;
    for (int i = 4; i < 8; i++) {
      safetensorsLength &= bytes.get(ValueLayout.JAVA_BYTE, i) == 0;
    }
    return bytes.get(ValueLayout.JAVA_BYTE, 0) == (byte) 0x80
        && protocol >= 2
        && protocol <= 5
        && !safetensorsLength;
  }

  /** Returns whether the bytes begin with a magic number, written as Latin-1. */
  static boolean startsWith(MemorySegment bytes, String magic) {
    byte[] wanted = magic.getBytes(StandardCharsets.ISO_8859_1);
    return bytes.byteSize() >= wanted.length
        && MemorySegment.ofArray(wanted).mismatch(bytes.asSlice(0, wanted.length)) < 0;
  }
}
