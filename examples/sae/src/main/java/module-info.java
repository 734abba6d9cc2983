/** A program on the module path. */
module org.example.sae {
  requires dev.resid.sae;
}
