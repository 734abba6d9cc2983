#!/usr/bin/env bash
# Checks the cuda backend on this machine: part of what scripts/gpu-bundle.sh makes.
#
#   gpu-check.sh [OUT_DIR [STEP ...]]
#
# Steps, all in this order if none is named, each with a time limit, and all together with that of
# RESID_GPU_CHECK_SECONDS, 1740 if not set:
#
#   doctor       what the machine has; without a GPU that can be used everything ends here
#   contract     the contract of backends, by own kernels and by cuBLAS, and the errors of TF32
#   speed        the table of speeds; torch: the same by PyTorch where it is installed, and both compared
#   sensitivity  a study on the GPU beside the same on the processor, and once more for the same bits
#   goldens      the model's tests and values of other programs
#   jcublas      the contract by JCuda's cuBLAS
#   nvrtc        the contract with kernels compiled by NVRTC, where it is installed
#   devices      the study on two GPUs, where there are two, beside that on one
#
# Results go to OUT_DIR (results if left out), a line a step as soon as it ends. Exit code 0 if every
# step that ran passed, 1 if one failed, 2 for wrong usage.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/results}
shift || true
steps=${*:-doctor contract speed torch sensitivity goldens jcublas nvrtc devices}
for step in $steps; do
  case $step in
    doctor | contract | speed | torch | sensitivity | goldens | jcublas | nvrtc | devices) ;;
    *)
      echo "gpu-check: there is no step $step" >&2
      exit 2
      ;;
  esac
