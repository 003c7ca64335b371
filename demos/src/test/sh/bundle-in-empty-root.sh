#!/bin/sh
# bundle-in-empty-root.sh BUNDLE [STEP...] - tries a bundle where there is nothing but the C library and an OpenCL driver.
#
# Makes a root folder of its own with the shell, a dozen small tools, the C library and POCL (as the driver: with the LLVM
# it is linked with, its kernel library, and the linker it calls), and no JDK, no compiler, no OpenCL loader, no linker
# cache, no environment. The bundle lies there in a folder with a blank in its name, on a read-only mount. In a namespace
# of its own, which goes away with the last process, each STEP is run in that root; without any all of them:
#   devices demo bench test    the commands of the bundle, `bench` being `bench copy`
#   floor                      the C program beside `bench fault`
#   link                       the launcher through a symbolic link, from another folder
#   unregistered               a driver that /etc/OpenCL/vendors does not list
#   driverless                 no driver: exit status 1 and what to do about it
#   caches                     where files go with HOME, with XDG_CACHE_HOME and with neither
#
# Exit status: 0 all went well, 1 a step did not, 2 usage, 77 this machine cannot (no POCL, no namespaces).
set -eu

fail() { printf 'bundle-in-empty-root: %s\n' "$*" >&2; exit 1; }
cannot() { printf 'bundle-in-empty-root: cannot be tried here: %s\n' "$*" >&2; exit 77; }

# ---- outside: make the root -------------------------------------------------------------------------------------------

tools='sh cat dirname env grep head id ls mkdir mv readlink rm rmdir sed sort tr true'

# put FILE: the file at its place in the root, with the files that links on its way point to.
put() {
  mkdir -p -- "$empty${1%/*}"
  [ -e "$empty$1" ] || cp -L -- "$1" "$empty$1"
}

# put_with_libraries FILE...: and everything that the dynamic linker would load with it, and that linker.
put_with_libraries() {
  for file in "$@"; do
    put "$file"
    ldd "$file" | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p' >"$empty/libraries"
    while IFS= read -r library; do put "$library"; done <"$empty/libraries"
    rm -- "$empty/libraries"
  done
}

