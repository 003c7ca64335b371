package io.github.hmm4j.demos;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A machine whose distribution has no JDK 25: `demos/hmm setup` fetches one from the archive, whose site a local server
/// plays here.
class JdkArchiveTest extends MadeUpMachine {
    private static final String NAME = "jdk-25.0.9+1";

    private HttpServer site;
    private byte[] archive;
    private String checksum;

    /// How many bytes less than announced come over the network.
    private int missing;

    @BeforeEach
    void siteWithAnArchive() throws Exception {
        readyMachine();
        for (String tool : List.of("cut", "gzip", "sha256sum", "tar", "curl")) {
            script(tool, "exec " + realTool(tool) + " \"$@\"");
        }
        script("uname", "echo x86_64");
        environment.remove("JAVA25_HOME");
        jdkAt(machine.resolve("made").resolve(NAME));
        archive = packed(NAME);
        checksum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(archive));
        site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        site.createContext("/v3/assets/latest/25/hotspot", this::list);
        site.createContext("/archive.tar.gz", this::download);
        site.start();
        environment.put("HMM_JDK_SITE", address());
    }

    @AfterEach
    void stop() {
        site.stop(0);
    }

    @Test
    void fetchesOneAndTakesItAwayAgain() throws Exception {
        Outcome setup = hmm("setup");
        assertThat(setup.out()).contains(jdk() + "\n").containsPattern("JDK 25 +installed");
        assertThat(machine.resolve("cache/hmm4j")).isDirectoryContaining("glob:**/jdk").isDirectoryNotContaining("glob:**/jdk.*");
        assertThat(hmm("devices").out()).contains("LD_PRELOAD=" + jdk() + "/lib/libjsig.so");
        stop();
        assertThat(hmm("setup").out()).containsPattern("JDK 25 +found");

        assertThat(hmm("setup", "--remove").out()).contains("Removed: " + jdk().getParent());
        assertThat(machine.resolve("cache/hmm4j")).isEmptyDirectory();
        assertThat(hmm("setup", "--remove").out()).contains("Nothing to remove");
    }

    @Test
    void whatTheDistributionHasGoesFirst() throws Exception {
        aptThatInstalls();
        Path packaged = Files.createDirectories(machine.resolve("jvm"));
        script("apt-get", "echo \"apt-get $*\" >>'" + calls + "'", "case $* in *' install '*openjdk-25-jdk-headless*) ;; *) exit 0 ;; esac",
                "cp -R '" + machine.resolve("made").resolve(NAME) + "' '" + packaged + "/jdk'");
        assertThat(hmm("setup").out()).containsPattern("JDK 25 +installed +" + packaged);
        assertThat(jdk()).doesNotExist();
    }

    @Test
    void refusesAnotherChecksum() throws Exception {
        String right = checksum;
        checksum = "0".repeat(64);
        Outcome setup = hmm("setup");
        leavesNothingAndSaysWhatToDo(setup);
        assertThat(setup.err()).contains("has another SHA-256 than it should", "found=" + right, "expected=" + checksum);
    }

    @Test
    void refusesADownloadThatBreaksOff() throws Exception {
        missing = 10;
        Outcome setup = hmm("setup");
        leavesNothingAndSaysWhatToDo(setup);
        assertThat(setup.err()).contains("cannot be fetched: " + address() + "/archive.tar.gz");
    }

    @Test
    void refusesAnArchiveOfSomethingElse() throws Exception {
        Files.writeString(machine.resolve("made").resolve(NAME).resolve("release"), "JAVA_VERSION=\"24\"\n");
        archive = packed(NAME);
        checksum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(archive));
        Outcome setup = hmm("setup");
        leavesNothingAndSaysWhatToDo(setup);
        assertThat(setup.err()).contains("is no JDK 25");
    }

    @Test
    void withoutANetworkItSaysWhatToFetch() throws Exception {
        stop();
        Outcome setup = hmm("setup");
        leavesNothingAndSaysWhatToDo(setup);
        assertThat(setup.err()).contains("cannot be fetched: " + address() + "/v3/assets/latest/25/hotspot?architecture=x64");
        Outcome devices = hmm("devices");
        assertThat(devices.status()).isEqualTo(1);
        assertThat(devices.err()).contains("the set-up is not complete");
    }

    private void leavesNothingAndSaysWhatToDo(Outcome setup) {
        assertThat(setup.status()).isEqualTo(1);
        assertThat(setup.out()).containsPattern("JDK 25 +missing");
        assertThat(setup.err()).contains(address() + "/v3/binary/latest/25/ga/linux/x64/jdk/hotspot/normal/eclipse",
                "tar xzf THE_ARCHIVE -C '" + jdk().getParent() + "'", "export JAVA25_HOME=");
        assertThat(machine.resolve("cache/hmm4j")).isEmptyDirectory();
    }

    private Path jdk() {
        return machine.resolve("cache/hmm4j/jdk").resolve(NAME);
    }

    private String address() {
        return "http://127.0.0.1:" + site.getAddress().getPort();
    }

    private byte[] packed(String name) throws Exception {
        Path file = machine.resolve("made/archive.tar.gz");
        assertThat(new ProcessBuilder("tar", "czf", file.toString(), "-C", machine.resolve("made").toString(), name).inheritIO().start().waitFor()).isZero();
        return Files.readAllBytes(file);
    }

    /// As the archive answers, in order and with what surrounds it.
    private void list(HttpExchange exchange) throws IOException {
        String json = """
            [
                {
                    "binary": {
                        "architecture": "x64",
                        "image_type": "jdk",
                        "os": "linux",
                        "package": {
                            "checksum": "%s",
                            "checksum_link": "%s/archive.tar.gz.sha256.txt",
                            "link": "%s/archive.tar.gz",
                            "name": "OpenJDK25U-jdk_x64_linux_hotspot_25.0.9_1.tar.gz",
                            "size": %d
                        },
                        "project": "jdk"
                    },
                    "release_link": "https://example.invalid/releases/jdk-25.0.9",
                    "release_name": "jdk-25.0.9+1"
                }
            ]
            """.formatted(checksum, address(), address(), archive.length);
        exchange.sendResponseHeaders(200, json.length());
        try (exchange) {
            exchange.getResponseBody().write(json.getBytes());
        }
    }

    private void download(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, archive.length);
        try (exchange) {
            exchange.getResponseBody().write(archive, 0, archive.length - missing);
        }
    }
}
