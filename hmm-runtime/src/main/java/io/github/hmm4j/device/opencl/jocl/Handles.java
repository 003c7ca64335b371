package io.github.hmm4j.device.opencl.jocl;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jocl.NativePointerObject;

/// JOCL's objects of one kind by the handle inside them.
final class Handles<T extends NativePointerObject> {

    private final String kind;
    private final Map<Long, T> objects = new ConcurrentHashMap<>();

    Handles(String kind) {
        this.kind = kind;
    }

    /// Keeps `object` and gives its handle.
    long keep(T object) {
        objects.put(object.getNativePointer(), object);
        return object.getNativePointer();
    }

    T get(long handle) {
        T object = objects.get(handle);
        if (object == null) {
            throw new IllegalArgumentException(
                    "%s=0x%x is not known here: made by another library, or released".formatted(kind, handle));
        }
        return object;
    }

    /// Forgets the object before its handle can be given out again by the driver.
    T remove(long handle) {
        T object = get(handle);
        objects.remove(handle);
        return object;
    }
}
