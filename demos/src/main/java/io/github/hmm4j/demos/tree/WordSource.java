package io.github.hmm4j.demos.tree;

import io.github.hmm4j.demos.jdk.JdkClasses;
import io.github.hmm4j.demos.jdk.JdkClasses.ClassFileRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedSet;

/// Distinct words in the order in which they first occur.
///
/// @param title where they came from, for people
/// @param words no word twice, none empty; a list that allows quick access by index
public record WordSource(String title, List<String> words) {
    public WordSource {
        words = List.copyOf(words);
    }

    /// The names of all classes of the running JDK, sorted: `java.util.Map$Entry`.
    public static WordSource jdkClassNames() throws IOException {
        List<String> names = JdkClasses.list().stream().map(ClassFileRef::name).toList();
        return new WordSource("class names of " + JdkClasses.title(), names);
    }

    /// The words of a UTF-8 text; what a word is says [TextWords].
    ///
    /// @throws IOException if the file cannot be read, is not UTF-8 (says where), or holds no word
    public static WordSource textFile(Path file) throws IOException {
        SequencedSet<String> words = TextWords.read(file);
        if (words.isEmpty()) {
            throw new IOException("the text holds no word: file=" + file);
        }
        return new WordSource(String.valueOf(file.getFileName()), List.copyOf(words));
    }
}
