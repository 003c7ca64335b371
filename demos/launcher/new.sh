# new.sh - `demos/hmm new FOLDER`: a program of one's own that uses hmm4j. Sourced by demos/hmm.
#
# launcher/new is that program; what it names by version is what this tree has.

# new_command FOLDER
new_command() {
  case ${1:-} in
    -h | --help)
      echo 'Usage: demos/hmm new FOLDER
Writes a Maven project into FOLDER, which must be empty or not there: a pom, one kernel, one program, one test.'
      exit 0
      ;;
    '' | -*) usage 'new needs the name of a folder: demos/hmm new FOLDER' ;;
  esac
  [ $# = 1 ] || usage "unknown argument of new: $2"
  folder=$1
  [ -d "$folder" ] || [ ! -e "$folder" ] || usage "not a folder: $folder"
  [ -z "$(ls -A -- "$folder" 2>/dev/null)" ] || usage "the folder is not empty: $folder"
  mkdir -p -- "$folder" && cp -R -- "$demos/launcher/new/." "$folder/" && mv -- "$folder/ignored" "$folder/.gitignore" ||
    die "cannot write: $folder"
  folder=$(readlink -f -- "$folder")
  name=$(basename -- "$folder" | tr -c 'A-Za-z0-9_.\n-' '-')
  sed "s|@NAME@|$name|; s|@VERSION@|$(pom_version)|; s|@SLF4J@|$(pom_property slf4j.version)|; s|@JUNIT@|$(pom_property junit.version)|" \
    "$demos/launcher/new/pom.xml" >"$folder/pom.xml" || die "cannot write: $folder/pom.xml"
  echo "Written: $folder
$(case $(find_jdk) in "$jdk_cache"/*) echo "So that Maven finds the fetched JDK: export JAVA25_HOME='$(find_jdk)'" ;; esac)
Once for all projects, hmm4j into Maven's repository:
  mvn -f '$root/pom.xml' install -Dmaven.test.skip=true -pl bom,hmm-runtime -am
Then, in that folder:
  mvn verify                        # compiles and tests; a shell on the way says that it cannot preload libjsig.so, and goes on
  mvn -q compile exec:exec@run      # runs it"
}

pom_property() { sed -n "s|^    <$1>\\(.*\\)</$1>\$|\\1|p" "$root/pom.xml"; }
