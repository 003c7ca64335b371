package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Stands in front of a [ClApi]: counts the objects alive, notices what is released too often, and fails calls on
/// demand.
final class InterceptedClApi {

    private final ClApi target;
    /// References held by us, by handle.
    private final Map<Long, Integer> live = new ConcurrentHashMap<>();
    private final Map<String, Integer> calls = new TreeMap<>();
    private String failing = "";
    private int failingCall;
    private Function<String, Throwable> failure = name -> ClStatus.failure(-5, name, "injected");

    InterceptedClApi(ClApi target) {
        this.target = target;
    }

    ClApi api() {
        return (ClApi) Proxy.newProxyInstance(
                ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, args) -> invoke(method, args));
    }

    long live() {
        return live.values().stream().mapToLong(Integer::longValue).sum();
    }

    /// How often each method was called.
    synchronized Map<String, Integer> calls() {
        return new TreeMap<>(calls);
    }

    /// Lets the n-th call of `method` from now on fail, counted from 1, and later ones work again. The call does not
    /// reach the driver.
    synchronized void fail(String method, int n) {
        calls.clear();
        failing = method;
        failingCall = n;
    }

    /// The same, and it fails as if the Java heap were full.
    synchronized void failForWantOfHeap(String method, int n) {
        fail(method, n);
        failure = name -> new OutOfMemoryError("injected: " + name);
    }

    private Object invoke(Method method, Object[] args) throws Throwable {
        String name = method.getName();
        countAndFail(name);
        if (name.startsWith("release")) {
            release((long) args[0], name);
        } else if (name.equals("svmFree")) {
            release((long) args[1], name);
        }
        try {
            Object result = method.invoke(target, args);
            if (name.startsWith("create") || name.equals("svmAllocate")
                    || (name.startsWith("enqueue") && result instanceof Long event && event != 0)) {
                live.merge((long) result, 1, Integer::sum);
            } else if (name.equals("retainContext")) {
                live.merge((long) args[0], 1, Integer::sum);
            }
            return result;
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private synchronized void countAndFail(String name) throws Throwable {
        if (calls.merge(name, 1, Integer::sum) == failingCall && name.equals(failing)) {
            throw failure.apply(name);
        }
    }

    /// An event that is not known was made by native code, which calls the driver itself.
    private void release(long handle, String name) {
        if (name.equals("releaseEvent") && !live.containsKey(handle)) {
            return;
        }
        assertThat(live).as("%s of a handle that is not alive", name).containsKey(handle);
        live.computeIfPresent(handle, (_, references) -> references == 1 ? null : references - 1);
    }
}
