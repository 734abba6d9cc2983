#!/usr/bin/env bash
# Checks the cuda backend on this machine: part of what scripts/gpu-bundle.sh makes.
#
#   gpu-check.sh [OUT_DIR [STEP ...]]
#
# The steps, in this order if none is named:
#
#   doctor       what the machine has; without a GPU that can be used everything ends here
#   contract     the contract of backends, by own kernels and by cuBLAS, and the errors of TF32
#   goldens      the model's tests and values of other programs
#   sensitivity  a study on the GPU beside the same on the processor, and once more for the same bits
#   speed        the table of speeds
#   torch        the same by PyTorch where it is installed, and both compared
#   nvrtc        the contract with kernels compiled by NVRTC, where it is installed
#   sanitizer    every kernel under compute-sanitizer, where it is installed
#   devices      the study on two GPUs, where there are two, beside that on one
#   jcublas      the contract by JCuda's cuBLAS, on CUDA 13 through stand-ins
#
# Results go to OUT_DIR (results if left out) and, packed, to OUT_DIR.tgz; a line a part of a step
# as soon as it ends. One call takes at most RESID_GPU_CHECK_SECONDS, 540 if not set. The same call
# again goes on where it was: what has passed or failed in OUT_DIR is not run again unless its step is
# named. RESID_GPU_CHECK_UNPACKED names the folder for what is unpacked (unpacked beside this
# script if not set). RESID_GPU_CHECK_SIZE=small tries every step on sizes that say nothing about a
# GPU, also on an emulated one.
#
# Exit code 0 if every part passed, 1 if one failed, 2 for wrong usage, 3 if some are left: call again.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/results}
shift || true
all="doctor contract goldens sensitivity speed torch nvrtc sanitizer devices jcublas"
named=$*
for step in $named; do
  case " $all " in
    *" $step "*) ;;
    *)
      echo "gpu-check: there is no step $step" >&2
      exit 2
      ;;
  esac
done
steps=${named:-$all}
small=
[ "${RESID_GPU_CHECK_SIZE:-}" != small ] || small=small
total=${RESID_GPU_CHECK_SECONDS:-540}
mkdir -p "$out/parts" || exit 1
out=$(cd "$out" && pwd)
summary=$out/summary.txt
if [ -n "$named" ]; then
  for step in $named; do rm -f "$out/parts/$step" "$out/parts/$step"-*; done
fi

# ---- unpack once
work=${RESID_GPU_CHECK_UNPACKED:-$here/unpacked}
mkdir -p "$work" || exit 1
work=$(cd "$work" && pwd)
# unpack ARCHIVE FOLDER; with Python where there is no xz
unpack() {
  mkdir -p "$2"
  if command -v xz >/dev/null; then
    tar -C "$2" -xJf "$1"
  else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' "$1" "$2"
  fi
}
if [ ! -f "$work/whole" ]; then
  unpack "$here/payload.tar.xz" "$work" || exit 1
  # Tests look for goldens beside the project they run in.
  mkdir -p "$work/project"
  touch "$work/project/pom.xml"
  if [ -f "$here/goldens.tar.xz" ]; then
    unpack "$here/goldens.tar.xz" "$work/shared" || exit 1
  fi
  touch "$work/whole"
  echo "unpacked in $SECONDS s"
fi

