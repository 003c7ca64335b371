package io.github.hmm4j.device.opencl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.Kernel;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Programs that a driver has compiled in an earlier run.
@Timeout(120)
class KeptProgramsTest {

    private static final Source SOURCE = Source.text("kept.cl", """
            typedef struct { int a; long b; } pair;
            kernel void f(global int *out, constant int *in, pair p) {
                out[get_global_id(0)] = in[get_global_id(0)] + p.a * (int)p.b + N;
            }
            kernel __attribute__((reqd_work_group_size(4, 1, 1))) void g(global int *out) { out[get_global_id(0)] = get_local_size(0); }
            """);

    @TempDir
    Path folder;

    /// What one run of a program saw and did.
    private record Run(List<KernelParameter> parameters, int result, Map<String, Integer> calls) {
        boolean compiled() {
            return calls.containsKey("createProgram");
        }

        boolean tried() {
            return calls.containsKey("createProgramOfBinary");
        }
    }

    private Run run(ClBinding binding, String options) {
        return run(binding, SOURCE, options, "", 0);
    }

    private Run run(ClBinding binding, Source source, String options, String failing, int call) {
        InterceptedClApi intercepted = new InterceptedClApi(Bindings.load(binding));
        ClApi api = intercepted.api();
        ClDevice device = ClDevice.open(api, Bindings.firstDevice(api),
                ClOptions.DEFAULTS.programs(ProgramCache.in(folder)));
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).hostAccess(HostAccess.Mode.CHECKED).device(device).open()) {
            MemorySegment out = hmm.heap().allocate(JAVA_INT, 8);
            MemorySegment in = hmm.heap().allocate(JAVA_INT, 8);
            MemorySegment pair = MemorySegment.ofArray(new long[] {6, 7});
            intercepted.fail(failing, call);
            Kernel f = hmm.program(source, options).kernel("f");
            Map<String, Integer> calls = intercepted.calls();
            f.args(out, in, Arg.value(pair)).launch(NDRange.of(8)).await();
            try (HostView view = hmm.heap().view(out, Access.READ)) {
                return new Run(f.parameters(), view.segment().getAtIndex(JAVA_INT, 7), calls);
            }
        } finally {
            assertThat(intercepted.live()).isZero();
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aProgramIsCompiledOnceForItsSourceAndOptions(ClBinding binding) throws Exception {
        Run first = run(binding, "-DN=1");
        assertThat(first.compiled()).isTrue();
        assertThat(first.result()).isEqualTo(43);
        Run second = run(binding, "-DN=1");
        assertThat(second.compiled()).isFalse();
        // which not every driver can tell of such a program
        assertThat(second.calls()).doesNotContainKey("parameterText");
        assertThat(second.result()).isEqualTo(43);
        assertThat(second.parameters()).isEqualTo(first.parameters()).extracting(KernelParameter::name)
                .containsExactly("out", "in", "p");
        assertThat(second.parameters().get(1).isConst()).isTrue();
        assertThat(files()).hasSize(1);
        assertThat(run(binding, "-DN=2").result()).isEqualTo(44);
        assertThat(run(binding, Source.text("kept.cl", SOURCE.text() + "\n"), "-DN=1", "", 0).compiled()).isTrue();
        assertThat(files()).hasSize(3);
    }

    @ParameterizedTest
    @EnumSource
    void aDamagedOneIsCompiledAndReplaced(ClBinding binding) throws Exception {
        run(binding, "-DN=1");
        Path file = files().getFirst();
        byte[] good = Files.readAllBytes(file);
        byte[] bad = good.clone();
        bad[bad.length / 2] ^= 1;
        Files.write(file, bad);
        Run damaged = run(binding, "-DN=1");
        assertThat(damaged.compiled()).isTrue();
        assertThat(damaged.tried()).isFalse();
        assertThat(damaged.result()).isEqualTo(43);
        assertThat(run(binding, "-DN=1").compiled()).isFalse();
        assertThat(files()).containsExactly(file);
    }

    @ParameterizedTest
    @EnumSource
    void oneThatTheDriverDoesNotTakeIsCompiledAndReplaced(ClBinding binding) throws Exception {
        assumeFalse(Bindings.firstDevice(Bindings.load(binding)).platformName().equals("rusticl"), "this driver ends the process when it is given what is no program of its own");
        run(binding, "-DN=1");
        Path file = files().getFirst();
        StoredProgram good = StoredProgram.of(Files.readAllBytes(file)).orElseThrow();
        Files.write(file, new StoredProgram("no program".getBytes(StandardCharsets.UTF_8), good.kernels()).toBytes());
        Run refused = run(binding, "-DN=1");
        assertThat(refused.tried()).isTrue();
        assertThat(refused.compiled()).isTrue();
        assertThat(refused.result()).isEqualTo(43);
        assertThat(run(binding, "-DN=1").compiled()).isFalse();
        Run fails = run(binding, SOURCE, "-DN=1", "build", 1);
        assertThat(fails.compiled()).isTrue();
        assertThat(fails.result()).isEqualTo(43);
    }

    @ParameterizedTest
    @EnumSource
    void aDriverThatDoesNotHandItOutIsNoError(ClBinding binding) throws Exception {
        assertThat(run(binding, SOURCE, "-DN=1", "programBinary", 1).result()).isEqualTo(43);
        assertThat(files()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whatIncludesMoreIsNotServedStale(ClBinding binding) throws Exception {
        Path headers = Files.createDirectories(folder.resolve("headers"));
        Source source = Source.text("more.cl", "#include \"n.h\"\n" + SOURCE.text());
        for (int n = 1; n < 3; n++) {
            Files.writeString(headers.resolve("n.h"), "#define N " + n + "\n");
            assertThat(run(binding, source, "-I " + headers, "", 0).result()).isEqualTo(42 + n);
        }
        assertThat(files()).containsExactly(headers);
    }

    @ParameterizedTest
    @EnumSource
    void whatDoesNotCompileIsNotKept(ClBinding binding) throws Exception {
        assertThatThrownBy(() -> run(binding, "")).isInstanceOf(KernelBuildException.class)
                .hasMessageContaining("kept.cl");
        assertThat(files()).isEmpty();
    }
}
