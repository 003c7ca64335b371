package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.KernelParameter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A compiled program as it lies in a file: what the driver needs, and the parameters of its kernels, since drivers
/// need not know these of a program that they have not compiled themselves.
///
/// The file is a mark, a SHA-256 of all behind it, and that.
///
/// Immutable.
final class StoredProgram {

    private static final long MARK = 0x686d6d346a_0001L; // hmm4j, and the version of what follows
    private static final int HASH_BYTES = 32;

    private final byte[] binary;
    private final Map<String, List<KernelParameter>> kernels;

    /// @param binary  owned by this
    /// @param kernels parameters by the kernel's name
    StoredProgram(byte[] binary, Map<String, List<KernelParameter>> kernels) {
        this.binary = binary;
        this.kernels = Collections.unmodifiableMap(new LinkedHashMap<>(kernels));
    }

    /// Not to be changed.
    byte[] binary() {
        return binary;
    }

    Map<String, List<KernelParameter>> kernels() {
        return kernels;
    }

    /// @throws IOException if some name is longer than a file may have it
    byte[] toBytes() throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream(binary.length + 1024);
        try (DataOutputStream out = new DataOutputStream(content)) {
            out.writeInt(kernels.size());
            for (Map.Entry<String, List<KernelParameter>> kernel : kernels.entrySet()) {
                out.writeUTF(kernel.getKey());
                out.writeInt(kernel.getValue().size());
                for (KernelParameter parameter : kernel.getValue()) {
                    out.writeUTF(parameter.name());
                    out.writeUTF(parameter.typeName());
                    out.writeUTF(parameter.space().name());
                    out.writeBoolean(parameter.isConst());
                }
            }
            out.writeInt(binary.length);
            out.write(binary);
            ByteArrayOutputStream file = new ByteArrayOutputStream(content.size() + 64);
            try (DataOutputStream all = new DataOutputStream(file)) {
                all.writeLong(MARK);
                all.write(hash(content.toByteArray()));
                content.writeTo(all);
            }
            return file.toByteArray();
        }
    }

    /// Empty if these are not the bytes that were written.
    static Optional<StoredProgram> of(byte... file) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(file))) {
            boolean marked = in.readLong() == MARK;
            byte[] hash = in.readNBytes(HASH_BYTES);
            if (!marked || !Arrays.equals(hash, hash(Arrays.copyOfRange(file, Long.BYTES + HASH_BYTES, file.length)))) {
                return Optional.empty();
            }
            Map<String, List<KernelParameter>> kernels = new LinkedHashMap<>();
            int count = in.readInt();
            for (int k = 0; k < count; k++) {
                String name = in.readUTF();
                int parameterCount = in.readInt();
                List<KernelParameter> parameters = new ArrayList<>();
                for (int i = 0; i < parameterCount; i++) {
                    parameters.add(new KernelParameter(i, in.readUTF(), in.readUTF(),
                            KernelParameter.Space.valueOf(in.readUTF()), in.readBoolean()));
                }
                kernels.put(name, List.copyOf(parameters));
            }
            return Optional.of(new StoredProgram(in.readNBytes(in.readInt()), kernels));
        } catch (IOException | RuntimeException _) {
            return Optional.empty(); // too short, or another program's file
        }
    }

    private static byte[] hash(byte... bytes) {
        return sha256().digest(bytes);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has it", e);
        }
    }
}
