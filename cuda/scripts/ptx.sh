#!/usr/bin/env bash
# Compiles the kernels to the PTX text that the jar carries: cuda/scripts/ptx.sh [OUT]
#
# nvcc 13 writes PTX ISA 9.0, which drivers older than CUDA 13 refuse; the kernels use nothing newer
# than 7.0, which the driver of CUDA 11.0 reads, so the text says 7.0, and ptxas, where it is on the
# PATH, checks that this is true and says what each kernel takes. The target is compute 7.5, the
# oldest that nvcc 13 knows.
set -euo pipefail
resources=$(cd "$(dirname "${BASH_SOURCE[0]}")/../src/main/resources/dev/resid/backend/cuda" && pwd)
out=${1:-$resources/resid.ptx}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nvcc -ptx -arch=compute_75 -fmad=false -o "$work/resid.ptx" "$resources/kernels/resid.cu"
{
  echo "// Made by cuda/scripts/ptx.sh from kernels/*.cu and *.cuh; not to be edited."
  # The same digest as PtxTest: all files in the order of their names, one after the other.
  echo "// Sources: $(cd "$resources/kernels" && LC_ALL=C && cat -- * | sha256sum | cut -d' ' -f1)"
  sed -e 's/^\.version .*/.version 7.0/' "$work/resid.ptx"
} >"$work/out.ptx"
if command -v ptxas >/dev/null; then
  for target in sm_75 sm_80 sm_90 sm_100; do
    ptxas -v -arch=$target -o /dev/null "$work/out.ptx" 2>&1 | sed "s/^/$target: /"
  done
fi
mv "$work/out.ptx" "$out"
chmod 644 "$out"
