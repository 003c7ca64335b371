package io.github.hmm4j.demos.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextWordsTest {
    @TempDir
    Path folder;

    @Test
    void splitsAtEverythingButLettersDigitsAndMarks() throws IOException {
        String text = "The cat, the cat's 2 hats\r\n\u00e9t\u00e9 e\u0301te\u0301 \u65e5\u672c\u8a9e \ud835\udc00x -";
        assertThat(words(text))
            .containsExactly("The", "cat", "the", "s", "2", "hats", "\u00e9t\u00e9", "e\u0301te\u0301",
                "\u65e5\u672c\u8a9e", "\ud835\udc00x");
    }

    @Test
    void keepsWordsAndCharactersWholeAcrossBufferEnds() throws IOException {
        for (int shift = 0; shift < 4; shift++) {
            String head = "a".repeat(65_534 + shift);
            assertThat(words(head + "\ud835\udc00\u00e9 end")).as("shift=%d", shift)
                .containsExactly(head + "\ud835\udc00\u00e9", "end");
        }
    }

    @Test
    void saysWhereTheTextIsNotUtf8() throws IOException {
        for (int line : List.of(1, 3, 40_000)) {
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            text.writeBytes("ok\n".repeat(line - 1).getBytes(StandardCharsets.UTF_8));
            text.writeBytes(new byte[] {'x', (byte) 0xe9, 'y', '\n'});
            Path file = Files.write(folder.resolve("latin1.txt"), text.toByteArray());
            assertThatThrownBy(() -> TextWords.read(file)).isInstanceOf(IOException.class)
                .hasMessageEndingWith("latin1.txt:%d: not UTF-8: byte 0xe9 at offset %d", line, 3 * (line - 1) + 1);
        }
    }

    @Test
    void refusesACharacterCutOffAtTheEnd() throws IOException {
        Path file = Files.write(folder.resolve("cut.txt"), new byte[] {'a', ' ', (byte) 0xc3});
        assertThatThrownBy(() -> TextWords.read(file)).hasMessageEndingWith("not UTF-8: byte 0xc3 at offset 2");
    }

    @Test
    void refusesMissingFilesFoldersAndTextsWithoutWords() throws IOException {
        assertThatThrownBy(() -> WordSource.textFile(folder.resolve("nowhere")))
            .hasMessageContaining("no such text file");
        assertThatThrownBy(() -> WordSource.textFile(folder)).hasMessageContaining("not a regular file");
        Path empty = Files.writeString(folder.resolve("empty.txt"), " ... \n");
        assertThatThrownBy(() -> WordSource.textFile(empty)).hasMessageContaining("holds no word");
    }

    @Test
    void namesTheClassesOfTheJdk() throws IOException {
        WordSource source = WordSource.jdkClassNames();
        assertThat(source.words()).contains("java.lang.String", "java.util.Map$Entry").doesNotHaveDuplicates()
            .isSorted().hasSizeGreaterThan(5_000);
        assertThat(source.words()).noneMatch(name -> name.endsWith("-info"));
    }

    private List<String> words(String text) throws IOException {
        return WordSource.textFile(Files.writeString(folder.resolve("text.txt"), text)).words();
    }
}
