package io.github.hmm4j.demos;

import io.github.hmm4j.demos.harness.Demo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Options with which each demo takes no time.
final class SmallInputs {
    private SmallInputs() {}

    /// @param folder for a file that the demo reads
    static String[] of(Demo demo, Path folder) throws IOException {
        return switch (demo.name()) {
            case "matmul" -> new String[] {"--n", "200"};
            case "tree" -> new String[] {"--lookups", "5000", "--text", file(folder, "every word of a short text, once or twice a word")};
            case "bfs" -> new String[] {"--graph", file(folder, "1 2\n2 3\n3 1\n3 4\n")};
            case "unmodified" -> new String[] {"--values", "50000"};
            case "gather" -> new String[] {"--table-rows", "2000"};
            case "join" -> new String[] {"--orders", "100000"};
            case "stream" -> new String[] {"--elements", "100000"};
            // An eighth of fewer is less than what the running work-groups use at once, and each page moves for each number in it.
            case "unmodified-paged" -> new String[] {"--rows", "2000"};
            default -> throw new IllegalArgumentException("no small input for demo=" + demo.name());
        };
    }

    private static String file(Path folder, String text) throws IOException {
        return Files.writeString(folder.resolve("input.txt"), text).toString();
    }
}
