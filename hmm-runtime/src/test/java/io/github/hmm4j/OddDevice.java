package io.github.hmm4j;

import io.github.hmm4j.device.Device;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.Callable;

/// A device of which one method does something else, and which is nobody's that is known.
final class OddDevice {

    /// What the method does.
    @FunctionalInterface
    interface Deed {

        /// @param real does what the device would
        Object instead(Callable<Object> real, Object... arguments) throws Exception;
    }

    private OddDevice() {}

    /// To be closed by the caller, or by the heap that it is given to.
    static Device with(String name, Deed deed) {
        Device real = Rig.openDevice();
        return (Device) Proxy.newProxyInstance(Device.class.getClassLoader(), new Class<?>[] {Device.class}, (_, method, arguments) -> {
            Callable<Object> call = () -> {
                try {
                    return method.invoke(real, arguments);
                } catch (InvocationTargetException e) {
                    throw e.getCause() instanceof Exception cause ? cause : e;
                }
            };
            return method.getName().equals(name) ? deed.instead(call, arguments) : call.call();
        });
    }
}
