package io.github.hmm4j.device;

import java.util.Arrays;
import java.util.List;

/// Options for the OpenCL C compiler, which takes them as a C string.
public final class BuildOptions {

    private static final String VERSION = "-cl-std=";
    private static final String DEFAULT_VERSION = VERSION + "CL1.2";
    private static final String WHOLE_GROUPS = "-cl-uniform-work-group-size";

    private BuildOptions() {}

    /// The options with OpenCL C 1.2, unless they name a version themselves.
    ///
    /// @throws IllegalArgumentException as [#checked]
    public static String withVersion(String options) {
        return words(checked(options)).stream().anyMatch(word -> word.startsWith(VERSION))
                ? options
                : (DEFAULT_VERSION + " " + options).strip();
    }

    /// Whether a program compiled so may be launched over work-items that are no multiple of the work-group, on devices
    /// that can: from OpenCL C 2.0 on.
    public static boolean allowSmallerGroups(String options) {
        String version = "";
        for (String word : words(options)) {
            if (word.startsWith(VERSION)) {
                version = word.substring(VERSION.length()); // compilers take the last one
            }
        }
        return !words(options).contains(WHOLE_GROUPS) && !version.isEmpty() && !version.startsWith("CL1");
    }

    private static List<String> words(String options) {
        return Arrays.asList(options.strip().split("\\s+"));
    }

    /// Refuses what the compiler would cut off without a word.
    ///
    /// @return `options`
    /// @throws IllegalArgumentException if there is a NUL among them
    public static String checked(String options) {
        int at = options.indexOf('\0');
        if (at >= 0) {
            throw new IllegalArgumentException("options have a NUL at index=" + at + ", behind \""
                    + options.substring(0, at) + "\": they would end there");
        }
        return options;
    }
}
