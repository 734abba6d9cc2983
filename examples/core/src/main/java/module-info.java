/** A program on the module path. */
module org.example.core {
  requires dev.resid.core;
}
