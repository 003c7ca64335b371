package io.github.hmm4j.demos.micro;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The same views where page faults serve the host: native code then opens them. On the default device.
@State(Scope.Thread)
public class TransparentViews {
    private final Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).open();
    private final MemorySegment page = Views.filled(hmm, ByteSize.kib(64));

    /// Fails where access is not transparent: these figures would be those of [Views].
    public TransparentViews() {
        if (!hmm.hostAccess().mode().isTransparent()) {
            hmm.close();
            throw new IllegalStateException("access is not transparent here: " + hmm.hostAccess().why());
        }
    }

    @TearDown
    public void close() {
        hmm.close();
    }

    @Benchmark
    @Measures("open and close a view for reading one page that is on the host, transparent access")
    public long readOnePage() {
        return Views.openAndClose(hmm, page, Access.READ);
    }

    @Benchmark
    @Measures("open and close a view for writing one page that is on the host, transparent access")
    public long writeOnePage() {
        return Views.openAndClose(hmm, page, Access.WRITE);
    }
}
