#!/bin/sh
# build.sh OUTPUT_FOLDER - builds the native part as OUTPUT_FOLDER/linux-MACHINE/libhmm.so, and the emulated GPU (gpu/)
# as libhmm-emulated-gpu.so beside it,
# where they are older than what they are made from.
#
# MACHINE is what the compiler makes code for: x86_64 or aarch64. The compiler is $CC (split at blanks) or the first of cc, gcc and clang; where aarch64-linux-gnu-gcc is
# installed, it makes a second library. $CFLAGS come last. A change of either is not noticed: remove the library then.
#
# A machine without a compiler, or with one that refuses, can still use everything but transparent access. So that is one line of warning, no library, and exit status 0.
# Exit status 2: wrong usage or a folder that cannot be written.
set -u

[ $# = 1 ] || { echo 'Usage: build.sh OUTPUT_FOLDER' >&2; exit 2; }
mkdir -p -- "$1" && output=$(CDPATH= cd -- "$1" && pwd) || exit 2
CDPATH= cd -- "$(dirname -- "$0")" || exit 2

warn() { printf 'WARNING: hmm4j is built without its %s%s\n' "$1" "$2" >&2; }

find_compiler() {
  if [ -n "${CC:-}" ]; then printf '%s\n' "$CC"; return; fi
  for name in cc gcc clang; do
    if command -v "$name" >/dev/null 2>&1; then echo "$name"; return; fi
  done
}

# machine_of COMPILER: prints for which machine it makes code; nothing if that is not ours or it does not run.
machine_of() {
  # shellcheck disable=SC2086 # a compiler with its options, here and below
  case $($1 -dumpmachine 2>/dev/null) in
    x86_64*linux*) echo x86_64 ;;
    aarch64*linux*) echo aarch64 ;;
  esac
}

# is_built LIBRARY FOLDER: true if it is there and nothing it is made from is newer; a file that is gone makes the folder newer.
is_built() {
  [ -e "$1" ] && [ -z "$(find "$2" old_glibc.h turns.h build.sh -maxdepth 1 \( -name '*.[ch]' -o -name build.sh -o -path "$2" \) -newer "$1" -print)" ]
}

# compile COMPILER LIBRARY FOLDER. Everything is bound at loading (now), since the signal handler must not enter the dynamic
# linker; nothing may be left unbound (defs); and the library stays to the end of the process (nodelete), since others
# may pass signals on to its handler.
# What claim.c presumes is asserted in the tests only (NDEBUG).
# Old systems are meant to load it, too (old_glibc.h). The debug information names the sources as seen from the root of the repository, wherever that was.
compile() {
  # shellcheck disable=SC2086
  $1 -std=c17 -O2 -g -DNDEBUG -include old_glibc.h -Wall -Wextra -Wconversion -Werror -fvisibility=hidden -fPIC -shared -pthread \
    -ffile-prefix-map="$PWD"=hmm-runtime/src/main/c -Wl,-z,now,-z,defs,-z,nodelete ${CFLAGS:-} "$3"/*.c -ldl -o "$2"
}

# build COMPILER MACHINE NAME FOLDER WHAT. The library gets the time from before the sources were read, so that an edit
# meanwhile counts as newer; and it appears in one step. One that is
# out of date never stays.
build() {
  library=$output/linux-$2/$3
  if is_built "$library" "$4"; then return; fi
  mkdir -p -- "${library%/*}" && rm -f -- "$library" || exit 2
  before=$library.$$.before made=$library.$$
  : >"$before" || exit 2
  if compile "$1" "$made" "$4" && touch -r "$before" -- "$made" && mv -f -- "$made" "$library"; then
    rm -f -- "$before"
  else
    rm -f -- "$before" "$made"
    rmdir -- "${library%/*}" 2>/dev/null
    warn "$5" " for linux-$2: the compiler refused it: $1"
  fi
}

# build_all COMPILER MACHINE
build_all() {
  build "$1" "$2" libhmm.so . 'native part'
  if [ -d gpu ]; then build "$1" "$2" libhmm-emulated-gpu.so gpu 'emulated GPU'; fi
}

compiler=$(find_compiler)
machine=$(machine_of "$compiler")
if [ -z "$compiler" ]; then
  warn 'native part' ': there is no C compiler (cc, gcc or clang)'
elif [ -z "$machine" ]; then
  warn 'native part' ": not a compiler that runs and makes code for Linux on x86_64 or aarch64: $compiler"
else
  build_all "$compiler" "$machine"
fi
if [ "$machine" != aarch64 ] && command -v aarch64-linux-gnu-gcc >/dev/null 2>&1; then
  build_all aarch64-linux-gnu-gcc aarch64
fi
exit 0
