package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.device.BareOpenCl;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.kernels.Source;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Shared virtual memory whose atomics both sides see at once.
final class SvmWithAtomics extends SharedVirtualMemory implements Conversing {
    private @Nullable ClProgram handshake;

    SvmWithAtomics(Strategy strategy, BareOpenCl device) {
        super(strategy, device);
    }

    @Override
    public Optional<Conversing> conversing() {
        return Optional.of(this);
    }

    @Override
    public Conversation converse(Block flags, Block ended, int rounds, long patience) {
        if (handshake == null) {
            handshake = new ClProgram(device(), Source.resource("handshake.cl"), "-cl-std=CL3.0", "-cl-std=CL2.0");
        }
        ClProgram program = handshake;
        long kernel = program.kernel("handshake");
        setPointer(kernel, 0, flags, 0);
        setPointer(kernel, 1, ended, 0);
        program.setInt(kernel, 2, rounds);
        program.setLong(kernel, 3, patience);
        long event = program.enqueue(kernel, 1);
        return () -> program.await(event);
    }

    @Override
    public void close() {
        if (handshake != null) {
            handshake.close();
        }
        super.close();
    }
}
