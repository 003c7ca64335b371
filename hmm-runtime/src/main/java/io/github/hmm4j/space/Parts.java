package io.github.hmm4j.space;

import java.util.ArrayList;
import java.util.List;

/// What has been opened so far by somebody who opens several things, of which the later ones need the earlier. Used by one thread.
///
/// ```java
/// Parts parts = new Parts();
/// try {
///     a = parts.add(new A());
///     b = parts.add(new B(a));
/// } catch (RuntimeException | Error e) {
///     parts.closeAfter(e);
///     throw e;
/// }
/// ```
public final class Parts {

    private final List<AutoCloseable> opened = new ArrayList<>();

    /// Takes over what has just been opened.
    public <T extends AutoCloseable> T add(T part) {
        try {
            opened.add(part);
        } catch (OutOfMemoryError e) {
            closeAfter(e, part);
            throw e;
        }
        return part;
    }

    /// Closes everything in reverse on the way out of a failure; what fails as well is suppressed in it.
    public void closeAfter(Throwable failure) {
        while (!opened.isEmpty()) {
            closeAfter(failure, opened.removeLast());
        }
    }

    /// The same for one part. Takes nothing from the Java heap itself.
    public static void closeAfter(Throwable failure, AutoCloseable part) {
        try {
            part.close();
        } catch (Exception | OutOfMemoryError e) {
            suppress(failure, e);
        }
    }

    private static void suppress(Throwable failure, Throwable other) {
        try {
            failure.addSuppressed(other);
        } catch (OutOfMemoryError e) {
            return; // one failure is told of
        }
    }
}
