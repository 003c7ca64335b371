package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Background;
import io.github.hmm4j.transparent.ChildJvm;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OneLoadsAtATimeTest {

    @TempDir
    Path temporary;

    /// The library is as another process leaves it that has come half way with writing it.
    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void whoComesWhileTheLibraryIsWrittenWaitsForIt(ClBinding binding) throws Exception {
        assertThat(load(binding)).as("the first time").contains("loaded");
        Path library = onlyFile(".so");
        Path lockFile = onlyFile(".lock");
        byte[] whole = Files.readAllBytes(library);
        Background<String> second;
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            FileLock lock = channel.lock();
            try (FileChannel half = FileChannel.open(library, StandardOpenOption.WRITE)) {
                half.truncate(whole.length / 2);
            }
            second = Background.call(() -> load(binding));
            while (!second.isDone() && !isOpenInAChild(lockFile)) {
                Thread.onSpinWait();
            }
            Files.write(library, whole, StandardOpenOption.TRUNCATE_EXISTING);
            lock.release();
        }
        assertThat(second.join()).contains("loaded");
    }

    /// The folder is everybody's, and the name no secret.
    @ParameterizedTest
    @EnumSource(ClBinding.class)
    void aPipeInItsPlaceKeepsNobodyWaiting(ClBinding binding) throws Exception {
        Path pipe = temporary.resolve("hmm4j-loading-" + System.getProperty("user.name") + ".lock");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        assertThat(load(binding)).contains("loaded");
    }

    private String load(ClBinding binding) {
        ChildJvm.Result result = ChildJvm.run(Duration.ofMinutes(1), List.of("-Djava.io.tmpdir=" + temporary), Loading.class, binding.name());
        return "status=" + result.status() + " " + result.output();
    }

    private Path onlyFile(String ending) throws IOException {
        try (Stream<Path> files = Files.walk(temporary)) {
            List<Path> found = files.filter(each -> each.toString().endsWith(ending)).toList();
            assertThat(found).as("files in %s that end in %s", temporary, ending).hasSize(1);
            return found.getFirst();
        }
    }

    private static boolean isOpenInAChild(Path file) {
        return ProcessHandle.current().children().anyMatch(child -> {
            try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(child.pid()), "fd"))) {
                return open.anyMatch(each -> pointsTo(each, file));
            } catch (IOException e) {
                return false; // it has ended
            }
        });
    }

    private static boolean pointsTo(Path link, Path file) {
        try {
            return Files.readSymbolicLink(link).equals(file);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    /// The program of the child process.
    static final class Loading {

        private Loading() {}

        public static void main(String[] args) {
            System.out.println("loaded " + Bindings.load(ClBinding.valueOf(args[0])).binding());
        }
    }
}