make_root() {
  pocl=$(PATH=$PATH:/usr/sbin ldconfig -p | sed -n 's|.*libpocl.so.2 .*=> ||p' | head -n 1)
  [ -n "$pocl" ] || cannot 'there is no POCL (Debian: pocl-opencl-icd)'
  for folder in usr/bin usr/lib usr/lib64 etc/OpenCL/vendors proc dev sys tmp "opt/a bundle"; do mkdir -p -- "$empty/$folder"; done
  for folder in bin lib lib64; do ln -s "usr/$folder" "$empty/$folder"; done
  for tool in $tools ld; do
    place=
    for folder in /usr/bin /bin; do # not what the shell calls by that name, which may be a part of itself
      if [ -x "$folder/$tool" ]; then place=$folder/$tool; break; fi
    done
    [ -n "$place" ] || cannot "there is no $tool"
    put_with_libraries "$place"
  done
  for part in libdl.so.2 libpthread.so.0 librt.so.1 libm.so.6; do # of the C library, and empty in new ones
    put "$(PATH=$PATH:/usr/sbin ldconfig -p | sed -n "s|.*$part (libc6,x86-64.*=> ||p" | head -n 1)"
  done
  # the driver: its devices, its kernel library; what is linked to each kernel
  put_with_libraries "$pocl" "${pocl%/*}"/pocl/*.so
  mkdir -p -- "$empty/usr/share" && cp -R /usr/share/pocl "$empty/usr/share/"
  # and what that linker is told to link: the folders of libgcc and of the C library
  libgcc=$(cc -print-libgcc-file-name) && libc=$(cc -print-file-name=libc.so) || cannot 'there is no compiler to ask where libgcc is'
  for file in "$libgcc" "${libgcc%/*}"/crtbegin*.o "${libgcc%/*}/libgcc_s.so" "$libc" "${libc%/*}/libm.so" "${libc%/*}/libc_nonshared.a" \
    "${libc%/*}/libmvec.so.1" "${libc%/*}/libgcc_s.so.1"; do
    if [ -e "$file" ]; then put "$(readlink -f -- "${file%/*}")/${file##*/}"; fi
  done
  printf '%s\n' libpocl.so.2 >"$empty/etc/OpenCL/vendors/pocl.icd"
  tar xf "$bundle" -C "$empty/opt/a bundle" || fail "cannot be unpacked: $bundle"
  set -- "$empty/opt/a bundle"/*/hmm
  [ -x "$1" ] || fail "the bundle has no launcher: $bundle"
  mv -- "${1%/hmm}" "$empty/opt/a bundle/hmm4j"
  for thing in java javac cc gcc clang ldconfig libOpenCL.so.1 ld.so.cache; do
    found=$(find "$empty/usr" "$empty/etc" -name "$thing" ! -type d)
    [ -z "$found" ] || fail "the root is not empty: $found"
  done
}

# ---- inside the namespace ---------------------------------------------------------------------------------------------

mount_all() {
  mount --make-rprivate /
  mount -t proc proc "$empty/proc"
  mount --rbind /dev "$empty/dev"
  mount --rbind /sys "$empty/sys"
  mount --bind "$empty/opt" "$empty/opt"
  mount -o remount,ro,bind "$empty/opt"
}

hmm='/opt/a bundle/hmm4j/hmm'

chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)

# in_root COMMAND...: in the root, with nothing in the environment.
in_root() { (cd / && env -i "$chroot" "$empty" "$@"); }

# expect STATUS WHAT_IS_SAID COMMAND...: WHAT_IS_SAID is looked for in all that is printed.
expect() {
  status=$1 said=$2
  shift 2
  printf '\n==== %s\n' "$*"
  got=0
  in_root "$@" >"$empty/said" 2>&1 </dev/null || got=$?
  cat -- "$empty/said"
  [ "$got" = "$status" ] || fail "exit status $got instead of $status: $*"
  grep -q -- "$said" "$empty/said" || fail "did not say '$said': $*"
}

step_devices() { expect 0 'CPU' "$hmm" devices; }
step_demo() { expect 0 'unmodified  managed   ok' "$hmm" demo all; }
step_bench() { expect 0 'copy' "$hmm" bench copy; }
step_floor() {
  expect 0 'ready sigsegv' /bin/sh -c "echo read 4096 3 | '/opt/a bundle/hmm4j/floor' --rung sigsegv --bytes 4194304 --serve"
}
step_test() { expect 0 'conformance: ok' "$hmm" test; }

step_link() {
  in_root /bin/sh -c 'mkdir /tmp/elsewhere' && ln -s "$hmm" "$empty/tmp/elsewhere/run me"
  expect 0 'number' /bin/sh -c 'cd /tmp/elsewhere && "./run me" devices'
}

step_unregistered() {
  mv -- "$empty/etc/OpenCL" "$empty/etc/hidden"
  expect 0 'not registered.*libpocl' "$hmm" devices
  expect 0 'not registered.*libpocl' "$hmm" devices --binding jocl
  mv -- "$empty/etc/hidden" "$empty/etc/OpenCL"
}

step_driverless() {
  find "$empty/usr/lib" -name 'libpocl.so*' >"$empty/pocl"
  while IFS= read -r file; do mv -- "$file" "$file.hidden"; done <"$empty/pocl"
  expect 1 'no OpenCL platform' "$hmm" devices
  expect 1 'no OpenCL device' "$hmm" test
  expect 1 'no OpenCL platform' "$hmm" demo matmul
  while IFS= read -r file; do mv -- "$file.hidden" "$file"; done <"$empty/pocl"
}

step_caches() {
  expect 0 'ok' "$hmm" demo matmul
  expect 0 'pocl' /bin/ls "/tmp/hmm4j-0"
  expect 0 'ok' /bin/env HOME=/tmp/home "$hmm" demo matmul
  expect 0 'pocl' /bin/ls /tmp/home/.cache/hmm4j
  expect 0 'ok' /bin/env HOME=/tmp/home "XDG_CACHE_HOME=/tmp/a cache" "$hmm" demo matmul
  expect 0 'pocl' /bin/ls "/tmp/a cache/hmm4j"
  expect 0 'ok' /bin/env HOME=/proc TMPDIR=/tmp/elsewhere-else /bin/sh -c "mkdir -p /tmp/elsewhere-else && '$hmm' demo matmul"
  expect 0 'pocl' /bin/ls /tmp/elsewhere-else/hmm4j-0
}

if [ "${1:-}" = --inside ]; then
  empty=$2
  shift 2
  mount_all
  for step in "$@"; do "step_$step"; done
  printf '\nbundle-in-empty-root: ok: %s\n' "$*"
  exit 0
fi

[ $# -ge 1 ] && [ -f "$1" ] || { echo 'Usage: bundle-in-empty-root.sh BUNDLE [STEP...]' >&2; exit 2; }
bundle=$(readlink -f -- "$1")
shift
[ $# -gt 0 ] || set -- devices demo bench floor link unregistered driverless caches test
for step in "$@"; do
  case $step in
    devices | demo | bench | floor | test | link | unregistered | driverless | caches) ;;
    *) echo "bundle-in-empty-root.sh: unknown step: $step" >&2; exit 2 ;;
  esac
done
empty=$(mktemp -d)
trap 'rm -rf -- "$empty"' EXIT
trap 'exit 1' INT TERM
make_root
as_user=
[ "$(id -u)" = 0 ] || as_user='--user --map-root-user'
# shellcheck disable=SC2086 # a list of words
unshare $as_user --mount --pid --fork true 2>/dev/null || cannot 'namespaces are not allowed'
# shellcheck disable=SC2086
unshare $as_user --mount --pid --fork "$0" --inside "$empty" "$@"
