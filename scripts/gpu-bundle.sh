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
payload=$out/payload
mkdir -p "$payload/lib" "$payload/test" "$payload/classes"
cp experiments/target/lib/*.jar "$payload/lib/"
for module in core cuda sae experiments benchmarks; do
  for jar in "$module"/target/resid-"$module"-*.jar; do
    case $jar in
      *-sources.jar | *-javadoc.jar) ;;
      *-tests.jar) cp "$jar" "$payload/test/" ;;
      *) cp "$jar" "$payload/lib/" ;;
    esac
  done
done
# What only the measurements of the benchmarks' jar need stays behind.
console=org.junit.platform:junit-platform-console-standalone:$(sed -n 's:.*<junit.version>\(.*\)</junit.version>.*:\1:p' pom.xml)
mvn -q -B -ntp -N org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy \
  -Dartifact="$console" -DoutputDirectory="$payload/test" -Dmdep.useBaseVersion=true
# The embedded SAEs are not used by the checks.
for sae in "$payload"/lib/resid-sae-*.jar; do
  zip -q -d "$sae" '*.safetensors'
done
# The compiler of PTX that JCuda brings is not used and is most of its size.
for natives in "$payload"/lib/jcuda-natives-*.jar; do
  zip -q -d "$natives" 'lib/libJNvPTXCompiler*' 'lib/libJNvrtc*' 'lib/libJCudaRuntime*'
done
# fastutil is thousands of classes that resemble each other; those for other types than these, and
# from them to these, are used nowhere here.
for jar in "$payload"/lib/fastutil-*.jar; do
  unzip -q -o "$jar" 'it/unimi/dsi/fastutil/*.class' -d "$payload/classes"
  rm "$jar"
done
fastutil=$payload/classes/it/unimi/dsi/fastutil
for folder in "$fastutil"/*/; do
  case $(basename "$folder") in
    ints | longs | floats | objects) ;;
    *) rm -rf "$folder" ;;
  esac
done
find "$fastutil" -regextype posix-extended -regex '.*/[^/]*(Boolean|Byte|Char|Short|Double|Reference)[^/]*' -delete
# Stored, not deflated: xz then sees all classes at once.
stored=$(mktemp -d)
trap 'rm -rf "$stored"' EXIT
for jar in "$payload"/lib/*.jar "$payload"/test/*.jar; do
  rm -rf "$stored/jar"
  unzip -q -o "$jar" -d "$stored/jar"
  rm "$jar"
  (cd "$stored/jar" && zip -q -0 -r "$jar" .)
done

# ---- Java
# Without screens, sound, printers and transformations of XML, of whose packages one file each is
# kept, which jlink wants there. Figures are drawn into images, which needs libawt and its headless part.
"$jdk/bin/jimage" list --include 'regex:/java.(desktop|xml)/.*' "$jdk/lib/modules" |
  awk '/^Module:/ { module = $2 }
       /^    / {
         file = $1; package = file
         if (!sub("/[^/]*$", "", package)) next
         if (package ~ "^(javax/(swing|print|sound)|com/sun/(java/swing|swing|media|beans))" ||
             package ~ "^sun/(swing|print|awt/X11|java2d/(opengl|xr|x11))" ||
             package ~ "^com/sun/org/apache/(xalan|bcel|xpath)") {
           if (seen[package]++) print "/" module "/" file
         }
       }' >"$stored/left-out"
"$jdk/bin/jlink" --output "$payload/runtime" --strip-debug --no-header-files --no-man-pages \
  --exclude-resources=@"$stored/left-out" \
  --add-modules java.base,java.desktop,java.logging,java.management,java.net.http,java.xml,jdk.incubator.vector,jdk.management,jdk.unsupported,jdk.zipfs
rm -f "$payload"/runtime/lib/lib{awt_xawt,fontmanager,freetype,javajpeg,jawt,jsound,lcms,splashscreen}.so \
  "$payload"/runtime/lib/psfont*
if command -v strip >/dev/null; then
  find "$payload/runtime/lib" -name '*.so' -exec strip -s {} +
fi

# ---- stand-ins that let JCuda's cuBLAS binding run on CUDA 13, and goldens of other programs
shared=$root/../shared
if [ -x "$shared/tools/cublas12-on-13/build.sh" ] && command -v gcc >/dev/null; then
  unzip -q -o "$payload/lib/jcublas-natives-*.jar" 'lib/libJCublas2*' -d "$stored"
  "$shared/tools/cublas12-on-13/build.sh" "$payload/cublas12-on-13" "$stored"/lib/libJCublas2*.so \
    >/dev/null
fi
tar -C "$payload" -c . | xz -9e >"$out/payload.tar.xz"
rm -rf "$payload"
if [ -d "$shared/goldens" ]; then
  # Without those of the analysis and of rewritten weights, which the host computes. The filter is for
  # numbers of four bytes.
  tar -C "$shared" -c --exclude='decompositions*' --exclude='goldens/tlens/*/weights_*' goldens |
    xz --lzma2=preset=9e,lc=2,lp=2,pb=2 >"$out/goldens.tar.xz"
fi

cp benchmarks/scripts/peer_torch.py "$out/"
cp scripts/gpu-check.sh "$out/"
git rev-parse HEAD >"$out/commit"
kilobytes=$(du -sk --apparent-size "$out" | cut -f1)
awk -v k="$kilobytes" -v out="$out" 'BEGIN { printf("%s: %.1f MiB\n", out, k / 1024) }'
# Where a checkout travels with it and both may have 64 MiB, a checkout has 23.
[ "$kilobytes" -lt $((40 * 1024 + 512)) ] || { echo "gpu-bundle: that is more than 40.5 MiB." >&2; exit 1; }
