#!/usr/bin/env bash
# Checks the cuda backend on this machine: part of what scripts/gpu-bundle.sh makes.
#
#   gpu-check.sh [OUT_DIR [STEP ...]]
#
# Steps, all if none is named: doctor contract goldens sensitivity speed torch. Results go to OUT_DIR
# (results if left out). Exit code 0 if every step that ran passed, 1 if one failed.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/results}
shift || true
steps=${*:-doctor contract goldens sensitivity speed torch}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# ---- unpack once
work=$here/unpacked
if [ ! -x "$work/runtime/bin/java" ]; then
  mkdir -p "$work/project"
  tar -C "$work" -xJf "$here/runtime.tar.xz" || exit 1
  # Tests look for goldens beside the project they run in.
  touch "$work/project/pom.xml"
  if [ -f "$here/goldens.tar.xz" ]; then
    mkdir -p "$work/shared"
    tar -C "$work/shared" -xJf "$here/goldens.tar.xz" || exit 1
  fi
fi
java="$work/runtime/bin/java --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Xmx16g"
libraries=$work/runtime/classes:$(printf '%s:' "$here"/lib/*.jar)
tests=$(printf '%s:' "$here"/test/*.jar)

{
  date -u +%FT%TZ
  echo "commit $(cat "$here/commit" 2>/dev/null)"
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv 2>&1
  nvidia-smi 2>/dev/null | grep -o 'CUDA Version: [0-9.]*'
} >"$out/machine.txt"
cat "$out/machine.txt"

failed=0
summary=$out/summary.txt
: >"$summary"
# report STEP EXIT_CODE
report() {
  if [ "$2" = 0 ]; then
    echo "passed  $1" | tee -a "$summary"
  else
    echo "FAILED  $1 (exit code $2; see $out/$1.txt)" | tee -a "$summary"
    failed=1
  fi
}

resid() { $java -cp "$libraries" dev.resid.experiments.cli.Main "$@"; }

# junit NAME OPTIONS... -- SELECTORS...
junit() {
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  (cd "$work/project" && $java ${options[@]+"${options[@]}"} -cp "$libraries$tests" \
    org.junit.platform.console.ConsoleLauncher execute "$@" --fail-if-no-tests \
    --disable-banner --details=summary --reports-dir="$out/$name-reports") >"$out/$name.txt" 2>&1
  local code=$?
  grep -E '^\[ .*(successful|failed|aborted)' "$out/$name.txt"
  report "$name" $code
}

for step in $steps; do
  echo "== $step"
  case $step in
    doctor)
      resid doctor >"$out/doctor.txt" 2>&1
      code=$?
      cat "$out/doctor.txt"
      if [ $code = 0 ] && ! grep -q '^  cuda .*(the default)' "$out/doctor.txt"; then
        code=1
      fi
      report doctor $code
      if [ $code != 0 ]; then
        echo "There is no GPU that the cuda backend can use; the reason is above."
        exit 1
      fi
      ;;
    contract)
      contract=dev.resid.backend.cuda.CudaContractTest
      junit contract -Dresid.cuda.test=gpu -- --select-class=$contract
      if [ -d "$here/cublas12-on-13" ]; then
        cublas=$(ls -d /usr/local/cuda*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib \
          /usr/local/lib/python3*/*-packages/nvidia/cu13/lib 2>/dev/null | tr '\n' ':')
        LD_LIBRARY_PATH="$here/cublas12-on-13:$cublas${LD_LIBRARY_PATH:-}" \
          junit contract-jcublas -Dresid.cuda.test=gpu -Dresid.cuda.test.jcublas=yes -- \
          "--select-class=$contract\$JcudaCublas"
      fi
      ;;
    goldens)
      # By own kernels, which keep the CPU's promises bit for bit; then values by cuBLAS.
      junit goldens-kernels -Dresid.test.backends=cuda -Dresid.cuda.products=kernels -- \
        --select-class=dev.resid.model.ForwardReferenceTest \
        --select-class=dev.resid.model.ForwardPropertiesTest \
        --select-class=dev.resid.model.HookPropertiesTest \
        --select-class=dev.resid.model.ContinuationTest \
        --select-class=dev.resid.model.GradientReferenceTest \
        --select-class=dev.resid.model.GradientPropertiesTest \
        --select-class=dev.resid.model.PerturbationPropertiesTest \
        --select-class=dev.resid.model.GenerationTest \
        --select-class=dev.resid.model.PerturbationGoldensTest
      junit goldens-cublas -Dresid.test.backends=cuda -- \
        --select-class=dev.resid.model.ForwardReferenceTest \
        --select-class=dev.resid.model.GradientReferenceTest \
        --select-class=dev.resid.model.HuggingFaceGoldensTest \
        --select-class=dev.resid.model.TransformerLensGoldensTest \
        --select-class=dev.resid.model.InterventionGoldensTest \
        --select-class=dev.resid.analysis.AnalysisGoldensTest \
        --select-class=dev.resid.train.AdamWGoldensTest \
        --select-class=dev.resid.sae.SaeSplicingGoldensTest \
        --select-class=dev.resid.sae.metric.SaeLensGoldensTest \
        --select-class=dev.resid.sae.train.EndToEndGoldensTest \
        --select-class=dev.resid.sae.train.SaeLensTrainingGoldensTest
      ;;
    sensitivity)
      rm -rf "$out/sensitivity-cuda" "$out/sensitivity-vector"
      code=0
      for backend in cuda vector; do
        resid sensitivity --backend $backend --quiet --out "$out/sensitivity-$backend" \
          >"$out/sensitivity.txt" 2>&1 || code=$?
      done
      if [ $code = 0 ]; then
        for file in "$out"/sensitivity-vector/*.csv; do
          # Numbers may differ by a thousandth of themselves and a millionth of their column.
          awk -F, -v name="$(basename "$file")" '
            FNR == 1 { part++ }
            part == 1 { for (i = 1; i <= NF; i++) { want[FNR, i] = $i
                        a = $i < 0 ? -$i : $i + 0; if (a > most[i]) most[i] = a }; rows = FNR }
            part == 2 { for (i = 1; i <= NF; i++) { d = $i - want[FNR, i]; d = d < 0 ? -d : d
                        w = want[FNR, i] < 0 ? -want[FNR, i] : want[FNR, i] + 0
                        if (d > 1e-3 * w + 1e-6 * most[i] || (w == 0 && $i != want[FNR, i] && d != 0)) {
                          print name ", line " FNR ", column " i ": vector " want[FNR, i] ", cuda " $i
                          bad++ } }; seen = FNR }
            END { if (seen != rows) { print name ": " seen " lines, expected " rows; bad++ }
                  exit bad > 0 }' "$file" "$out/sensitivity-cuda/$(basename "$file")" \
            >>"$out/sensitivity.txt" || code=1
        done
        # Two runs give the same bits.
        rm -rf "$out/sensitivity-again"
        resid sensitivity --backend cuda --quiet --out "$out/sensitivity-again" \
          >>"$out/sensitivity.txt" 2>&1 || code=$?
        for file in "$out"/sensitivity-cuda/*.csv; do
          cmp "$file" "$out/sensitivity-again/$(basename "$file")" >>"$out/sensitivity.txt" 2>&1 || code=1
        done
      fi
      tail -n 20 "$out/sensitivity.txt"
      report sensitivity $code
      ;;
    speed)
      $java -cp "$libraries" dev.resid.benchmarks.table.GpuTable cuda \
        >"$out/speed.csv" 2>"$out/speed.txt"
      code=$?
      cat "$out/speed.csv"
      report speed $code
      ;;
    torch)
      if python3 -c 'import torch' 2>/dev/null; then
        python3 "$here/peer_torch.py" >"$out/torch.csv" 2>"$out/torch.txt"
        code=$?
        cat "$out/torch.csv"
        report torch $code
      else
        echo "skipped: there is no PyTorch here" | tee -a "$summary"
      fi
      ;;
    *)
      echo "gpu-check: there is no step $step" >&2
      exit 2
      ;;
  esac
done
echo "== summary"
cat "$summary"
exit $failed
