package io.github.hmm4j.demos.micro;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Views of pages of a heap without a device, with checked access: what it costs to be allowed to touch them.
@State(Scope.Thread)
public class Views {
    private final Hmm hmm = Hmm.builder().heap(ByteSize.mib(16)).hostOnly().hostAccess(HostAccess.Mode.CHECKED).open();
    private final MemorySegment page = filled(hmm, ByteSize.kib(64));
    private final MemorySegment pages = filled(hmm, ByteSize.mib(1));

    @TearDown
    public void close() {
        hmm.close();
    }

    @Benchmark
    @Measures("open and close a view for reading one page that is on the host, checked access")
    public long readOnePage() {
        return openAndClose(hmm, page, Access.READ);
    }

    @Benchmark
    @Measures("open and close a view for writing one page that is on the host, checked access")
    public long writeOnePage() {
        return openAndClose(hmm, page, Access.WRITE);
    }

    @Benchmark
    @Measures("open and close a view for reading 16 pages that are on the host, checked access")
    public long readSixteenPages() {
        return openAndClose(hmm, pages, Access.READ);
    }

    /// Host memory of a heap, written to once.
    static MemorySegment filled(Hmm hmm, long lengthBytes) {
        MemorySegment segment = hmm.heap().allocate(lengthBytes);
        try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
            view.segment().fill((byte) 1);
        }
        return segment;
    }

    static long openAndClose(Hmm hmm, MemorySegment segment, Access access) {
        try (HostView view = hmm.heap().view(segment, access)) {
            return view.segment().byteSize();
        }
    }
}
