#!/usr/bin/env bash
# Makes a folder that checks the cuda backend on a machine with a GPU, its driver and a cuBLAS, and
# nothing else: no Java, no Maven, no network.
#
#   scripts/gpu-bundle.sh OUT_DIR
#
# Needs what the build needs, and xz. Copy the folder to that machine and run gpu-check.sh in it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# = 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ ! -e "$1" ] || { echo "gpu-bundle: $1 exists already; choose another name." >&2; exit 1; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
mkdir "$out/lib" "$out/test"

# ---- a JDK 25, for jlink
jdk=
for candidate in "${RESID_JAVA_HOME:-/nowhere}" "${JAVA_HOME:-/nowhere}" /usr/lib/jvm/* \
  "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*; do
  if [ -x "$candidate/bin/jlink" ] && grep -q '^JAVA_VERSION="25' "$candidate/release" 2>/dev/null; then
    jdk=$candidate
    break
  fi
done
[ -n "$jdk" ] || { echo "gpu-bundle: no JDK 25 with jlink found; set RESID_JAVA_HOME." >&2; exit 1; }

# ---- jars
cd "$root"
mvn -q -B -ntp -DskipTests -Dmaven.javadoc.skip=true -Dmaven.source.skip=true package
cp experiments/target/lib/*.jar "$out/lib/"
for module in core cuda sae experiments benchmarks; do
  for jar in "$module"/target/resid-"$module"-*.jar; do
    case $jar in
      *-sources.jar | *-javadoc.jar) ;;
      *-tests.jar) cp "$jar" "$out/test/" ;;
      *) cp "$jar" "$out/lib/" ;;
    esac
  done
done
# What only the measurements of the benchmarks' jar need stays behind.
console=org.junit.platform:junit-platform-console-standalone:$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' pom.xml)
mvn -q -B -ntp -N org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy \
  -Dartifact="$console" -DoutputDirectory="$out/test" -Dmdep.useBaseVersion=true
# The embedded SAEs are not used by the checks.
for sae in "$out"/lib/resid-sae-*.jar; do
  zip -q -d "$sae" '*.safetensors'
done
# The compiler of PTX that JCuda brings is not used and is most of its size.
for natives in "$out"/lib/jcuda-natives-*.jar; do
  zip -q -d "$natives" 'lib/libJNvPTXCompiler*' 'lib/libJNvrtc*' 'lib/libJCudaRuntime*'
done

# ---- Java
"$jdk/bin/jlink" --output "$out/runtime" --strip-debug --no-header-files --no-man-pages \
  --add-modules java.base,java.desktop,java.logging,java.management,java.net.http,java.xml,jdk.incubator.vector,jdk.management,jdk.unsupported,jdk.zipfs
# Charts use java.awt.geom and nothing of a screen.
rm -f "$out"/runtime/lib/lib{awt,fontmanager,freetype,javajpeg,jawt,jsound,lcms,mlib_image,splashscreen}*.so \
  "$out"/runtime/lib/psfont*
# fastutil is thousands of classes that resemble each other: unpacked, xz makes a quarter of them.
mkdir "$out/runtime/classes"
for jar in "$out"/lib/fastutil-*.jar; do
  unzip -q -o "$jar" -d "$out/runtime/classes"
  rm "$jar"
done
tar -C "$out" -c runtime | xz -9e >"$out/runtime.tar.xz"
rm -rf "$out/runtime"

# ---- goldens of other programs, and stand-ins that let JCuda's cuBLAS binding run on CUDA 13
shared=$root/../shared
if [ -d "$shared/goldens" ]; then
  tar -C "$shared" -c goldens | xz -9e >"$out/goldens.tar.xz"
fi
if [ -x "$shared/tools/cublas12-on-13/build.sh" ] && command -v gcc >/dev/null; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  unzip -q -o "$out/lib/jcublas-natives-*.jar" 'lib/libJCublas2*' -d "$work"
  "$shared/tools/cublas12-on-13/build.sh" "$out/cublas12-on-13" "$work"/lib/libJCublas2*.so >/dev/null
fi

cp benchmarks/scripts/peer_torch.py "$out/"
cp scripts/gpu-check.sh "$out/"
git rev-parse HEAD >"$out/commit"
megabytes=$(($(du -sk "$out" | cut -f1) / 1024))
echo "$out: $megabytes MiB"
[ "$megabytes" -lt 60 ] || { echo "gpu-bundle: that is more than 60 MiB." >&2; exit 1; }
