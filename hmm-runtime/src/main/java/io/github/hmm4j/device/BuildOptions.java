package io.github.hmm4j.device;

/// Options for the OpenCL C compiler, which takes them as a C string.
public final class BuildOptions {

    private BuildOptions() {}

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
