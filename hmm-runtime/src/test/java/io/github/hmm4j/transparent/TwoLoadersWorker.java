package io.github.hmm4j.transparent;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.hmm4j.Access;
import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.ManagedHeap;
import io.github.hmm4j.error.NoDeviceException;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A program that opens heaps through two class loaders in turns, and after each makes a `NullPointerException` in
/// compiled code and touches all heaps there are.
///
/// Arguments: `MODE`; or `MODE goes`, and it opens one heap, uses and closes it, and looks whether its loader is collected. Last line: `done name=number ...`.
final class TwoLoadersWorker {

    private static final int PAGE = 4096;
    private static final int MOST_COLLECTIONS = 100;
    private static final long MILLIS_BETWEEN_COLLECTIONS = 100;
    private static final int WARM_UPS = 20_000;

    private static int touched;
    private static int nulls;

    private TwoLoadersWorker() {}

    /// What a loader's own copy of the runtime is asked through: opens a heap for a `MODE`. What comes back touches a
    /// new page of it, and closes it.
    @SuppressWarnings("unused") // by its name
    static final class Copy implements Function<String, Map.Entry<Runnable, Runnable>> {

        @Override
        public Map.Entry<Runnable, Runnable> apply(String mode) {
            HmmBuilder builder = Hmm.builder().heap(ByteSize.mib(1)).pageSize(PAGE).hostOnly();
            Hmm hmm = builder.hostAccess(HostAccess.Mode.valueOf(mode)).open();
            return Map.entry(() -> touch(hmm.heap().allocate(PAGE, PAGE)), hmm::close);
        }

        private static void touch(MemorySegment page) {
            page.set(JAVA_INT, 0, 77);
            if (page.get(JAVA_INT, 0) != 77) {
                throw new AssertionError("a touch found something else");
            }
        }
    }

    /// The same with a device, if there is one, and for pages that come and go.
    @SuppressWarnings("unused") // by its name
    static final class DeviceCopy implements Function<String, Map.Entry<Runnable, Runnable>> {

        @Override
        public Map.Entry<Runnable, Runnable> apply(String mode) {
            Hmm hmm = open(HostAccess.Mode.valueOf(mode));
            return Map.entry(() -> use(hmm.heap()), hmm::close);
        }

        private static Hmm open(HostAccess.Mode mode) {
            try {
                return builder(mode).open();
            } catch (NoDeviceException _) {
                return builder(mode).hostOnly().open();
            }
        }

        private static HmmBuilder builder(HostAccess.Mode mode) {
            return Hmm.builder().heap(ByteSize.mib(1)).pageSize(PAGE).hostAccess(mode);
        }

        /// Somebody hears of it, as a mirror of the program's own does.
        private static void use(ManagedHeap heap) {
            MemorySegment page = heap.allocate(PAGE, PAGE);
            try (HostView view = heap.view(page, Access.WRITE)) {
                view.segment().set(JAVA_INT, 0, 77);
            }
            try (var _ = heap.mirror(page, new ReentrantLock(), _ -> { })) {
                heap.free(page);
            }
        }
    }

    /// Loads the runtime and this program itself, everything else is its parent's.
    private static final class OwnCopy extends URLClassLoader {

        OwnCopy(URL[] urls) {
            super(urls, TwoLoadersWorker.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("io.github.hmm4j.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? findClass(name) : loaded;
            }
        }

        @Override
        public @Nullable URL getResource(String name) {
            return name.startsWith("io/github/hmm4j/") ? findResource(name) : super.getResource(name);
        }

        @SuppressWarnings("unchecked")
        Function<String, Map.Entry<Runnable, Runnable>> copy(Class<?> asked) throws ReflectiveOperationException {
            var constructor = loadClass(asked.getName()).getDeclaredConstructor();
            constructor.setAccessible(true);
            return (Function<String, Map.Entry<Runnable, Runnable>>) constructor.newInstance();
        }
    }

    private static URL[] classPath() {
        List<URL> urls = new ArrayList<>();
        try {
            for (String entry : System.getProperty("java.class.path").split(Pattern.quote(File.pathSeparator), -1)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return urls.toArray(URL[]::new);
    }

    /// Compiled code finds a null by its fault, as long as it has not seen one.
    static int lengthOf(String text) {
        return text.length();
    }

    @SuppressWarnings({"NullAway", "DataFlowIssue"}) // that is the point
    private static void makeNull() {
        try {
            lengthOf(null);
            throw new AssertionError("null has a length");
        } catch (NullPointerException expected) {
            nulls++;
        }
    }

    private static void touchAll(List<Map.Entry<Runnable, Runnable>> heaps) {
        makeNull();
        for (Map.Entry<Runnable, Runnable> heap : heaps) {
            heap.getKey().run();
            touched++;
        }
    }

    private static WeakReference<ClassLoader> used(String mode, ReferenceQueue<ClassLoader> gone) throws ReflectiveOperationException, IOException {
        try (OwnCopy loader = new OwnCopy(classPath())) {
            var heap = loader.copy(DeviceCopy.class).apply(mode);
            heap.getKey().run();
            heap.getValue().run();
            return new WeakReference<>(loader, gone);
        }
    }

    /// Threads of the heap's end may still hold the loader, so it is tried again.
    private static void goes(String mode) throws ReflectiveOperationException, IOException, InterruptedException {
        var gone = new ReferenceQueue<ClassLoader>();
        WeakReference<ClassLoader> loader = used(mode, gone);
        Reference<?> found = null;
        for (int i = 0; i < MOST_COLLECTIONS && found == null; i++) {
            System.gc();
            found = gone.remove(MILLIS_BETWEEN_COLLECTIONS);
        }
        System.out.printf("done gone=%d%n", found == loader ? 1 : 0);
    }

    public static void main(String[] args) throws ReflectiveOperationException, IOException, InterruptedException {
        if (args.length > 1) {
            goes(args[0]);
            return;
        }
        int warm = 0;
        for (int i = 0; i < WARM_UPS; i++) {
            warm += lengthOf("a");
        }
        if (warm != WARM_UPS) {
            throw new AssertionError(warm);
        }
        try (OwnCopy first = new OwnCopy(classPath()); OwnCopy second = new OwnCopy(classPath())) {
            Function<String, Map.Entry<Runnable, Runnable>> a = first.copy(Copy.class);
            Function<String, Map.Entry<Runnable, Runnable>> b = second.copy(Copy.class);
            List<Map.Entry<Runnable, Runnable>> heaps = new ArrayList<>();
            for (var copy : List.of(a, b, a, b)) { // 1 + 2 + 3 + 4 touches
                heaps.add(copy.apply(args[0]));
                touchAll(heaps);
            }
            while (heaps.size() > 2) { // 3 + 2
                heaps.removeFirst().getValue().run();
                touchAll(heaps);
            }
            heaps.removeFirst().getValue().run();
            heaps.add(a.apply(args[0]));
            touchAll(heaps); // 2
            heaps.forEach(heap -> heap.getValue().run());
        }
        System.out.printf("done nulls=%d touched=%d%n", nulls, touched);
    }
}
