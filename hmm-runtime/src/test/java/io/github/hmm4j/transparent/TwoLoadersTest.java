package io.github.hmm4j.transparent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The runtime in two class loaders of one JVM, as plugins and web applications have it: two copies of the native part,
/// and two signal handlers beside the JVM's. The program is [TwoLoadersWorker].
class TwoLoadersTest {

    private static final Duration LIMIT = Duration.ofSeconds(100);

    @ParameterizedTest
    @CsvSource({"UFFD, true", "UFFD, false", "SIGSEGV, true", "SIGSEGV, false", "UFFD_IN_THREAD, true", "UFFD_IN_THREAD, false"})
    void eachServesItsOwnAndTheJvmTheRest(String mode, boolean jsig) {
        List<String> options = List.of("-Xbatch", "-XX:-TieredCompilation", "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=dontinline," + TwoLoadersWorker.class.getName() + "::lengthOf");
        ChildJvm.Result result = ChildJvm.run(LIMIT, jsig ? ChildJvm.JSIG : "", options, TwoLoadersWorker.class, mode);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers()).as(result.output()).containsEntry("nulls", 7L).containsEntry("touched", 17L);
    }

    /// A web application is started anew in another loader, time after time. The JDK keeps what it has made for records (`ObjectMethods`) as long as there is memory, and not for ever.
    @ParameterizedTest
    @ValueSource(strings = {"UFFD", "SIGSEGV", "CHECKED"})
    void aLoaderGoesWhenItsHeapsAreClosed(String mode) {
        ChildJvm.Result result = ChildJvm.run(LIMIT, List.of("-XX:SoftRefLRUPolicyMSPerMB=0"), TwoLoadersWorker.class, mode, "goes");
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.numbers()).as(result.output()).containsEntry("gone", 1L);
    }
}
