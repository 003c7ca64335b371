package io.github.hmm4j.conformance;

import io.github.hmm4j.error.SystemCallFailedException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.NewMultiArrayInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.NewPrimitiveArrayInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.net.URL;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/// Loads the runtime once more, with a call of [AllocationFaults#before] in front of everything that may allocate: each `new`, each lambda, and each call into the JDK or the
/// logger but for those that are known to take nothing from the Java heap. System calls ask [AllocationFaults#strikes] first whether they are to fail.
///
/// Test classes are loaded once more as well, as they are, so that they use that runtime.
final class FaultyCode extends ClassLoader {

    private static final String OURS = "io.github.hmm4j.";
    private static final Pattern OF_THE_TESTS = Pattern.compile("/test-classes/|-tests\\.jar!"); // in a tree; in a bundle
    private static final Set<String> SHARED = Set.of(AllocationFaults.class.getName(), AllocationFaults.Mode.class.getName());

    /// Owners none of whose methods allocate, as far as they are called here.
    private static final Set<String> FRUGAL_OWNERS = Set.of("java/lang/Math", "java/lang/invoke/VarHandle", "java/lang/invoke/MethodHandle",
            "java/util/concurrent/locks/ReentrantLock", "java/util/concurrent/locks/Condition", "java/util/concurrent/locks/LockSupport",
            "java/util/concurrent/atomic/AtomicInteger", "java/util/concurrent/atomic/AtomicLong", "java/util/concurrent/atomic/AtomicBoolean", "java/util/concurrent/atomic/AtomicLongArray",
            "java/util/concurrent/atomic/AtomicReferenceArray", "java/util/concurrent/CountDownLatch", "java/util/BitSet", "java/lang/Enum",
            "java/lang/AutoCloseable", "java/lang/Runnable", "java/util/function/ToIntFunction", "java/lang/AssertionError");

    /// Methods that do not allocate, whoever has them.
    private static final Set<String> FRUGAL_METHODS = Set.of("<init>", "get", "set", "getAtIndex", "setAtIndex", "address", "byteSize", "copy", "size", "isEmpty", "getFirst",
            "getLast", "removeFirst", "removeLast", "remove", "containsKey", "contains", "clear", "hasNext", "next", "getKey", "getValue", "intValue", "longValue", "booleanValue",
            "bitCount", "numberOfTrailingZeros", "numberOfLeadingZeros", "currentThread", "yield", "onSpinWait", "interrupt", "nanoTime", "arraycopy", "fill", "close",
            "wait", "notifyAll", "requireNonNull", "ordinal", "equals", "lowestOneBit", "isAlive", "getCount", "compare", "toUnsignedLong", "toIntExact", "ceilDiv", "isEnabled",
            "desiredAssertionStatus");

    /// The same of methods that do allocate where others have them.
    private static final Set<String> FRUGAL_CALLS = Set.of("java/util/TreeMap.replace", "java/util/concurrent/ConcurrentSkipListMap.replace");

    private static final ClassDesc FAULTS = AllocationFaults.class.describeConstable().orElseThrow();
    private static final ClassDesc FAILURE = SystemCallFailedException.class.describeConstable().orElseThrow();
    private static final String SYSTEM_CALLS = OURS + "space.SystemCalls";
    private static final Set<String> FAILING_CALLS = Set.of("mmap", "dontFork", "memfd", "punchHole");
    private static final ClassDesc OBJECT_METHODS = ClassDesc.of("java.lang.runtime.ObjectMethods");
    private static final int ENOMEM = 12;
    private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);

    private final List<String> leftAlone;

    /// @param drivers whether code that calls a driver may fail to allocate, too
    FaultyCode(boolean drivers) {
        super(FaultyCode.class.getClassLoader());
        leftAlone = drivers ? List.of(OURS + "kernels.") : List.of(OURS + "kernels.", OURS + "device.opencl.");
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(OURS) || SHARED.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        String file = name.replace('.', '/') + ".class";
        URL url = getParent().getResource(file);
        if (url == null) {
            throw new ClassNotFoundException(name);
        }
        try (InputStream in = url.openStream()) {
            byte[] bytes = in.readAllBytes();
            boolean faulty = !OF_THE_TESTS.matcher(url.getPath()).find() && leftAlone.stream().noneMatch(name::startsWith);
            byte[] code = name.equals(SYSTEM_CALLS) ? withFailingCalls(bytes) : faulty ? withFaults(bytes) : bytes;
            return defineClass(name, code, 0, code.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] withFaults(byte[] bytes) {
        ClassFile classFile = ClassFile.of();
        return classFile.transformClass(classFile.parse(bytes), ClassTransform.transformingMethodBodies((builder, element) -> {
            if (mayAllocate(element)) {
                builder.invokestatic(FAULTS, "before", NOTHING);
            }
            builder.with(element);
        }));
    }

    /// What takes something from the operating system, or gives it back while the heap goes on; closing is left as it is.
    private static byte[] withFailingCalls(byte[] bytes) {
        ClassFile classFile = ClassFile.of();
        return classFile.transformClass(classFile.parse(bytes), ClassTransform.transformingMethodBodies(
                method -> FAILING_CALLS.contains(method.methodName().stringValue()),
                CodeTransform.ofStateful(FailsFirst::new)));
    }

    /// Puts the question in front of a method's first instruction.
    private static final class FailsFirst implements CodeTransform {

        @Override
        public void atStart(CodeBuilder builder) {
            builder.invokestatic(FAULTS, "strikes", MethodTypeDesc.of(ConstantDescs.CD_boolean));
            builder.ifThen(fails -> fails.new_(FAILURE).dup().loadConstant("a call that was made to fail").loadConstant(ENOMEM).loadConstant("")
                    .invokespecial(FAILURE, ConstantDescs.INIT_NAME, MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String, ConstantDescs.CD_int, ConstantDescs.CD_String))
                    .athrow());
        }

        @Override
        public void accept(CodeBuilder builder, CodeElement element) {
            builder.with(element);
        }
    }

    private static boolean mayAllocate(CodeElement element) {
        return switch (element) {
            case NewObjectInstruction _, NewPrimitiveArrayInstruction _, NewReferenceArrayInstruction _, NewMultiArrayInstruction _ -> true;
            case InvokeDynamicInstruction call -> !call.bootstrapMethod().owner().equals(OBJECT_METHODS); // those of a record that was compared before
            case InvokeInstruction call -> {
                String owner = Objects.requireNonNull(call.owner().asInternalName());
                boolean theirs = owner.startsWith("java/") || owner.startsWith("org/slf4j/");
                String name = call.name().stringValue();
                yield theirs && !FRUGAL_OWNERS.contains(owner) && !FRUGAL_METHODS.contains(name) && !FRUGAL_CALLS.contains(owner + "." + name);
            }
            default -> false;
        };
    }
}
