# bundle.sh - `demos/hmm bundle`: packs what runs on a machine with an OpenCL driver and nothing else. Sourced by demos/hmm.
#
# The tree that is packed:
#   hmm, README.txt      the launcher (bundled-hmm) and how to use it
#   hmm4j.jfc            settings for flight recordings
#   launcher/            what it shares with demos/hmm; gpu-check
#   jre/                 a Java runtime of the modules that the jars use
#   lib/, lib/test/      the jars, without native code for other machines; those of the conformance suite
#   preload/             libjsig, for a path that LD_PRELOAD cannot hold
#   opencl/              an OpenCL loader, for machines that have a driver but no loader; the emulated GPU
#   floor, commit        the bare C program beside `bench fault`; what all of this was built from
#   licences/            of everything that is carried
# The same sources, JDK and libraries make the same bytes.

bundle_limit=$((25 * 1024 * 1024))
bundled=$target/hmm-bundled # as $built, for the build that also made the jars of the conformance suite
bundle_time='2026-01-01 00:00:00Z' # of every file; the build uses the same

# bundle_command [--out FILE]
bundle_command() {
  bundle_file=$target/hmm4j-linux-x86_64.tar.xz
  while [ $# -gt 0 ]; do
    case $1 in
      --out) [ $# -gt 1 ] || usage '--out needs a file'; bundle_file=$2; shift 2 ;;
      --out=*) bundle_file=${1#--out=}; shift ;;
      *) usage "unknown argument of bundle: $1" ;;
    esac
  done
  case $bundle_file in
    *.tar.xz) ;;
    *) usage "a bundle is a .tar.xz: --out $bundle_file" ;;
  esac
  mkdir -p -- "$target" # where it goes unless --out says otherwise
  [ -d "$(dirname -- "$bundle_file")" ] && ! [ -d "$bundle_file" ] || usage "cannot write a file there: --out $bundle_file"
  [ "$(uname -sm)" = 'Linux x86_64' ] || die "a bundle is made on the kind of machine that it is for: Linux x86_64, not $(uname -sm)"
  if [ -n "$(missing_of xz)" ]; then setup >&2; fi
  find_xz >/dev/null || die "packing needs xz (Debian: $(item_packages xz))"
  require
  # the commit before the build, so that an edit during it cannot be taken for what was committed
  built_from=$(commit)
  locked bundle_build || die 'the build failed'

  name=$(basename -- "$bundle_file" .tar.xz)
  work=$target/bundle
  tree=$work/$name
  rm -rf -- "$work" && mkdir -p -- "$tree" || die "cannot write: $work"
  step 'Java runtime' "$target/bundle-jlink.log" bundle_runtime || die 'no Java runtime was made'
  step 'jars' "$target/bundle-jars.log" bundle_jars || die 'the jars were not packed'
  step 'native parts' "$target/bundle-native.log" bundle_native || die 'the native parts were not made'
  bundle_text || die "cannot write: $tree"
  step 'compress' "$target/bundle-xz.log" bundle_pack || die 'the bundle was not packed'

  bytes=$(wc -c <"$work/$name.tar.xz")
  size="$((bytes / 1048576)).$((bytes % 1048576 * 10 / 1048576)) MiB"
  [ "$bytes" -le "$bundle_limit" ] || die "the bundle is too large: $size, at most 25 MiB; it is left in $work"
  mv -f -- "$work/$name.tar.xz" "$bundle_file" && rm -rf -- "$work" || die "cannot write: $bundle_file"
  printf '%s: %s (%s bytes)\n' "$bundle_file" "$size" "$bytes"
  printf 'On the machine with the device: tar xf %s.tar.xz && %s/hmm devices\n' "$name" "$name"
}

# Builds only what is not there: a build replaces jars, under the feet of whoever runs with them.
bundle_build() {
  if [ -e "$bundled" ] && is_built && [ -z "$(find "$built" "$root"/*/src/test -newer "$bundled" -print -quit)" ]; then return; fi
  rm -f -- "$bundled"
  step 'build' "$target/hmm-build.log" maven -DskipTests -Pbundle package && cp -p -- "$built" "$bundled"
}

