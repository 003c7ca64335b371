package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.error.KernelBuildException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Programs with headers and options of their own.
@Timeout(60)
class OwnHeadersTest {

    @TempDir
    Path folder;

    private static int result(Hmm hmm, Source source, String options) {
        MemorySegment out = hmm.heap().allocate(JAVA_INT);
        try (Program program = hmm.program(source, options)) {
            program.kernel("f").args(out).launch(NDRange.of(1)).await();
        }
        try (HostView view = hmm.heap().view(out, Access.READ)) {
            return view.segment().get(JAVA_INT, 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void headersElsewhereAreFoundThroughTheOptions(ClBinding binding) throws Exception {
        Path include = Files.createDirectories(folder.resolve("include"));
        Files.writeString(include.resolve("seven.h"), "#include \"neighbour.h\"\n#define SEVEN (NEIGHBOUR + 1)\n");
        Files.writeString(include.resolve("neighbour.h"), "#define NEIGHBOUR 6\n");
        Source source = Source.text("own.cl",
                "#include \"seven.h\"\n#include <seven.h>\nkernel void f(global int *out) { *out = SEVEN * TIMES; }\n");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(HostAccess.Mode.CHECKED)
                .open()) {
            assertThat(result(hmm, source, "-I " + include + " -DTIMES=6")).isEqualTo(42);
            Files.writeString(include.resolve("neighbour.h"), "#define NEIGHBOUR 9\n");
            assertThat(result(hmm, source, "-DTIMES=6 -I" + include)).isEqualTo(60);
            assertThatThrownBy(() -> result(hmm, source, "-DTIMES=6")).isInstanceOf(KernelBuildException.class)
                    .hasMessageContaining("own.cl:1").hasMessageContaining("seven.h");
        }
    }

    @ParameterizedTest
    @EnumSource
    void ownOptionsKeepTheVersionUnlessTheySetIt(ClBinding binding) {
        Source source = Source.text("version.cl", "kernel void f(global int *out) { *out = __OPENCL_C_VERSION__; }\n");
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).hostAccess(HostAccess.Mode.CHECKED)
                .open()) {
            assertThat(result(hmm, source, "")).isEqualTo(120);
            assertThat(result(hmm, source, "-cl-mad-enable")).isEqualTo(120);
            assertThat(result(hmm, source, "-cl-mad-enable -cl-std=CL1.1")).isEqualTo(110);
            assertThat(result(hmm, source, "-cl-std=CL3.0")).isEqualTo(300);
        }
    }

    /// Headers of the application beside its kernels, and ours, in a kernel that goes through the page table.
    @ParameterizedTest
    @EnumSource
    void ownHeadersBesideOursInAKernelThatPages(ClBinding binding) throws Exception {
        Files.writeString(folder.resolve("item.clh"),
                "#pragma once\n#include \"hmm.clh\"\ntypedef struct { int value; } item;\n");
        Path file = Files.writeString(folder.resolve("pages.cl"), """
                #include "item.clh"
                #include "hmm.clh"
                #include "item.clh"
                kernel void add_one(HMM_HEAP, ulong at, ulong step) {
                    HMM_BEGIN;
                    global item *it = HMM_WRITE(item, at + step * get_global_id(0));
                    if (!it) return;
                    it->value++;
                    HMM_END;
                }
                """);
        int page = 4096;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).binding(binding).pageSize(page).budget(16L * page).open()) {
            MemorySegment data = hmm.heap().allocate(64L * page);
            Launch launch = hmm.program(Source.file(file)).kernel("add_one")
                    .args(Arg.heap(Arg.inOut(data)), data.address(), (long) page).launch(NDRange.of(64)).await();
            assertThat(launch.moves().rounds()).isGreaterThan(1);
            try (HostView view = hmm.heap().view(data, Access.READ)) {
                for (int i = 0; i < 64; i++) {
                    assertThat(view.segment().get(JAVA_INT, (long) i * page)).isEqualTo(1);
                }
            }
        }
    }
}
