package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.DeviceProgram;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.kernels.Source;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A driver that keeps no `const`: what a kernel only reads is known all the same.
@Timeout(60)
final class DeclaredConstTest {

    private static final String SOURCE = """
            // kernel void no(global const int *a)
            kernel __attribute__((reqd_work_group_size(1, 1, 1))) void first(global const int *restrict a, __global int const * b, global int *const c, const int d, constant int *e, global int *f) {
                *c = *a + *b + d + *e + *f;
            }
            /* __kernel void no(global const int *a) */
            __kernel void second(
                    __global int *a, // no global const int *x here
                    const __global float *b, local const int *c) {
                *a = (int)*b + *c;
            }
            #define READS const
            kernel void third(global READS int *a, global int *b) {
                *b = *a;
            }
            #ifdef NEVER
            kernel void fourth(global const int *a) {}
            #else
            kernel void fourth(global int *a) { *a = 1; }
            #endif
            """;

    @Test
    void theSourceCountsWhereTheDriverSaysNothing() {
        assertThat(constOf("first", true)).containsExactly(true, true, false, false, true, false);
        assertThat(constOf("second", true)).containsExactly(false, true, false);
        assertThat(constOf("third", true)).as("behind a macro").containsExactly(false, false);
        assertThat(constOf("fourth", true)).as("there twice").containsExactly(false);
    }

    /// Which knows what a macro stands for.
    @Test
    void theDriverCountsWhereItKnows() {
        assertThat(constOf("first", false)).containsExactly(true, true, false, false, true, false);
        assertThat(constOf("third", false)).containsExactly(true, false);
        assertThat(constOf("fourth", false)).containsExactly(false);
    }

    private static List<Boolean> constOf(String kernel, boolean lost) {
        ClApi api = Bindings.load(ClBinding.LWJGL);
        ClApi driver = lost ? withoutConst(api) : api;
        try (ClDevice device = ClDevice.open(driver, Bindings.firstDevice(driver), ClOptions.DEFAULTS.programs(ProgramCache.NONE));
                DeviceProgram program = device.build(Source.text("declared", SOURCE), "-cl-std=CL1.2")) {
            return program.kernel(kernel).parameters().stream().map(KernelParameter::isConst).toList();
        }
    }

    private static ClApi withoutConst(ClApi api) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, args) -> {
            try {
                Object result = method.invoke(api, args);
                boolean isQualifier = method.getName().equals("parameterNumber") && (int) args[2] == Cl.KERNEL_ARG_TYPE_QUALIFIER;
                return isQualifier ? (Long) result & ~Cl.KERNEL_ARG_TYPE_CONST : result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }
}