done
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
# Heap for the tests' models and the processor's side; less where the machine has less.
gigabytes=$(awk '/^MemTotal/ { g = int($2 / 2097152); print (g > 16) ? 16 : (g < 2) ? 2 : g }' /proc/meminfo)
# Seconds that one program may take; each step sets it. Nothing begins when all time is used up.
limit=60
total=${RESID_GPU_CHECK_SECONDS:-1740}
within() {
  local left=$((total - SECONDS))
  [ $left -gt 0 ] || return 124
  timeout -k 10 $((left < limit ? left : limit)) "$@"
}
java() {
  within "$work/runtime/bin/java" --add-modules jdk.incubator.vector \
    --enable-native-access=ALL-UNNAMED "-Xmx${gigabytes}g" "$@"
}
# Libraries of CUDA that lie in the packages of the Python here, as PyTorch brings them.
nvidia=$(python3 -c '
import glob, os, sys
for path in sys.path:
    for folder in sorted(glob.glob(os.path.join(path, "nvidia", "*", "lib")), reverse=True):
        print(folder)' 2>/dev/null | tr '\n' ':')
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${nvidia%:}
libraries=$work/runtime/classes:$(printf '%s:' "$here"/lib/*.jar)
tests=$(printf '%s:' "$here"/test/*.jar)

{
  date -u +%FT%TZ
  echo "commit $(cat "$here/commit" 2>/dev/null)"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv 2>&1
    nvidia-smi 2>/dev/null | grep -o 'CUDA Version: [0-9.]*'
  else
    echo "there is no nvidia-smi here"
  fi
} >"$out/machine.txt"
cat "$out/machine.txt"

failed=0
summary=$out/summary.txt
: >"$summary"
# report STEP EXIT_CODE
report() {
  if [ "$2" = 0 ]; then
    echo "passed  $1" | tee -a "$summary"
  elif [ "$2" = 124 ] || [ "$2" = 137 ]; then
    echo "FAILED  $1 (not finished in its $limit s, or in the $total s of all; see $out/$1.txt)" | tee -a "$summary"
    failed=1
  else
    echo "FAILED  $1 (exit code $2; see $out/$1.txt)" | tee -a "$summary"
    failed=1
  fi
}

# skip STEP REASON
skip() { echo "skipped $1: $2" | tee -a "$summary"; }

resid() { java -cp "$libraries" dev.resid.experiments.cli.Main "$@"; }

# junit NAME OPTIONS... -- SELECTORS...
junit() {
  local name=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  (cd "$work/project" && java ${options[@]+"${options[@]}"} -cp "$libraries$tests" \
    org.junit.platform.console.ConsoleLauncher execute "$@" --fail-if-no-tests \
    --disable-banner --details=summary --reports-dir="$out/$name-reports") >"$out/$name.txt" 2>&1
  local code=$?
  grep -E '^\[ .*(successful|failed|aborted)' "$out/$name.txt"
  report "$name" $code
}

# Speeds beside PyTorch's: how many times as fast, and whether that is what was set out for.
compare() {
  [ -s "$out/speed.csv" ] && [ -s "$out/torch.csv" ] || return 0
  awk -F, '
    FNR == 1 { part++; next }
    part == 1 { ours[$1 "," $3] = $4 }
    part == 2 {
      work = $1
      if (work == "20 lengths by whole models") work = "20 lengths from the middle"
      key = work "," $3
      if (key in ours) {
        want = 1
        if ($1 ~ /whole models/) want = 3
        if ($1 ~ /ceiling|middle/) want = 0
        ratio = $4 / ours[key]
        verdict = (ratio >= want) ? "reached" : "NOT reached"
        printf("%s, %s: %.2f times the speed of PyTorch", $1, $3, ratio)
        if (want > 0) printf(" (wanted %d: %s)", want, verdict)
        printf("\n")
      }
    }' "$out/speed.csv" "$out/torch.csv"
}

contract=dev.resid.backend.cuda.CudaContractTest
for step in $steps; do
  echo "== $step, $(date -u +%T)"
  if [ "$SECONDS" -ge "$total" ]; then
    echo "FAILED  $step (not begun: the $total s of all were used up)" | tee -a "$summary"
    failed=1
    continue
  fi
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
      limit=300
      junit contract -Dresid.cuda.test=gpu -- --select-class=$contract
      grep -rh -A 3 'terms, fp32 error' "$out/contract-reports" "$out/contract.txt" | head -n 4
      ;;
    jcublas)
      limit=180
      if ldconfig -p 2>/dev/null | grep -q 'libcublas\.so\.12' || [[ $nvidia == *cublas/lib* ]]; then
        junit jcublas -Dresid.cuda.test=gpu -Dresid.cuda.test.jcublas=yes -- \
          "--select-class=$contract\$JcudaCublas"
      elif [ -d "$here/cublas12-on-13" ]; then
        cublas=$(ls -d /usr/local/cuda*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib \
          /usr/local/lib/python3*/*-packages/nvidia/cu13/lib 2>/dev/null | tr '\n' ':')
        LD_LIBRARY_PATH="$here/cublas12-on-13:$cublas${LD_LIBRARY_PATH:-}" \
          junit jcublas -Dresid.cuda.test=gpu -Dresid.cuda.test.jcublas=yes -- \
          "--select-class=$contract\$JcudaCublas"
      else
        skip jcublas "there is no cuBLAS 12, and no stand-in was packed"
      fi
      ;;
    nvrtc)
      limit=180
      if resid doctor 2>&1 | grep -q 'opened, NVRTC'; then
        junit nvrtc -Dresid.cuda.test=gpu -Dresid.cuda.kernels=nvrtc -- \
          "--select-class=$contract\$OwnKernels"
        if grep -q 'taking the PTX of the jar' "$out/nvrtc.txt"; then
          grep -m 1 'taking the PTX of the jar' "$out/nvrtc.txt"
          report nvrtc-used 1
        fi
      else
        skip nvrtc "there is no NVRTC here"
      fi
      ;;
    devices)
      limit=120
      if resid doctor 2>&1 | grep -q '^- GPU 1: '; then
        code=0
        for devices in 0 0,1; do
          rm -rf "$out/devices-$devices"
          resid sensitivity --devices $devices --quiet --out "$out/devices-$devices" \
            >>"$out/devices.txt" 2>&1 || code=$?
        done
        for file in "$out"/devices-0/*.csv; do
          cmp "$file" "$out/devices-0,1/$(basename "$file")" >>"$out/devices.txt" 2>&1 || code=1
        done
        tail -n 5 "$out/devices.txt"
        report devices $code
      else
        skip devices "there is one GPU"
      fi
      ;;
    goldens)
      limit=300
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
      limit=150
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
      limit=240
      java -cp "$libraries" dev.resid.benchmarks.table.GpuTable cuda \
        >"$out/speed.csv" 2>"$out/speed.txt"
      code=$?
      cat "$out/speed.csv"
      [ $code = 0 ] || tail -n 3 "$out/speed.txt"
      report speed $code
      ;;
    torch)
      if python3 -c 'import torch' 2>/dev/null; then
        limit=240
        within python3 "$here/peer_torch.py" >"$out/torch.csv" 2>"$out/torch.txt"
        code=$?
        cat "$out/torch.csv"
        [ $code = 0 ] || tail -n 3 "$out/torch.txt"
        report torch $code
        compare | tee "$out/compare.txt" | tee -a "$summary"
      else
        skip torch "there is no PyTorch here"
      fi
      ;;
  esac
done
echo "== summary"
cat "$summary"
exit $failed
