/** A program on the module path. */
module org.example.all {
  requires dev.resid.experiments;
  requires dev.resid.sae;
}
