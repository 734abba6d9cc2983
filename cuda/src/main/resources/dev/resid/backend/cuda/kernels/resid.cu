// All kernels: what is compiled to resid.ptx (scripts/ptx.sh) and, for the tests, by g++.
#include "elements.cu"
#include "rows.cu"
#include "attention.cu"
#include "attention_backward.cu"
#include "vocabulary.cu"
#include "sparse.cu"
#include "product.cu"
