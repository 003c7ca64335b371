package io.github.hmm4j.demos.device;

import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.CopyMode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.UnaryOperator;

/// A heap on a device whose compiler reads something else than it was given: the managed program of a demo gets a kernel that computes wrongly, and bare OpenCL the right one.
public final class WrongKernel {
    private WrongKernel() {}

    /// @param right what each program's text is searched for
    /// @param wrong what is compiled in its place
    public static UnaryOperator<HmmBuilder> with(String right, String wrong) {
        return builder -> {
            ClApi calls = over(OpenClDevices.api(Opening.binding(Binding.LWJGL)), right, wrong);
            // copies as kernels need it that fault
            return builder.device(ClDevice.open(calls, OpenClDevices.choose(ClPlatforms.devices(calls), ""), ClOptions.DEFAULTS.copy(CopyMode.DIRECT)));
        };
    }

    private static ClApi over(ClApi binding, String right, String wrong) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, call, arguments) -> {
            if (call.getName().equals("createProgram")) {
                arguments[1] = ((String) arguments[1]).replace(right, wrong);
            }
            try {
                return call.invoke(binding, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }
}
