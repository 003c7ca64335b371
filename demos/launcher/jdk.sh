# jdk.sh - a JDK 25 for machines whose distribution has none. Sourced by demos/hmm.
#
# It comes from Eclipse Temurin's archive (Adoptium), which says what the newest one is, where it lies and what its
# SHA-256 is, and goes into a folder of the user's own. Nothing needs root; `setup --remove` takes it away again.

jdk_site=${HMM_JDK_SITE:-https://api.adoptium.net}
jdk_cache=${XDG_CACHE_HOME:-${HOME:-$target}/.cache}/hmm4j/jdk

jdk_architecture() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo aarch64 ;;
    *) return 1 ;;
  esac
}

# fetch URL FILE
fetch() {
  if has curl; then
    curl -fsSL --connect-timeout 20 --retry 2 -o "$2" -- "$1"
  elif has wget; then
    wget -q --timeout=20 --tries=3 -O "$2" -- "$1"
  else
    note 'neither curl nor wget is here'
    return 1
  fi
}

# json_text NAME FILE: the first value of that name, which is a text without escapes.
json_text() { tr ',{}' '\n\n\n' <"$2" | sed -n "s/^ *\"$1\" *: *\"\([^\"]*\)\" *$/\1/p" | head -n 1; }

# Fetches, checks and unpacks it. What fails leaves nothing behind; another run of this at the same time does no harm.
fetch_jdk() {
  jdk_new=$jdk_cache.$$
  rm -rf -- "$jdk_new" && mkdir -p -- "$jdk_new/unpacked" || return 1
  fetch_jdk_into "$jdk_new"
  fetched=$?
  rm -rf -- "$jdk_new"
  return "$fetched"
}

fetch_jdk_into() {
  architecture=$(jdk_architecture) || { note "there is none for this kind of machine: $(uname -m)"; return 1; }
  list="$jdk_site/v3/assets/latest/25/hotspot?architecture=$architecture&image_type=jdk&os=linux&vendor=eclipse"
  fetch "$list" "$1/list.json" || { note "cannot be fetched: $list"; return 1; }
  link=$(json_text link "$1/list.json")
  checksum=$(json_text checksum "$1/list.json")
  [ -n "$link" ] && [ "${#checksum}" = 64 ] || { note "names no archive and checksum: $list"; return 1; }
  fetch "$link" "$1/jdk.tar.gz" || { note "cannot be fetched: $link"; return 1; }
  found=$(sha256sum <"$1/jdk.tar.gz" | cut -d ' ' -f 1)
  [ "$found" = "$checksum" ] || { note "has another SHA-256 than it should: $link, found=$found, expected=$checksum"; return 1; }
  tar xzf "$1/jdk.tar.gz" -C "$1/unpacked" || { note "cannot be unpacked: $link"; return 1; }
  for unpacked in "$1"/unpacked/*; do
    is_jdk25 "$unpacked" || { note "is no JDK 25: $link"; return 1; }
    mkdir -p -- "$jdk_cache" && rm -rf -- "$jdk_cache/${unpacked##*/}" && mv -- "$unpacked" "$jdk_cache/" || return 1
  done
}

# What a person can do where that failed.
print_jdk_archive() {
  note '  # JDK 25: fetch this on a machine with a network (the newest Temurin) ...'
  note "  #   $jdk_site/v3/binary/latest/25/ga/linux/$(jdk_architecture || uname -m)/jdk/hotspot/normal/eclipse"
  note '  # ... and unpack it here:'
  note "  mkdir -p '$jdk_cache' && tar xzf THE_ARCHIVE -C '$jdk_cache'"
  note '  # or say where any JDK 25 is: export JAVA25_HOME=/path/to/it'
}

remove_jdk() {
  if [ -e "$jdk_cache" ]; then
    rm -rf -- "$jdk_cache" "$jdk_cache".* || die "cannot remove: $jdk_cache"
    echo "Removed: $jdk_cache"
  else
    echo "Nothing to remove: there is no $jdk_cache"
  fi
  echo 'What apt-get has installed stays; so do demos/target and what Maven keeps in ~/.m2.'
}
