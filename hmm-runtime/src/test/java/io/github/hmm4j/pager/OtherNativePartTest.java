package io.github.hmm4j.pager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.space.Tool;
import io.github.hmm4j.transparent.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Without the native part, or with one of another build, no heap opens, whatever the access; the error says why and what helps.
class OtherNativePartTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @Test
    void saysThatItIsSwitchedOff() {
        assertThat(refusals("none")).hasSize(4)
                .allMatch(line -> line.endsWith("HostAccessUnavailableException: no heap can be opened here: The native part is not there: it is switched off by -Dhmm.native=none."));
    }

    /// One that lacks functions which were added since, and one that has them all and counts otherwise.
    @Test
    void saysThatItIsOfAnotherBuild() throws Exception {
        String start = "HostAccessUnavailableException: no heap can be opened here: the native part is of another build than the classes, so take the libhmm.so of their jar: ";
        String abi = "int hmm_abi(unsigned long *numbers, int capacity) { if (capacity > 0) numbers[0] = 1; return 1; }\n";
        assertThat(refusals(library("older", abi))).hasSize(4).allMatch(line -> line.contains(start + "it has no hmm_probe, hmm_open, "));
        StringBuilder all = new StringBuilder(abi);
        for (String function : functions()) {
            all.append("long ").append(function).append("(void) { return 0; }\n");
        }
        assertThat(refusals(library("other", all.toString()))).hasSize(4).allMatch(line -> line.contains(start + "its numbers=[1], ours=[" + PagerCalls.ABI + ", "));
    }

    private static List<String> functions() throws Exception {
        return Files.readString(CBuild.SOURCES.resolve("main/c/hmm_pager.h")).lines().filter(line -> line.startsWith("HMM_API "))
                .map(line -> line.replaceFirst("\\(.*", "").replaceFirst(".*[ *]", "")).filter(name -> !name.equals("hmm_abi")).toList();
    }

    private String library(String name, String source) throws Exception {
        assumeTrue(Tool.isThere("cc"), "there is no cc");
        Path file = folder.resolve(name + ".so");
        Tool.Result built = Tool.run("cc", "-shared", "-fPIC", "-o", file.toString(), Files.writeString(folder.resolve(name + ".c"), source).toString());
        assertThat(built.status()).as(built.text()).isZero();
        return file.toString();
    }

    private static List<String> refusals(String library) {
        ChildJvm.Result result = ChildJvm.run(LIMIT, List.of("-Dhmm.native=" + library), OpensHeaps.class);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output().lines().filter(line -> line.startsWith("refused: ")).toList();
    }
}
