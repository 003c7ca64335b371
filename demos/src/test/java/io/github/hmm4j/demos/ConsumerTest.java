package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.pager.Ladder;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The project as those see it who use it: installed as the README says, from a copy of this tree into a Maven repository
/// of the test's own, and projects that find it there.
///
/// Whatever else Maven needs it takes from the repository of this build, as if that were a remote one, and from Maven
/// Central only what is not there.
@Tag("exhaustive")
@Timeout(600)
class ConsumerTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String INSTALL = "mvn install -Dmaven.test.skip=true -pl bom,hmm-runtime -am";
    private static final String BUILD = "mvn compiler:compile dependency:copy-dependencies";
    private static final String RUN = "LD_PRELOAD=$JAVA_HOME/lib/libjsig.so java --enable-native-access=ALL-UNNAMED -cp 'target/classes:target/dependency/*' Twice";

    @TempDir
    private static Path machine;

    @TempDir
    private Path folder;

    @BeforeAll
    @Timeout(600) // that of the class is for its tests
    static void install() throws Exception {
        assumeTrue(Ladder.best().mode().isTransparent(), Ladder.best().why());
        Path home = Path.of(System.getProperty("hmm.test.repository", System.getProperty("user.home") + "/.m2/repository"));
        String repositories = """
            <%1$s><id>home</id><url>%2$s</url><releases><checksumPolicy>ignore</checksumPolicy></releases><snapshots><enabled>false</enabled></snapshots></%1$s>
            """;
        Files.writeString(machine.resolve("settings.xml"), "<settings><localRepository>" + machine.resolve("repository") + "</localRepository>"
            + "<profiles><profile><id>home</id>"
            + "<repositories>" + repositories.formatted("repository", home.toUri()) + "</repositories>"
            + "<pluginRepositories>" + repositories.formatted("pluginRepository", home.toUri()) + "</pluginRepositories>"
            + "</profile></profiles><activeProfiles><activeProfile>home</activeProfile></activeProfiles></settings>");
        Path tree = machine.resolve("a tree");
        copy(ROOT, tree);
        assertThat(readme()).contains(INSTALL, BUILD, RUN);
        succeeds(tree, INSTALL);
    }

    @Test
    void sourcesAndJavadocLieBesideTheJars() {
        for (String name : List.of("hmm-runtime", "opencl-kernels")) {
            Path installed = machine.resolve("repository/io/github/hmm4j").resolve(name).resolve(version());
            for (String what : List.of("", "-sources", "-javadoc")) {
                assertThat(installed.resolve(name + "-" + version() + what + ".jar")).exists();
            }
        }
    }

    @Test
    void theProjectOfTheReadmeRuns() throws Exception {
        projectOfTheReadme();
        succeeds(folder, BUILD);
        assertThat(succeeds(folder, RUN)).contains("8.0");
    }

    /// The project of the README with the BOM as `hmm-runtime/docs/api.md` has it, and JOCL, both without a version.
    @Test
    void theBomHasTheVersions() throws Exception {
        projectOfTheReadme();
        Path pom = folder.resolve("pom.xml");
        String bom = block("xml", Files.readString(ROOT.resolve("hmm-runtime/docs/api.md")));
        String jocl = "<dependency><groupId>org.jocl</groupId><artifactId>jocl</artifactId></dependency>";
        Files.writeString(pom, Files.readString(pom)
            .replaceFirst("(?s)(<artifactId>hmm-runtime</artifactId>)\\s*<version>.*?</version>", "$1")
            .replaceFirst("(?m)^  <dependencies>$", Matcher.quoteReplacement(bom + "  <dependencies>" + jocl)));
        assertThat(pom).content().doesNotContain("<artifactId>hmm-runtime</artifactId>\n      <version>");
        succeeds(folder, BUILD);
        assertThat(folder.resolve("target/dependency"))
            .isDirectoryContaining("glob:**/hmm-runtime-" + version() + ".jar")
            .isDirectoryContaining("glob:**/jocl-2.*.jar");
        assertThat(succeeds(folder, RUN)).contains("8.0");
    }

    /// As `hmm-runtime/docs/api.md` says.
    @Test
    void runsOnTheModulePath() throws Exception {
        projectOfTheReadme();
        Path sources = folder.resolve("src/main/java");
        String program = Files.readString(sources.resolve("Twice.java"));
        Files.createDirectory(sources.resolve("twice"));
        Files.writeString(sources.resolve("twice/Twice.java"),
            "package twice;\n" + program.replace("void main()", "public class Twice { public static void main(String[] args)") + "}\n");
        Files.delete(sources.resolve("Twice.java"));
        Files.writeString(sources.resolve("module-info.java"), "module twice {\n    requires io.github.hmm4j;\n    requires io.github.hmm4j.kernels;\n}\n");
        succeeds(folder, "mvn dependency:copy-dependencies -DexcludeClassifiers=natives-linux-arm64");
        succeeds(folder, "mvn compiler:compile");
        String run = "java --module-path target/classes:target/dependency --add-modules ALL-MODULE-PATH --enable-native-access=io.github.hmm4j,org.lwjgl -m twice/twice.Twice";
        assertThat(Files.readString(ROOT.resolve("hmm-runtime/docs/api.md"))).contains(run.replace("-m twice/twice.Twice", ""));
        assertThat(succeeds(folder, "LD_PRELOAD=$JAVA_HOME/lib/libjsig.so " + run)).contains("8.0");
    }

    @Test
    void aNewProjectBuildsTestsAndRuns() throws Exception {
        Path project = folder.resolve("my project");
        assertThat(succeeds(folder, "'" + ROOT.resolve("demos/hmm") + "' new 'my project'")).contains(project.toString(), INSTALL.replace("mvn ", ""));
        assertThat(succeedsWithAnyJavaOnThePath(project, "mvn verify"))
            .contains("Tests run: 1, Failures: 0, Errors: 0, Skipped: 0");
        assertThat(succeedsWithAnyJavaOnThePath(project, "mvn compile exec:exec@run")).contains("y[999] = 1999.0");
    }

    private void projectOfTheReadme() throws IOException {
        Files.writeString(folder.resolve("pom.xml"), block("xml"));
        Files.writeString(Files.createDirectories(folder.resolve("src/main/java")).resolve("Twice.java"), block("java"));
    }

    private static String block(String language) throws IOException {
        return block(language, readme());
    }

    /// The first of this language.
    private static String block(String language, String document) {
        Matcher block = Pattern.compile("(?m)^```" + language + "\\n(.*?)^```$", Pattern.DOTALL).matcher(document);
        assertThat(block.find()).isTrue();
        return block.group(1);
    }

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    private static String version() {
        return "0.1.0-SNAPSHOT"; // as the pom of the README says
    }

    /// What it printed, on both streams.
    private static String succeeds(Path where, String command) throws Exception {
        Path bin = Path.of(System.getProperty("java.home"), "bin");
        return succeeds(where, command, bin + ":" + System.getenv("PATH"));
    }

    /// Maven runs on a JDK 25, and what the PATH has first may be another.
    private static String succeedsWithAnyJavaOnThePath(Path where, String command) throws Exception {
        return succeeds(where, command, System.getenv("PATH"));
    }

    private static String succeeds(Path where, String command, String path) throws Exception {
        Path output = Files.createTempFile(machine, "output", ".log");
        List<String> shell = new ArrayList<>(List.of("sh", "-c", command.replaceFirst("^mvn ", Matcher.quoteReplacement("mvn -B -s '" + machine.resolve("settings.xml") + "' "))));
        ProcessBuilder builder = new ProcessBuilder(shell).directory(where.toFile()).redirectErrorStream(true).redirectOutput(output.toFile());
        Path jdk = Path.of(System.getProperty("java.home"));
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().put("JAVA25_HOME", jdk.toString());
        builder.environment().put("PATH", path);
        builder.environment().remove("LD_PRELOAD");
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(9, TimeUnit.MINUTES);
            String printed = Files.readString(output);
            assertThat(ended ? process.exitValue() : -1).as(command + "\n" + printed).isZero();
            return printed;
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly); // a test that runs out of time leaves nobody behind
            process.destroyForcibly();
        }
    }

    /// What a checkout has: no results of builds, and nothing whose name begins with a dot.
    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) throws IOException {
                String name = directory.getFileName().toString();
                if (!directory.equals(from) && (name.equals("target") || name.startsWith("."))) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(to.resolve(from.relativize(directory)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!file.getFileName().toString().startsWith(".")) {
                    Files.copy(file, to.resolve(from.relativize(file)));
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
