package io.github.hmm4j.demos.device;

import io.github.hmm4j.device.opencl.ClApi;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;

/// Stands in front of a binding, lets one call fail, and keeps count of what is alive. One thread.
public final class FailingCl {
    private static final Map<String, String> ENDS = Map.of("releaseMemory", "createBuffer", "releaseProgram", "createProgram", "releaseKernel", "createKernel",
        "svmFree", "svmAllocate", "enqueueUnmap", "map", "enqueueSvmUnmap", "svmMap", "releaseEvent", "event");

    private final Map<String, Integer> alive = new TreeMap<>();
    private final Map<String, Integer> calls = new TreeMap<>();
    private final String failing;
    private final int number;

    /// @param failing name of a call of [ClApi]
    /// @param number  which of them fails, from 1; 0 for none
    public FailingCl(String failing, int number) {
        this.failing = failing;
        this.number = number;
    }

    /// How often something was called.
    public int calls(String name) {
        return calls.getOrDefault(name, 0);
    }

    /// What was made and not given back, by the name of the call that made it.
    public Map<String, Integer> alive() {
        Map<String, Integer> rest = new TreeMap<>(alive);
        rest.values().removeIf(count -> count == 0);
        return rest;
    }

    /// The binding behind it.
    public ClApi over(ClApi binding) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, call, arguments) -> {
            String name = call.getName();
            if (calls.merge(name, 1, Integer::sum) == number && name.equals(failing)) {
                throw new IllegalStateException("made to fail: " + name);
            }
            try {
                Object result = call.invoke(binding, arguments);
                if (ENDS.containsKey(name)) {
                    alive.merge(ENDS.get(name), -1, Integer::sum);
                } else if (ENDS.containsValue(name)) {
                    alive.merge(name, 1, Integer::sum);
                } else if (name.equals("enqueueKernel") || (name.startsWith("enqueue") && Boolean.TRUE.equals(arguments[arguments.length - 1]))) {
                    alive.merge("event", 1, Integer::sum);
                }
                return result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }
}
