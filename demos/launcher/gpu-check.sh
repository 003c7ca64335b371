# gpu-check.sh - `./hmm gpu-check` of a bundle: in a quarter of an hour, all that one wants to know of a machine with a GPU.
# Sourced by the launcher.
#
# Runs the other commands one after the other, each for a limited time, and packs what they say. What matters most comes
# first, and each step is packed as far as it came: a machine may be lent for minutes only.

gpu_check_help() {
  cat <<'HELP'
Usage: ./hmm gpu-check [--out FILE] [--minutes N] [--device DEVICE]
Says what the machine is, then runs devices, demo all, the conformance suite, and the benchmarks discrete, fault, svm
--quick, launch and copy, and packs what they print.

  --out FILE       a .tar.gz (hmm4j-gpu-check.tar.gz); what was there before is replaced
  --minutes N      time for all of it (12); what is left undone then is named
  --device DEVICE  which one the demos and benchmarks are to use; with emulated:PROFILE the suite as well

Exit status: 0 all steps went well; 1 one failed, or found no time; 2 usage.
HELP
}

# gpu_check [OPTION...]
gpu_check() {
  packed=hmm4j-gpu-check.tar.gz minutes=12 device=
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) gpu_check_help; exit 0 ;;
      --out | --minutes | --device) [ $# -gt 1 ] || usage "$1 of gpu-check needs a value" ;;
      *) usage "unknown argument of gpu-check: $1" ;;
    esac
    case $1 in
      --out) packed=$2 ;;
      --minutes) minutes=$2 ;;
      --device) device=$2 ;;
    esac
    shift 2
  done
  case $packed in *.tar.gz) ;; *) usage "gpu-check packs a .tar.gz: --out $packed" ;; esac
  case $minutes in '' | *[!0-9]* | 0*) usage "not a number of minutes: --minutes $minutes" ;; esac
  for tool in timeout tar gzip mktemp; do
    has "$tool" || die "gpu-check needs $tool"
  done
  folder=$(mktemp -d "${TMPDIR:-/tmp}/hmm4j-gpu-check.XXXXXX") || die "cannot write: ${TMPDIR:-/tmp}"
  began=$(date +%s)
  outcome=0
  trap 'outcome=1; pack_check; exit 1' INT TERM
  describe_machine >"$folder/machine.txt" 2>&1
  printf '%-14s %-28s %s\n' step outcome seconds | tee -- "$folder/summary.txt"

  emulated=
  case $device in emulated:*) emulated=$device ;; esac
  check_step devices 60 devices ${emulated:+--emulated}
  check_step demo 120 demo all ${device:+--device "$device"}
  check_step test 360 test ${emulated:+--device "$emulated"}
  bus=${device:-$(taken_gpu)}
  [ -n "$bus" ] || note 'hmm: no GPU is taken here, so bench discrete is run on an emulated one'
  check_step discrete 150 bench discrete --json "$folder/discrete.json" ${bus:+--device "$bus"}
  check_step fault 150 bench fault --json "$folder/fault.json" ${device:+--device "$device"}
  check_step svm 240 bench svm --quick --out "$folder/svm" ${device:+--device "$device"}
  check_step launch 60 bench launch --json "$folder/launch.json" ${device:+--device "$device"}
  check_step copy 60 bench copy --json "$folder/copy.json" ${device:+--device "$device"}
  trap - INT TERM
  pack_check
  exit "$outcome"
}

# The number of the device that hmm4j takes by itself, unless that is a CPU: `bench discrete` plays a GPU where it is told of none.
taken_gpu() {
  taken=
  while IFS= read -r line; do
    case $taken:$line in
      :[0-9]*': '*'(* taken '*) taken=${line%%:*} ;;
      [0-9]*' kind '*' CPU,'*) return ;;
      [0-9]*' kind '*) printf '%s\n' "$taken"; return ;;
    esac
  done <"$folder/devices.txt"
}

# check_step NAME SECONDS COMMAND...: for no longer than that, nor than there is time for all.
check_step() {
  step=$1 limit=$2
  shift 2
  started=$(date +%s)
  left=$((began + minutes * 60 - started))
  if [ "$left" -lt "$limit" ]; then limit=$left; fi
  status=124
  if [ "$limit" -gt 0 ]; then
    status=0
    timeout -k 10 "$limit" "$self" "$@" >"$folder/$step.txt" 2>"$folder/$step.err" </dev/null || status=$?
  fi
  case $status in
    0) said=ok ;;
    124 | 137) said="out of time after $limit s" ;;
    *) said="failed, exit status $status" ;;
  esac
  if [ "$limit" -le 0 ]; then said='no time left'; fi
  [ "$status" = 0 ] || outcome=1
  printf '%-14s %-28s %s\n' "$step" "$said" $(($(date +%s) - started)) | tee -a -- "$folder/summary.txt"
}

pack_check() {
  cp -- "$root/commit" "$folder/commit.txt"
  if tar --create --directory "$folder" . | gzip >"$packed" && tar --list --gzip --file "$packed" >/dev/null; then
    rm -rf -- "$folder"
    printf '%s\n' "$packed"
  else
    outcome=1
    note "hmm: cannot write: $packed; the results are in $folder"
  fi
}

# What the machine is and which drivers it has; each line that a tool is missing for is left out.
describe_machine() {
  date -u
  uname -srm
  if [ -r /etc/os-release ]; then sed -n 's/^PRETTY_NAME=//p' /etc/os-release; fi
  printf 'load: '
  cat /proc/loadavg
  grep -m 1 'model name' /proc/cpuinfo
  printf 'processors: %s\n' "$(grep -c '^processor' /proc/cpuinfo)"
  grep -E '^(MemTotal|MemAvailable|HugePages_Total)' /proc/meminfo
  printf 'mappings: %s, transparent huge pages: %s\n' "$(cat /proc/sys/vm/max_map_count)" "$(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"
  printf 'unprivileged userfaultfd: %s, /dev/userfaultfd: %s\n' "$(cat /proc/sys/vm/unprivileged_userfaultfd 2>/dev/null)" "$(ls -l /dev/userfaultfd 2>&1)"
  printf 'glibc: %s\n' "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
  printf 'drivers that are registered: %s\n' "$(find_driver || printf none)"
  printf 'drivers that are not:\n%s\n' "$(unregistered_drivers "$(registered_drivers | while IFS= read -r icd; do library_of "$icd"; done)")"
  printf 'loader: %s\n' "$(find_loader || printf 'none, ours is taken')"
  ls -l /dev/nvidia* /dev/kfd /dev/dri 2>/dev/null
  if has nvidia-smi; then nvidia-smi; fi
}
