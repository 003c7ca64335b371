package io.github.hmm4j.device.opencl.jocl;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jocl.NativePointerObject;

/// JOCL's objects of one kind by the handle inside them.
final class Handles<T extends NativePointerObject> {

    private static final VarHandle NATIVE_POINTER = nativePointer();

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
                    String.format(Locale.ROOT, "%s=0x%x is not known here: made by another library, or released",
                            kind, handle));
        }
        return object;
    }

    /// Makes a new object of JOCL stand for a handle or an address that JOCL did not make. There is no other way in than its private field.
    static <T extends NativePointerObject> T wrap(T object, long handle) {
        NATIVE_POINTER.set(object, handle);
        return object;
    }

    private static VarHandle nativePointer() {
        try {
            return MethodHandles.privateLookupIn(NativePointerObject.class, MethodHandles.lookup())
                    .findVarHandle(NativePointerObject.class, "nativePointer", long.class);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this version of JOCL has no nativePointer in NativePointerObject", e);
        }
    }

    /// Forgets the object before its handle can be given out again by the driver.
    T remove(long handle) {
        T object = get(handle);
        objects.remove(handle);
        return object;
    }
}
