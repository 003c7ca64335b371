package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The launcher `demos/hmm`: what it does itself, and what it starts.
class LauncherTest extends MadeUpMachine {
    @Test
    void helpNeedsNothing() throws Exception {
        Outcome help = hmm("--help");
        assertThat(help.status()).isZero();
        assertThat(help.out()).contains("setup", "devices", "demo [NAME|all]", "bench NAME", "test", "bundle");
        assertThat(hmm("help").out()).isEqualTo(help.out());
        assertThat(hmm("setup", "--help").status()).isZero();
        assertThat(hmm("test", "--help").status()).isZero();
        assertThat(hmm("bundle", "--help").out()).contains("--out FILE", "25 MiB");
        assertThat(tree.resolve("demos/target")).doesNotExist();
    }

    @Test
    void saysItsVersion() throws Exception {
        Files.writeString(tree.resolve("pom.xml"), "<project>\n  <version>1.2.3</version>\n  <build>\n      <version>9</version>\n");
        script("git", "echo abc123+");
        assertThat(hmm("--version").out()).isEqualTo("hmm4j 1.2.3 (abc123+)\n");
        assertThat(tree.resolve("demos/target")).doesNotExist();
    }

    /// On a machine with nothing, and while another build of the tree holds the lock.
    @Test
    void helpOfACommandNeitherBuildsNorWaits() throws Exception {
        Outcome unbuilt = hmm("demo", "matmul", "--help");
        assertThat(unbuilt.status()).isZero();
        assertThat(unbuilt.out()).contains("demo [NAME|all]", "are shown once the project is built");

        readyMachine();
        assertThat(hmm("devices").status()).isZero();
        Files.writeString(calls, "");
        Path source = Files.createFile(tree.resolve("demos/src/main/New.java"));
        Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        Process other = new ProcessBuilder(realTool("flock").toString(), launcher.toString(), "cat").start();
        try {
            other.outputWriter().append("locked\n").flush();
            assertThat(other.inputReader().readLine()).isEqualTo("locked");
            assertThat(hmm("demo", "--help").out()).contains("<demo>", "<--help>");
        } finally {
            other.outputWriter().close();
            other.waitFor();
        }
        assertThat(calls).isEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "dance", "setup now", "test fast", "bundle now", "bundle --out", "bundle --out bundle.zip", "bundle --out no/such/b.tar.xz"})
    void refusesWhatItDoesNotKnow(String line) throws Exception {
        Outcome refused = hmm(line.isEmpty() ? new String[0] : line.split(" "));
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains("demos/hmm");
    }

    @Test
    void printsTheCommandsWhereItMayNotInstall() throws Exception {
        script("id", "echo 1000");
        script("sudo", "exit 1"); // it would ask for a password
        script("apt-get", "echo \"apt-get $*\" >>'" + calls + "'");
        script("apt-cache", "echo '  Candidate: 1.0'");
        Outcome setup = hmm("setup");
        assertThat(setup.status()).isEqualTo(1);
        assertThat(setup.out()).containsPattern("JDK 25 +found").containsPattern("OpenCL driver +missing");
        assertThat(setup.err()).contains("sudo apt-get install -y --no-install-recommends maven ocl-icd-libopencl1 "
                + "pocl-opencl-icd gcc libc6-dev binutils oclgrind mesa-opencl-icd spin clinfo xz-utils chromium").doesNotContain("failed");
        assertThat(calls).isEmptyFile();
    }

    @Test
    void installsWhatIsMissingAndThenNothing() throws Exception {
        aptThatInstalls();
        Outcome first = hmm("setup");
        assertThat(first.status()).isZero();
        assertThat(first.out()).containsPattern("Maven +installed").contains("Ready.");
        assertThat(calls).content().contains("update", "pocl-opencl-icd");

        Files.writeString(calls, "");
        Outcome second = hmm("setup");
        assertThat(second.status()).isZero();
        assertThat(second.out()).contains("nothing was installed").doesNotContain("installed ", "missing");
        assertThat(calls).isEmptyFile();
    }

    @Test
    void keepsTheDriverThatIsThere() throws Exception {
        aptThatInstalls();
        driver("libgpu.so.1", true);
        assertThat(hmm("setup").status()).isZero();
        assertThat(calls).content().contains("maven").doesNotContain("pocl");
    }

    @Test
    void doesNotCountADriverWhoseLibraryIsGone() throws Exception {
        driver("libgpu.so.1", false);
        assertThat(hmm("setup").out()).containsPattern("OpenCL driver +missing");
    }

    @Test
    void buildsOnlyWhatIsStale() throws Exception {
        readyMachine();
        assertThat(hmm("devices").status()).isZero();
        assertThat(calls).content().contains("-Dmaven.test.skip=true package");

        Files.writeString(calls, "");
        hmm("devices");
        assertThat(calls).isEmptyFile();

        Path source = Files.createFile(tree.resolve("demos/src/main/New.java"));
        Files.setLastModifiedTime(source, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        hmm("devices");
        assertThat(calls).content().contains("package");
    }

    @Test
    void handsEverythingOverFromAnyFolderAndThroughALink() throws Exception {
        readyMachine();
        environment.put("LD_PRELOAD", "libc.so.6");
        Path link = Files.createSymbolicLink(machine.resolve("link"), launcher);
        Outcome run = run(machine.resolve("lib"), link.toString(), "demo", "all", "--json", "a file");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines()).contains("<demo>", "<all>", "<--json>", "<a file>",
                "LD_PRELOAD=" + environment.get("JAVA25_HOME") + "/lib/libjsig.so:libc.so.6",
                "POCL_CACHE_DIR=" + tree.resolve("demos/target/pocl"), "<--enable-native-access=ALL-UNNAMED>");
    }

    @Test
    void saysThatAFolderWithAColonIsOfNoUse() throws Exception {
        readyMachine();
        Path odd = Files.move(tree, machine.resolve("a:tree"));
        Outcome refused = run(machine, odd.resolve("demos/hmm").toString(), "devices");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("move this tree", odd.toString());
        assertThat(run(machine, odd.resolve("demos/hmm").toString(), "--help").status()).isZero();
        assertThat(calls).isEmptyFile();
    }

    @Test
    void passesOnTheExitStatusOfTheCommand() throws Exception {
        readyMachine();
        environment.put("FAKE_STATUS", "2");
        assertThat(hmm("demo", "--nonsense").status()).isEqualTo(2);
    }

    @Test
    void showsTheEndOfAFailedBuildAndTriesAgain() throws Exception {
        readyMachine();
        String good = Files.readString(bin.resolve("mvn"));
        script("mvn", "echo '[ERROR] A.java: no such thing'; exit 1");
        Outcome failed = hmm("devices");
        assertThat(failed.status()).isEqualTo(1);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err()).contains("no such thing", tree.resolve("demos/target/hmm-build.log").toString());

        Files.writeString(bin.resolve("mvn"), good);
        assertThat(hmm("devices").status()).isZero();
    }

    @Test
    void testRunsTheWholeVerification() throws Exception {
        readyMachine();
        assertThat(hmm("test").status()).isZero();
        assertThat(calls).content().contains("verify", "-Djsig=" + environment.get("JAVA25_HOME") + "/lib/libjsig.so");
        assertThat(calls).content().doesNotContain("-Pexhaustive");
        assertThat(hmm("test", "--all").status()).isZero();
        assertThat(calls).content().contains("-Pexhaustive");
        assertThat(hmm("test", "--al").status()).isEqualTo(2);
        script("mvn", "exit 7");
        assertThat(hmm("test").status()).isEqualTo(1);
    }

    @Test
    void writesAProjectIntoAnEmptyFolder() throws Exception {
        Files.writeString(tree.resolve("pom.xml"), "  <version>1.2.3</version>\n    <slf4j.version>4.5</slf4j.version>\n    <junit.version>6.7</junit.version>\n");
        for (String tool : List.of("ls", "basename")) {
            script(tool, "exec " + realTool(tool) + " \"$@\"");
        }
        assertThat(run(machine, "cp", "-R", Path.of("launcher/new").toAbsolutePath().toString(), tree.resolve("demos/launcher").toString()).status()).isZero();
        Path project = machine.resolve("my first/project & more");
        Outcome written = hmm("new", project.toString());
        assertThat(written.status()).as(written.err()).isZero();
        assertThat(written.out()).contains("mvn -f '" + tree + "/pom.xml' install", "mvn verify");
        assertThat(project.resolve("pom.xml")).content().contains("<artifactId>project---more</artifactId>", "<version>1.2.3</version>", "<version>4.5</version>", "<version>6.7</version>")
                .doesNotContain("@");
        assertThat(project.resolve(".gitignore")).exists();

        Outcome refused = hmm("new", project.toString());
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("the folder is not empty: " + project);
        assertThat(hmm("new", project.resolve("pom.xml").toString()).err()).contains("not a folder");
        assertThat(hmm("new").err()).contains("new needs the name of a folder");
        assertThat(calls).isEmptyFile();
    }

    @Test
    void aBundleNeedsXz() throws Exception {
        readyMachine();
        script("uname", "echo Linux x86_64");
        Outcome bundle = hmm("bundle");
        assertThat(bundle.status()).isEqualTo(1);
        assertThat(bundle.out()).isEmpty();
        assertThat(bundle.err()).contains("packing needs xz (Debian: xz-utils)");
        assertThat(calls).isEmptyFile();
    }
}