# The modules that the jars name, and those that nothing names: what libraries find at run time (management of threads
# and memory, recordings, jars as file systems). Of commons-math3 JMH uses statistics, which need none; its geometry
# would bring all of java.desktop.
bundle_runtime() {
  set -- "$target/demos.jar"
  for jar in "$target"/lib/*.jar; do
    case $jar in
      */commons-math3-*) ;;
      *) set -- "$@" "$jar" ;;
    esac
  done
  modules=$("$jdk/bin/jdeps" --multi-release 25 --ignore-missing-deps --no-recursive --print-module-deps \
    --class-path "$target/lib/*" "$@" | tail -n 1) || return 1
  echo "modules: $modules"
  "$jdk/bin/jlink" --add-modules "$modules,java.logging,java.management,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs" \
    --strip-java-debug-attributes --no-header-files --no-man-pages --compress=zip-0 --vm=server --output "$tree/jre" || return 1
  mkdir -p -- "$tree/preload" && ln -s ../jre/lib/libjsig.so "$tree/preload/libjsig.so" || return 1
  # licences of modules are links to those of java.base: tar keeps them
  if [ -e "$jdk/NOTICE" ]; then cp -- "$jdk/NOTICE" "$tree/jre/legal/"; fi
}

# Every jar of the command line, then what the conformance suite needs beyond it.
bundle_jars() {
  tests=$root/hmm-runtime/target/test-lib
  from=$work/jars
  mkdir -p -- "$from/lib" "$from/test" || return 1
  cp -- "$target/demos.jar" "$target"/lib/*.jar "$from/lib/" || return 1
  for jar in "$from"/lib/*natives-linux-arm64.jar; do rm -f -- "$jar"; done
  cp -- "$tests"/*.jar "$from/test/" || return 1
  for part in lib test; do
    to=$tree/lib
    if [ "$part" = test ]; then to=$tree/lib/test; fi
    "$jdk/bin/java" -cp "$target/demos.jar" io.github.hmm4j.demos.bundle.SlimJars \
      "$from/$part" "$to" "$tree/licences" "$demos/launcher/licences" || return 1
  done
  for jar in "$from"/lib/hmm-runtime-*.jar; do
    "$jdk/bin/jar" --list --file "$jar" | grep -x 'io/github/hmm4j/native/linux-x86_64/libhmm.so' || return 1
  done
}

# A loader of this machine, and the floor program: static, since the machine it will run on may have an older C library.
bundle_native() {
  loader=$(find_loader) || return 1
  copyright=/usr/share/doc/ocl-icd-libopencl1/copyright
  if ! [ -e "$copyright" ]; then
    echo "the loader of this machine is not that of the package ocl-icd-libopencl1, whose licence is known: $loader"
    return 1
  fi
  mkdir -p -- "$tree/opencl" "$tree/licences/ocl-icd" || return 1
  cp -- "$root/hmm-runtime/target/classes/io/github/hmm4j/native/linux-x86_64/libhmm-emulated-gpu.so" "$tree/opencl/" ||
    return 1
  cp -L -- "$loader" "$tree/opencl/libOpenCL.so.1" && cp -- "$copyright" "$tree/licences/ocl-icd/" || return 1
  floor=$root/hmm-runtime/src/test/c/floor/floor.c
  "$(find_compiler)" -std=c17 -O2 -s -static -pthread "$floor" -o "$tree/floor" || return 1
  # the C library is under the LGPL: whoever wants to link the program with another has its source
  mkdir -p -- "$tree/licences/libc" &&
    cp -L -- "$floor" /usr/share/doc/libc6-dev/copyright /usr/share/common-licenses/LGPL-2.1 "$tree/licences/libc/"
}

bundle_text() {
  mkdir -p -- "$tree/launcher" && cp -- "$demos/launcher/common.sh" "$demos/launcher/gpu-check.sh" "$tree/launcher/" &&
    cp -- "$demos/launcher/bundled-hmm" "$tree/hmm" && cp -- "$demos/launcher/bundled-README.txt" "$tree/README.txt" &&
    cp -- "$root/hmm-runtime/docs/hmm4j.jfc" "$tree/" &&
    cp -- "$root/LICENSE" "$tree/licences/hmm4j.txt" && printf '%s\n' "$built_from" >"$tree/commit"
}

bundle_pack() {
  tar --create --file "$work/$name.tar" --directory "$work" --format=gnu --sort=name --mtime="$bundle_time" \
    --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$name" && xz -9 --threads=1 "$work/$name.tar"
}
