# common.sh - what both launchers share: `demos/hmm` in a source tree and `hmm` in an unpacked bundle. Sourced, not run.
#
# Finding shared libraries and OpenCL drivers, and the one command line with which Java is started for OpenCL.

note() { printf '%s\n' "$*" >&2; }
die() { note "hmm: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- shared libraries and drivers: each function prints what it found, or fails ---------------------------------------

# One folder a line: where the dynamic linker looks. Without its cache those that it knows by itself, under the names
# that distributions give them.
library_folders() {
  printf '%s\n' "${LD_LIBRARY_PATH:-}" | tr ':' '\n'
  cached=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null | sed -n 's|.*=> \(.*\)/[^/]*$|\1|p' | sort -u)
  if [ -n "$cached" ]; then
    printf '%s\n' "$cached"
  else
    printf '%s\n' /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /lib /usr/lib
  fi
}

find_library() {
  case $1 in
    '') return 1 ;;
    /*) [ -e "$1" ] && printf '%s\n' "$1"; return ;;
  esac
  library_folders | while IFS= read -r folder; do
    if [ -n "$folder" ] && [ -e "$folder/$1" ]; then
      printf '%s\n' "$folder/$1"
      break
    fi
  done | grep .
}

find_loader() { find_library libOpenCL.so.1; }

# The files that register drivers, one a line; each has one line, the name of a library. A file whose library is gone
# does not count.
registered_drivers() {
  vendors=${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}
  if [ -d "$vendors" ]; then set -- "$vendors"/*.icd; else set -- "$vendors"; fi
  for icd in "$@"; do
    if find_library "$(library_of "$icd")" >/dev/null; then printf '%s\n' "$icd"; fi
  done
}

# The library that a driver is registered with.
library_of() {
  case $1 in
    *.icd) library=; [ -r "$1" ] && IFS= read -r library <"$1"; printf '%s\n' "$library" ;; # the last line may lack its newline
    *) printf '%s\n' "$1" ;;                                                                # the loader also takes the library itself
  esac
}

find_driver() {
  drivers=
  while IFS= read -r icd; do
    # Rusticl has no device unless it is told which, so it is no driver that anybody could use.
    case $icd in */rusticl.icd) [ -n "${RUSTICL_ENABLE:-}" ] || continue ;; esac
    [ -z "$icd" ] || drivers="$drivers${drivers:+, }$icd"
  done <<END
$(registered_drivers)
END
  [ -n "$drivers" ] && printf '%s\n' "$drivers"
}

# ---- the emulated GPU ------------------------------------------------------------------------------------------------

emulated_profiles='nvidia rocm arc igpu mali'

# device_of ARGUMENT...: what --device was given last, or nothing.
device_of() {
  device=
  while [ $# -gt 0 ]; do
    case $1 in
      --device) device=${2:-} ;;
      --device=*) device=${1#--device=} ;;
    esac
    shift
  done
  printf '%s\n' "$device"
}

# What `bench discrete` runs on unless it is told otherwise: a bus whose times the layer keeps.
discrete_device='emulated:nvidia:memory=2G,h2d=2G/s,d2h=2G/s,latency=10us,watch=off'

# needs_bus COMMAND NAME DEVICE: whether this is `bench discrete` without a device.
needs_bus() { [ "$1 $2 $3" = 'bench discrete ' ]; }

# load_emulated DEVICE: for a DEVICE of emulated:PROFILE..., the OpenCL loader that Java loads puts a layer above the
# driver. Others need none. `emulated_library` is each launcher's own.
load_emulated() {
  case $1 in emulated:*) ;; *) return ;; esac
  layer=$(emulated_library)
  [ -e "$layer" ] || die "the emulated GPU was not built for this machine: $layer"
  case $layer in *:*) die "the OpenCL loader takes no path with a colon for a layer: $layer" ;; esac
  export OPENCL_LAYERS="$layer${OPENCL_LAYERS:+:$OPENCL_LAYERS}" HMM_EMULATED_GPU="${1#emulated:}"
}

# is_emulated_list ARGUMENT...: whether this is `devices --emulated`.
is_emulated_list() {
  case " $* " in *' devices'*' --emulated '*) return 0 ;; *) return 1 ;; esac
}

# list_emulated RUN ARGUMENT...: what each profile claims to be, one process each.
list_emulated() {
  case " $* " in *' --json'*) usage 'devices --emulated prints no JSON' ;; esac
  outcome=0
  for profile in $emulated_profiles; do
    printf -- '---- --device emulated:%s\n' "$profile"
    (load_emulated "emulated:$profile" && "$@") || outcome=$?
  done
  exit "$outcome"
}

# ---- Java -------------------------------------------------------------------------------------------------------------

# jsig_of JAVA_HOME: the LD_PRELOAD to start Java with.
#
# POCL's LLVM takes over the JVM's signal handlers; libjsig, preloaded, lets both have theirs. LD_PRELOAD is split at
# blanks and colons, so a path that has one is replaced by the bare name, which java finds beside itself.
jsig_of() {
  jsig=$1/lib/libjsig.so
  [ -e "$jsig" ] || die "this JDK has no libjsig, which OpenCL on the CPU needs: jdk=$1"
  case $jsig in *[[:space:]:]*) jsig=libjsig.so ;; esac
  printf '%s\n' "$jsig${LD_PRELOAD:+:$LD_PRELOAD}"
}

# option_for COMMAND [SUBCOMMAND]: an option of Java's that one command needs, or nothing.
#
# JMH looks into objects through sun.misc.Unsafe, which the JVM would complain about.
option_for() {
  case "$1 ${2:-}" in 'bench micro') echo --sun-misc-unsafe-memory-access=allow ;; esac
}

# exec_java JAVA_HOME ARGUMENT...: becomes Java, with what every JVM that touches OpenCL needs, and what the user wants.
exec_java() {
  java_home=$1
  shift
  LD_PRELOAD=$(jsig_of "$java_home") || exit 1
  export LD_PRELOAD
  # shellcheck disable=SC2086 # a list of words
  exec "$java_home/bin/java" ${HMM_JAVA_OPTIONS:-} --enable-native-access=ALL-UNNAMED \
    -Dorg.lwjgl.opencl.libname=libOpenCL.so.1 -Dorg.lwjgl.system.memoryBackend=ffm "$@"
}