# ---- surroundings
# Heap for the tests' models and the processor's side; less where the machine has less.
gigabytes=$(awk '/^MemTotal/ { g = int($2 / 2097152); print (g > 16) ? 16 : (g < 2) ? 2 : g }' /proc/meminfo)
# Nothing of the caller's decides over how is computed; what the driver has compiled is kept.
unset NVIDIA_TF32_OVERRIDE RESID_CUDA_PRODUCTS RESID_CUDA_KERNELS
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$work/compiled}
mkdir -p "$CUDA_CACHE_PATH"
# Libraries of CUDA that lie in the packages of the Python here, as PyTorch brings them, and those of
# the driver where the system does not look for it.
nvidia=$(python3 -c '
import glob, os, sys
for path in sys.path:
    for folder in sorted(glob.glob(os.path.join(path, "nvidia", "*", "lib")), reverse=True):
        print(folder)' 2>/dev/null | tr '\n' ':')
for folder in /usr/local/nvidia/lib64 /usr/lib/wsl/lib; do
  [ ! -e "$folder/libcuda.so.1" ] || nvidia=$nvidia$folder:
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${nvidia%:}
[ ! -d /usr/local/nvidia/bin ] || PATH=$PATH:/usr/local/nvidia/bin
libraries=$work/classes:$(printf '%s:' "$work"/lib/*.jar)
tests=$(printf '%s:' "$work"/test/*.jar)

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
[ -z "$small" ] || echo "small sizes: what passes here says nothing about a GPU"

# ---- parts of steps
left() { echo $((total - SECONDS)); }

# begin PART SECONDS: whether it is to run now; it may take so many seconds
begin() {
  part=$1
  limit=$2
  if [ -f "$out/parts/$part" ]; then
    return 1
  fi
  # Not what would most likely be broken off by the end of the call.
  if [ "$(left)" -lt $((limit < 60 ? 20 : limit / 3)) ]; then
    return 1
  fi
  echo "-- $part, $(date -u +%T)"
}

# within COMMAND: for as long as the part may take
within() {
  local seconds
  seconds=$(left)
  timeout -k 10 $((seconds < limit ? (seconds > 1 ? seconds : 1) : limit)) "$@"
}

# report EXIT_CODE; a part that the end of the call broke off is run again by the next one
report() {
  if [ "$1" = 0 ]; then
    echo "passed  $part" >"$out/parts/$part"
  elif { [ "$1" = 124 ] || [ "$1" = 137 ]; } && [ "$(left)" -le 1 ]; then
    echo "broken off: $part (the call's $total s are over)"
    return
  elif [ "$1" = 124 ] || [ "$1" = 137 ]; then
    echo "FAILED  $part (not finished in $limit s; see $out/$part.txt)" >"$out/parts/$part"
  else
    echo "FAILED  $part (exit code $1; see $out/$part.txt)" >"$out/parts/$part"
  fi
  cat "$out/parts/$part"
}

# skip PART REASON
skip() {
  [ -f "$out/parts/$1" ] || echo "skipped $1: $2" | tee "$out/parts/$1"
}

# Says how far a file of test results is, every 20 seconds, until it is ended.
watching() {
  local before=0 now
  while sleep 20; do
    now=$(grep -cE ':: (SUCCESSFUL|FAILED)' "$1" 2>/dev/null)
    [ "$now" = "$before" ] || echo "   $(date -u +%T) $now tests"
    before=$now
  done
}

java=$work/runtime/bin/java
options=(--add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED "-Xmx${gigabytes}g")

resid() { within "$java" "${options[@]}" -cp "$libraries" dev.resid.experiments.cli.Main "$@"; }

# junit [BEFORE ... --] OPTIONS... -- SELECTORS...; BEFORE is a program that runs Java
junit() {
  local first=() more=() file=$out/$part.txt code watcher
  while [ "$1" != -- ]; do
    case $1 in -D*) more+=("$1") ;; *) first+=("$1") ;; esac
    shift
  done
  shift
  watching "$file" &
  watcher=$!
  (cd "$work/project" && within ${first[@]+"${first[@]}"} "$java" "${options[@]}" \
    ${more[@]+"${more[@]}"} -cp "$libraries$tests" \
    org.junit.platform.console.ConsoleLauncher execute "$@" --fail-if-no-tests \
    --disable-banner --disable-ansi-colors --details=testfeed --reports-dir="$out/$part-reports") \
    >"$file" 2>&1
  code=$?
  kill "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  grep -E '^\[ .*tests (successful|failed|aborted)' "$file"
  grep -E ':: (FAILED|ABORTED)' "$file" | head -n 12
  report $code
}

# same FOLDER FOLDER: whether two runs wrote the same tables
same() {
  local file code=0
  for file in "$1"/*.csv; do
    cmp "$file" "$2/$(basename "$file")" >>"$out/$part.txt" 2>&1 || code=1
  done
  return $code
}

# close FOLDER FOLDER: whether the numbers that were measured differ by a thousandth of themselves and
# a millionth of their column at most. Of what is derived from them, differences are only told.
close() {
  local file code=0
  for file in "$1"/*.csv; do
    awk -F, -v name="$(basename "$file")" '
      function size(x) { x += 0; return x < 0 ? -x : x }
      FNR == 1 { part++ }
      part == 1 { for (i = 1; i <= NF; i++) { want[FNR, i] = $i
                  if (size($i) > most[i]) most[i] = size($i) }; rows = FNR }
      part == 2 { for (i = 1; i <= NF; i++) { w = want[FNR, i]; d = size($i - w)
                  if (d > 1e-3 * size(w) + 1e-6 * most[i] || (size(w) == 0 && d != 0)) {
                    print name ", line " FNR ", column " i ": vector " w ", cuda " $i
                    bad++ } }; seen = FNR }
      END { if (seen != rows) { print name ": " seen " lines, expected " rows; bad++ }
            exit bad > 0 }' "$file" "$2/$(basename "$file")" >>"$out/$part.txt" ||
      [ "$(basename "$file")" != results.csv ] || code=1
  done
  [ -s "$1/results.csv" ] || code=1
  return $code
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
      if (key in ours && ours[key] > 0) {
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

# ---- the steps
contract=dev.resid.backend.cuda.CudaContractTest
gpu=-Dresid.cuda.test=gpu
few=()
model=()
study=(sensitivity --sae none)
if [ -n "$small" ]; then
  few=('--include-methodname=.*#(linearAgrees|attentionAgrees|attentionBackwardIsExactlyItsParts|tf32IsOff.*)')
  model=('--include-methodname=.*#(klIsNeverNegative.*|hiddenStatesAgree|patchingGives.*|theCosine.*)')
  study+=(--rows 2 --row-length 8 --pool 64 --lengths 1,2 --directions isotropic)
fi
for step in $steps; do
  case $step in
    doctor)
      limit=60
      part=doctor
      resid doctor >"$out/doctor.txt" 2>&1
      code=$?
      cat "$out/doctor.txt"
      if [ $code = 0 ] && ! grep -q '^  cuda .*(the default)' "$out/doctor.txt"; then
        code=1
      fi
      report $code
      if [ $code != 0 ]; then
        echo "There is no GPU that the cuda backend can use; the reason is above."
        cp "$out/parts/doctor" "$summary"
        exit 1
      fi
      ;;
    contract)
      begin contract-kernels 200 &&
        junit $gpu -- "--select-class=$contract\$OwnKernels" ${few[@]+"${few[@]}"}
      begin contract-cublas 200 &&
        junit $gpu -- "--select-class=$contract\$ForeignCublas" ${few[@]+"${few[@]}"}
      if begin contract-tf32 120; then
        junit $gpu -- "--select-method=$contract#tf32IsOffByDefaultAndItsErrorsAreAsExpected(org.junit.jupiter.api.TestReporter)"
        grep -rh -A 3 'terms, fp32 error' "$out/contract-tf32-reports" "$out/contract-tf32.txt" | head -n 4
      fi
      ;;
    goldens)
      # By own kernels, which keep the CPU's promises bit for bit; then values by cuBLAS.
      begin goldens-kernels 300 &&
        junit -Dresid.test.backends=cuda -Dresid.cuda.products=kernels -- \
          --select-class=dev.resid.model.ForwardReferenceTest \
          --select-class=dev.resid.model.ForwardPropertiesTest \
          --select-class=dev.resid.model.HookPropertiesTest \
          --select-class=dev.resid.model.ContinuationTest \
          --select-class=dev.resid.model.GradientReferenceTest \
          --select-class=dev.resid.model.GradientPropertiesTest \
          --select-class=dev.resid.model.PerturbationPropertiesTest \
          --select-class=dev.resid.model.GenerationTest \
          --select-class=dev.resid.model.PerturbationGoldensTest ${model[@]+"${model[@]}"}
      # Without two tests of what the host makes of weights, whose values are not packed.
      begin goldens-cublas 300 &&
        junit -Dresid.test.backends=cuda -- \
          '--exclude-methodname=.*#(weightsInTheirShapes.*|processedWeightsAgree)' \
          --select-class=dev.resid.model.ForwardReferenceTest \
          --select-class=dev.resid.model.GradientReferenceTest \
          --select-class=dev.resid.model.HuggingFaceGoldensTest \
          --select-class=dev.resid.model.TransformerLensGoldensTest \
          --select-class=dev.resid.model.InterventionGoldensTest \
          --select-class=dev.resid.train.AdamWGoldensTest \
          --select-class=dev.resid.sae.SaeSplicingGoldensTest \
          --select-class=dev.resid.sae.metric.SaeLensGoldensTest \
          --select-class=dev.resid.sae.train.EndToEndGoldensTest \
          --select-class=dev.resid.sae.train.SaeLensTrainingGoldensTest ${model[@]+"${model[@]}"}
      ;;
    sensitivity)
      for run in cuda vector again; do
        if begin sensitivity-$run 240; then
          rm -rf "$out/sensitivity-$run"
          resid "${study[@]}" --backend "${run/again/cuda}" --quiet --out "$out/sensitivity-$run" \
            >"$out/$part.txt" 2>&1
          code=$?
          tail -n 5 "$out/$part.txt"
          report $code
        fi
      done
      finished=$(grep -ls passed "$out"/parts/sensitivity-{cuda,vector,again} | wc -l)
      if [ "$finished" = 3 ] && begin sensitivity-equal 20; then
        : >"$out/$part.txt"
        code=0
        close "$out/sensitivity-vector" "$out/sensitivity-cuda" || code=1
        same "$out/sensitivity-cuda" "$out/sensitivity-again" || code=1
        head -n 20 "$out/$part.txt"
        report $code
      fi
      ;;
    speed)
      if begin speed 300; then
        within "$java" "${options[@]}" -cp "$libraries" dev.resid.benchmarks.table.GpuTable cuda $small \
          >"$out/speed.csv" 2>"$out/speed.txt"
        code=$?
        cat "$out/speed.csv"
        [ $code = 0 ] || tail -n 5 "$out/speed.txt"
        report $code
      fi
      ;;
    torch)
      if ! python3 -c 'import torch' 2>/dev/null; then
        skip torch "there is no PyTorch here"
      elif begin torch 240; then
        within python3 "$here/peer_torch.py" $small >"$out/torch.csv" 2>"$out/torch.txt"
        code=$?
        cat "$out/torch.csv"
        [ $code = 0 ] || tail -n 5 "$out/torch.txt"
        report $code
        compare | tee "$out/compare.txt"
      fi
      ;;
    nvrtc)
      if ! grep -q 'opened, NVRTC' "$out/doctor.txt" 2>/dev/null; then
        skip nvrtc "there is no NVRTC here, or doctor was not asked"
      elif begin nvrtc 200; then
        junit $gpu -Dresid.cuda.kernels=nvrtc -- "--select-class=$contract\$OwnKernels" \
          ${few[@]+"${few[@]}"}
        if grep -m 1 'taking the PTX of the jar' "$out/nvrtc.txt"; then
          report 1
        fi
      fi
      ;;
    sanitizer)
      if ! command -v compute-sanitizer >/dev/null; then
        skip sanitizer "there is no compute-sanitizer here"
      else
        for tool in memcheck racecheck synccheck; do
          if begin sanitizer-$tool 180; then
            junit compute-sanitizer --tool $tool --error-exitcode 9 $gpu -- \
              "--select-class=$contract\$OwnKernels" '--include-methodname=.*#repetitionDoesNotChangeBits'
            grep -E '^========= (ERROR|RACECHECK) SUMMARY|not supported' "$out/$part.txt" | head -n 3
          fi
        done
      fi
      ;;
    devices)
      if ! grep -q '^- GPU 1: ' "$out/doctor.txt" 2>/dev/null; then
        skip devices "there is one GPU, or doctor was not asked"
      else
        for devices in 0 0,1; do
          if begin devices-$devices 180; then
            rm -rf "$out/devices-$devices"
            resid "${study[@]}" --devices $devices --quiet --out "$out/devices-$devices" \
              >"$out/$part.txt" 2>&1
            code=$?
            [ $code != 0 ] || [ $devices = 0 ] || same "$out/devices-0" "$out/devices-0,1" || code=1
            tail -n 5 "$out/$part.txt"
            report $code
          fi
        done
      fi
      ;;
    jcublas)
      before=$LD_LIBRARY_PATH
      if ldconfig -p 2>/dev/null | grep -q 'libcublas\.so\.12' ||
        ls ${LD_LIBRARY_PATH//:/ } 2>/dev/null | grep -q '^libcublas\.so\.12'; then
        found=yes
      elif [ -d "$work/cublas12-on-13" ]; then
        found=yes
        cublas=$(ls -d /usr/local/cuda*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib 2>/dev/null |
          tr '\n' ':')
        LD_LIBRARY_PATH=$work/cublas12-on-13:$cublas$LD_LIBRARY_PATH
      else
        found=
        skip jcublas "there is no cuBLAS 12, and no stand-in was packed"
      fi
      if [ -n "$found" ] && begin jcublas 200; then
        junit $gpu -Dresid.cuda.test.jcublas=yes -- "--select-class=$contract\$JcudaCublas" \
          ${few[@]+"${few[@]}"}
      fi
      LD_LIBRARY_PATH=$before
      ;;
  esac
done

# ---- what came of it
names="doctor contract-kernels contract-cublas contract-tf32 goldens-kernels goldens-cublas
  sensitivity-cuda sensitivity-vector sensitivity-again sensitivity-equal speed torch nvrtc sanitizer
  sanitizer-memcheck sanitizer-racecheck sanitizer-synccheck devices devices-0 devices-0,1 jcublas"
{
  for part in $names; do
    [ ! -f "$out/parts/$part" ] || cat "$out/parts/$part"
  done
  [ ! -f "$out/compare.txt" ] || cat "$out/compare.txt"
} >"$summary"
echo "== summary, $SECONDS s"
cat "$summary"
tar -C "$(dirname "$out")" -czf "$out.tgz" "$(basename "$out")" && echo "packed: $out.tgz"
missing=
for part in $names; do
  case $part in
    sanitizer | devices | sanitizer-* | devices-*)
      step=${part%%-*}
      [ -f "$out/parts/$step" ] && continue
      [ "$part" != "$step" ] || continue
      ;;
    *) step=${part%%-*} ;;
  esac
  case " $steps " in *" $step "*) [ -f "$out/parts/$part" ] || missing="$missing $part" ;; esac
done
if grep -qs '^FAILED' "$summary"; then
  [ -z "$missing" ] || echo "left, call again:$missing"
  exit 1
fi
[ -z "$missing" ] || { echo "left, call again:$missing"; exit 3; }
exit 0
